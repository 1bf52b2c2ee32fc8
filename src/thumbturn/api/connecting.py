"""A person walks through a connect webview: each form that he posts is a step, and each look shows where he
stands. His address is all that he has: whoever knows it is he.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs

from thumbturn.api.body import Receive, read_body
from thumbturn.api.callers import Callers
from thumbturn.api.connect_page import connect_page, headers_of_page, unknown_page
from thumbturn.api.hub_form import HubForm
from thumbturn.api.refusals import MethodNotAllowed
from thumbturn.domain.connect_webview import ConnectWebview
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.hub import HubLinkedAlready
from thumbturn.domain.refusals import ConnectWebviewNotFound
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.connect_webviews import ConnectWebviews
from thumbturn.engine.ports import DeviceFilter, Store

HTML = b"text/html; charset=utf-8"
#: No form of the page is longer.
MOST_BYTES = 16_384
#: Of an account that was connected; a page that names more helps nobody.
_MOST_NAMED = 100
_LONGEST_WORD = 254
_ODD = "\N{REPLACEMENT CHARACTER}"


class Shown(NamedTuple):
    """What is sent to the browser."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Connecting:
    """The page of all connect webviews."""

    def __init__(self, store: Store, callers: Callers) -> None:
        self._store = store
        self._callers = callers

    async def workspace_of(self, scope: Mapping[str, Any]) -> str | None:
        """The workspace of the webview that is named at this address, whoever may see it."""
        webview_id = _fields(scope["query_string"]).get("connect_webview_id", [""])[0]
        found = await self._store.webviews.visited(webview_id)
        return None if found is None else found.workspace_id

    async def answer(
        self,
        webviews: ConnectWebviews,
        scope: Mapping[str, Any],
        headers: Mapping[bytes, bytes],
        receive: Receive,
    ) -> Shown:
        """The page at this address; after a step, the way back to it, so that going back repeats nothing.

        Raises ``MethodNotAllowed`` and ``PayloadTooLarge``.
        """
        if scope["method"] not in {"GET", "POST"}:
            raise MethodNotAllowed("only GET,POST accepted", headers={"allow": "GET,POST"})
        query: bytes = scope["query_string"]
        address = _fields(query)
        try:
            webview = await webviews.visit(
                address.get("connect_webview_id", [""])[0], address.get("auth_token", [""])[0]
            )
        except ConnectWebviewNotFound:
            return unknown()
        workspace = await self._store.workspace(webview.workspace_id)
        assert workspace is not None  # it has a webview
        if scope["method"] == "POST":
            form = _fields(await read_body(receive, headers, MOST_BYTES))
            problem = await self._step(webviews, webview, form, workspace)
            if problem is None:
                return Shown(303, [(b"location", scope["path"].encode() + b"?" + query)], b"")
            # What did not work is shown at once, with what was filled in: nothing of it is kept.
            webview = await webviews.visit(webview.id, address["auth_token"][0])
            return await self._page(webviews, webview, workspace, _settings(form), problem.message)
        return await self._page(webviews, webview, workspace, {}, "")

    async def _page(
        self,
        webviews: ConnectWebviews,
        webview: ConnectWebview,
        workspace: Workspace,
        filled: Mapping[str, str],
        problem: str,
    ) -> Shown:
        titles = {name: driver.title for name, driver in webviews.hub_drivers.items()}
        driver = webviews.hub_drivers.get(webview.selected_provider or "")
        form = None
        if driver is not None and not workspace.is_sandbox:
            form = HubForm(driver.title, driver.fields, filled, problem)
        page = connect_page(webview, workspace, await self._devices(webviews, webview), titles, form)
        return Shown(200, headers_of_page(page, webview), page)

    async def _devices(self, webviews: ConnectWebviews, webview: ConnectWebview) -> list[Device]:
        """What there is to connect; once it is connected, what was."""
        if webview.connected_account_id is None:
            return webviews.devices_of(webview)
        wanted = DeviceFilter(connected_account_ids=[webview.connected_account_id])
        return await self._store.devices(webview.workspace_id, wanted, limit=_MOST_NAMED)

    async def _step(
        self,
        webviews: ConnectWebviews,
        webview: ConnectWebview,
        form: Mapping[str, list[str]],
        workspace: Workspace,
    ) -> Refusal | None:
        """Take the step that was posted; why not, where there is a reason that helps.

        A sandbox has virtual accounts only, which have no hubs, and other workspaces the other way round.
        """
        step = form.get("step", [""])[0]
        if step == "choose":
            provider = form.get("provider", [""])[0]
            if workspace.is_sandbox or provider in webviews.hub_drivers:
                await webviews.choose(webview, provider)
        elif step == "link" and not workspace.is_sandbox:
            return await webviews.link(webview, _settings(form))
        elif step == "back":
            await webviews.go_back(webview)
        elif step == "sign_in" and workspace.is_sandbox:
            email, password = (form.get(name, [""])[0][:_LONGEST_WORD] for name in ("email", "password"))
            await webviews.sign_in(webview, email.strip(), password)
        elif step == "give_up":
            await webviews.give_up(webview)
        elif step == "finish":
            try:
                _, sessions = await webviews.finish(webview, form.get("device", []))
            except HubLinkedAlready as refusal:
                return refusal
            for session_id in sessions:
                self._callers.forget_key(session_id)
        return None


def unknown() -> Shown:
    """What is sent where no webview is."""
    page = unknown_page()
    return Shown(404, headers_of_page(page, None), page)


def _settings(form: Mapping[str, list[str]]) -> dict[str, str]:
    """The lines of a hub's form."""
    return {
        name.removeprefix("setting."): values[0]
        for name, values in form.items()
        if name.startswith("setting.")
    }


def _fields(text: bytes) -> Mapping[str, list[str]]:
    # What is no UTF-8, and a NUL, which not every database can hold, stands for itself nowhere.
    try:
        found = parse_qs(text.decode("latin-1"), max_num_fields=100)
    except ValueError:
        return {}
    return {
        name: [each.replace("\0", "\N{REPLACEMENT CHARACTER}") for each in many]
        for name, many in found.items()
    }
