"""Following the events of a workspace: in order, each once, however one reads."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.stores import an_event
from thumbturn.domain.clock import seconds
from thumbturn.domain.event import Recorded
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.feed import GATHER_FOR, LOOK_EVERY, Feed
from thumbturn.engine.ports import Change
from thumbturn.engine.pulse import MOST
from thumbturn.engine.ring import SIZE
from thumbturn.testing.clock import FakeClock
from thumbturn.testing.store import MemoryStore


class CountingStore(MemoryStore):
    """A store that counts how often its events are read, can go away, and can keep its commits to itself."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.is_away = False
        self.is_silent = False
        self.breaks: Exception | None = None

    async def events_after(self, workspace_id: str, sequence: int, *, limit: int) -> list[Recorded]:
        self.reads += 1
        if self.breaks is not None:
            raise self.breaks
        if self.is_away:
            raise StorageUnavailable
        return await super().events_after(workspace_id, sequence, limit=limit)

    def on_events(self, listener: Callable[[frozenset[str]], None]) -> None:
        super().on_events(lambda workspaces: None if self.is_silent else listener(workspaces))

    async def tell(self, count: int = 1, workspace_id: str = "w1") -> None:
        await self.apply(Change(events=tuple(an_event(workspace_id) for _ in range(count))))


class Hall:
    """A feed on a store, and readers that collect the numbers they read."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.store = CountingStore()
        self.feed = Feed(self.store, self.clock)
        self.tasks: list[asyncio.Task[None]] = []

    def reader(self, after: int = 0, workspace_id: str = "w1", limit: int = 100) -> list[int]:
        """The numbers that a new follower reads, as he reads them."""
        seen: list[int] = []

        async def read() -> None:
            with self.feed.follow(workspace_id, after) as follower:
                while True:
                    found = await follower.read(limit=limit)
                    assert 0 < len(found) <= limit
                    seen.extend(each.sequence for each in found)

        self.tasks.append(asyncio.create_task(read()))
        return seen

    async def leave(self) -> None:
        """All readers stop."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def hall() -> Any:
    it = Hall()
    yield it
    await it.leave()


async def test_a_follower_reads_what_is_behind_his_cursor(hall: Hall):
    """What was told before is read from the place he names; what is told then follows, in order."""
    await hall.store.tell(5)
    seen, late = hall.reader(after=2), hall.reader(after=5)
    await hall.clock.settle()
    assert (seen, late) == ([3, 4, 5], [])
    await hall.store.tell(2)
    await hall.clock.advance(GATHER_FOR)
    assert (seen, late) == ([3, 4, 5, 6, 7], [6, 7])


async def test_reading_waits(hall: Hall):
    """A follower with nothing behind his cursor waits, and is answered as soon as something is told."""
    with hall.feed.follow("w1", 0) as follower:
        reading = asyncio.create_task(follower.read())
        await hall.clock.advance(seconds(60))
        assert not reading.done()
        assert await follower.ready() == []
        await hall.store.tell()
        await hall.clock.settle()
        assert [each.sequence for each in reading.result()] == [1]
        assert follower.cursor == 1


async def test_workspaces_are_apart(hall: Hall):
    """A follower reads the events of his workspace and no others."""
    mine, theirs = hall.reader(), hall.reader(workspace_id="w2")
    await hall.clock.settle()
    await hall.store.tell(2, "w2")
    await hall.store.tell(1, "w1")
    await hall.clock.advance(GATHER_FOR)
    assert (mine, theirs) == ([1], [1, 2])


async def test_one_read_for_all_followers(hall: Hall):
    """A hundred followers at the end cost one read of the store for what is told, not a hundred."""
    await hall.store.tell(10)
    everyone = [hall.reader(after=10) for _ in range(100)]
    await hall.clock.advance(GATHER_FOR)
    before = hall.store.reads
    await hall.store.tell(3)
    await hall.clock.settle()
    assert everyone == [[11, 12, 13]] * 100
    assert hall.store.reads == before + 1


