"""Cells are shared among processes: one owner at a time, whoever dies, sleeps, comes or goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from thumbturn.domain.clock import MILLISECOND, SECOND
from thumbturn.engine.claims import LEFT_ALONE, ROUNDS_IN_LEASE, Claims
from thumbturn.engine.lease_ports import Kind, Process, Role
from thumbturn.engine.neighbours import SHARE_OF_MARGIN
from thumbturn.engine.tenure import Tenure
from thumbturn.testing.clock import FakeClock
from thumbturn.testing.leases import MemoryLeases

CELLS = 16
LEASE = 5 * SECOND
ROUND = LEASE // ROUNDS_IN_LEASE
MARGIN = LEASE // SHARE_OF_MARGIN
ENGINE = frozenset[Role]({"engine"})


class Acting:
    """Somebody who acts for cells, and remembers when he might and when he stopped."""

    def __init__(self) -> None:
        self.tenures: dict[int, Tenure] = {}
        self.ended_in_time: list[tuple[int, bool]] = []
        self.fails_at: set[int] = set()
        self.beginning_takes: asyncio.Event | None = None
        self.ending_takes: asyncio.Event | None = None

    async def begin(self, tenure: Tenure) -> None:
        if self.beginning_takes is not None:
            await self.beginning_takes.wait()
        if tenure.fence.cell in self.fails_at:
            raise ValueError(tenure.fence.cell)
        self.tenures[tenure.fence.cell] = tenure

    async def end(self, tenure: Tenure) -> None:
        if self.ending_takes is not None:
            await self.ending_takes.wait()
        self.tenures.pop(tenure.fence.cell, None)
        self.ended_in_time.append((tenure.fence.cell, tenure.holds()))

    def may(self) -> set[int]:
        """The cells for which he would act now."""
        return {cell for cell, tenure in self.tenures.items() if tenure.holds()}


class Peer:
    """A process among others."""

    def __init__(self, town: Town, id: str, roles: frozenset[Role] = ENGINE, lease: int = LEASE) -> None:
        self.town = town
        self.acting = Acting()
        self.claims = Claims(
            store=town.leases,
            process=Process(id, roles, lease),
            kinds={"engine": CELLS, "upkeep": 1},
            owning={"engine": self.acting} if "engine" in roles else {},
            clock=town.clock,
            uptime=town.clock.now,
        )

    @property
    def mine(self) -> frozenset[int]:
        """What it owns."""
        return self.claims.mine("engine")

    async def start(self, predecessor: str | None = None) -> Peer:
        """Begin."""
        await self.claims.start(predecessor)
        self.town.peers.append(self)
        return self

    def stop_dead(self) -> None:
        """As SIGSTOP, or the first half of ``kill -9``: its loop does not turn any more."""
        for task in self.claims._loops:
            task.cancel()

    def wake(self) -> None:
        """As SIGCONT: its loop turns again, where it was."""
        loop = asyncio.get_running_loop()
        self.claims._loops = [loop.create_task(self.claims._rounds()), loop.create_task(self.claims._looks())]


class Town:
    """Processes on one database."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.leases = MemoryLeases()
        self.peers: list[Peer] = []

    async def pass_(self, microseconds: int) -> None:
        """Let time pass; at no moment may two act for the same cell."""
        for _ in range(0, microseconds, 100 * MILLISECOND):
            await self.clock.advance(100 * MILLISECOND)
            acting = [cell for peer in self.peers for cell in peer.acting.may()]
            assert len(acting) == len(set(acting)), f"two act for a cell: {sorted(acting)}"


@pytest_asyncio.fixture
async def town() -> AsyncIterator[Town]:
    """A database without processes."""
    made = Town()
    yield made
    made.leases.is_away = False
    for peer in made.peers:
        if peer.acting.ending_takes is not None:
            peer.acting.ending_takes.set()
        stopping = asyncio.ensure_future(peer.claims.stop())
        await made.clock.advance(SECOND)
        await stopping


async def test_the_first_process_owns_everything_at_once(town: Town):
    """A process that is alone has begun with every cell when its start returns."""
    one = await Peer(town, "a").start()
    assert one.mine == frozenset(range(CELLS))
    assert one.claims.neighbours.others == 0


