"""How fast deliveries may go: as fast as those who call the server leave room for.

A delivery can wait for seconds and nobody minds; a door that is asked to open cannot. So when the process
has hardly any time to spare, deliveries take turns at a slow pace until it has.
"""

from __future__ import annotations

from collections.abc import Callable

from thumbturn.domain.clock import MILLISECOND, Clock, thread_time

#: How often the load is looked at.
_LOOK_EVERY = 200 * MILLISECOND
#: Of one core's time, over the last two looks: above this the loop is busy. It does not come near to one,
#: for it waits for the other threads when it has most to do.
_BUSY = 0.6
#: Between two turns, while the loop is busy. It grows fast, and falls by halves.
_SHORTEST, _LONGEST = 2 * MILLISECOND, 50 * MILLISECOND


class Pace:
    """Gives out turns to deliver. One for all webhooks.

    ``used`` says what the loop's thread has used of the processor, in µs. What the threads use that read and
    write the database is no sign of what the loop has to spare: it is most where there is little to do,
    because then each commit is one attempt's.
    """

    def __init__(self, clock: Clock, used: Callable[[], int] = thread_time) -> None:
        self._clock = clock
        self._used = used
        self._looked_at = clock.now()
        self._used_then = used()
        self._share = 0.0
        self._next_turn = 0
        #: Between two turns, µs; none while there is time to spare.
        self.interval = 0

    async def turn(self) -> None:
        """Returns when the next delivery may be made."""
        now = self._clock.now()
        if now - self._looked_at >= _LOOK_EVERY:
            self._look(now)
        if self.interval:
            at = self._next_turn = max(now, self._next_turn + self.interval)
            await self._clock.sleep(at - now)

    def _look(self, now: int) -> None:
        used = self._used()
        share = (used - self._used_then) / (now - self._looked_at)
        share, self._share = (share + self._share) / 2, share
        self._looked_at, self._used_then = now, used
        if share > _BUSY:
            self.interval = min(max(4 * self.interval, _SHORTEST), _LONGEST)
        else:
            self.interval = self.interval // 2 if self.interval > _SHORTEST else 0
