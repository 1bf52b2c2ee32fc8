"""Does something with things when their moment has come: ends runs that did not end in time, for one.

They are kept in buckets of a quarter of a second, so that adding and removing one costs the same
however many there are, and however far away their moments. The sweep sleeps until the next bucket is
due: it is at most ``BUCKET`` late, never early. It looks at the clock now and then before that, because
a clock may be set, and a machine may have slept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from heapq import heappop, heappush
from typing import Any, Generic, TypeVar

from thumbturn.domain.clock import SECOND, Clock

T = TypeVar("T", bound=Hashable)

#: Well inside the promised second of lag.
BUCKET = SECOND // 4
#: The longest that the sweep relies on what the clock said.
LOOK_EVERY = 10 * SECOND


class Timetable(Generic[T]):
    """Things by moment, and the sweep that calls ``due`` with each as its moment has come."""

    def __init__(self, clock: Clock, due: Callable[[T], Coroutine[Any, Any, None]]) -> None:
        self._clock = clock
        self._due = due
        #: By the quarter of a second; in each the things, and the moment of each.
        self._buckets: dict[int, dict[T, int]] = {}
        #: The keys of all buckets, the earliest first. A bucket that was emptied stays until it is due.
        self._order: list[int] = []
        self._awaited: int | None = None
        self._earlier: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._doing: set[asyncio.Task[None]] = set()

    def things(self) -> set[T]:
        """Those whose moment has not come."""
        return {each for bucket in self._buckets.values() for each in bucket}

    def add(self, thing: T, moment: int) -> None:
        """Call ``due`` with the thing when this moment, µs, has passed."""
        key = moment // BUCKET
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = {}
            heappush(self._order, key)
            if self._awaited is None or key < self._awaited:
                self._wake()
        bucket[thing] = moment

    def remove(self, thing: T, moment: int) -> None:
        """Forget a thing that was added for this moment."""
        bucket = self._buckets.get(moment // BUCKET)
        if bucket is not None:
            bucket.pop(thing, None)

    def start(self) -> None:
        """Begin to sweep."""
        self._task = asyncio.get_running_loop().create_task(self._sweep())

    async def stop(self) -> None:
        """Sweep no more."""
        for task in (self._task, *self._doing):
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in (self._task, *self._doing) if task), return_exceptions=True)

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            now = self._clock.now()
            # A bucket is due when its last moment has passed, so that nothing is early.
            while self._order and (self._order[0] + 1) * BUCKET <= now:
                bucket = self._buckets.pop(heappop(self._order))
                for thing, _ in sorted(bucket.items(), key=_moment):
                    task = loop.create_task(self._due(thing))
                    self._doing.add(task)
                    task.add_done_callback(self._doing.discard)
            self._earlier = loop.create_future()
            self._awaited = self._order[0] if self._order else None
            if self._awaited is None:
                await self._earlier
            else:
                await self._clock.wait(self._earlier, min((self._awaited + 1) * BUCKET - now, LOOK_EVERY))

    def _wake(self) -> None:
        if self._earlier is not None and not self._earlier.done():
            self._earlier.set_result(None)


def _moment(entry: tuple[Any, int]) -> int:
    return entry[1]
