"""Whatever the order of writes, reads and followers that come and go: no gap, no repeat."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.stores import an_event
from thumbturn.domain.clock import MILLISECOND
from thumbturn.engine.feed import LOOK_EVERY, Feed, Follower
from thumbturn.engine.ports import Change
from thumbturn.engine.ring import Ring
from thumbturn.testing.clock import FakeClock
from thumbturn.testing.store import MemoryStore

STEPS = st.one_of(
    st.tuples(st.just("tell"), st.integers(1, 9)),
    st.tuples(st.just("tell_elsewhere"), st.integers(1, 3)),
    st.tuples(st.just("follow"), st.integers(0, 60)),
    st.tuples(st.just("read"), st.integers(0, 5), st.integers(1, 7)),
    st.tuples(st.just("give_up"), st.integers(0, 5), st.integers(0, 4)),
    st.tuples(st.just("leave"), st.integers(0, 5)),
    st.tuples(st.just("time"), st.integers(0, 5_000)),
)


class Reader:
    """A follower, where he began, and what he has read since."""

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.began = follower.cursor
        self.read: list[Any] = []

    def holds(self, told: list[Any]) -> None:
        """He has read exactly what is behind his beginning, up to his cursor."""
        assert self.follower.cursor == self.began + len(self.read)
        assert [each.event for each in self.read] == told[self.began : self.follower.cursor]
        assert [each.sequence for each in self.read] == list(range(self.began + 1, self.follower.cursor + 1))


@settings(max_examples=300, deadline=None)
@given(st.lists(STEPS, max_size=60))
def test_no_gap_and_no_repeat(steps: list[Any]):
    """Every follower has read exactly the events behind where he began, in order, at every moment."""
    asyncio.run(_play(steps))


async def _play(steps: list[Any]) -> None:
    play = Play()
    for name, *arguments in steps:
        await getattr(play, name)(*arguments)
        for reader in play.readers:
            reader.holds(play.store._events["w1"])
    await play.end()


class Play:
    """A feed, its readers, and what may happen to them."""

    def __init__(self) -> None:
        self.clock, self.store = FakeClock(), MemoryStore()
        self.feed = Feed(self.store, self.clock)
        self.readers: list[Reader] = []

    async def tell(self, count: int, workspace_id: str = "w1") -> None:
        await self.store.apply(Change(events=tuple(an_event(workspace_id) for _ in range(count))))

    async def tell_elsewhere(self, count: int) -> None:
        await self.tell(count, "w2")

    async def follow(self, after: int) -> None:
        self.readers.append(Reader(self.feed.follow("w1", min(after, await self.store.last_sequence("w1")))))
        self.feed._tails["w1"].ring._size = 3  # small, so that many are behind it

    async def read(self, number: int, limit: int) -> None:
        if reader := self._chosen(number):
            reader.read += await reader.follower.ready(limit=limit)

    async def give_up(self, number: int, turns: int) -> None:
        if reader := self._chosen(number):
            reading = asyncio.create_task(reader.follower.read())
            for _ in range(turns):
                await asyncio.sleep(0)
            reading.cancel()
            [result] = await asyncio.gather(reading, return_exceptions=True)
            reader.read += result if isinstance(result, list) else []

    async def leave(self, number: int) -> None:
        if reader := self._chosen(number):
            reader.follower.close()
            self.readers.remove(reader)

    async def time(self, milliseconds: int) -> None:
        await self.clock.advance(milliseconds * MILLISECOND)

    async def end(self) -> None:
        """Everybody reads to the end, and leaves."""
        # What is told is read when somebody has come to the end of what was known before.
        for _ in range(2):
            await self.clock.advance(2 * LOOK_EVERY)
            for reader in self.readers:
                while found := await reader.follower.ready(limit=5):
                    reader.read += found
        for reader in self.readers:
            assert reader.follower.cursor == len(self.store._events["w1"])
            reader.holds(self.store._events["w1"])
            reader.follower.close()
        await self.clock.settle()
        assert self.feed._tails == {}

    def _chosen(self, number: int) -> Reader | None:
        return self.readers[number % len(self.readers)] if self.readers else None


def test_a_ring_never_skips():
    """Any reader of a ring gets the next number or is told that it is gone."""
    ring: Ring[int] = Ring(size=4)
    cursors = [0, 0, 0]
    for number in range(1, 200):
        ring.add([number])
        for place in range(3):
            if number % (place + 3) == 0:
                found = ring.behind(cursors[place], 3)
                if found is None:
                    assert cursors[place] + 1 < ring.first
                    cursors[place] = ring.first - 1
                elif found:
                    assert found[0] == cursors[place] + 1
                    assert found == list(range(found[0], found[-1] + 1))
                    cursors[place] = found[-1]