async def test_what_comes_at_once_is_read_at_once(hall: Hall):
    """Commits that follow each other closely are read together."""
    seen = hall.reader()
    await hall.clock.advance(GATHER_FOR)
    before = hall.store.reads
    for _ in range(50):
        await hall.store.tell()
        await hall.clock.advance(GATHER_FOR // 50)
    await hall.clock.advance(GATHER_FOR)
    assert seen == list(range(1, 51))
    assert hall.store.reads - before <= 4


async def test_nothing_is_read_for_followers_who_are_busy(hall: Hall):
    """While every follower still has to do with what he was given, the store is not read for them."""
    await hall.store.tell(2)
    with hall.feed.follow("w1", 0) as busy, hall.feed.follow("w1", 0) as other:
        for follower in (busy, other):
            assert len(await follower.read(limit=2)) == 2
        await hall.store.tell(2)
        await hall.clock.advance(LOOK_EVERY)
        before = hall.store.reads
        for _ in range(20):
            await hall.store.tell(SIZE)
            await hall.clock.advance(LOOK_EVERY)
        assert hall.store.reads - before <= 2
        seen: list[int] = []
        while len(seen) < 20 * SIZE + 2:
            seen += [each.sequence for each in await busy.read(limit=700)]
    assert seen == list(range(3, 20 * SIZE + 5))


async def test_who_is_far_behind_reads_at_his_own_pace(hall: Hall):
    """A follower behind what the ring holds reads the store in his own steps, and then joins the others."""
    await hall.store.tell(5 * SIZE)
    far, near = hall.reader(after=0, limit=700), hall.reader(after=5 * SIZE)
    await hall.clock.settle()
    assert (far, near) == (list(range(1, 5 * SIZE + 1)), [])
    before = hall.store.reads
    await hall.store.tell(2)
    await hall.clock.advance(GATHER_FOR)
    assert far[-2:] == near == [5 * SIZE + 1, 5 * SIZE + 2]
    assert hall.store.reads == before + 1, "he reads with the others now"


async def test_a_burst_larger_than_the_ring(hall: Hall):
    """Even when more is told at once than the ring holds, nobody misses any of it."""
    seen, slow = hall.reader(), hall.reader(limit=7)
    await hall.clock.settle()
    await hall.store.tell(4 * SIZE + 1)
    await hall.clock.advance(GATHER_FOR)
    assert seen == slow == list(range(1, 4 * SIZE + 2))


async def test_a_reader_who_sleeps_holds_nobody_up_and_nothing_for_himself(hall: Hall):
    """Somebody who does not read costs no memory: the ring stays small, and he misses nothing later."""
    sleeper = hall.feed.follow("w1", 0)
    seen = hall.reader()
    for _ in range(20):
        await hall.store.tell(SIZE)
        await hall.clock.advance(GATHER_FOR)
    assert len(seen) == 20 * SIZE
    ring = hall.feed._tails["w1"].ring
    assert ring.last - ring.first < 2 * SIZE
    read: list[int] = []
    while found := await sleeper.ready(limit=999):
        read += [each.sequence for each in found]
    assert read == seen
    sleeper.close()


async def test_commits_that_nobody_announced_are_found(hall: Hall):
    """What another process wrote, or whose announcement was lost, is read within the time between looks."""
    hall.store.is_silent = True
    seen = hall.reader()
    await hall.clock.settle()
    await hall.store.tell(2)
    await hall.clock.advance(LOOK_EVERY + GATHER_FOR)
    assert seen == [1, 2]


async def test_a_database_that_is_away_is_waited_for(hall: Hall):
    """While the store cannot be reached nobody reads anything, and nobody misses anything after."""
    await hall.store.tell(5 * SIZE)
    hall.store.is_away = True
    far, near = hall.reader(), hall.reader(after=5 * SIZE)
    await hall.store.tell()
    await hall.clock.advance(seconds(30))
    assert (far, near) == ([], [])
    hall.store.is_away = False
    await hall.clock.advance(LOOK_EVERY + GATHER_FOR)
    assert (far, near) == (list(range(1, 5 * SIZE + 2)), [5 * SIZE + 1])


async def test_who_asked_in_vain_is_answered_later(hall: Hall):
    """Who could not read what was told long ago reads it when the store is back."""
    await hall.store.tell(5)
    near = hall.reader(after=5)
    await hall.clock.advance(seconds(1))
    hall.store.is_away = True
    far = hall.reader()
    await hall.clock.settle()
    hall.store.is_away = False
    await hall.clock.advance(LOOK_EVERY + GATHER_FOR)
    assert (far, near) == ([1, 2, 3, 4, 5], [])


async def test_a_bug_is_not_waited_out(hall: Hall):
    """If the tail cannot go on at all, its followers get the error instead of waiting for ever."""
    with hall.feed.follow("w1", 0) as follower:
        reading = asyncio.create_task(follower.read())
        await hall.clock.advance(GATHER_FOR)
        hall.store.breaks = TypeError("a bug")
        await hall.store.tell()
        await hall.clock.settle()
        with pytest.raises(TypeError, match="a bug"):
            await reading
    hall.store.breaks = None
    assert hall.reader() == []
    await hall.clock.settle()


async def test_nothing_is_kept_when_nobody_follows(hall: Hall):
    """With its last follower a tail ends, its task with it; the next follower starts another."""
    one, other = hall.feed.follow("w1", 0), hall.feed.follow("w1", 0)
    await hall.clock.settle()
    tail = hall.feed._tails["w1"]
    one.close()
    one.close()
    assert hall.feed._tails == {"w1": tail}
    other.close()
    await hall.clock.settle()
    assert hall.feed._tails == {}
    assert tail._task.cancelled()
    reads = hall.store.reads
    await hall.store.tell()
    await hall.clock.advance(seconds(60))
    assert hall.store.reads == reads
    seen = hall.reader()
    await hall.clock.settle()
    assert seen == [1]


async def test_nobody_is_called_before_somebody_follows(hall: Hall):
    """A feed that nobody follows does not even listen to the store."""
    assert hall.store._listeners == []
    hall.feed.follow("w1", 0).close()
    hall.feed.follow("w1", 0).close()
    assert len(hall.store._listeners) == 1
    await hall.clock.settle()


async def test_a_cancelled_read_has_read_nothing(hall: Hall):
    """Whoever gives up waiting at any moment finds his cursor where it was, and reads all of it later."""
    await hall.store.tell(3)
    for turns in range(12):
        with hall.feed.follow("w1", 0) as follower:
            reading = asyncio.create_task(follower.read())
            for _ in range(turns):
                await asyncio.sleep(0)
            reading.cancel()
            read = await asyncio.gather(reading, return_exceptions=True)
            rest = read[0] if isinstance(read[0], list) else await follower.read()
            assert [each.sequence for each in rest] == [1, 2, 3]


async def test_another_thing_to_wait_for(hall: Hall):
    """A follower can set an event of the reader's own, who waits for other things with it too."""
    wake = asyncio.Event()
    with hall.feed.follow("w1", 0, wake) as follower:
        await hall.clock.advance(seconds(1))
        wake.clear()
        await hall.store.tell()
        await hall.clock.advance(MOST)
        assert wake.is_set()
        assert len(await follower.ready()) == 1


async def test_who_are_woken_together_find_all_that_has_come(hall: Hall):
    """What is told before they are woken is there when they are: nobody has to come again for it."""
    wake = asyncio.Event()
    with hall.feed.follow("w1", 0, wake) as follower:
        await hall.clock.advance(seconds(1))
        wake.clear()
        for _ in range(2):
            await hall.store.tell()
            await hall.clock.advance(GATHER_FOR)
        await hall.clock.advance(MOST)
        assert wake.is_set()
        assert [each.sequence for each in await follower.ready()] == [1, 2]


async def test_followers_are_let_go_of(hall: Hall):
    """A closed follower is held by nobody."""
    with hall.feed.follow("w1", 0) as follower:
        await hall.clock.settle()
        held = weakref.ref(follower)
    del follower
    await hall.clock.settle()
    gc.collect()
    assert held() is None
