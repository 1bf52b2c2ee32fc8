"""Those who wait for the end of an attempt: each is told once, when that end is durable.

Nobody asks the database again and again, and no thread stands still: a caller who waits is one future
here, which goes with him when he goes.
"""

from __future__ import annotations

import asyncio

from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import Clock

Future = asyncio.Future[Attempt | None]


class Waiting:
    """Who waits for which open attempt."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._futures: dict[str, set[Future]] = {}
        self._is_over = False

    def __len__(self) -> int:
        return sum(map(len, self._futures.values()))

    async def end_of(self, attempt_id: str, within: int) -> Attempt | None:
        """The attempt as it ended; ``None`` if it has not within so many µs, or nobody may wait any more."""
        if self._is_over or within <= 0:
            return None
        future: Future = asyncio.get_running_loop().create_future()
        together = self._futures.setdefault(attempt_id, set())
        together.add(future)
        try:
            await self._clock.wait(future, within)
            return future.result() if future.done() else None
        finally:
            together.discard(future)
            if not together and self._futures.get(attempt_id) is together:
                del self._futures[attempt_id]

    def tell(self, attempt: Attempt) -> None:
        """It has ended, and that is durable."""
        if attempt.id in self._futures:
            _answer(self._futures.pop(attempt.id), attempt)

    def dismiss(self) -> None:
        """Send everybody on with nothing, and from now on whoever comes."""
        self._is_over = True
        for together in self._futures.values():
            _answer(together, None)


def _answer(together: set[Future], attempt: Attempt | None) -> None:
    for future in together:
        if not future.done():
            future.set_result(attempt)
