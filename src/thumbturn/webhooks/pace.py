"""How fast deliveries may go: as fast as those who call the server leave room for.

A delivery can wait for seconds and nobody minds; a door that is asked to open cannot. So when whatever the
loop has to do waits for its turn for too long, deliveries take turns at a slow pace until it does not.

That wait is measured itself, for how much of the processor the same load takes differs from one machine to
the next. But a wait alone is no sign either: deliveries that are begun together wait for each other, while
nobody else wants anything. So the loop's thread must also be at work for most of the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from thumbturn.domain.clock import MILLISECOND, Clock, stopwatch, thread_time

#: How often the load is looked at.
_LOOK_EVERY = 200 * MILLISECOND
#: What is ready waits so long for its turn, on average over the last two looks: above this the loop is busy.
#: It is a quarter of that with 500 calls and as many deliveries a second, and thrice that where 64 clients
#: always ask again at once.
_LONG = 0.7 * MILLISECOND
#: Of one core's time, used by the loop's thread in the same time. At full load it is 0.5 to 0.8 of it: the
#: rest it waits for the threads that read and write.
_MUCH = 0.45
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

    def __init__(
        self, clock: Clock, measure: Measure = measure_wait, used: Callable[[], int] = thread_time
    ) -> None:
        self._clock = clock
        self._measure = measure
        #: What the loop's thread has used of the processor, µs.
        self._used = used
        self._used_then = used()
        self._is_measuring = False
        #: What was told since the last look.
        self._waits: list[int] = []
        self._looked_at = clock.now()
        #: How long on average, and which share of a core was used, at the last look.
        self._wait = self._share = 0.0
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
        used = self._used()
        share = (used - self._used_then) / (now - self._looked_at)
        wait = sum(self._waits) / len(self._waits) if self._waits else self._wait
        self._waits.clear()
        self._looked_at, self._used_then = now, used
        is_busy = wait + self._wait > 2 * _LONG and share + self._share > 2 * _MUCH
        self._wait, self._share = wait, share
        if is_busy:
            self.interval = min(max(4 * self.interval, _SHORTEST), _LONGEST)
        else:
            self.interval = self.interval // 2 if self.interval > _SHORTEST else 0
