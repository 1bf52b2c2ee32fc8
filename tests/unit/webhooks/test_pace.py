"""Deliveries give way when the loop has no time to spare."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from thumbturn.domain.clock import MILLISECOND, SECOND
from thumbturn.testing.clock import FakeClock
from thumbturn.webhooks.pace import Pace, measure_wait


class Load:
    """How long what is ready waits for its turn, and the share of a core that the loop uses."""

    def __init__(self, clock: FakeClock, wait: int, share: float) -> None:
        self.wait = wait
        self._clock = clock
        self._share = share
        self.pace = Pace(clock, self._measure, self._used)

    def _measure(self, tell: Callable[[int], None]) -> None:
        tell(self.wait)

    def _used(self) -> int:
        return round(self._clock.now() * self._share)


LITTLE, LONG = 200, 2 * MILLISECOND


async def turns_in(clock: FakeClock, pace: Pace, time: int) -> int:
    """How many turns are given in this time to somebody who takes a millisecond for each."""
    turns = 0

    async def take() -> None:
        nonlocal turns
        while True:
            await pace.turn()
            turns += 1
            await clock.sleep(MILLISECOND)

    taking = asyncio.ensure_future(take())
    await clock.advance(time)
    taking.cancel()
    return turns


async def test_deliveries_go_freely_while_there_is_time():
    """With time to spare nobody waits for a turn, from the first on."""
    clock = FakeClock()
    assert await turns_in(clock, Load(clock, LITTLE, 0.7).pace, SECOND) >= 1_000


async def test_deliveries_that_wait_for_each_other_go_freely():
    """Many that are begun together wait for each other: while the loop has little to do, that is no load."""
    clock = FakeClock()
    assert await turns_in(clock, Load(clock, LONG, 0.3).pace, SECOND) >= 1_000


async def test_deliveries_give_way_soon_and_come_back():
    """On a busy loop turns are rare within a second, never none; later they are free again."""
    clock = FakeClock()
    load = Load(clock, LONG, 0.7)
    pace = load.pace
    await turns_in(clock, pace, SECOND)
    assert 15 <= await turns_in(clock, pace, SECOND) <= 25
    load.wait = LITTLE
    await turns_in(clock, pace, 2 * SECOND)
    assert await turns_in(clock, pace, SECOND) >= 1_000


async def test_turns_are_shared():
    """On a busy loop ten who wait get about the turns of one, each in his turn."""
    clock = FakeClock()
    pace = Load(clock, LONG, 0.7).pace
    await turns_in(clock, pace, SECOND)
    waiting = [asyncio.ensure_future(_count(clock, pace, SECOND)) for _ in range(10)]
    await clock.advance(2 * SECOND)
    counts = [each.result() for each in waiting]
    assert 15 <= sum(counts) <= 35
    assert min(counts) >= 1


async def test_what_the_loop_has_before_it_is_what_is_measured():
    """Something that keeps the loop for 50 ms is told as a wait of at least so long."""
    told: list[int] = []
    asyncio.get_running_loop().call_soon(time.sleep, 0.05)
    measure_wait(told.append)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert told[0] >= 50 * MILLISECOND


async def _count(clock: FakeClock, pace: Pace, time: int) -> int:
    end, turns = clock.now() + time, 0
    while clock.now() < end:
        await pace.turn()
        turns += 1
    return turns
