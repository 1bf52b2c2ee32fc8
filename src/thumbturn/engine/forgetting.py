"""Forgets first answers (``domain/idempotency.py``) whose time is over, a few at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from thumbturn.domain.clock import MILLISECOND, Clock, seconds
from thumbturn.domain.idempotency import KEPT_FOR
from thumbturn.engine.ports import Store
from thumbturn.engine.supervised import supervised

#: Rows that are removed in one transaction: some milliseconds of work.
BITE = 500
#: µs between two bites: they keep up with ten thousand keys a second, and leave room for others.
PAUSE = 50 * MILLISECOND
#: µs until it is looked again whether anything is over.
ROUND = seconds(60)


class Forgetting:
    """A loop that runs beside the engine's work."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look, now and every minute."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Look no more. What is left is removed after the next start."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            is_more = False
            with supervised("first_answers_are_kept_longer"):
                is_more = await self._store.forget_first_answers(self._clock.now() - KEPT_FOR, BITE)
            await self._clock.sleep(PAUSE if is_more else ROUND)
