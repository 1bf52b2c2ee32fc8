"""What happens to commands and callers when cells come and go, and the record is ill at that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fixtures.engine import House
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import SECOND
from thumbturn.domain.device import Device
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.acceptance import Command, Timing, new_attempt
from thumbturn.engine.cell_engines import Engines, Listeners
from thumbturn.engine.cells import Cell
from thumbturn.engine.elsewhere import Elsewhere
from thumbturn.engine.everywhere import EndsEverywhere
from thumbturn.engine.lease_ports import Fence
from thumbturn.engine.tenure import Tenure
from thumbturn.testing.calls import MemoryNotices

CELL = 0


class Owner:
    """A process that may own the one cell."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.engines = Engines(self._make, Listeners())

    def _make(self, tenure: Tenure) -> Cell:
        parts: Any = dict.fromkeys(("acs_users", "acs_credentials", "connect_webviews"))
        return Cell(number=CELL, engine=self.house.engine, **parts)

    async def take(self) -> Tenure:
        """Own it, after whoever did."""
        await self.house.die()
        self.house.boot()
        clock = self.house.clock
        tenure = Tenure(Fence("engine", CELL, 1), clock.now() + 3600 * SECOND, clock.now)
        await self.engines.begin(tenure)
        return tenure

    async def accepted_elsewhere(self, door: Device) -> Attempt:
        """An unlock that another process has accepted for this cell."""
        action = self.house.actions["UNLOCK_DOOR"]
        ask = action.ask.model_validate({"device_id": door.id})
        command = Command(action, ask)
        attempt = new_attempt(command, door, self.house.workspace, None, self.house.clock.now())
        await self.house.store.accept_for(CELL, attempt, None)
        return attempt

    async def look(self) -> None:
        """Look for what was accepted elsewhere, as once a second."""
        await self.engines.take_arrivals(await self.house.store.arrived())
        await self.house.clock.settle()


@pytest.fixture
async def owner(house: House) -> Owner:
    """A process, on the record of a house."""
    return Owner(house)


async def test_an_arrival_is_not_lost_with_the_answer_that_brings_it(owner: Owner, monkeypatch: Any):
    """Whoever accepts for another need not fear for a command: if the answer to taking it gets lost, it is
    taken at the next look, and carried out once.
    """
    house = owner.house
    door = await house.lock()
    await owner.take()
    read, lost = house.store.arrivals, [True]

    async def read_and_lose(cell: int) -> Mapping[str, Attempt | None]:
        found: Mapping[str, Attempt | None] = await read(cell)
        if lost and lost.pop():
            raise StorageUnavailable
        return found

    monkeypatch.setattr(house.store, "arrivals", read_and_lose)
    attempt = await owner.accepted_elsewhere(door)
    await owner.look()
    assert not lost
    await owner.look()
    assert (await house.stored(attempt)).status == "success"
    assert house.commands(door) == ["unlock"]


async def test_what_was_taken_is_not_taken_anew_once_it_has_ended(owner: Owner, monkeypatch: Any):
    """The record hears late that a command was taken: it may have ended by then, and is not sent again."""
    house = owner.house
    door = await house.lock()
    await owner.take()
    drop, refused = house.store.drop_arrivals, []

    async def refuse_the_first(ids: Collection[str]) -> bool:
        if not refused:
            refused.append(ids)
            raise StorageUnavailable
        return bool(await drop(ids))

    monkeypatch.setattr(house.store, "drop_arrivals", refuse_the_first)
    attempt = await owner.accepted_elsewhere(door)
    await owner.look()
    assert (await house.stored(attempt)).status == "success"
    assert await house.store.arrived() == [CELL]
    await owner.look()
    assert await house.store.arrived() == []
    assert house.commands(door) == ["unlock"]


async def test_who_waits_at_an_owner_that_gives_its_cell_away_is_answered(owner: Owner):
    """The end of an attempt that its next owner brings about is told to whoever waited at the one before."""
    house = owner.house
    door = await house.lock()
    tenure = await owner.take()
    cells: Any = SimpleNamespace(cell_of=lambda _: CELL)
    notices = MemoryNotices([], house.clock)
    elsewhere = Elsewhere(store=house.store, cells=cells, notices=notices, pace=None, clock=house.clock)
    attempt = await house.begin("UNLOCK_DOOR", door, Timing(not_before=house.clock.now() + 5 * SECOND))
    before = EndsEverywhere(house.engine, elsewhere, house.clock)
    waiting = asyncio.ensure_future(before.settled(attempt, 60 * SECOND))
    waiting_too = asyncio.ensure_future(before.all_settled((attempt,), 60 * SECOND))
    await house.clock.settle()
    await owner.engines.end(tenure)
    await owner.take()
    await house.engine.begun.cancel("w1", attempt.id, "somebody")
    await house.clock.advance(2 * SECOND)
    notices.leave()
    assert waiting.done()
    assert waiting_too.done()
    assert (await waiting).status == "error"
