"""Writes for a cell on PostgreSQL: made by its owner, and by nobody who was that before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import Connection, text

from tests.fixtures.stores import a_seed, an_attempt, furnish, sending, succeeding
from thumbturn.domain.attempt import Phase
from thumbturn.domain.clock import SystemClock
from thumbturn.domain.refusals import Fenced, StorageUnavailable
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.cells import CELLS, cell_of
from thumbturn.engine.lease_ports import Fence, Lease, Process
from thumbturn.engine.tenure import Tenure
from thumbturn.storage.correspondence import Correspondence
from thumbturn.storage.leases import SqlLeases
from thumbturn.storage.open import open_store
from thumbturn.storage.store import SqlStore

P1 = Process("p1", frozenset({"engine"}), 5_000_000)


@pytest_asyncio.fixture
async def pg_store(postgres_url: str) -> AsyncIterator[SqlStore]:
    """A store on PostgreSQL with the workspaces ``w1`` and ``w2``."""
    store = open_store(postgres_url)
    await furnish(store)
    yield store
    await store.close()


@pytest_asyncio.fixture
async def leases(postgres_url: str) -> AsyncIterator[SqlLeases]:
    """The leases of every cell's engine."""
    store = SqlLeases(postgres_url)
    await store.enlist(P1, {"engine": CELLS}, 1, None)
    yield store
    await store.close()


async def taken(leases: SqlLeases, workspace_id: str = "w1", owner: str = "p1", epoch: int = 0) -> Tenure:
    """The right to act for a workspace's cell."""
    cell = cell_of(workspace_id, CELLS)
    [lease] = await leases.take(owner, [Lease("engine", cell, None, epoch)], 1)
    return Tenure(Fence("engine", cell, lease.epoch), 1_000, lambda: 0)


async def test_the_database_and_the_server_agree_on_the_cell(pg_store: SqlStore):
    """A workspace is in the same cell for PostgreSQL as for every process, whatever its id looks like."""
    ids = [f"{number}-ü" for number in range(200)]
    for id in ids:
        seed = a_seed(id, 1)
        await pg_store.add_workspace(
            Workspace(id=id, name=id, is_sandbox=True), user_id=None, seed=seed, keys=[]
        )
    read = "select id, cell from workspaces"
    rows = await pg_store._read(lambda connection: connection.execute(text(read)).all())
    assert {row[0] for row in rows} >= set(ids)
    assert [tuple(row) for row in rows] == [(row[0], cell_of(row[0], CELLS)) for row in rows]
    assert len({cell for _, cell in rows}) == CELLS


async def test_the_owner_writes_and_reads_what_is_its_cells(pg_store: SqlStore, leases: SqlLeases):
    """An owner's store has the open attempts, devices and accounts of its cell, and no others."""
    store = pg_store.in_cell(await taken(leases))
    mine, other = an_attempt("w1"), an_attempt("w2")
    await store.accept(mine)
    await pg_store.accept(other)
    assert cell_of("w1", CELLS) != cell_of("w2", CELLS)
    assert [each.id for each in await store.open_attempts()] == [mine.id]
    assert {each.workspace_id for each in await store.every_device()} == {"w1"}
    assert {each.workspace_id for each in await store.every_account()} == {"w1"}
    assert {each.workspace_id for each in await pg_store.every_device()} == {"w1", "w2"}


async def test_who_is_no_owner_any_more_writes_nothing(pg_store: SqlStore, leases: SqlLeases):
    """A write under an epoch that is over is refused, and ends the right to write more."""
    tenure = await taken(leases)
    store = pg_store.in_cell(tenure)
    attempt = an_attempt("w1")
    await store.accept(attempt)
    await taken(leases, owner="p2", epoch=1)
    _, change = sending(attempt)
    with pytest.raises(Fenced):
        await store.apply(change)
    assert not tenure.holds()
    stands = await pg_store.attempt("w1", attempt.id)
    assert stands is not None
    assert stands.phase is Phase.QUEUED


async def test_a_stale_write_sinks_no_other(pg_store: SqlStore, leases: SqlLeases):
    """In one wave the stale writes are refused and all others are made."""
    stale, good = await taken(leases, "w1"), await taken(leases, "w2")
    await taken(leases, "w1", owner="p2", epoch=1)
    old, new = pg_store.in_cell(stale), pg_store.in_cell(good)
    attempts = [an_attempt(workspace_id) for workspace_id in ("w1", "w2") * 3]
    asked = [(old if each.workspace_id == "w1" else new).accept(each) for each in attempts]
    asked.append(pg_store.accept(an_attempt("w1")))
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert [isinstance(answer, Fenced) for answer in answers] == [True, False] * 3 + [False]
    stand = [await pg_store.attempt(each.workspace_id, each.id) for each in attempts]
    assert [each is not None for each in stand] == [False, True] * 3
    assert pg_store.writing().meters.failed == 0


