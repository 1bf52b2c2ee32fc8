"""Connect webviews on record: the ``WebviewStore`` of ``engine/webview_ports.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Connection, delete, select, tuple_, update

from thumbturn.domain.access import Thing
from thumbturn.domain.connect_webview import ConnectWebview, Wishes
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event
from thumbturn.engine.webview_ports import WebviewFilter
from thumbturn.storage import access, accounts, client_sessions
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.expressions import can_be_stored, one_of
from thumbturn.storage.hot import write_events
from thumbturn.storage.rows import Row, encode
from thumbturn.storage.tables import workspaces
from thumbturn.storage.webhook_store import ActOn, Do, Write
from thumbturn.storage.webview_tables import connect_webviews

_columns = connect_webviews.c


class SqlWebviews:
    """The connect webviews of a ``SqlStore``, which lends its ways to write, to act and to read."""

    def __init__(self, write: Write, act: ActOn, read: Do) -> None:
        self._write = write
        self._act = act
        self._read = read

    async def add(self, webview: ConnectWebview, session_id: str | None, *, most: int) -> bool:
        return await self._act(
            lambda connection: _add(connection, webview, session_id, most), connect_webview_id=webview.id
        )

    async def get(self, workspace_id: str, webview_id: str) -> ConnectWebview | None:
        return await self._one(*_mine(workspace_id, webview_id)) if can_be_stored(webview_id) else None

    async def visited(self, webview_id: str) -> ConnectWebview | None:
        return await self._one(_columns.id == webview_id) if can_be_stored(webview_id) else None

    async def listed(
        self,
        workspace_id: str,
        wanted: WebviewFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[ConnectWebview]:
        return await self._read(lambda connection: _listed(connection, workspace_id, wanted, after, limit))

    async def made_before(self, moment: int, most: int) -> list[ConnectWebview]:
        query = (
            select(connect_webviews)
            .where(_columns.created_at < moment)
            .order_by(_columns.created_at)
            .limit(most)
        )
        rows = await self._read(lambda connection: connection.execute(query).all())
        return [_webview_of(row) for row in rows]

    async def change(self, webview: ConnectWebview, told: Sequence[Event]) -> bool:
        return await self._write(lambda connection: _move(connection, webview, told), told)

    async def finish(
        self,
        webview: ConnectWebview,
        account: ConnectedAccount,
        new_devices: Sequence[Device],
        told: Sequence[Event],
        new_things: Sequence[Thing] = (),
    ) -> frozenset[str] | None:
        def finish(connection: Connection) -> frozenset[str] | None:
            sessions = _finish(connection, webview, account, new_devices, told)
            if sessions is not None:
                access.plant(connection, new_things)
            return sessions

        return await self._write(finish, told)

    async def remove(self, workspace_id: str, webview_id: str) -> bool:
        def remove(connection: Connection) -> bool:
            gone = delete(connect_webviews).where(*_mine(workspace_id, webview_id))
            if not connection.execute(gone).rowcount:
                return False
            client_sessions.take_webview_from_all(connection, workspace_id, webview_id)
            return True

        return await self._act(remove)

    async def _one(self, *conditions: ColumnElement[bool]) -> ConnectWebview | None:
        query = select(connect_webviews).where(*conditions)
        row = await self._read(lambda connection: connection.execute(query).one_or_none())
        return None if row is None else _webview_of(row)


def _add(connection: Connection, webview: ConnectWebview, session_id: str | None, most: int) -> bool:
    # Whoever holds the workspace's row is alone in making a webview in it.
    here = select(workspaces.c.id).where(workspaces.c.id == webview.workspace_id).with_for_update()
    connection.execute(here)
    mine = select(_columns.id).where(_columns.workspace_id == webview.workspace_id)
    if connection.execute(mine.offset(most - 1).limit(1)).first() is not None:
        return False
    insert_rows(connection, connect_webviews, [_row(webview)])
    if session_id is not None:
        client_sessions.grant(connection, webview.workspace_id, session_id, (), webview_ids=(webview.id,))
    return True


def _listed(
    connection: Connection,
    workspace_id: str,
    wanted: WebviewFilter,
    after: tuple[int, str] | None,
    limit: int,
) -> list[ConnectWebview]:
    query = select(connect_webviews).where(_columns.workspace_id == workspace_id)
    if wanted.ids is not None:
        query = query.where(one_of(_columns.id, wanted.ids, connection.dialect))
    if wanted.customer_key is not None:
        query = query.where(one_of(_columns.customer_key, (wanted.customer_key,), connection.dialect))
    if after is not None:
        query = query.where(tuple_(_columns.created_at, _columns.id) > after)
    query = query.order_by(_columns.created_at, _columns.id)
    if wanted.search is None and not wanted.custom_metadata_has:
        query = query.limit(limit)
    found = (_webview_of(row) for row in connection.execute(query))
    return list(islice((webview for webview in found if wanted.fits(webview)), limit))


def _move(connection: Connection, webview: ConnectWebview, told: Sequence[Event]) -> bool:
    """Store how far somebody has come, if the webview is pending, and tell it."""
    moved = (
        update(connect_webviews)
        .where(*_mine(webview.workspace_id, webview.id), _columns.status == "pending")
        .values(
            status=webview.status,
            selected_provider=webview.selected_provider,
            signed_in_as=webview.signed_in_as,
            wrong_tries=webview.wrong_tries,
            connected_account_id=webview.connected_account_id,
            authorized_at=webview.authorized_at,
            hub=webview.hub,
        )
    )
    done = connection.execute(moved).rowcount == 1
    if done:
        write_events(connection, told)
    return done


def _finish(
    connection: Connection,
    webview: ConnectWebview,
    account: ConnectedAccount,
    new_devices: Sequence[Device],
    told: Sequence[Event],
) -> frozenset[str] | None:
    if not _move(connection, webview, told):
        return None
    accounts.link(connection, account, new_devices)
    theirs = client_sessions.of_webview(connection, webview.workspace_id, webview.id)
    for session in theirs:
        client_sessions.grant(connection, webview.workspace_id, session.id, (account.id,))
    return frozenset(session.id for session in theirs)


def _mine(workspace_id: str, webview_id: str) -> tuple[ColumnElement[bool], ...]:
    return _columns.id == webview_id, _columns.workspace_id == workspace_id


def _row(webview: ConnectWebview) -> Row:
    return (
        webview.id,
        webview.workspace_id,
        webview.token,
        encode(asdict(webview.wishes)),
        webview.status,
        encode(webview.custom_metadata),
        webview.customer_key,
        webview.selected_provider,
        webview.signed_in_as,
        webview.wrong_tries,
        webview.connected_account_id,
        webview.created_at,
        webview.authorized_at,
        webview.hub,
    )


def _webview_of(row: Row) -> ConnectWebview:
    wishes: dict[str, Any] = from_json(row[3])
    for name in ("accepted_providers", "accepted_capabilities"):
        wishes[name] = tuple(wishes[name])
    return ConnectWebview(
        id=row[0],
        workspace_id=row[1],
        token=row[2],
        wishes=Wishes(**wishes),
        status=row[4],
        custom_metadata=from_json(row[5]),
        customer_key=row[6],
        selected_provider=row[7],
        signed_in_as=row[8],
        wrong_tries=row[9],
        connected_account_id=row[10],
        created_at=row[11],
        authorized_at=row[12],
        hub=row[13],
    )
