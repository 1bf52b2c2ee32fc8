"""Does something with runs when their moment has come: ends what did not end in time, for one.

Runs are kept in buckets of a quarter of a second, so that adding and removing one costs the same
however many there are, and however far away their moments. The sweep sleeps until the next bucket is
due: it is at most ``BUCKET`` late, never early. It looks at the clock now and then before that, because
a clock may be set, and a machine may have slept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from heapq import heappop, heappush
from typing import Any

from thumbturn.domain.clock import SECOND, Clock
from thumbturn.engine.run import Run

#: Well inside the promised second of lag.
BUCKET = SECOND // 4
#: The longest that the sweep relies on what the clock said.
LOOK_EVERY = 10 * SECOND


class Timetable:
    """Runs by moment, and the sweep that calls ``due`` with each as its moment has come."""

    def __init__(self, clock: Clock, due: Callable[[Run], Coroutine[Any, Any, None]]) -> None:
        self._clock = clock
        self._due = due
        #: By the quarter of a second; in each the moment and the run, by the attempt's id.
        self._buckets: dict[int, dict[str, tuple[int, Run]]] = {}
        #: The keys of all buckets, the earliest first. A bucket that was emptied stays until it is due.
        self._order: list[int] = []
        self._awaited: int | None = None
        self._earlier: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._doing: set[asyncio.Task[None]] = set()

    def ids(self) -> set[str]:
        """The attempts of the runs whose moment has not come."""
        return {each for bucket in self._buckets.values() for each in bucket}

    def add(self, run: Run, moment: int) -> None:
        """Call ``due`` with the run when this moment, µs, has passed."""
        key = moment // BUCKET
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = {}
            heappush(self._order, key)
            if self._awaited is None or key < self._awaited:
                self._wake()
        bucket[run.attempt.id] = moment, run

    def remove(self, run: Run, moment: int) -> None:
        """Forget a run that was added for this moment."""
        bucket = self._buckets.get(moment // BUCKET)
        if bucket is not None:
            bucket.pop(run.attempt.id, None)

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
                for _, run in sorted(bucket.values(), key=_moment):
                    task = loop.create_task(self._due(run))
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


def _moment(entry: tuple[int, Run]) -> int:
    return entry[0]
