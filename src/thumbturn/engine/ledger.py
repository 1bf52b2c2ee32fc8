"""Puts on record what was decided, whatever stands in the way.

An outcome exists once in the world and must not be lost because the database is away for a
moment: a write that cannot be made is tried again until it can. A write whose guard loses means
that somebody else moved the attempt: it is read again, and only then may ours be tried again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import structlog

from thumbturn.domain.attempt import Attempt, Signal, late_mark
from thumbturn.domain.clock import MILLISECOND, SECOND, Clock
from thumbturn.domain.errors import Refusal
from thumbturn.engine.devices import Devices
from thumbturn.engine.meters import AttemptMeters
from thumbturn.engine.ports import Change, Store, Transition

log = structlog.get_logger(__name__)

FIRST_PAUSE = 50 * MILLISECOND
LONGEST_PAUSE = 1 * SECOND


class Ledger:
    """Writes for the engine."""

    def __init__(self, store: Store, clock: Clock, devices: Devices, meters: AttemptMeters) -> None:
        self._store = store
        self._clock = clock
        self._devices = devices
        self._meters = meters
        self._background: set[asyncio.Task[None]] = set()

    async def move(self, change: Change) -> Attempt | None:
        """Make a change with exactly one transition durable.

        Returns ``None`` when it was made. When the attempt turns out to be in another phase,
        nothing was written if that phase is final, and the attempt as it stands is returned;
        from another open phase the change is made all the same.
        """
        while not await self._apply(change):  # lost: somebody else moved it
            wanted = change.transitions[0].attempt
            stands = await self._read(wanted)
            if stands is None:
                return wanted  # it never came on record
            if stands.phase.is_final:
                log.warning("attempt_was_ended_elsewhere", action_attempt_id=wanted.id)
                return stands
            change = Change((Transition(wanted, stands.phase),), change.devices, change.events)
        moved = change.transitions[0].attempt
        if moved.settled_at is not None:
            self._meters.ended(moved)
        return None

    def soon(self, change: Change) -> asyncio.Task[None]:
        """Make a change durable behind the caller's back; awaiting the task waits for it."""

        async def write() -> None:
            if change.transitions:
                await self.move(change)
            else:
                await self._apply(change)

        return self._spawn(write())

    def late(self, attempt: Attempt, signal: Signal) -> asyncio.Task[None]:
        """Append a signal that came after the attempt's end to its timeline."""
        mark = late_mark(signal, self._clock.now())

        async def write() -> None:
            await self._insist(lambda: self._store.append_late(attempt.id, mark))

        return self._spawn(write())

    async def settle_down(self) -> None:
        """Return when everything handed to ``soon`` and ``late`` is durable."""
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)

    async def _apply(self, change: Change) -> bool:
        try:
            return await self._store.apply(change)
        except Refusal:
            return bool(await self._insist(lambda: self._store.apply(self._as_now(change))))

    def _as_now(self, change: Change) -> Change:
        """The change with its devices as they are now: what is late must not undo what is newer."""
        known = [self._devices.get(device.id) for device in change.devices]
        return replace(change, devices=tuple(device for device in known if device is not None))

    async def _read(self, wanted: Attempt) -> Attempt | None:
        found = await self._insist(lambda: self._store.attempt(wanted.workspace_id, wanted.id))
        return found if isinstance(found, Attempt) else None

    async def _insist(self, operation: Any) -> Any:
        pause = FIRST_PAUSE
        while True:
            try:
                return await operation()
            except Refusal as refusal:
                log.warning("write_is_tried_again", because=refusal.message)
                await self._clock.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("write_failed", exc_info=error)
