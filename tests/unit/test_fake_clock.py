"""The fake clock: time passes when a test says so, in order, and completely."""

import asyncio

import pytest
import uvloop

from thumbturn.domain.clock import Clock
from thumbturn.testing.clock import FakeClock


async def test_time_stands_still_until_advanced():
    """A sleeper does not wake before the clock was moved past its time."""
    clock = FakeClock(start=1_000)
    sleeper = asyncio.ensure_future(clock.sleep(500))
    await clock.advance(499)
    assert not sleeper.done()
    await clock.advance(1)
    assert sleeper.done()
    assert clock.now() == 1_500


async def test_sleepers_wake_in_order_of_time_each_at_its_own_moment():
    """Within one advance everybody sees the moment at which he asked to be woken."""
    clock = FakeClock(start=0)
    woken: list[tuple[str, int]] = []

    async def sleep(name: str, length: int) -> None:
        await clock.sleep(length)
        woken.append((name, clock.now()))

    async with asyncio.TaskGroup() as tasks:
        for name, length in (("late", 300), ("early", 100), ("twin", 100), ("middle", 200)):
            tasks.create_task(sleep(name, length))
        await clock.advance(1_000)
    assert woken == [("early", 100), ("twin", 100), ("middle", 200), ("late", 300)]
    assert clock.now() == 1_000


async def test_chained_sleeps_inside_one_advance_all_happen():
    """A sleep begun after a wake-up is woken in the same advance if it ends within it."""
    clock = FakeClock(start=0)
    moments: list[int] = []

    async def chain() -> None:
        for _ in range(50):
            await clock.sleep(10)
            for _ in range(20):  # a long way through the loop between two sleeps
                await asyncio.sleep(0)
            moments.append(clock.now())

    chained = asyncio.ensure_future(chain())
    await clock.advance(495)
    assert moments == [10 * n for n in range(1, 50)]
    await clock.advance(5)
    assert chained.done()


async def test_wait_ends_with_the_future_or_with_the_time():
    """``wait`` is true when the future was first, false when the time was, and cancels nothing."""
    clock = FakeClock()
    future = asyncio.get_running_loop().create_future()
    in_vain = asyncio.ensure_future(clock.wait(future, 100))
    await clock.advance(100)
    assert await in_vain is False
    assert not future.done()

    in_time = asyncio.ensure_future(clock.wait(future, 100))
    await clock.advance(99)
    future.set_result("here")
    await clock.settle()
    assert await in_time is True
    assert await clock.wait(future, 0) is True


async def test_cancelled_sleepers_are_forgotten():
    """A cancelled sleep does not stop the clock at its moment."""
    clock = FakeClock(start=0)
    moments: list[int] = []
    asleep = asyncio.ensure_future(clock.sleep(10))
    await clock.settle()
    asleep.cancel()

    async def note() -> None:
        await clock.sleep(20)
        moments.append(clock.now())

    noted = asyncio.ensure_future(note())
    await clock.advance(30)
    await noted
    assert moments == [20]


async def test_a_loop_that_never_rests_is_reported(monkeypatch):
    """Something that spins without sleeping is an error of the test, not a hang."""
    monkeypatch.setattr("thumbturn.testing.clock._TOO_MANY_TURNS", 200)
    clock = FakeClock()

    async def spin() -> None:
        while True:
            await asyncio.sleep(0)

    spinning = asyncio.ensure_future(spin())
    with pytest.raises(RuntimeError, match="spins"):
        await clock.advance(1)
    spinning.cancel()


async def test_it_has_the_shape_of_a_clock():
    """It can be passed wherever a ``Clock`` is asked for."""
    clock: Clock = FakeClock()
    await clock.sleep(0)
    assert clock.now() == FakeClock().now()


def test_it_works_on_a_loop_that_shows_nothing():
    """On uvloop, which does not say whether it is idle, sleepers wake in order as well."""
    woken: list[str] = []

    async def run() -> None:
        clock = FakeClock()

        async def sleep(name: str, length: int) -> None:
            await clock.sleep(length)
            woken.append(name)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sleep("second", 20))
            tasks.create_task(sleep("first", 10))
            await clock.advance(20)

    uvloop.run(run())
    assert woken == ["first", "second"]
