"""Finding devices as ``/devices`` and ``/locks`` are asked to: one device, or a filtered page of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from pydantic import Field, model_validator

from thumbturn.api.callers import Caller
from thumbturn.api.pages import Pages, Place
from thumbturn.api.parameters import Listing, Maybe, Moment, Parameters, either
from thumbturn.api.placed import devices_in, devices_json
from thumbturn.api.wire.device import Device, device_json
from thumbturn.api.wire.pagination import Pagination
from thumbturn.api.wire.vocabulary import DeviceType, Flag, Manufacturer
from thumbturn.domain.client_session import Reach
from thumbturn.domain.refusals import DeviceNotFound
from thumbturn.domain.workspace import KeyKind
from thumbturn.engine.ports import DeviceFilter, Store


class DeviceGet(Parameters):
    """Which device."""

    device_id: Maybe[str] = None
    """The device."""
    name: Maybe[str] = None
    """Or the name it is shown by."""

    @model_validator(mode="after")
    def _one_ofeither(self) -> DeviceGet:
        if self.device_id is None and self.name is None:
            raise ValueError("Either 'device_id' or 'name' is required")
        return self


class DeviceList(Listing):
    """Which devices. What is not given does not matter."""

    device_ids: Maybe[list[str]] = None
    """Only these."""
    device_type: Maybe[DeviceType] = None
    """Only of this type."""
    device_types: Maybe[list[DeviceType]] = None
    """Only of one of these types."""
    manufacturer: Maybe[Manufacturer] = None
    """Only of this maker."""
    connected_account_id: Maybe[str] = None
    """Only of this account."""
    connected_account_ids: Maybe[list[str]] = None
    """Only of one of these accounts."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in their name, in any letter case."""
    created_before: Maybe[Moment] = None
    """Only older ones."""
    custom_metadata_has: Maybe[dict[str, str | bool]] = None
    """Only with these values in their custom metadata."""
    include_if: Maybe[list[Flag]] = None
    """Only those of which all of these flags are true."""
    exclude_if: Maybe[list[Flag]] = None
    """None of which one of these flags is true."""
    connect_webview_id: Maybe[str] = None
    """Only those of the account that was connected through this webview."""
    customer_key: Maybe[str] = None
    """Only those of accounts of this customer."""
    space_id: Maybe[str] = None
    """Only those in this space."""
    unstable_location_id: str | None = None
    """Only those in this location."""
    user_identifier_key: Maybe[str] = None
    """Only those that the client session of this user sees."""

    def asks_for_the_unknown(self) -> bool:
        """True if it asks for devices of something that this server has none of: nothing can match."""
        return self.unstable_location_id is not None


async def find_device(
    ask: DeviceGet, caller: Caller, store: Store, capability: str | None = None, *, is_managed: bool = True
) -> Device:
    """The device that is asked for, among those that are managed or the others. Raises ``DeviceNotFound``."""
    wanted = DeviceFilter(
        device_ids=None if ask.device_id is None else [ask.device_id],
        name=ask.name,
        capability=capability,
        is_managed=is_managed,
        reach=caller.reach,
    )
    found = await store.devices(caller.workspace.id, wanted, limit=1)
    if not found:
        raise DeviceNotFound
    [shown] = await devices_json(found, caller, store)
    return shown


async def list_devices(
    ask: DeviceList,
    caller: Caller,
    store: Store,
    pages: Pages,
    capability: str | None = None,
    *,
    is_managed: bool = True,
) -> tuple[list[Device], Pagination]:
    """A page of those devices that fit and are managed, or are not, in order of (created_at, id)."""
    workspace = caller.workspace
    wanted = replace(await _filter(ask, caller, store, capability), is_managed=is_managed)
    kept: list[tuple[Place, Device]] = []
    after, is_more = pages.after, not ask.asks_for_the_unknown()
    while is_more and len(kept) <= ask.most:
        found = await store.devices(workspace.id, wanted, after=after, limit=ask.most + 1)
        for device in found:
            json = device_json(device, is_sandbox=workspace.is_sandbox)
            if _has_flags(json, ask):
                kept.append(((device.created_at, device.id), json))
        is_more = len(found) > ask.most
        after = (found[-1].created_at, found[-1].id) if is_more else None
    page, pagination = pages.turn(kept, ask.most, lambda each: each[0])
    spaces = await store.spaces.around(workspace.id, [json["device_id"] for _, json in page])
    for _, json in page:
        json["space_ids"] = spaces.get(json["device_id"], [])
    return [json for _, json in page], pagination


async def _filter(ask: DeviceList, caller: Caller, store: Store, capability: str | None) -> DeviceFilter:
    accounts = either(ask.connected_account_id, ask.connected_account_ids)
    if ask.connect_webview_id is not None:
        webview = await store.webviews.get(caller.workspace.id, ask.connect_webview_id)
        came = None if webview is None else webview.connected_account_id
        accounts = either(came, accounts) if came is not None else []
    ids: Sequence[str] | None = ask.device_ids
    if ask.space_id is not None:
        inside = await devices_in(ask.space_id, caller, store)
        ids = inside if ids is None else list(set(inside).intersection(ids))
    return DeviceFilter(
        device_ids=ids,
        connected_account_ids=accounts,
        customer_key=ask.customer_key,
        device_types=either(ask.device_type, ask.device_types),
        capability=capability,
        manufacturer=ask.manufacturer,
        search=ask.search,
        created_before=ask.created_before,
        custom_metadata_has=ask.custom_metadata_has,
        reach=await reach_of_user(ask.user_identifier_key, caller, store),
    )


async def reach_of_user(user_identifier_key: str | None, caller: Caller, store: Store) -> Reach:
    """What the caller sees; of that, where a user is named, what the client session of that user reaches."""
    if user_identifier_key is None:
        return caller.reach
    # Who else reaches what he does is nothing that a client session may find out.
    if caller.key.kind is KeyKind.CLIENT_SESSION and caller.key.name != user_identifier_key:
        return frozenset()
    session = await store.client_sessions.of_user(caller.workspace.id, user_identifier_key)
    return frozenset() if session is None else session.reach


def _has_flags(json: Device, ask: DeviceList) -> bool:
    return all(json.get(flag) is True for flag in ask.include_if or ()) and not any(
        json.get(flag) is True for flag in ask.exclude_if or ()
    )
