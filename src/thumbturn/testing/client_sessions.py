"""Client sessions that are forgotten when the process ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from thumbturn.domain.client_session import ClientSession
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.encoder import ENCODER_TYPE
from thumbturn.domain.event import Event
from thumbturn.engine.client_session_ports import ClientSessionFilter


class MemoryClientSessions:
    """Implements ``engine.client_session_ports.ClientSessionStore`` with dictionaries."""

    def __init__(
        self,
        accounts: Callable[[], Awaitable[Iterable[ConnectedAccount]]],
        devices: Callable[[], Awaitable[Iterable[Device]]],
        tell: Callable[[Sequence[Event]], None],
    ) -> None:
        self._accounts = accounts
        self._devices = devices
        self._tell = tell
        self._sessions: dict[str, ClientSession] = {}

    async def add(self, session: ClientSession, *, most: int) -> ClientSession | None:
        user = session.user_identifier_key
        known = None if user is None else await self.of_user(session.workspace_id, user)
        if known is not None and known.is_good(session.created_at):
            return known
        if len(self._of_workspace(session.workspace_id)) >= most:
            return None
        return self.put(session)

    async def get(self, workspace_id: str, session_id: str) -> ClientSession | None:
        found = self._sessions.get(session_id)
        return found if found is not None and found.workspace_id == workspace_id else None

    async def of_user(self, workspace_id: str, user_identifier_key: str) -> ClientSession | None:
        theirs = [
            each
            for each in self._of_workspace(workspace_id)
            if each.user_identifier_key == user_identifier_key
        ]
        return theirs[-1] if theirs else None

    async def with_token(self, token_hash: str) -> ClientSession | None:
        return next((each for each in self._sessions.values() if each.token_hash == token_hash), None)

    async def ended_before(self, moment: int, most: int) -> list[ClientSession]:
        return [each for each in self._sessions.values() if each.ends_at < moment][:most]

    async def listed(
        self,
        workspace_id: str,
        wanted: ClientSessionFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[ClientSession]:
        found = [
            each
            for each in self._of_workspace(workspace_id)
            if wanted.id in (None, each.id)
            and wanted.user_identifier_key in (None, each.user_identifier_key)
            and wanted.user_identity_id in (None, each.user_identity_id)
            and (wanted.connect_webview_id is None or wanted.connect_webview_id in each.connect_webview_ids)
            and not (wanted.without_user_identifier_key and each.user_identifier_key is not None)
            and (after is None or (each.created_at, each.id) > after)
        ]
        return found[:limit]

    async def grant(
        self,
        workspace_id: str,
        session_id: str,
        account_ids: Iterable[str],
        user_identity_id: str | None = None,
        webview_ids: Iterable[str] = (),
    ) -> ClientSession | None:
        found = await self.get(workspace_id, session_id)
        if found is None:
            return None
        all_of_them = tuple(dict.fromkeys([*found.connected_account_ids, *account_ids]))
        whose = user_identity_id or found.user_identity_id
        webviews = tuple(dict.fromkeys([*found.connect_webview_ids, *webview_ids]))
        granted = replace(
            found,
            connected_account_ids=all_of_them,
            connect_webview_ids=webviews,
            user_identity_id=whose,
        )
        return self.put(granted)

    async def revoke(self, workspace_id: str, session_id: str, at: int) -> ClientSession | None:
        found = await self.get(workspace_id, session_id)
        if found is None or found.revoked_at is not None:
            return found
        return self.put(replace(found, revoked_at=at))

    async def remove(self, workspace_id: str, session_id: str, told: Event) -> bool:
        if await self.get(workspace_id, session_id) is None:
            return False
        del self._sessions[session_id]
        self._tell([told])
        return True

    async def accounts(self, workspace_id: str, account_ids: Iterable[str]) -> frozenset[str]:
        here = {each.id for each in await self._accounts() if each.workspace_id == workspace_id}
        return frozenset(here & set(account_ids))

    async def device_counts(self, workspace_id: str, account_ids: Iterable[str]) -> Mapping[str, int]:
        wanted = set(account_ids)
        return Counter(
            each.connected_account_id
            for each in await self._devices()
            if each.workspace_id == workspace_id
            and each.is_managed
            and each.device_type != ENCODER_TYPE
            and each.connected_account_id in wanted
        )

    def take_from_all(self, workspace_id: str, account_ids: Iterable[str]) -> None:
        """Let no session of the workspace name these accounts any more."""
        gone = set(account_ids)
        for each in self._of_workspace(workspace_id):
            left = tuple(id for id in each.connected_account_ids if id not in gone)
            self.put(replace(each, connected_account_ids=left))

    def every(self) -> list[ClientSession]:
        """The sessions of all workspaces."""
        return list(self._sessions.values())

    def put(self, session: ClientSession) -> ClientSession:
        """Remember it as it is now."""
        self._sessions[session.id] = session
        return session

    def _of_workspace(self, workspace_id: str) -> list[ClientSession]:
        found = [each for each in self._sessions.values() if each.workspace_id == workspace_id]
        return sorted(found, key=lambda each: (each.created_at, each.id))
