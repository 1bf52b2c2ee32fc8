"""Connect webviews that are forgotten when the process ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from thumbturn.domain.access import Thing
from thumbturn.domain.connect_webview import ConnectWebview
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event
from thumbturn.engine.webview_ports import WebviewFilter
from thumbturn.testing.access import MemoryAccess
from thumbturn.testing.client_sessions import MemoryClientSessions


class MemoryWebviews:
    """Implements ``engine.webview_ports.WebviewStore`` beside the dictionaries of a ``MemoryStore``."""

    def __init__(
        self,
        accounts: dict[str, ConnectedAccount],
        devices: dict[str, Device],
        sessions: MemoryClientSessions,
        access: MemoryAccess,
        tell: Callable[[Sequence[Event]], None],
    ) -> None:
        self._accounts = accounts
        self._devices = devices
        self._sessions = sessions
        self._access = access
        self._tell = tell
        self._webviews: dict[str, ConnectWebview] = {}

    async def add(self, webview: ConnectWebview, session_id: str | None, *, most: int) -> bool:
        if len([each for each in self.every() if each.workspace_id == webview.workspace_id]) >= most:
            return False
        self.put(webview)
        if session_id is not None:
            await self._sessions.grant(webview.workspace_id, session_id, (), webview_ids=(webview.id,))
        return True

    async def get(self, workspace_id: str, webview_id: str) -> ConnectWebview | None:
        found = self._webviews.get(webview_id)
        return found if found is not None and found.workspace_id == workspace_id else None

    async def visited(self, webview_id: str) -> ConnectWebview | None:
        return self._webviews.get(webview_id)

    async def made_before(self, moment: int, most: int) -> list[ConnectWebview]:
        found = [each for each in self._webviews.values() if each.created_at < moment]
        return sorted(found, key=lambda each: each.created_at)[:most]

    async def listed(
        self,
        workspace_id: str,
        wanted: WebviewFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[ConnectWebview]:
        found = [
            each
            for each in self._webviews.values()
            if each.workspace_id == workspace_id
            and (wanted.ids is None or each.id in wanted.ids)
            and wanted.customer_key in (None, each.customer_key)
            and wanted.fits(each)
            and (after is None or (each.created_at, each.id) > after)
        ]
        return sorted(found, key=lambda each: (each.created_at, each.id))[:limit]

    async def change(self, webview: ConnectWebview, told: Sequence[Event]) -> bool:
        known = await self.get(webview.workspace_id, webview.id)
        if known is None or known.status != "pending":
            return False
        self.put(webview)
        self._tell(told)
        return True

    async def finish(
        self,
        webview: ConnectWebview,
        account: ConnectedAccount,
        new_devices: Sequence[Device],
        told: Sequence[Event],
        new_things: Sequence[Thing] = (),
    ) -> frozenset[str] | None:
        if not await self.change(webview, told):
            return None
        known = self._accounts.get(account.id, account)
        self._accounts[account.id] = replace(
            known, disconnected_at=None, hub=account.hub, hub_id=account.hub_id
        )
        self._devices.update({device.id: device for device in new_devices})
        self._access.plant(new_things)
        theirs = [each for each in self._sessions.every() if webview.id in each.connect_webview_ids]
        for session in theirs:
            await self._sessions.grant(session.workspace_id, session.id, (account.id,))
        return frozenset(session.id for session in theirs)

    async def remove(self, workspace_id: str, webview_id: str) -> bool:
        if await self.get(workspace_id, webview_id) is None:
            return False
        del self._webviews[webview_id]
        for each in self._sessions.every():
            left = tuple(id for id in each.connect_webview_ids if id != webview_id)
            self._sessions.put(replace(each, connect_webview_ids=left))
        return True

    def every(self) -> list[ConnectWebview]:
        """The webviews of all workspaces."""
        return list(self._webviews.values())

    def put(self, webview: ConnectWebview) -> None:
        """Remember it as it is now."""
        self._webviews[webview.id] = webview
