"""Client sessions on record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic_core import from_json
from sqlalchemy import ColumnElement, Connection, Select, delete, func, select, tuple_, update

from thumbturn.domain.client_session import ClientSession
from thumbturn.domain.encoder import ENCODER_TYPE
from thumbturn.domain.event import Event
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.expressions import can_be_stored, one_of
from thumbturn.storage.hot import write_events
from thumbturn.storage.rows import Row, encode
from thumbturn.storage.tables import client_sessions, connected_accounts, devices, workspaces
from thumbturn.storage.writer import UnknownWorkspace

_columns = client_sessions.c


def add(connection: Connection, session: ClientSession, most: int) -> ClientSession | None:
    """Insert a session, unless its user has a good one; the one that is there then."""
    # Whoever holds the workspace's row is alone in making a session in it.
    here = select(workspaces.c.id).where(workspaces.c.id == session.workspace_id).with_for_update()
    if connection.execute(here).scalar() is None:
        raise UnknownWorkspace(session.workspace_id)
    if session.user_identifier_key is not None:
        known = of_user(connection, session.workspace_id, session.user_identifier_key)
        if known is not None and known.is_good(session.created_at):
            return known
    one_too_many = _of_workspace(session.workspace_id).with_only_columns(_columns.id).offset(most - 1)
    if connection.execute(one_too_many.limit(1)).first() is not None:
        return None
    insert_rows(connection, client_sessions, [_row(session)])
    return session


def get(connection: Connection, workspace_id: str, session_id: str) -> ClientSession | None:
    """One session."""
    return _one(connection, select(client_sessions).where(*_mine(workspace_id, session_id)))


def of_user(connection: Connection, workspace_id: str, user_identifier_key: str) -> ClientSession | None:
    """The newest session of a user."""
    if not can_be_stored(user_identifier_key):
        return None
    theirs = _of_workspace(workspace_id).where(_columns.user_identifier_key == user_identifier_key)
    return _one(connection, theirs.order_by(_columns.created_at.desc(), _columns.id.desc()).limit(1))


def with_token(connection: Connection, token_hash: str) -> ClientSession | None:
    """The session whose token has this hash."""
    return _one(connection, select(client_sessions).where(_columns.token_hash == token_hash))


def listed(
    connection: Connection,
    workspace_id: str,
    wanted: ClientSessionFilter,
    after: tuple[int, str] | None,
    limit: int,
) -> list[ClientSession]:
    """The sessions of a workspace that fit, oldest first."""
    query = _of_workspace(workspace_id)
    words = (wanted.id, wanted.user_identifier_key, wanted.user_identity_id, wanted.connect_webview_id)
    if not all(can_be_stored(text) for text in words if text is not None):
        return []
    if wanted.id is not None:
        query = query.where(_columns.id == wanted.id)
    if wanted.user_identifier_key is not None:
        query = query.where(_columns.user_identifier_key == wanted.user_identifier_key)
    if wanted.user_identity_id is not None:
        query = query.where(_columns.user_identity_id == wanted.user_identity_id)
    if wanted.connect_webview_id is not None:
        naming = _columns.connect_webview_ids.contains(encode(wanted.connect_webview_id), autoescape=True)
        query = query.where(naming)
    if wanted.without_user_identifier_key:
        query = query.where(_columns.user_identifier_key.is_(None))
    if after is not None:
        query = query.where(tuple_(_columns.created_at, _columns.id) > after)
    rows = connection.execute(query.order_by(_columns.created_at, _columns.id).limit(limit))
    return [_session_of(row) for row in rows]


def ended_before(connection: Connection, moment: int, most: int) -> list[ClientSession]:
    """Sessions of all workspaces that expired, or were revoked, before this moment."""
    found: dict[str, ClientSession] = {}
    for ended_at in (_columns.expires_at, _columns.revoked_at):
        query = select(client_sessions).where(ended_at < moment).order_by(ended_at).limit(most)
        found |= {row[0]: _session_of(row) for row in connection.execute(query)}
    return list(found.values())[:most]


def grant(
    connection: Connection,
    workspace_id: str,
    session_id: str,
    account_ids: Iterable[str],
    user_identity_id: str | None = None,
    webview_ids: Iterable[str] = (),
) -> ClientSession | None:
    """Store that a session reaches these accounts too, and what comes of these webviews, and for whom it is,
    if it is said.
    """
    mine = _mine(workspace_id, session_id)
    found = _one(connection, select(client_sessions).where(*mine).with_for_update())
    if found is None:
        return None
    all_of_them = list(dict.fromkeys([*found.connected_account_ids, *account_ids]))
    all_webviews = list(dict.fromkeys([*found.connect_webview_ids, *webview_ids]))
    granted = (
        update(client_sessions)
        .where(*mine)
        .values(
            connected_account_ids=encode(all_of_them),
            connect_webview_ids=encode(all_webviews),
            user_identity_id=user_identity_id or found.user_identity_id,
        )
    )
    connection.execute(granted)
    return get(connection, workspace_id, session_id)


def of_webview(connection: Connection, workspace_id: str, webview_id: str) -> list[ClientSession]:
    """The sessions of the workspace that reach what comes of this webview."""
    naming = _of_workspace(workspace_id).where(
        _columns.connect_webview_ids.contains(encode(webview_id), autoescape=True)
    )
    return [_session_of(row) for row in connection.execute(naming.with_for_update())]


def take_webview_from_all(connection: Connection, workspace_id: str, webview_id: str) -> None:
    """Let no session of the workspace name this webview any more."""
    for session in of_webview(connection, workspace_id, webview_id):
        left = [each for each in session.connect_webview_ids if each != webview_id]
        mine = _mine(workspace_id, session.id)
        connection.execute(update(client_sessions).where(*mine).values(connect_webview_ids=encode(left)))


def take_from_all(connection: Connection, workspace_id: str, account_ids: Iterable[str]) -> None:
    """Let no session of the workspace name these accounts any more."""
    for account_id in account_ids:
        naming = _of_workspace(workspace_id).where(
            _columns.connected_account_ids.contains(encode(account_id), autoescape=True)
        )
        for row in connection.execute(naming.with_for_update()).all():
            session = _session_of(row)
            left = [each for each in session.connected_account_ids if each != account_id]
            mine = _mine(workspace_id, session.id)
            connection.execute(
                update(client_sessions).where(*mine).values(connected_account_ids=encode(left))
            )


def revoke(connection: Connection, workspace_id: str, session_id: str, at: int) -> ClientSession | None:
    """Store that a session is revoked; one that was before keeps its time."""
    mine = _mine(workspace_id, session_id)
    connection.execute(
        update(client_sessions).where(*mine, _columns.revoked_at.is_(None)).values(revoked_at=at)
    )
    return get(connection, workspace_id, session_id)


def remove(connection: Connection, workspace_id: str, session_id: str, told: Event) -> bool:
    """Delete a session, and tell its workspace."""
    removed = connection.execute(delete(client_sessions).where(*_mine(workspace_id, session_id))).rowcount > 0
    if removed:
        write_events(connection, [told])
    return removed


def accounts(connection: Connection, workspace_id: str, account_ids: Iterable[str]) -> frozenset[str]:
    """Those of these accounts that are the workspace's."""
    query = select(connected_accounts.c.id).where(
        connected_accounts.c.workspace_id == workspace_id,
        one_of(connected_accounts.c.id, account_ids, connection.dialect),
    )
    return frozenset(connection.execute(query).scalars())


