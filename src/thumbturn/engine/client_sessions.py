"""What a workspace may do with its client sessions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from thumbturn.domain.access import UserIdentity
from thumbturn.domain.client_session import GOOD_FOR, ClientSession
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import new_id
from thumbturn.domain.keys import hash_token, new_client_session_token
from thumbturn.domain.refusals import (
    ClientSessionExists,
    ClientSessionNotFound,
    ConnectedAccountNotFound,
    ConnectWebviewNotFound,
    TooManyClientSessions,
    UserIdentityNotFound,
)
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.engine.ports import Store
from thumbturn.engine.secrets import sealed_for
from thumbturn.engine.webhook_ports import Seal
from thumbturn.engine.webview_ports import WebviewFilter

#: Whoever has a publishable key may make sessions: not without end.
MOST_IN_A_WORKSPACE = 100_000


class Wanted(NamedTuple):
    """What a new session shall be."""

    user_identifier_key: str | None = None
    customer_key: str | None = None
    connected_account_ids: Sequence[str] = ()
    user_identity_id: str | None = None
    connect_webview_ids: Sequence[str] = ()
    #: µs; ``None`` for as long as usual.
    expires_at: int | None = None


class Seen(NamedTuple):
    """A session as it is shown."""

    session: ClientSession
    token: str
    #: How many devices it sees now.
    device_count: int


class ClientSessions:
    """The client sessions of all workspaces.

    ``ClientSessionNotFound`` is raised for what is not the given workspace's, and so are
    ``ConnectedAccountNotFound`` and ``UserIdentityNotFound``.
    """

    def __init__(self, store: Store, seal: Seal, clock: Clock) -> None:
        self._store = store
        self._seal = seal
        self._clock = clock

    async def create(self, workspace_id: str, wanted: Wanted) -> Seen:
        """A new session. Raises ``ClientSessionExists`` if its user has one that is good,
        ``TooManyClientSessions``.
        """
        new, there = await self._add(workspace_id, wanted)
        if there.id != new.id:
            raise ClientSessionExists
        return await self._seen(there)

    async def get_or_create(self, workspace_id: str, wanted: Wanted) -> Seen:
        """The session of this user that is good, as it is; else a new one as ``create`` makes it."""
        _, there = await self._add(workspace_id, wanted)
        return await self._seen(there)

    async def get(
        self, workspace_id: str, session_id: str | None = None, user_identifier_key: str | None = None
    ) -> Seen:
        """The session with this id, or the newest of this user; where both are given, both must fit."""
        return await self._seen(await self._find(workspace_id, session_id, user_identifier_key))

    async def listed(
        self,
        workspace_id: str,
        wanted: ClientSessionFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[ClientSession]:
        """Sessions in order of (created_at, id), behind ``after``."""
        return await self._store.client_sessions.listed(workspace_id, wanted, after=after, limit=limit)

    async def seen(self, sessions: Sequence[ClientSession]) -> list[Seen]:
        """Sessions of one workspace as they are shown."""
        if not sessions:
            return []
        account_ids = {id for session in sessions for id in session.connected_account_ids}
        counts: Mapping[str, int] = {}
        if account_ids:
            counts = await self._store.client_sessions.device_counts(sessions[0].workspace_id, account_ids)
        return [
            Seen(
                session,
                self._seal.open(session.token, _context(session.id)),
                sum(counts.get(id, 0) for id in session.connected_account_ids),
            )
            for session in sessions
        ]

    async def grant(
        self,
        workspace_id: str,
        session_id: str | None,
        user_identifier_key: str | None,
        account_ids: Sequence[str],
        user_identity_id: str | None = None,
        webview_ids: Sequence[str] = (),
    ) -> Seen:
        """Let a session, found as by ``get``, reach these accounts too, and what comes of these webviews, and
        be for this user identity.
        """
        await self._require(workspace_id, account_ids, user_identity_id)
        account_ids = [*account_ids, *await self._came_of(workspace_id, webview_ids)]
        found = await self._find(workspace_id, session_id, user_identifier_key)
        granted = await self._store.client_sessions.grant(
            workspace_id, found.id, account_ids, user_identity_id, webview_ids
        )
        return await self._seen(_there(granted))

    async def revoke(self, workspace_id: str, session_id: str) -> ClientSession:
        """End a session: its token opens nothing any more. It stays on record."""
        now = self._clock.now()
        return _there(await self._store.client_sessions.revoke(workspace_id, session_id, now))

    async def delete(self, workspace_id: str, session_id: str) -> ClientSession:
        """Forget a session, and tell the workspace so."""
        session = _there(await self._store.client_sessions.get(workspace_id, session_id))
        told = session.deleted(self._clock.now())
        if not await self._store.client_sessions.remove(workspace_id, session_id, told):
            raise ClientSessionNotFound
        return session

    async def _add(self, workspace_id: str, wanted: Wanted) -> tuple[ClientSession, ClientSession]:
        """The session that shall be, and the one that is on record then."""
        await self._require(workspace_id, wanted.connected_account_ids, wanted.user_identity_id)
        came = await self._came_of(workspace_id, wanted.connect_webview_ids)
        id, token, now = new_id(), new_client_session_token(), self._clock.now()
        new = ClientSession(
            id=id,
            workspace_id=workspace_id,
            token_hash=hash_token(token),
            token=self._seal.seal(token, _context(id)),
            user_identifier_key=wanted.user_identifier_key,
            customer_key=wanted.customer_key,
            connected_account_ids=tuple(dict.fromkeys([*wanted.connected_account_ids, *came])),
            connect_webview_ids=tuple(dict.fromkeys(wanted.connect_webview_ids)),
            user_identity_id=wanted.user_identity_id,
            created_at=now,
            expires_at=now + GOOD_FOR if wanted.expires_at is None else wanted.expires_at,
        )
        there = await self._store.client_sessions.add(new, most=MOST_IN_A_WORKSPACE)
        if there is None:
            raise TooManyClientSessions
        return new, there

    async def _find(
        self, workspace_id: str, session_id: str | None, user_identifier_key: str | None
    ) -> ClientSession:
        sessions = self._store.client_sessions
        if session_id is None:
            return _there(await sessions.of_user(workspace_id, user_identifier_key or ""))
        found = _there(await sessions.get(workspace_id, session_id))
        if user_identifier_key not in (None, found.user_identifier_key):
            raise ClientSessionNotFound
        return found

    async def _require(
        self, workspace_id: str, account_ids: Iterable[str], user_identity_id: str | None
    ) -> None:
        if user_identity_id is not None:
            identity = await self._store.access.get(UserIdentity, workspace_id, user_identity_id)
            if identity is None:
                raise UserIdentityNotFound(data={"user_identity_ids": [user_identity_id]})
        wanted = set(account_ids)
        if wanted:
            missing = wanted - await self._store.client_sessions.accounts(workspace_id, wanted)
            if missing:
                raise ConnectedAccountNotFound(data={"connected_account_ids": sorted(missing)})

    async def _came_of(self, workspace_id: str, webview_ids: Iterable[str]) -> list[str]:
        """The accounts that came of these webviews so far. Raises ``ConnectWebviewNotFound``."""
        wanted = set(webview_ids)
        if not wanted:
            return []
        only = WebviewFilter(ids=sorted(wanted))
        found = await self._store.webviews.listed(workspace_id, only, limit=len(wanted))
        missing = wanted - {webview.id for webview in found}
        if missing:
            raise ConnectWebviewNotFound(data={"connect_webview_ids": sorted(missing)})
        came = [webview.connected_account_id for webview in found if webview.connected_account_id]
        # An account may have been deleted since.
        return sorted(await self._store.client_sessions.accounts(workspace_id, came)) if came else []

    async def _seen(self, session: ClientSession) -> Seen:
        [seen] = await self.seen([session])
        return seen


def _there(session: ClientSession | None) -> ClientSession:
    if session is None:
        raise ClientSessionNotFound
    return session


def _context(session_id: str) -> str:
    return sealed_for("client_session", session_id)
