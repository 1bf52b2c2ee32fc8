"""Deliveries give way when the loop has no time to spare."""

from __future__ import annotations

import asyncio
import threading
import time

from thumbturn.domain.clock import MILLISECOND, SECOND, thread_time
from thumbturn.testing.clock import FakeClock
from thumbturn.webhooks.pace import Pace


class Load:
    """What the loop uses, as a share of one core."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._before, self._used = clock.now(), 0.0
        self._share = 0.0

    def is_now(self, share: float) -> None:
        self()
        self._share = share

    def __call__(self) -> int:
        now = self._clock.now()
        self._used += self._share * (now - self._before)
        self._before = now
        return round(self._used)


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
    load = Load(clock)
    pace = Pace(clock, load)
    load.is_now(0.5)
    assert await turns_in(clock, pace, SECOND) >= 1_000


async def test_deliveries_give_way_soon_and_come_back():
    """On a busy loop turns are rare within a second, never none; later they are free again."""
    clock = FakeClock()
    load = Load(clock)
    pace = Pace(clock, load)
    load.is_now(1.0)
    await turns_in(clock, pace, SECOND)
    assert 15 <= await turns_in(clock, pace, SECOND) <= 25
    load.is_now(0.5)
    await turns_in(clock, pace, 2 * SECOND)
    assert await turns_in(clock, pace, SECOND) >= 1_000


def test_what_other_threads_use_does_not_count():
    """A thread that works hard, as the one that writes does, is no reason for deliveries to give way."""

    def work() -> None:
        end = time.thread_time() + 0.2
        while time.thread_time() < end:
            pass

    before, working = thread_time(), threading.Thread(target=work)
    working.start()
    working.join()
    assert thread_time() - before < 100 * MILLISECOND


async def test_turns_are_shared():
    """On a busy loop ten who wait get about the turns of one, each in his turn."""
    clock = FakeClock()
    load = Load(clock)
    pace = Pace(clock, load)
    load.is_now(1.0)
    await turns_in(clock, pace, SECOND)
    waiting = [asyncio.ensure_future(_count(clock, pace, SECOND)) for _ in range(10)]
    await clock.advance(2 * SECOND)
    counts = [each.result() for each in waiting]
    assert 15 <= sum(counts) <= 35
    assert min(counts) >= 1


async def _count(clock: FakeClock, pace: Pace, time: int) -> int:
    end, turns = clock.now() + time, 0
    while clock.now() < end:
        await pace.turn()
        turns += 1
    return turns
