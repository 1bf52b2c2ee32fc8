"""Who owns what is on record, on PostgreSQL and in memory: one at a time, each with an epoch of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.lease_ports import Fence, Lease, LeaseStore, Process, Roll
from thumbturn.storage.leases import SqlLeases
from thumbturn.testing.leases import MemoryLeases

ALL = frozenset({"api", "engine", "webhooks"})
LEASE = 7_000_000
P1, P2 = Process("p1", ALL, LEASE), Process("p2", frozenset({"engine"}), 2 * LEASE)


@pytest.fixture(params=["memory", "postgresql"])
def leases_url(request: pytest.FixtureRequest) -> str | None:
    """The URL of a PostgreSQL database, and ``None`` for leases in memory."""
    return None if request.param == "memory" else request.getfixturevalue("postgres_url")


@pytest_asyncio.fixture
async def leases(leases_url: str | None) -> AsyncIterator[LeaseStore]:
    """Leases of three cells' engines, with two processes enlisted."""
    store: LeaseStore = MemoryLeases() if leases_url is None else SqlLeases(leases_url)
    for process in (P1, P2):
        await store.enlist(process, {"engine": 3}, 1, None)
    yield store
    await store.close()


def owners(roll: Roll) -> dict[int, tuple[str | None, int]]:
    """By cell, its owner and the epoch."""
    return {lease.cell: (lease.owner, lease.epoch) for lease in roll.leases}


async def test_a_beat_is_heard_by_others(leases: LeaseStore):
    """Whoever says that he lives is seen with a higher number and with his roles, and nothing is his yet."""
    before = {each.id: each for each in (await leases.beat(P2, 2)).processes}
    await leases.beat(P1, 3)
    roll = await leases.beat(P2, 4)
    after = {each.id: each for each in roll.processes}
    assert after["p1"].beat == before["p1"].beat + 1
    assert (after["p1"].roles, after["p1"].lease) == (ALL, LEASE)
    assert after["p2"].roles == frozenset({"engine"})
    assert owners(roll) == {0: (None, 0), 1: (None, 0), 2: (None, 0)}


async def test_one_of_two_takes_a_cell(leases: LeaseStore):
    """Of two who want the same at once one gets each, and no epoch is given twice."""
    free = (await leases.beat(P1, 2)).leases
    taken = await asyncio.gather(leases.take("p1", free, 2), leases.take("p2", free, 3))
    cells = [lease.cell for each in taken for lease in each]
    assert len(cells) == len(set(cells))
    assert len(taken[0]) <= 2
    await leases.take("p1", (await leases.beat(P1, 3)).leases, 0)
    assert {epoch for owner, epoch in owners(await leases.beat(P1, 3)).values() if owner} == {1}


async def test_what_was_taken_meanwhile_is_not_taken_as_it_was_seen(leases: LeaseStore):
    """Who acts on what he saw before another took it gets nothing."""
    seen = (await leases.beat(P1, 2)).leases
    assert len(await leases.take("p2", seen, 3)) == 3
    assert await leases.take("p1", seen, 3) == []


async def test_what_is_given_back_is_free_and_its_next_owner_has_a_later_epoch(leases: LeaseStore):
    """A cell that was given back is nobody's; a word from its owner before does nothing to the next one."""
    [lease] = await leases.take("p1", [Lease("engine", 0, None, 0)], 1)
    first = Fence("engine", 0, lease.epoch)
    await leases.give_back(first)
    free = owners(await leases.beat(P1, 2))[0]
    assert free == (None, 1)
    [again] = await leases.take("p2", [Lease("engine", 0, None, 1)], 1)
    assert again.epoch == 2
    await leases.give_back(first)
    assert owners(await leases.beat(P1, 3))[0] == ("p2", 2)


async def test_what_one_who_left_owned_is_nobodys(leases: LeaseStore):
    """A process that retires is on record no more, and nothing is its own."""
    await leases.take("p1", (await leases.beat(P1, 2)).leases, 3)
    await leases.retire(["p1"])
    roll = await leases.beat(P2, 3)
    assert [each.id for each in roll.processes] == ["p2"]
    assert {owner for owner, _ in owners(roll).values()} == {None}


async def test_a_successor_takes_its_predecessors_name_off(leases: LeaseStore):
    """Who begins where a process has ended for certain finds free what that one owned."""
    await leases.take("p1", (await leases.beat(P1, 2)).leases, 3)
    await leases.enlist(Process("p3", ALL, LEASE), {"engine": 3}, 3, "p1")
    roll = await leases.beat(P2, 4)
    assert {each.id for each in roll.processes} == {"p2", "p3"}
    assert {owner for owner, _ in owners(roll).values()} == {None}


async def test_a_database_that_is_away_says_so(leases_url: str | None, leases: Any):
    """A beat that nobody hears is refused like every other request."""
    if leases_url is None:
        leases.is_away = True
    else:
        await leases.close()
    with pytest.raises(StorageUnavailable):
        await leases.beat(P1, 5)
    if leases_url is None:
        leases.is_away = False