async def test_a_long_beginning_loses_nothing(town: Town):
    """A process that needs longer to begin with its first cells than a lease lasts is alive meanwhile: they
    stay its own, also before another that comes.
    """
    one = Peer(town, "a")
    one.acting.beginning_takes = asyncio.Event()
    starting = asyncio.ensure_future(one.start())
    await town.pass_(2 * LEASE)
    two = await Peer(town, "b").start()
    await town.pass_(SECOND)
    assert not two.mine
    assert not starting.done()
    one.acting.beginning_takes.set()
    await starting
    await town.pass_(4 * SECOND)
    assert [len(one.mine), len(two.mine)] == [8, 8]
    assert {tenure.fence.epoch for tenure in one.acting.tenures.values()} == {1}
    assert [in_time for _, in_time in one.acting.ended_in_time] == [True] * 8


async def test_shares_are_even_among_processes_that_come(town: Town):
    """Whoever comes gets a share like the others', given back in peace; nobody has more than one above."""
    peers = [await Peer(town, "a").start()]
    for name, shares in (("b", [8, 8]), ("c", [6, 5, 5]), ("d", [4, 4, 4, 4]), ("e", [4, 3, 3, 3, 3])):
        peers.append(await Peer(town, name).start())
        await town.pass_(4 * SECOND)
        assert [len(peer.mine) for peer in peers] == shares
    assert all(in_time for peer in peers for _, in_time in peer.acting.ended_in_time)


async def test_what_leaves_in_peace_is_taken_at_once(town: Town):
    """The cells of a process that stops are its neighbours' within two rounds."""
    one, two = await Peer(town, "a").start(), await Peer(town, "b").start()
    await town.pass_(4 * SECOND)
    await two.claims.stop()
    assert not two.acting.tenures
    await town.pass_(2 * ROUND)
    assert one.mine == frozenset(range(CELLS))


async def test_the_cells_of_the_dead_are_taken_over(town: Town):
    """Nobody takes them before his lease is over for certain; then they are taken within ten seconds."""
    one, two = await Peer(town, "a").start(), await Peer(town, "b").start()
    await town.pass_(4 * SECOND)
    orphans = two.mine
    two.stop_dead()
    await town.pass_(LEASE - ROUND)
    assert not one.mine & orphans
    await town.pass_(MARGIN + 3 * ROUND + ROUND)
    assert one.mine == frozenset(range(CELLS))
    assert not one.claims.neighbours.is_alive("b")


async def test_a_lease_lasts_as_long_as_its_owner_says(town: Town):
    """Who looks more often than his neighbour does not take him for dead before his own time is over."""
    one = await Peer(town, "a", lease=SECOND).start()
    two = await Peer(town, "b", lease=10 * LEASE).start()
    await town.pass_(40 * SECOND)
    assert (len(one.mine), len(two.mine)) == (8, 8)
    orphans = two.mine
    two.stop_dead()
    await town.pass_(10 * LEASE - 10 * SECOND)
    assert not one.mine & orphans
    await town.pass_(25 * SECOND)
    assert one.mine == frozenset(range(CELLS))


async def test_one_who_slept_acts_for_nothing_when_he_wakes(town: Town):
    """A process that was stopped for a minute finds its rights over at its first step, whatever it heard
    before; then it takes part again.
    """
    one, two = await Peer(town, "a").start(), await Peer(town, "b").start()
    await town.pass_(4 * SECOND)
    had = dict(two.acting.tenures)
    two.stop_dead()
    await town.pass_(60 * SECOND)
    assert one.mine == frozenset(range(CELLS))
    assert not any(tenure.holds() for tenure in had.values())
    two.wake()
    await town.pass_(5 * SECOND)
    assert [len(one.mine), len(two.mine)] == [8, 8]
    assert [in_time for _, in_time in two.acting.ended_in_time] == [False] * 8


