"""Forgetting what is over on PostgreSQL: whole partitions, and row by row what is in none of their time.

A partition goes when nothing in it has to stay: one attempt that is open, or one event that is owed to a
webhook, keeps it. It takes the table for a moment in which nobody may use it; where that moment does not
come within a tenth of a second, it is tried again in the next round.
"""

from __future__ import annotations

import structlog
from sqlalchemy import Connection, Table, delete, func, or_, select, text

from thumbturn.engine.retention_ports import Swept
from thumbturn.storage.apart import Apart
from thumbturn.storage.partitions import (
    ATTEMPTS,
    EVENTS,
    Partition,
    bound_of,
    make_room,
    spans,
    take_away,
    taken_away,
)
from thumbturn.storage.retention import (
    keep_texts,
    next_told,
    next_tried,
    old_attempts,
    oldest,
    remove_attempts,
    remove_events,
    remove_tries,
    still_owed,
)
from thumbturn.storage.tables import IS_OPEN, attempts, events, late_marks
from thumbturn.storage.webhook_store import Do

log = structlog.get_logger(__name__)

#: Attempts whose texts are kept in one bite, for each one that would be removed in one.
_TEXTS = 10


class PartitionedRetention:
    """Forgets for a ``SqlStore`` on PostgreSQL, which lends its way to read."""

    def __init__(self, apart: Apart, read: Do) -> None:
        self._apart = apart
        self._read = read

    async def make_room(self, now: int) -> None:
        for series in (ATTEMPTS, EVENTS):
            # One in a transaction: what came into the rest is locked for no longer than one takes.
            while made := await self._apart.do(lambda connection: make_room(connection, series, now, 1)):  # noqa: B023
                log.info("partition_made", partition=made[0])

    async def forget_attempts(self, before: int, place: str, most: int) -> Swept:
        # First the rows of ``…_past`` and of ``…_rest``, behind "0:" and "1:" and an id; then the partitions.
        kind, _, at = place.partition(":")
        if kind == "p":
            return await self._apart.do(lambda connection: _attempts_by_span(connection, before, at, most))
        number = int(kind or 0)
        table = ATTEMPTS.loose[number]
        old = await self._read(lambda connection: old_attempts(connection, table, before, at, most))
        if old.ids:
            await self._apart.do(lambda connection: remove_attempts(connection, table, old.ids))
        following = f"{number}:{old.place}" if old.place is not None else ("1:", "p:")[number]
        return Swept(len(old.ids), following)

    async def forget_events(self, before: int, place: str, most: int) -> Swept:
        if place == "p:":
            return await self._apart.do(lambda connection: _events_by_span(connection, before))
        loose = EVENTS.loose
        workspace_id = await self._read(lambda connection: next_told(connection, loose, before, place))
        if workspace_id is None:
            return Swept(0, "p:")
        gone = await self._apart.do(
            lambda connection: remove_events(connection, loose, workspace_id, before, most)
        )
        return Swept(gone, place if gone == most else workspace_id)

    async def forget_deliveries(self, before: int, place: str, most: int) -> Swept:
        webhook_id = await self._read(lambda connection: next_tried(connection, before, place))
        if webhook_id is None:
            return Swept(0, None)
        gone = await self._apart.do(lambda connection: remove_tries(connection, webhook_id, before, most))
        return Swept(gone, place if gone == most else webhook_id)

    async def oldest_event(self, workspace_id: str) -> int:
        return await self._read(lambda connection: oldest(connection, workspace_id))


def _attempts_by_span(connection: Connection, before: int, at: str, most: int) -> Swept:
    """A bite of the oldest partition that may go: some texts for the audit trail, or its end.

    ``at`` is the partition and the last id whose text was kept, or the partition that is done with.
    """
    done_with, _, id = at.partition("/")
    for name in taken_away(connection, ATTEMPTS):
        _drop_attempts(connection, name)
    old = [each for each in spans(connection, ATTEMPTS) if each.end <= before]
    following = [each for each in old if (each.name >= done_with if id else each.name > done_with)]
    if not following:
        return Swept(0, None)
    current = following[0]
    if current.name != done_with and _holds(connection, current.table(attempts), before):
        return Swept(0, f"p:{current.name}/")
    return _forget_span(connection, current, id, most)


