"""The newest of a series, for readers who keep nothing but a number."""

from __future__ import annotations

import asyncio

from thumbturn.engine.ring import Ring


def test_a_reader_takes_what_is_behind_his_number():
    """Items are numbered from one behind the number the ring began with, and are taken in order."""
    ring: Ring[str] = Ring(last=7)
    assert ring.behind(7, 9) == []
    ring.add("abc")
    assert (ring.first, ring.last) == (8, 10)
    assert ring.behind(7, 9) == ["a", "b", "c"]
    assert ring.behind(8, 1) == ["b"]
    assert ring.behind(10, 9) == []
    assert ring.behind(99, 9) == []


def test_what_is_gone_is_not_passed_over():
    """A reader behind the oldest that is held is told so; he is never given what comes after a gap."""
    ring: Ring[int] = Ring(size=10)
    ring.add(range(1, 22))
    assert (ring.first, ring.last) == (12, 21)
    assert ring.behind(10, 99) is None
    assert ring.behind(11, 99) == list(range(12, 22))


def test_it_does_not_grow():
    """However much is added, one by one or at once, it holds twice its size at most."""
    ring: Ring[int] = Ring(size=10)
    for number in range(1, 1_000):
        ring.add([number])
        assert ring.behind(number - 1, 9) == [number]
        assert ring.last - ring.first < 20
    ring.add(range(10_000))
    assert ring.last - ring.first < 20


def test_readers_are_woken_until_they_let_go():
    """Each addition wakes every reader; the last to let go hears that nobody is left."""
    ring: Ring[int] = Ring()
    one, other = asyncio.Event(), asyncio.Event()
    ring.wake(one)
    ring.wake(other)
    ring.add([1])
    assert (one.is_set(), other.is_set()) == (True, True)
    one.clear()
    assert ring.let_go(one) is False
    ring.add([2])
    assert one.is_set() is False
    assert ring.let_go(other) is True


def test_readers_may_share_what_wakes_them():
    """What wakes several readers is set as long as one of them has not let go."""
    ring: Ring[int] = Ring()
    shared = asyncio.Event()
    ring.wake(shared)
    ring.wake(shared)
    assert ring.let_go(shared) is False
    ring.add([1])
    assert shared.is_set()
    assert ring.let_go(shared) is True