async def test_rights_end_while_the_database_is_away(town: Town):
    """Who cannot say that he lives stops when his lease is over, and owns the same again, under a new epoch,
    once the database is back.
    """
    one = await Peer(town, "a").start()
    epochs = {tenure.fence.epoch for tenure in one.acting.tenures.values()}
    town.leases.is_away = True
    await town.pass_(LEASE - SECOND)
    assert len(one.mine) == CELLS
    await town.pass_(2 * SECOND)
    assert not one.mine
    assert not one.acting.tenures
    town.leases.is_away = False
    await town.pass_(2 * ROUND)
    assert len(one.mine) == CELLS
    assert min(tenure.fence.epoch for tenure in one.acting.tenures.values()) > max(epochs)


async def test_a_short_absence_of_the_database_ends_nothing(town: Town):
    """A database that is back before the lease is over finds everything as it was."""
    one = await Peer(town, "a").start()
    before = dict(one.acting.tenures)
    town.leases.is_away = True
    await town.pass_(LEASE - 2 * SECOND)
    town.leases.is_away = False
    await town.pass_(10 * SECOND)
    assert one.acting.tenures == before
    assert len(one.mine) == CELLS


async def test_a_successor_need_not_wait(town: Town):
    """Who knows for certain that the process before him is dead takes its cells at once."""
    one = await Peer(town, "a").start()
    one.stop_dead()
    town.peers.remove(one)
    two = await Peer(town, "b").start("a")
    assert two.mine == frozenset(range(CELLS))


async def test_who_has_not_the_role_owns_nothing(town: Town):
    """A process that only answers callers takes no cell, and no share is kept for it."""
    await Peer(town, "a", frozenset({"api"})).start()
    one = await Peer(town, "b").start()
    await town.pass_(4 * SECOND)
    assert len(one.mine) == CELLS
    assert one.claims.neighbours.others == 1


async def test_a_cell_that_cannot_be_begun_is_left_to_others(town: Town, capsys: Any):
    """One who fails with a cell gives it back, and tries it again only after a while; the rest is not
    touched by it.
    """
    one, two = Peer(town, "a"), Peer(town, "b")
    one.acting.fails_at = {3}
    await one.start()
    assert one.mine == frozenset(range(CELLS)) - {3}
    await two.start()
    await town.pass_(4 * SECOND)
    assert 3 in two.mine
    one.acting.fails_at = set()
    await two.claims.stop()
    await town.pass_(LEFT_ALONE + 2 * ROUND)
    assert one.mine == frozenset(range(CELLS))


async def test_what_ended_by_itself_is_not_kept_from_others(town: Town):
    """A right that ended by a fault of its owner, who has more than his share: another takes the cell."""
    one, two = await Peer(town, "a").start(), await Peer(town, "b").start()
    await town.pass_(4 * SECOND)
    cell = min(two.mine)
    two.acting.tenures[cell].end()
    two.claims.neighbours.share = lambda kind: CELLS // 2 - 1  # a third has just come, as two sees it
    one.claims.neighbours.share = lambda kind: CELLS // 2 + 1
    await town.pass_(4 * ROUND)
    assert cell in one.mine


async def test_nobody_has_a_cell_while_its_owner_still_ends(town: Town):
    """A cell that is being given back is nobody else's until what was begun in it has ended, and it does not
    run out meanwhile.
    """
    one = await Peer(town, "a").start()
    one.acting.ending_takes = asyncio.Event()
    two = await Peer(town, "b").start()
    await town.pass_(3 * LEASE)
    assert (len(one.mine), len(two.mine)) == (8, 0)
    assert len(one.acting.tenures) == CELLS
    one.acting.ending_takes.set()
    await town.pass_(3 * ROUND)
    assert (len(one.mine), len(two.mine)) == (8, 8)
    assert [in_time for _, in_time in one.acting.ended_in_time] == [True] * 8


@pytest.mark.parametrize("kind", ["engine", "webhooks"])
async def test_a_right_is_known_by_its_cell(town: Town, kind: Kind):
    """The right to act for a cell is to be had where the cell is owned, and nowhere else."""
    one = await Peer(town, "a").start()
    tenure = one.claims.tenure(kind, 5)
    assert (tenure is not None) is (kind == "engine")
    assert tenure is None or tenure.fence == ("engine", 5, 1)
