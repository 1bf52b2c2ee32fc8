"""How fast deliveries may go: as fast as those who call the server leave room for.

A delivery can wait for seconds and nobody minds; a door that is asked to open cannot. So when whatever the
loop has to do waits for its turn for too long, deliveries take turns at a slow pace until it does not.

That wait is measured itself. What the process, or the loop's thread, uses of the processor says less: how
much that is at the same load differs from one machine to the next, and on one machine from hour to hour.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from thumbturn.domain.clock import MILLISECOND, Clock, stopwatch

#: How often the load is looked at.
_LOOK_EVERY = 200 * MILLISECOND
#: What is ready waits so long for its turn, on average over the last two looks: above this the loop is busy.
#: It is a quarter of that with 500 calls and as many deliveries a second, and thrice that where 64 clients
#: always ask again at once.
_BUSY = 0.7 * MILLISECOND
#: Between two turns, while the loop is busy. It grows fast, and falls by halves.
_SHORTEST, _LONGEST = 2 * MILLISECOND, 50 * MILLISECOND

#: Tells, soon, for how many µs something that is ready now had to wait.
Measure = Callable[[Callable[[int], None]], None]


def measure_wait(tell: Callable[[int], None]) -> None:
    """Tell for how long the running loop let this wait."""
    began = stopwatch()
    asyncio.get_running_loop().call_soon(lambda: tell(stopwatch() - began))


class Pace:
    """Gives out turns to deliver. One for all webhooks."""

    def __init__(self, clock: Clock, measure: Measure = measure_wait) -> None:
        self._clock = clock
        self._measure = measure
        self._is_measuring = False
        #: What was told since the last look.
        self._waits: list[int] = []
        self._looked_at = clock.now()
        #: On average, at the last look.
        self._wait = 0.0
        self._next_turn = 0
        #: Between two turns, µs; none while there is time to spare.
        self.interval = 0

    async def turn(self) -> None:
        """Returns when the next delivery may be made."""
        now = self._clock.now()
        if now - self._looked_at >= _LOOK_EVERY:
            self._look(now)
        if not self._is_measuring:
            self._is_measuring = True
            self._measure(self._waited)
        if self.interval:
            at = self._next_turn = max(now, self._next_turn + self.interval)
            await self._clock.sleep(at - now)

    def _waited(self, microseconds: int) -> None:
        self._is_measuring = False
        self._waits.append(microseconds)

    def _look(self, now: int) -> None:
        self._looked_at = now
        if not self._waits:
            return
        wait = sum(self._waits) / len(self._waits)
        self._waits.clear()
        wait, self._wait = (wait + self._wait) / 2, wait
        if wait > _BUSY:
            self.interval = min(max(4 * self.interval, _SHORTEST), _LONGEST)
        else:
            self.interval = self.interval // 2 if self.interval > _SHORTEST else 0
