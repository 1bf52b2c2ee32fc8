"""Seals the audit trail behind everybody's back, soon after what it tells of.

Sealing takes the writer some ten microseconds for each act. While the server has its hands full it
is put off, because nobody waits for it, but never for longer than ``PATIENCE``. Of several on a database each
seals for all, and counts only what it did itself: so it takes that for its share.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from thumbturn.domain.clock import SECOND, Clock
from thumbturn.engine.ports import Store
from thumbturn.engine.supervised import supervised

log = structlog.get_logger(__name__)

#: How often it is looked after: on a server that is not busy, what was done longer ago is in the chain.
EVERY = 1 * SECOND
#: A database on which more than this is done between two looks is busy.
BUSY = 500
#: So many looks in a row may find it busy.
PATIENCE = 30


class Sealing:
    """The one who seals. What it leaves undone, the next start of the server does."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._task: asyncio.Task[None] | None = None

    def start(self, processes: Callable[[], int] = lambda: 1) -> None:
        """Begin, with what an earlier life of the server left; ``processes`` share the database."""
        self._task = asyncio.get_running_loop().create_task(self._run(processes))
        self._task.add_done_callback(_complain)

    async def stop(self) -> None:
        """Seal what there is, and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self._seal()

    async def _run(self, processes: Callable[[], int]) -> None:
        busy, left = 0, 0
        while True:
            busy = busy + 1 if (self._store.unsealed - left) * processes() > BUSY else 0
            if busy == 0 or busy > PATIENCE:
                await self._seal()
                busy = 0
            left = self._store.unsealed
            await self._clock.sleep(EVERY)

    async def _seal(self) -> None:
        with supervised("audit_is_sealed_later"):
            # One lot after the other, so that other writes come in between.
            while await self._store.seal_acts():
                pass


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("audit_is_not_sealed_any_more", exc_info=error)
