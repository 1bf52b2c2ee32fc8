"""Ends what did not end in time.

Open runs are kept in buckets of a quarter of a second by their deadline, so that adding and
removing one costs the same however many there are. The sweep sleeps until the next bucket is
due: it is at most ``BUCKET`` late, never early.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from thumbturn.domain.clock import SECOND, Clock
from thumbturn.engine.run import Run

log = structlog.get_logger(__name__)

#: Well inside the promised second of lag.
BUCKET = SECOND // 4


class Deadlines:
    """The open runs by deadline, and the sweep that ends them."""

    def __init__(self, clock: Clock, expire: Callable[[Run], Coroutine[Any, Any, None]]) -> None:
        self._clock = clock
        self._expire = expire
        self._buckets: dict[int, dict[str, Run]] = {}
        self._awaited: int | None = None
        self._earlier: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    def add(self, run: Run) -> None:
        """Watch over a run."""
        key = run.attempt.deadline_at // BUCKET
        self._buckets.setdefault(key, {})[run.attempt.id] = run
        if self._awaited is None or key < self._awaited:
            self._wake()

    def remove(self, run: Run) -> None:
        """It has ended."""
        key = run.attempt.deadline_at // BUCKET
        bucket = self._buckets.get(key)
        if bucket is not None:
            bucket.pop(run.attempt.id, None)
            if not bucket:
                del self._buckets[key]

    def start(self) -> None:
        """Begin to sweep."""
        self._task = asyncio.get_running_loop().create_task(self._sweep())

    async def stop(self) -> None:
        """Sweep no more."""
        for task in (self._task, *self._ending):
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in (self._task, *self._ending) if task), return_exceptions=True)

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            now = self._clock.now()
            # A bucket is due when its last moment has passed, so that nothing expires early.
            for key in sorted(key for key in self._buckets if (key + 1) * BUCKET <= now):
                for run in self._buckets.pop(key).values():
                    task = loop.create_task(self._expire(run))
                    self._ending.add(task)
                    task.add_done_callback(self._ending.discard)
            self._earlier = loop.create_future()
            self._awaited = min(self._buckets, default=None)
            if self._awaited is None:
                await self._earlier
            else:
                await self._clock.wait(self._earlier, (self._awaited + 1) * BUCKET - now)

    def _wake(self) -> None:
        if self._earlier is not None and not self._earlier.done():
            self._earlier.set_result(None)
