"""Forgets first answers (``domain/idempotency.py``) whose time is over, a few at a time."""

from __future__ import annotations

from thumbturn.domain.clock import MILLISECOND, Clock, seconds
from thumbturn.domain.idempotency import KEPT_FOR
from thumbturn.engine.in_bites import InBites
from thumbturn.engine.ports import Store

#: Rows that are removed in one transaction: some milliseconds of work.
BITE = 500
#: µs between two bites: they keep up with ten thousand keys a second, and leave room for others.
PAUSE = 50 * MILLISECOND
#: µs until it is looked again whether anything is over.
ROUND = seconds(60)


class Forgetting(InBites):
    """A loop that runs beside the engine's work."""

    def __init__(self, store: Store, clock: Clock) -> None:
        super().__init__(clock, pause=PAUSE, round=ROUND, word="first_answers_are_kept_longer")
        self._store = store

    async def bite(self) -> bool:
        """Remove some; true if there may be more."""
        return await self._store.forget_first_answers(self._clock.now() - KEPT_FOR, BITE)
