"""Forgetting what is over, in small waves: few rows at a time, found where they lie in order of their age.

No index was made for it. Ids of attempts are UUIDv7, so their primary key has them in order of time; the
first events of a workspace and the first tries of a webhook are its oldest. What a wave removes is decided
by the moments in the rows: the order only says where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    Text,
    cast,
    delete,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
)

from thumbturn.engine.retention_ports import Swept
from thumbturn.storage.audit import composed
from thumbturn.storage.expressions import one_of
from thumbturn.storage.retention_tables import audit_texts
from thumbturn.storage.tables import (
    attempts,
    events,
    late_marks,
    webhook_deliveries,
    webhook_tries,
    webhooks,
    workspaces,
)
from thumbturn.storage.webhook_store import Do, Write

_OPEN = ("queued", "sent", "confirming")


class OldAttempts(NamedTuple):
    """What a look at some attempts found."""

    #: Those that ended before the moment.
    ids: tuple[str, ...]
    #: Behind which to look on; ``None`` if there is nothing old behind these.
    place: str | None


class RowRetention:
    """Forgets row by row, for a ``SqlStore`` that lends its ways to write and to read."""

    def __init__(self, write: Write, read: Do) -> None:
        self._write = write
        self._read = read

    async def make_room(self, now: int) -> None:
        pass

    async def forget_attempts(self, before: int, place: str, most: int) -> Swept:
        old = await self._read(lambda connection: old_attempts(connection, attempts, before, place, most))
        if old.ids:
            await self._write(lambda connection: remove_attempts(connection, attempts, old.ids))
        return Swept(len(old.ids), old.place)

    async def forget_events(self, before: int, place: str, most: int) -> Swept:
        workspace_id = await self._read(lambda connection: next_told(connection, (events,), before, place))
        if workspace_id is None:
            return Swept(0, None)
        gone = await self._write(
            lambda connection: remove_events(connection, (events,), workspace_id, before, most)
        )
        return Swept(gone, place if gone == most else workspace_id)

    async def forget_deliveries(self, before: int, place: str, most: int) -> Swept:
        webhook_id = await self._read(lambda connection: next_tried(connection, before, place))
        if webhook_id is None:
            return Swept(0, None)
        gone = await self._write(lambda connection: remove_tries(connection, webhook_id, before, most))
        return Swept(gone, place if gone == most else webhook_id)

    async def oldest_event(self, workspace_id: str) -> int:
        return await self._read(lambda connection: oldest(connection, workspace_id))


def old_attempts(connection: Connection, table: Table, before: int, place: str, most: int) -> OldAttempts:
    """Which of the next attempts of this table, behind this place, ended before the moment."""
    columns = table.c
    query = select(columns.id, columns.phase, columns.accepted_at, columns.settled_at)
    rows = connection.execute(query.where(columns.id > place).order_by(columns.id).limit(most)).all()
    old = [id for id, phase, _, settled_at in rows if _is_old(phase, settled_at, before)]
    # Nothing ends before it is accepted: behind a look at nothing but newer ones there is nothing old.
    is_over = len(rows) < most or all(accepted_at >= before for _, _, accepted_at, _ in rows)
    return OldAttempts(tuple(old), None if is_over else rows[-1][0])


def _is_old(phase: str, settled_at: int | None, before: int) -> bool:
    return phase not in _OPEN and settled_at is not None and settled_at < before


def remove_attempts(connection: Connection, table: Table, ids: Sequence[str]) -> None:
    """Remove these attempts, which have ended, with their late marks; the audit trail keeps their text."""
    keep_texts(connection, table, ids)
    for each, id in ((late_marks, late_marks.c.attempt_id), (table, table.c.id)):
        connection.execute(delete(each).where(one_of(id, ids, connection.dialect)))


def keep_texts(connection: Connection, table: Table, ids: Sequence[str]) -> None:
    """Keep what the audit trail says of these attempts where it does not need them."""
    text = composed(connection.dialect, table)
    kept = select(audit_texts.c.attempt_id).where(audit_texts.c.attempt_id == table.c.id).exists()
    those = select(table.c.id, text).where(one_of(table.c.id, ids, connection.dialect), ~kept)
    connection.execute(insert(audit_texts).from_select(["attempt_id", "body"], those))


def next_told(connection: Connection, tables: Sequence[Table], before: int, place: str) -> str | None:
    """The next workspace behind this one that was told something before the moment, by these tables."""
    old = [
        select(table.c.sequence)
        .where(table.c.workspace_id == workspaces.c.id, table.c.created_at < before)
        .exists()
        for table in tables
    ]
    query = select(workspaces.c.id).where(workspaces.c.id > place, or_(*old))
    found: str | None = connection.execute(query.order_by(workspaces.c.id).limit(1)).scalar()
    return found


def remove_events(
    connection: Connection, tables: Sequence[Table], workspace_id: str, before: int, most: int
) -> int:
    """Remove a workspace's first events, up to the first that is to be kept or is in none of these tables;
    how many it were.
    """
    columns, mine = events.c, events.c.workspace_id == workspace_id
    query = select(columns.sequence, columns.created_at, _place(connection))
    first = connection.execute(query.where(mine).order_by(columns.sequence).limit(most)).all()
    owed, names = still_owed(connection, workspace_id), {table.name for table in tables}
    old = [
        *takewhile(lambda row: row[1] < before and (owed is None or row[0] < owed) and row[2] in names, first)
    ]
    if old:
        connection.execute(delete(events).where(mine, columns.sequence <= old[-1][0]))
    return len(old)


def _place(connection: Connection) -> ColumnElement[str]:
    """The table in which an event is, where a table has several."""
    if connection.dialect.name == "sqlite":
        return literal(events.name)
    return cast(literal_column("events.tableoid::regclass"), Text)


def still_owed(connection: Connection, workspace_id: str) -> int | None:
    """The place of the first event that an enabled webhook of the workspace has still to be told, or would
    be if it happened; ``None`` if it has no such webhook.
    """
    waiting = (
        select(func.min(webhook_deliveries.c.sequence))
        .where(webhook_deliveries.c.webhook_id == webhooks.c.id)
        .scalar_subquery()
    )
    query = select(webhooks.c.cursor, waiting).where(
        webhooks.c.workspace_id == workspace_id, webhooks.c.disabled_at.is_(None)
    )
    owed = [
        cursor + 1 if sequence is None else min(cursor + 1, sequence)
        for cursor, sequence in connection.execute(query)
    ]
    return min(owed, default=None)


def next_tried(connection: Connection, before: int, place: str) -> str | None:
    """The next webhook behind this one whose first try on record was made before the moment."""
    columns = webhook_tries.c
    first = (
        select(columns.at)
        .where(columns.webhook_id == webhooks.c.id)
        .order_by(columns.place)
        .limit(1)
        .scalar_subquery()
    )
    query = select(webhooks.c.id).where(webhooks.c.id > place, first < before)
    found: str | None = connection.execute(query.order_by(webhooks.c.id).limit(1)).scalar()
    return found


def remove_tries(connection: Connection, webhook_id: str, before: int, most: int) -> int:
    """Remove a webhook's first tries, up to the first that is to be kept; how many it were."""
    columns, its_own = webhook_tries.c, webhook_tries.c.webhook_id == webhook_id
    query = select(columns.place, columns.at).where(its_own).order_by(columns.place).limit(most)
    old: list[Any] = [*takewhile(lambda row: row[1] < before, connection.execute(query).all())]
    if old:
        connection.execute(delete(webhook_tries).where(its_own, columns.place <= old[-1][0]))
    return len(old)


def oldest(connection: Connection, workspace_id: str) -> int:
    """The place of a workspace's oldest event on record; if there is none, that of its next."""
    columns = events.c
    first = select(columns.sequence).where(columns.workspace_id == workspace_id).order_by(columns.sequence)
    found: int | None = connection.execute(first.limit(1)).scalar()
    if found is None:
        newest = select(workspaces.c.event_sequence).where(workspaces.c.id == workspace_id)
        found = (connection.execute(newest).scalar() or 0) + 1
    return found
