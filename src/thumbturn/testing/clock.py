"""A clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import heapq
from itertools import count
from typing import Any

#: 2025-01-01T00:00:00Z, in µs.
NEW_YEAR_2025 = 1_735_689_600_000_000

#: More turns of the loop than any finite chain of callbacks in a test takes.
_TOO_MANY_TURNS = 100_000
#: How many turns are given to a loop that does not show what it has still to do.
_TURNS_IN_THE_DARK = 100


class FakeClock:
    """Implements ``domain.clock.Clock``; time passes in ``advance`` and nowhere else."""

    def __init__(self, start: int = NEW_YEAR_2025) -> None:
        self._now = start
        self._order = count()
        #: (when, order of asking, what to wake), earliest first. Cancelled sleepers are skipped.
        self._timers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now(self) -> int:
        """The wall time in µs since 1970 UTC."""
        return self._now

    async def sleep(self, microseconds: int) -> None:
        """Return once the clock was advanced this far; at once if it is zero or less."""
        if microseconds > 0:
            await self._timer(microseconds)
        else:
            await asyncio.sleep(0)

    async def wait(self, future: asyncio.Future[Any], microseconds: int) -> bool:
        """True as soon as the future is done, False once the clock was advanced this far."""
        if not future.done() and microseconds > 0:
            timer = self._timer(microseconds)
            try:
                await asyncio.wait((future, timer), return_when=asyncio.FIRST_COMPLETED)
            finally:
                timer.cancel()
        return future.done()

    async def advance(self, microseconds: int) -> None:
        """Let this much time pass.

        Whoever waits is woken in order of time, each at his own moment, and everything that follows
        from it (also new sleeps that end within the span) has happened before the next is woken.
        Work that other threads do is not waited for.
        """
        end = self._now + microseconds
        await self.settle()
        while self._timers and self._timers[0][0] <= end:
            when, _, timer = heapq.heappop(self._timers)
            if timer.done():
                continue
            self._now = when
            timer.set_result(None)
            await self.settle()
        self._now = end

    async def settle(self) -> None:
        """Return when nothing on the event loop can go on without time passing.

        Raises ``RuntimeError`` if that never happens: something spins without sleeping.
        """
        # asyncio has no public way to ask whether the loop is idle; its own loops keep what is
        # runnable in ``_ready``. Others (uvloop) hide it, so they get a fixed number of turns.
        ready = getattr(asyncio.get_running_loop(), "_ready", None)
        if ready is None:
            for _ in range(_TURNS_IN_THE_DARK):
                await asyncio.sleep(0)
            return
        for _ in range(_TOO_MANY_TURNS):
            await asyncio.sleep(0)
            if not ready:
                return
        raise RuntimeError("the event loop does not come to rest: something spins without sleeping")

    def _timer(self, microseconds: int) -> asyncio.Future[None]:
        timer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._timers, (self._now + microseconds, next(self._order), timer))
        return timer
