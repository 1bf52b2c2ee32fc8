"""Puts on record what became of tries: of all webhooks together, some times a second.

An event counts as dealt with when the outcome of its try is on disk. What was sent and not yet written
when the process dies is sent again by the next one: hence at least once, and not exactly once.
"""

from __future__ import annotations

import asyncio
from itertools import count

import structlog

from thumbturn.domain.clock import MILLISECOND, SECOND, Clock
from thumbturn.domain.errors import Refusal
from thumbturn.domain.webhook import Try
from thumbturn.engine.meters import WebhookMeters
from thumbturn.engine.webhook_ports import Progress, WebhookStore
from thumbturn.webhooks.schedule import rest

log = structlog.get_logger(__name__)

#: What ends within this time is written together.
GATHER_FOR = 100 * MILLISECOND
#: How far a webhook is with events that it is not told of is written when something else is, or after this.
LOITER_FOR = 5 * SECOND
#: When so many tries wait to be written, no more should be made.
BOUND = 2_000


class _Gathered:
    """What will be written together."""

    def __init__(self) -> None:
        self.tries: list[Try] = []
        self.cursors: dict[str, int] = {}
        self.failing: dict[str, int | None] = {}
        loop = asyncio.get_running_loop()
        #: Done when there is a try, or somebody waits.
        self.is_urgent: asyncio.Future[None] = loop.create_future()
        #: Done when somebody waits.
        self.is_awaited: asyncio.Future[None] = loop.create_future()
        self.is_written: asyncio.Future[None] = loop.create_future()

    @property
    def is_empty(self) -> bool:
        return not (self.tries or self.cursors or self.failing)

    def progress(self) -> Progress:
        return Progress(tries=self.tries, cursors=self.cursors, failing=self.failing)


class Record:
    """Gathers the progress of all webhooks, and writes it until it is written."""

    def __init__(self, store: WebhookStore, clock: Clock, meters: WebhookMeters) -> None:
        self._store = store
        self._clock = clock
        self._meters = meters
        self._gathered = _Gathered()
        self._writing: _Gathered | None = None
        self._is_needed = asyncio.Event()
        self._is_closing = False
        self._task = asyncio.get_running_loop().create_task(self._keep())

    def note(self, made: Try) -> None:
        """What became of a try."""
        self._gathered.tries.append(made)
        _done(self._gathered.is_urgent)
        self._is_needed.set()

    def note_cursor(self, webhook_id: str, cursor: int) -> None:
        """Up to here everything is noted, or nothing that the webhook is told of."""
        self._gathered.cursors[webhook_id] = cursor
        self._is_needed.set()

    def note_failing(self, webhook_id: str, since: int | None) -> None:
        """Since when every try of a webhook failed."""
        self._gathered.failing[webhook_id] = since
        self._is_needed.set()

    @property
    def is_full(self) -> bool:
        """True when those who make tries should wait until what is noted is ``written``."""
        return len(self._gathered.tries) >= BOUND

    async def written(self) -> None:
        """Returns when everything that was noted before is on record."""
        last = self._writing if self._gathered.is_empty else self._gathered
        if last is not None:
            _done(last.is_urgent)
            _done(last.is_awaited)
            await asyncio.shield(last.is_written)

    async def close(self, patience: float) -> None:
        """Write what is noted, for some seconds at most, and stop."""
        self._is_closing = True
        self._is_needed.set()
        _done(self._gathered.is_urgent)
        _done(self._gathered.is_awaited)
        await asyncio.wait((self._task,), timeout=patience)
        self._task.cancel()

    async def _keep(self) -> None:
        while not (self._is_closing and self._gathered.is_empty):
            await self._is_needed.wait()
            await self._clock.wait(self._gathered.is_urgent, LOITER_FOR)
            await self._clock.wait(self._gathered.is_awaited, GATHER_FOR)
            self._writing, self._gathered = self._gathered, _Gathered()
            if not self._is_closing:
                self._is_needed.clear()
            await self._write(self._writing)
            _done(self._writing.is_written)
            self._writing = None

    async def _write(self, gathered: _Gathered) -> None:
        for failures in count(1):
            if gathered.is_empty:
                return
            try:
                await self._store.record(gathered.progress())
            except Refusal as refusal:
                log.warning("deliveries_are_recorded_again", because=refusal.message)
            except Exception:
                # Nothing may be dropped: a cursor that went on without it would leave a failure forgotten.
                log.exception("deliveries_cannot_be_recorded")
            else:
                self._meters.is_unrecorded = False
                return
            self._meters.is_unrecorded = True
            self._meters.interruptions += 1
            await self._clock.sleep(rest(failures))


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
