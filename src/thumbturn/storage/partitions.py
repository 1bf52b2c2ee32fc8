"""Partitions by time of the tables that grow, on PostgreSQL.

A table is divided by the ids in it: UUIDv7 begin with their millisecond, so a range of ids is a span of time.
Its first partition, ``…_past``, has what was there before there were partitions; ``…_rest`` takes whatever
fits into no other, so that no row is ever refused; those between span so many days each and are made
ahead of their time. The rows of the first two go one by one, those of the others with their partition.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, MetaData, Table, delete, insert, select, text
from sqlalchemy.exc import OperationalError

from thumbturn.domain.clock import SECOND
from thumbturn.domain.retention import DAY
from thumbturn.storage.tables import attempts, events

#: How long others may have to wait for whoever waits to take a table away.
_PATIENCE: Final = "100ms"
_LOCK_NOT_AVAILABLE = "55P03"
#: One of all processes at a time; until the end of its transaction.
_ALONE = text("select pg_advisory_xact_lock(hashtext('thumbturn.partitions'))")
_RANGE = re.compile(r"FOR VALUES FROM \('([^']*)'\) TO \('([^']*)'\)")


class Series(NamedTuple):
    """A table in partitions."""

    table: Table
    #: The column with the UUIDv7.
    column: str
    #: µs that a partition spans. A table has as many indices to ask as partitions, so these are few.
    period: int

    @property
    def name(self) -> str:
        """Of the table."""
        return self.table.name

    @property
    def loose(self) -> tuple[Table, Table]:
        """The partitions whose rows go one by one."""
        return _named(self.table, f"{self.name}_past"), _named(self.table, f"{self.name}_rest")


class Partition(NamedTuple):
    """A partition that spans some days."""

    name: str
    #: µs since 1970 UTC; the end is not in it.
    start: int
    end: int

    def table(self, like: Table) -> Table:
        """It, as a table with the columns of the whole."""
        return _named(like, self.name)


ATTEMPTS = Series(attempts, "id", 30 * DAY)
EVENTS = Series(events, "event_id", 7 * DAY)


def bound_of(moment: int) -> str:
    """What is behind all ids that were made before this moment (µs) and before all others."""
    digits = f"{moment // 1_000:012x}"
    return f"{digits[:8]}-{digits[8:]}"


def moment_of(bound: str) -> int:
    """The moment of a bound, µs."""
    return int(bound.replace("-", ""), 16) * 1_000


def spans(connection: Connection, series: Series) -> list[Partition]:
    """The partitions that span some days, oldest first."""
    query = text(
        "select child.relname, pg_get_expr(child.relpartbound, child.oid) from pg_inherits"
        " join pg_class child on child.oid = inhrelid where inhparent = to_regclass(:table)"
    )
    found = []
    for name, expression in connection.execute(query, {"table": series.name}):
        if limits := _RANGE.fullmatch(expression):
            found.append(Partition(name, moment_of(limits[1]), moment_of(limits[2])))
    return sorted(found, key=lambda partition: partition.start)


def make_room(connection: Connection, series: Series, now: int, most: int | None = None) -> list[str]:
    """Have a partition for this moment and one for the time after it; the names of those that were made,
    ``most`` at a time.

    What came meanwhile into the one for the rest is put where it belongs.
    """
    if not _lacking(connection, series, now):
        return []
    connection.execute(_ALONE)
    connection.execute(text(f"set local lock_timeout = '{_PATIENCE}'"))
    lacking = _lacking(connection, series, now)[:most]
    for partition in lacking:
        _attach(connection, series, partition)
    return [partition.name for partition in lacking]


def _lacking(connection: Connection, series: Series, now: int) -> list[Partition]:
    """The partitions that are to be made, so that there is one for every moment from now to a period later.

    It looks for gaps, not for the last end: a clock that was ahead once has left a partition of far away.
    """
    there = spans(connection, series)
    past = _end_of_past(connection, series)
    lacking = []
    start = max(now // series.period * series.period, past)
    while start <= now + series.period:
        over = next((each for each in there if each.start <= start < each.end), None)
        if over is None:
            end = min([start + series.period, *(each.start for each in there if each.start > start)])
            over = Partition(_name_of(series, start), start, end)
            lacking.append(over)
        start = over.end
    return lacking


def take_away(connection: Connection, series: Series, partition: Partition) -> str | None:
    """Take a partition out of its table; the name that it has as a table of its own, until it is dropped.

    ``None`` if others were using the table for so long that they were not to be held up any more.
    """
    gone = f"{partition.name}_gone"
    try:
        with connection.begin_nested():
            connection.execute(text(f"set local lock_timeout = '{_PATIENCE}'"))
            connection.execute(text(f"alter table {series.name} detach partition {partition.name}"))
            connection.execute(text(f"alter table {partition.name} rename to {gone}"))
    except OperationalError as problem:
        if getattr(problem.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
            raise
        return None
    return gone


def taken_away(connection: Connection, series: Series) -> list[str]:
    """The tables that were taken away and not dropped yet."""
    query = text(
        "select relname from pg_class where relkind = 'r' and not relispartition"
        " and relname like :names and relnamespace = current_schema()::regnamespace"
    )
    return [*connection.execute(query, {"names": f"{series.name}\\_p%\\_gone"}).scalars()]


def _attach(connection: Connection, series: Series, partition: Partition) -> None:
    # Made beside the table and then attached: so the table itself is locked for no reader and no writer.
    name, rest = partition.name, series.loose[1]
    start, end = bound_of(partition.start), bound_of(partition.end)
    connection.execute(text(f"create table {name} (like {series.name} including defaults)"))
    connection.execute(text(f"lock table {rest.name} in access exclusive mode"))
    id = rest.c[series.column]
    moved = delete(rest).where(id >= start, id < end).returning(*rest.c).cte("moved")
    connection.execute(insert(partition.table(series.table)).from_select([*rest.c.keys()], select(moved)))
    connection.execute(
        text(f"alter table {series.name} attach partition {name} for values from ('{start}') to ('{end}')")
    )


def _end_of_past(connection: Connection, series: Series) -> int:
    query = text("select pg_get_expr(relpartbound, oid) from pg_class where oid = to_regclass(:past)")
    expression: str = connection.execute(query, {"past": f"{series.name}_past"}).scalar_one()
    return moment_of(expression.split("'")[1])


def _name_of(series: Series, start: int) -> str:
    return f"{series.name}_p{datetime.fromtimestamp(start // SECOND, UTC):%Y%m%d}"


def _named(table: Table, name: str) -> Table:
    return table.to_metadata(MetaData(), name=name)
