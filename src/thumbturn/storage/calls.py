"""The ``CallStore`` of ``engine/calls.py``, on PostgreSQL.

Nothing here must outlive the database: who waits for a call that is gone is told that nobody knows. So its
transactions do not wait for the disk, and have a writer of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from sqlalchemy import BigInteger, Connection, and_, cast, delete, func, insert, select, update

from thumbturn.engine.calls import Forwarded, Standing
from thumbturn.storage.cell_tables import forwarded_calls
from thumbturn.storage.writer import Writer

T = TypeVar("T")

_COLUMNS = forwarded_calls.c
#: By the database's clock, µs: at the moment, for a wave may have waited.
_NOW = cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)
_FLEETING = "set local synchronous_commit = off"


def at_once(connection: Connection, operations: Sequence[Callable[[Connection], object]]) -> Sequence[object]:
    """Do these in order as one transaction, for a ``Writer``."""
    with connection.begin():
        connection.exec_driver_sql(_FLEETING)
        return [operation(connection) for operation in operations]


class SqlCalls:
    """Where calls lie that one process answers for another."""

    def __init__(self, writer: Writer[Callable[[Connection], object]]) -> None:
        self._writer = writer

    async def put(self, call: Forwarded) -> None:
        row = call._asdict() | {"made_at": _NOW}
        await self._do(lambda connection: connection.execute(insert(forwarded_calls).values(row)))

    async def take(
        self, kind: str, cells: Collection[int], by: str, *, within: int, limit: int
    ) -> Sequence[Forwarded]:
        return await self._do(lambda connection: _take(connection, kind, cells, by, within, limit))

    async def answer(self, id: str, answer: str) -> None:
        await self._do(
            lambda connection: connection.execute(
                update(forwarded_calls).where(_COLUMNS.id == id).values(answer=answer)
            )
        )

    async def standing(self, ids: Collection[str]) -> Sequence[Standing]:
        return await self._do(lambda connection: _standing(connection, ids))

    async def withdraw(self, id: str) -> bool:
        return await self._do(lambda connection: _withdraw(connection, id))

    async def forget(self, kept_for: int) -> None:
        await self._do(
            lambda connection: connection.execute(
                delete(forwarded_calls).where(_COLUMNS.made_at <= _NOW - kept_for)
            )
        )

    async def _do(self, operation: Callable[[Connection], T]) -> T:
        done: T = await self._writer.submit(operation)
        return done


def _take(
    connection: Connection, kind: str, cells: Collection[int], by: str, within: int, limit: int
) -> Sequence[Forwarded]:
    free = (
        select(_COLUMNS.id)
        .where(_COLUMNS.kind == kind, _COLUMNS.cell.in_(cells), _COLUMNS.taken_by.is_(None))
        .where(_COLUMNS.made_at > _NOW - within)
        .order_by(_COLUMNS.made_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    wanted = [_COLUMNS[name] for name in Forwarded._fields]
    taken = update(forwarded_calls).where(_COLUMNS.id.in_(free)).values(taken_by=by)
    found = connection.execute(taken.returning(_COLUMNS.made_at, _COLUMNS.id, *wanted)).all()
    return [Forwarded(*row[2:]) for row in sorted(found, key=lambda row: row[:2])]


def _standing(connection: Connection, ids: Collection[str]) -> Sequence[Standing]:
    mine = _COLUMNS.id.in_(ids)
    shown = [_COLUMNS[name] for name in Standing._fields]
    answered = delete(forwarded_calls).where(and_(mine, _COLUMNS.answer.is_not(None))).returning(*shown)
    found = [Standing(*row) for row in connection.execute(answered)]
    return found + [Standing(*row) for row in connection.execute(select(*shown).where(mine))]


def _withdraw(connection: Connection, id: str) -> bool:
    gone = delete(forwarded_calls).where(_COLUMNS.id == id).returning(_COLUMNS.taken_by)
    found = connection.execute(gone).one_or_none()
    return found is None or found.taken_by is None
