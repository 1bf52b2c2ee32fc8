"""The ``ClientSessionStore`` of ``engine/client_session_ports.py`` on a SQL database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection

from thumbturn.domain.client_session import ClientSession
from thumbturn.domain.event import Event
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.storage import client_sessions
from thumbturn.storage.webhook_store import ActOn, Do


class SqlClientSessions:
    """The client sessions of a ``SqlStore``, which lends its ways to act and to read."""

    def __init__(self, act: ActOn, read: Do) -> None:
        self._act = act
        self._read = read

    async def add(self, session: ClientSession, *, most: int) -> ClientSession | None:
        there: ClientSession | None = None

        def add(connection: Connection) -> bool:
            nonlocal there
            there = client_sessions.add(connection, session, most)
            # Answering the one that was there does nothing that could be written down with it.
            return there is session

        await self._act(add, client_session_id=session.id)
        return there

    async def get(self, workspace_id: str, session_id: str) -> ClientSession | None:
        return await self._read(lambda connection: client_sessions.get(connection, workspace_id, session_id))

    async def of_user(self, workspace_id: str, user_identifier_key: str) -> ClientSession | None:
        return await self._read(
            lambda connection: client_sessions.of_user(connection, workspace_id, user_identifier_key)
        )

    async def with_token(self, token_hash: str) -> ClientSession | None:
        return await self._read(lambda connection: client_sessions.with_token(connection, token_hash))

    async def listed(
        self,
        workspace_id: str,
        wanted: ClientSessionFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[ClientSession]:
        return await self._read(
            lambda connection: client_sessions.listed(connection, workspace_id, wanted, after, limit)
        )

    async def ended_before(self, moment: int, most: int) -> list[ClientSession]:
        return await self._read(lambda connection: client_sessions.ended_before(connection, moment, most))

    async def grant(
        self,
        workspace_id: str,
        session_id: str,
        account_ids: Iterable[str],
        user_identity_id: str | None = None,
        webview_ids: Iterable[str] = (),
    ) -> ClientSession | None:
        return await self._act(
            lambda connection: client_sessions.grant(
                connection, workspace_id, session_id, account_ids, user_identity_id, webview_ids
            )
        )

    async def revoke(self, workspace_id: str, session_id: str, at: int) -> ClientSession | None:
        return await self._act(
            lambda connection: client_sessions.revoke(connection, workspace_id, session_id, at)
        )

    async def remove(self, workspace_id: str, session_id: str, told: Event) -> bool:
        return await self._act(
            lambda connection: client_sessions.remove(connection, workspace_id, session_id, told), (told,)
        )

    async def accounts(self, workspace_id: str, account_ids: Iterable[str]) -> frozenset[str]:
        return await self._read(
            lambda connection: client_sessions.accounts(connection, workspace_id, account_ids)
        )

    async def device_counts(self, workspace_id: str, account_ids: Iterable[str]) -> Mapping[str, int]:
        return await self._read(
            lambda connection: client_sessions.device_counts(connection, workspace_id, account_ids)
        )
