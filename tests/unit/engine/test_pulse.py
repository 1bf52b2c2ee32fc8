"""Waking many readers together."""

from __future__ import annotations

import asyncio

from thumbturn.engine.pulse import EACH, LEAST, MOST, Pulse
from thumbturn.testing.clock import FakeClock


def readers_of(pulse: Pulse, count: int) -> list[asyncio.Event]:
    """So many new readers."""
    readers = [asyncio.Event() for _ in range(count)]
    for reader in readers:
        pulse.join(reader)
    return readers


async def test_what_follows_closely_wakes_once():
    """All readers are woken a moment after the first thing, once for all that came within it."""
    clock = FakeClock()
    pulse = Pulse(clock)
    one, other = readers_of(pulse, 2)
    pulse.set()
    await clock.advance(LEAST // 2)
    pulse.set()
    assert not one.is_set()
    await clock.advance(LEAST // 2 + 2 * EACH)
    assert (one.is_set(), other.is_set()) == (True, True)
    one.clear()
    await clock.advance(MOST)
    assert not one.is_set(), "the second was part of the first"
    pulse.set()
    await clock.advance(MOST)
    assert one.is_set()


async def test_many_readers_are_woken_less_often():
    """The more readers there are, the longer a pulse gathers, up to a bound."""
    clock = FakeClock()
    for count, moment in ((1, LEAST + EACH), (100, LEAST + 100 * EACH), (10_000, MOST)):
        pulse = Pulse(clock)
        readers = readers_of(pulse, count)
        pulse.set()
        await clock.advance(moment - 1)
        assert not any(reader.is_set() for reader in readers)
        await clock.advance(1)
        assert all(reader.is_set() for reader in readers)


async def test_who_left_is_left_alone():
    """A reader who left is not woken, and a pulse that was stopped wakes nobody."""
    clock = FakeClock()
    pulse = Pulse(clock)
    one, other = readers_of(pulse, 2)
    pulse.set()
    pulse.leave(one)
    await clock.advance(MOST)
    assert (one.is_set(), other.is_set()) == (False, True)
    other.clear()
    pulse.set()
    pulse.stop()
    await clock.advance(MOST)
    assert not other.is_set()
