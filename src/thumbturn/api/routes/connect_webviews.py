"""``/connect_webviews``: making a page on which a person connects an account, and seeing what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from thumbturn.api.call import Call
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, WRITE, Answer, endpoint
from thumbturn.api.metadata import MetadataChange, merged
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe, Parameters
from thumbturn.api.refusals import InvalidInput
from thumbturn.api.wire.connect_webview import ConnectWebview, connect_webview_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.api.wire.provider import of_category
from thumbturn.api.wire.vocabulary import Provider, WebviewCategory
from thumbturn.domain.connect_webview import VIRTUAL, SelectionMode, Wishes
from thumbturn.domain.connected_account import AcceptedCapability
from thumbturn.domain.workspace import KeyKind
from thumbturn.engine.connect_webviews import ConnectWebviews
from thumbturn.engine.hub_ports import HubDriver
from thumbturn.engine.ports import Store
from thumbturn.engine.webview_ports import WebviewFilter

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)
#: What a browser would run, or read from the person's own machine, instead of going there.
_NOWHERE = frozenset({"about", "blob", "data", "file", "filesystem", "javascript", "vbscript", "view-source"})
_LONGEST_URL = 2_000


def _address(given: str) -> str:
    """An address that somebody may be sent to: on the web, or of an app."""
    try:
        parts = urlsplit(given)
    except ValueError:
        parts = urlsplit("")
    is_sound = given.isprintable() and " " not in given and len(given) <= _LONGEST_URL
    if not is_sound or not _SCHEME.fullmatch(parts.scheme) or parts.scheme in _NOWHERE:
        raise PydanticCustomError("invalid_url", "Invalid url")
    if parts.scheme in {"http", "https"} and not parts.hostname:
        raise PydanticCustomError("invalid_url", "Invalid url")
    return given


Address = Annotated[str, AfterValidator(_address), WithJsonSchema({"type": "string"})]


class WebviewCreate(Parameters):
    """What shall come of the new webview."""

    accepted_providers: Maybe[list[Provider]] = None
    """The providers to choose from. In a sandbox each is played by a virtual home; elsewhere those are
    connected whose hubs can be linked. No client session may ask for these.
    """
    provider_category: Maybe[WebviewCategory] = None
    """The providers of this category, instead."""
    excluded_providers: Maybe[list[str]] = None
    """Of those, none of these."""
    accepted_capabilities: Maybe[list[AcceptedCapability]] = None
    """The kinds of devices to take; all if it is not given."""
    device_selection_mode: Maybe[SelectionMode] = None
    """Whether the person chooses one device, or several; all are taken if it is not given."""
    custom_redirect_url: Maybe[Address] = None
    """Where the person is sent afterwards."""
    custom_redirect_failure_url: Maybe[Address] = None
    """Where the person is sent if it came to nothing."""
    custom_metadata: Maybe[MetadataChange] = None
    """Kept with the webview, and with the account that comes of it. At most 50 keys of 500 characters."""
    customer_key: Maybe[Annotated[str, Field(min_length=1, max_length=500)]] = None
    """Whose customer's the account will be: your own word for the customer."""
    automatically_manage_new_devices: Maybe[bool] = None
    """Whether the devices are managed at once; they are if it is not given."""
    wait_for_device_creation: bool = False
    """Accepted: the devices are there in any case when the webview is authorized."""


class OfWebview(Parameters):
    """One webview."""

    connect_webview_id: str
    """The webview."""


class WebviewList(Listing):
    """Which webviews. What is not given does not matter."""

    customer_key: Maybe[str] = None
    """Only those of this customer."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in their id, their providers or who signed in; in any letter case."""
    custom_metadata_has: Maybe[dict[str, str | bool]] = None
    """Only with these values in their custom metadata."""
    user_identifier_key: Maybe[str] = None
    """Only those of the client session of this user."""