async def test_nobody_takes_a_cell_in_the_middle_of_a_write(postgres_url: str, leases: SqlLeases):
    """While somebody writes under a lease it cannot be taken, its owner can go on saying that he lives, and
    nobody waits; once that is written it can be.
    """
    cell = cell_of("w1", CELLS)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("select from leases where cell = %s for key share", [cell])
        assert await leases.take("p2", [Lease("engine", cell, None, 0)], 1) == []
        await leases.beat(P1, 2)
    [lease] = await leases.take("p2", [Lease("engine", cell, None, 0)], 1)
    assert lease.owner == "p2"


async def test_a_write_of_one_who_was_stopped_is_given_up(postgres_url: str, pg_store: SqlStore):
    """PostgreSQL ends a transaction that stands still, so that what it has locked is not locked for ever;
    whoever wakes in it is told that nothing was done, and writes on with a new connection.
    """

    def sleep(connection: object) -> None:
        connection.execute(text("select 1"))  # type: ignore[attr-defined]
        time.sleep(4)
        connection.execute(text("select 1"))  # type: ignore[attr-defined]

    with pytest.raises(StorageUnavailable):
        await pg_store._write(sleep)
    assert await pg_store._write(lambda connection: connection.execute(text("select 7")).scalar()) == 7


@pytest.mark.parametrize("whose", ["leases", "calls", "partitions"])
async def test_nobody_else_waits_for_one_who_was_stopped(
    postgres_url: str, pg_store: SqlStore, leases: SqlLeases, whose: str
):
    """So it is with whatever else a process writes: its leases, what it asks of others, its partitions."""

    def sleep(connection: Connection) -> None:
        connection.execute(text("select from leases for update"))
        time.sleep(4)
        connection.execute(text("select 1"))

    talk = Correspondence(postgres_url, "p1", listening=None, is_alone=lambda: True, clock=SystemClock())
    do = {"leases": leases._do, "calls": talk.calls._do, "partitions": pg_store._apart.do}[whose]
    with pytest.raises(StorageUnavailable):
        await do(sleep)
    await do(lambda connection: connection.execute(text("select from leases for update nowait")))
    await talk.close()


async def test_what_arrived_is_given_to_its_cell_once(pg_store: SqlStore, leases: SqlLeases):
    """Open attempts that others accepted for a cell are handed out in order and once, to no other cell."""
    first, second, ended, other = (
        an_attempt("w1", at=1_000_000),
        an_attempt("w1", at=2_000_000),
        an_attempt("w1", at=3_000_000),
        an_attempt("w2"),
    )
    for attempt in (second, first, ended, other):
        await pg_store.accept(attempt)
    sent, change = sending(ended)
    await pg_store.apply(change)
    await pg_store.apply(succeeding(sent)[1])
    cells = {each.id: cell_of(each.workspace_id, CELLS) for each in (first, second, ended, other)}
    put = text("insert into arrivals (attempt_id, cell) values (:id, :cell)")
    rows = [{"id": id, "cell": cell} for id, cell in cells.items()]
    await pg_store._write(lambda connection: connection.execute(put, rows).rowcount)
    mine = cell_of("w1", CELLS)
    assert sorted(await pg_store.arrived()) == sorted({mine, cell_of("w2", CELLS)})
    store = pg_store.in_cell(await taken(leases))
    for _ in range(2):  # until it is said that they were taken in
        there = await store.arrivals(mine)
        assert list(there) == [first.id, second.id, ended.id]
    assert [each and each.phase.is_final for each in there.values()] == [False, False, True]
    assert await store.drop_arrivals([first.id, ended.id])
    assert list(await store.arrivals(mine)) == [second.id]
    assert await store.drop_arrivals([second.id])
    assert await store.arrivals(mine) == {}
    assert await pg_store.arrived() == [cell_of("w2", CELLS)]


async def test_who_lost_his_cell_drops_nothing(pg_store: SqlStore, leases: SqlLeases):
    """What was accepted for a cell stays there for its owner, whatever the one before him says of it."""
    attempt = an_attempt("w1")
    mine = cell_of("w1", CELLS)
    await pg_store.accept_for(mine, attempt, None)
    before = pg_store.in_cell(await taken(leases))
    await taken(leases, owner="p2", epoch=1)
    with pytest.raises(Fenced):
        await before.drop_arrivals([attempt.id])
    assert list(await pg_store.arrivals(mine)) == [attempt.id]


async def test_cells_are_asked_for_together(pg_store: SqlStore):
    """What arrived for several cells is read with one question, and each is given its own."""
    cells = {f"w{number}": cell_of(f"w{number}", CELLS) for number in (1, 2)}
    for workspace_id, cell in cells.items():
        await pg_store.accept_for(cell, an_attempt(workspace_id), None)
    found = await asyncio.gather(*(pg_store.arrivals(cell) for cell in cells.values()))
    told = [{each.workspace_id for each in there.values() if each} for there in found]
    assert told == [{one for one in cells if cells[one] == cell} for cell in cells.values()]