def device_counts(connection: Connection, workspace_id: str, account_ids: Iterable[str]) -> dict[str, int]:
    """How many managed devices each of these accounts has."""
    account = devices.c.connected_account_id
    query = (
        select(account, func.count())
        .where(
            devices.c.workspace_id == workspace_id,
            devices.c.is_managed,
            devices.c.device_type != ENCODER_TYPE,
            one_of(account, account_ids, connection.dialect),
        )
        .group_by(account)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def _of_workspace(workspace_id: str) -> Select[Any]:
    return select(client_sessions).where(_columns.workspace_id == workspace_id)


def _mine(workspace_id: str, session_id: str) -> tuple[ColumnElement[bool], ...]:
    return _columns.id == session_id, _columns.workspace_id == workspace_id


def _one(connection: Connection, query: Select[Any]) -> ClientSession | None:
    row = connection.execute(query).one_or_none()
    return None if row is None else _session_of(row)


def _row(session: ClientSession) -> Row:
    return (
        session.id,
        session.workspace_id,
        session.token_hash,
        session.token,
        session.user_identifier_key,
        session.customer_key,
        encode(session.connected_account_ids),
        session.created_at,
        session.expires_at,
        session.revoked_at,
        session.user_identity_id,
        encode(session.connect_webview_ids),
    )


def _session_of(row: Row) -> ClientSession:
    return ClientSession(
        id=row[0],
        workspace_id=row[1],
        token_hash=row[2],
        token=row[3],
        user_identifier_key=row[4],
        customer_key=row[5],
        connected_account_ids=tuple(from_json(row[6])),
        created_at=row[7],
        expires_at=row[8],
        revoked_at=row[9],
        user_identity_id=row[10],
        connect_webview_ids=tuple(from_json(row[11])),
    )
