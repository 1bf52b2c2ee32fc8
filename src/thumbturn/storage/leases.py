"""The ``LeaseStore`` of ``engine/lease_ports.py`` on PostgreSQL, with a connection of its own.

What waits to be written for attempts must not hold up the word that this process is alive.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, delete, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from thumbturn.engine.lease_ports import Fence, Kind, Lease, Process, Role, Roll
from thumbturn.storage.cell_tables import leases, processes
from thumbturn.storage.databases import ABANDONED_AFTER, parse_url, writing_engine
from thumbturn.storage.writer import Writer

T = TypeVar("T")

#: There is never more than a round's worth of them.
_MAY_WAIT = 1_000


class SqlLeases:
    """Who owns what. Made for a PostgreSQL URL; used from one event loop."""

    def __init__(self, url: str) -> None:
        engine = writing_engine(parse_url(url), abandoned_after=ABANDONED_AFTER)
        self._writer: Writer[Callable[[Connection], Any]] = Writer(engine, _perform, bound=_MAY_WAIT)

    async def enlist(
        self, process: Process, kinds: Mapping[Kind, int], now: int, predecessor: str | None
    ) -> None:
        def write(connection: Connection) -> None:
            rows = [
                {"kind": kind, "cell": cell, "owner": None, "epoch": 0}
                for kind, count in kinds.items()
                for cell in range(count)
            ]
            connection.execute(insert(leases).on_conflict_do_nothing(), rows)
            if predecessor is not None:
                _forget(connection, [predecessor])
            _say(connection, process, now)

        await self._do(write)

    async def beat(self, process: Process, now: int) -> Roll:
        def write(connection: Connection) -> Roll:
            _say(connection, process, now)
            return _roll(connection)

        return await self._do(write)

    async def take(self, owner: str, wanted: Sequence[Lease], most: int) -> list[Lease]:
        def write(connection: Connection) -> list[Lease]:
            as_seen = [(each.kind, each.cell, each.epoch) for each in wanted]
            # Whoever writes under one now has it locked (``fences.py``), and so has another who takes it.
            free = (
                select(leases)
                .where(tuple_(leases.c.kind, leases.c.cell, leases.c.epoch).in_(as_seen))
                .limit(most)
                .with_for_update(skip_locked=True)
            )
            taken = []
            for kind, cell, _, epoch in connection.execute(free).all():
                this_one = (leases.c.kind == kind, leases.c.cell == cell)
                connection.execute(update(leases).where(*this_one).values(owner=owner, epoch=epoch + 1))
                taken.append(Lease(kind, cell, owner, epoch + 1))
            return taken

        return await self._do(write)

    async def give_back(self, fence: Fence) -> None:
        this_one = (
            leases.c.kind == fence.kind,
            leases.c.cell == fence.cell,
            leases.c.epoch == fence.epoch,
        )
        await self._do(
            lambda connection: connection.execute(update(leases).where(*this_one).values(owner=None))
        )

    async def retire(self, process_ids: Collection[str]) -> None:
        await self._do(lambda connection: _forget(connection, process_ids))

    async def close(self) -> None:
        await self._writer.close()

    async def _do(self, operation: Callable[[Connection], T]) -> T:
        done: T = await self._writer.submit(operation)
        return done


def _perform(connection: Connection, operations: Sequence[Callable[[Connection], Any]]) -> list[Any]:
    with connection.begin():
        return [operation(connection) for operation in operations]


def _say(connection: Connection, process: Process, now: int) -> None:
    row = {
        "id": process.id,
        "roles": ",".join(sorted(process.roles)),
        "beat": 1,
        "started_at": now,
        "seen_at": now,
        "lease": process.lease,
    }
    again = {"beat": processes.c.beat + 1, "seen_at": now}
    said = insert(processes).values(row).on_conflict_do_update(index_elements=["id"], set_=again)
    connection.execute(said)


def _roll(connection: Connection) -> Roll:
    columns = processes.c
    known = connection.execute(select(columns.id, columns.roles, columns.lease, columns.beat)).all()
    owned = connection.execute(select(leases)).all()
    return Roll(tuple(_process(*row) for row in known), tuple(Lease(*row) for row in owned))


def _process(id: str, roles: str, lease: int, beat: int) -> Process:
    return Process(id, cast("frozenset[Role]", frozenset(roles.split(","))), lease, beat)


def _forget(connection: Connection, process_ids: Collection[str]) -> None:
    connection.execute(update(leases).where(leases.c.owner.in_(process_ids)).values(owner=None))
    connection.execute(delete(processes).where(processes.c.id.in_(process_ids)))
