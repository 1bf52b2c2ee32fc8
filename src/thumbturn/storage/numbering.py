"""The numbers of events: without gaps in each workspace, taken in the transaction that uses them.

Rolled back, they leave no gap. Whoever raises a workspace's number owns it until the commit, so they are
always raised in one order: two processes cannot wait for each other. On PostgreSQL the numbers of all
workspaces of a wave are taken with one question, for each is a round trip to the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, bindparam, select, update

from thumbturn.storage.bulk import unpacked
from thumbturn.storage.rows import encode
from thumbturn.storage.tables import workspaces
from thumbturn.storage.together import Asks
from thumbturn.storage.writer import UnknownWorkspace


def take_numbers(connection: Connection, told: Sequence[str]) -> list[int]:
    """The next number for each event that is told these workspaces, in order.

    Raises ``UnknownWorkspace``.
    """
    if connection.dialect.name != "sqlite":
        return numbers_of(ask_for_numbers(connection, told).all(), told)
    counts = Counter(told)
    return numbers_of(list(_each(connection, counts).items()), told)


def ask_for_numbers(asks: Asks, told: Sequence[str]) -> Any:
    """Take the next numbers of these workspaces with one question; ``numbers_of`` its rows has them."""
    return asks.exec_driver_sql(_take_all(asks.dialect), (encode(sorted(Counter(told).items())),))


def numbers_of(rows: Iterable[Sequence[Any]], told: Sequence[str]) -> list[int]:
    """The number of each event that is told these workspaces, from the last of each workspace.

    Raises ``UnknownWorkspace``.
    """
    last: dict[str, int] = dict(map(tuple, rows))
    following = {}
    for workspace_id, count in Counter(told).items():
        if workspace_id not in last:
            raise UnknownWorkspace(workspace_id)
        following[workspace_id] = last[workspace_id] - count
    numbers = []
    for workspace_id in told:
        following[workspace_id] += 1
        numbers.append(following[workspace_id])
    return numbers


def _each(connection: Connection, counts: Mapping[str, int]) -> dict[str, int]:
    """By workspace, its last number after so many more were taken."""
    last = {}
    statement = _take_one(connection.dialect)
    for workspace_id in sorted(counts):
        found = connection.exec_driver_sql(statement, (counts[workspace_id], workspace_id)).scalar()
        if found is not None:
            last[workspace_id] = found
    return last


@lru_cache(maxsize=8)
def _take_one(dialect: Dialect) -> str:
    statement = (
        update(workspaces)
        .values(event_sequence=workspaces.c.event_sequence + bindparam("count"))
        .where(workspaces.c.id == bindparam("workspace"))
        .returning(workspaces.c.event_sequence)
    )
    return str(statement.compile(dialect=dialect))


@lru_cache(maxsize=8)
def _take_all(dialect: Dialect) -> str:
    columns = workspaces.c
    wanted = unpacked([columns.id.type, columns.event_sequence.type], dialect).subquery("wanted").c
    # An update by itself locks rows in whatever order its plan meets them.
    locked = (
        select(columns.id, wanted.c1.label("count"))
        .where(columns.id == wanted.c0)
        .order_by(columns.id)
        .with_for_update(of=workspaces)
        .cte("locked")
    )
    statement = (
        update(workspaces)
        .values(event_sequence=columns.event_sequence + locked.c.count)
        .where(columns.id == locked.c.id)
        .returning(columns.id, columns.event_sequence)
    )
    return str(statement.compile(dialect=dialect))