@endpoint({"connect_webview": ConnectWebview}, methods=WRITE)
async def create(ask: WebviewCreate, caller: Caller, webviews: ConnectWebviews, call: Call) -> Answer:
    """Makes a page on which a person connects an account. What a client session makes is its own."""
    wishes = Wishes(
        accepted_providers=_accepted(ask, caller, webviews.hub_drivers),
        accepted_capabilities=tuple(dict.fromkeys(ask.accepted_capabilities or ())),
        redirect_url=ask.custom_redirect_url,
        failure_url=ask.custom_redirect_failure_url,
        manages_new_devices=ask.automatically_manage_new_devices is not False,
        waits_for_devices=ask.wait_for_device_creation,
        selection_mode=ask.device_selection_mode or "none",
    )
    shown = await webviews.create(
        caller.workspace.id,
        wishes,
        custom_metadata=merged({}, ask.custom_metadata or {}),
        customer_key=ask.customer_key,
        session_id=caller.key.id if caller.key.kind is KeyKind.CLIENT_SESSION else None,
    )
    return {"connect_webview": connect_webview_json(shown, call.origin)}


@endpoint({"connect_webview": ConnectWebview})
async def get(ask: OfWebview, caller: Caller, webviews: ConnectWebviews, store: Store, call: Call) -> Answer:
    """Returns a connect webview."""
    among = await _seen(caller, store, None)
    shown = await webviews.get(caller.workspace.id, ask.connect_webview_id, among)
    return {"connect_webview": connect_webview_json(shown, call.origin)}


@endpoint({"connect_webviews": list[ConnectWebview], "pagination": Pagination})
async def list_(
    ask: WebviewList, caller: Caller, webviews: ConnectWebviews, store: Store, pages: Pages, call: Call
) -> Answer:
    """Lists connect webviews, oldest first."""
    wanted = WebviewFilter(
        ids=await _seen(caller, store, ask.user_identifier_key),
        customer_key=ask.customer_key,
        search=ask.search,
        custom_metadata_has=ask.custom_metadata_has,
    )
    found = await store.webviews.listed(caller.workspace.id, wanted, after=pages.after, limit=ask.most + 1)
    page, pagination = pages.turn(found, ask.most, lambda webview: (webview.created_at, webview.id))
    shown = [connect_webview_json(webviews.shown(each), call.origin) for each in page]
    return {"connect_webviews": shown, "pagination": pagination}


@endpoint(methods=DELETE)
async def delete(ask: OfWebview, caller: Caller, webviews: ConnectWebviews) -> Answer:
    """Deletes a connect webview: its page is gone. An account that came of it stays."""
    await webviews.delete(caller.workspace.id, ask.connect_webview_id)
    return {}


def _accepted(ask: WebviewCreate, caller: Caller, drivers: Mapping[str, HubDriver]) -> tuple[str, ...]:
    """The providers to choose from; none named is any. Raises ``InvalidInput`` if none is left.

    Hubs are offered where they are named, and named by whoever has a key: the page of one has the server call
    addresses in its own network, which is not for somebody else's guests to decide.
    """
    is_real, is_guest = not caller.workspace.is_sandbox, caller.key.kind is KeyKind.CLIENT_SESSION
    providers: Sequence[str] = ask.accepted_providers or ()
    excluded = set(ask.excluded_providers or ())
    if is_real and is_guest and drivers.keys() & set(providers):
        raise InvalidInput.of("accepted_providers", "No client session may have a hub linked")
    if not providers and ask.provider_category is not None:
        providers = of_category(ask.provider_category, caller.workspace, {} if is_guest else drivers)
        if not providers:
            raise InvalidInput.of("provider_category", "There is no provider of this category")
    if not providers and is_real and not is_guest:
        providers = tuple(drivers)
    left = tuple(dict.fromkeys(each for each in providers or (VIRTUAL,) if each not in excluded))
    if not left:
        raise InvalidInput.of("excluded_providers", "Must leave a provider to choose")
    return left if providers else ()


async def _seen(caller: Caller, store: Store, user_identifier_key: str | None) -> tuple[str, ...] | None:
    """The webviews that the caller sees, and of these those of a user; ``None`` for all of the workspace."""
    workspace_id = caller.workspace.id
    if caller.key.kind is KeyKind.CLIENT_SESSION:
        if user_identifier_key not in (None, caller.key.name):
            return ()
        session = await store.client_sessions.get(workspace_id, caller.key.id)
    elif user_identifier_key is not None:
        session = await store.client_sessions.of_user(workspace_id, user_identifier_key)
    else:
        return None
    return () if session is None else session.connect_webview_ids