def _forget_span(connection: Connection, current: Partition, id: str, most: int) -> Swept:
    table = current.table(attempts)
    next_ones = select(table.c.id).where(table.c.id > id).order_by(table.c.id).limit(most * _TEXTS)
    ids = [*connection.execute(next_ones).scalars()]
    if ids:
        keep_texts(connection, table, ids)
        return Swept(0, f"p:{current.name}/{ids[-1]}")
    gone = None
    if connection.execute(select(table.c.id).where(IS_OPEN).limit(1)).first() is None:
        gone = take_away(connection, ATTEMPTS, current)
    log.info("partition_gone" if gone else "partition_stays", partition=current.name)
    # Its late marks and itself go in the next bite: the table is free again at once.
    return Swept(0, f"p:{current.name}/")


def _holds(connection: Connection, table: Table, before: int) -> bool:
    """True if this partition has an attempt that is open, or ended at this moment or later."""
    is_open = select(table.c.id).where(IS_OPEN).limit(1)
    is_young = select(table.c.id).where(table.c.settled_at >= before).limit(1)
    return any(connection.execute(query).first() is not None for query in (is_open, is_young))


def _drop_attempts(connection: Connection, name: str) -> None:
    gone = Partition(name, 0, 0).table(attempts)
    connection.execute(delete(late_marks).where(late_marks.c.attempt_id.in_(select(gone.c.id))))
    connection.execute(text(f"drop table {name}"))


def _events_by_span(connection: Connection, before: int) -> Swept:
    """The oldest partition goes as a whole, if all that is in it may go."""
    for name in taken_away(connection, EVENTS):
        connection.execute(text(f"drop table {name}"))
    old = [each for each in spans(connection, EVENTS) if each.end <= before]
    if not old:
        return Swept(0, None)
    table = old[0].table(events)
    ends = dict(
        connection.execute(
            select(table.c.workspace_id, func.max(table.c.sequence)).group_by(table.c.workspace_id)
        ).all()
    )
    if any(_keeps(connection, workspace_id, last, before) for workspace_id, last in ends.items()):
        log.info("partition_stays", partition=old[0].name)
        return Swept(0, None)
    # Taken last: as soon as the table is locked there is nothing left to do but to let it go.
    step = connection.begin_nested()
    _remove_earlier(connection, old[0], ends)
    if take_away(connection, EVENTS, old[0]) is None:
        step.rollback()
        return Swept(0, None)
    step.commit()
    log.info("partition_gone", partition=old[0].name)
    return Swept(0, "p:")


def _remove_earlier(connection: Connection, partition: Partition, ends: dict[str, int]) -> None:
    """Remove what lies in other partitions and has a lower number than the last that goes with this one.

    There is such a thing because numbers and ids are given by different hands.
    """
    id = events.c.event_id
    outside = or_(id < bound_of(partition.start), id >= bound_of(partition.end))
    for workspace_id, last in ends.items():
        mine = events.c.workspace_id == workspace_id
        connection.execute(delete(events).where(mine, events.c.sequence <= last, outside))


def _keeps(connection: Connection, workspace_id: str, last: int, before: int) -> bool:
    """True if one of the workspace's events up to this place is too young, or owed to a webhook."""
    columns = events.c
    young = select(columns.sequence).where(
        columns.workspace_id == workspace_id, columns.created_at >= before, columns.sequence <= last
    )
    if connection.execute(young.limit(1)).first() is not None:
        return True
    owed = still_owed(connection, workspace_id)
    return owed is not None and owed <= last
