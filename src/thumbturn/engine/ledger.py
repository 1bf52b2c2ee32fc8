"""Puts on record what was decided, whatever stands in the way.

An outcome exists once in the world and must not be lost because the database is away, or ill, for a
moment: a write that cannot be made, whatever the reason, is tried again until it can. A write whose
guard loses means that somebody else moved the attempt: it is read again, and only then may ours be
tried again. A write that was made although its answer got lost is not made twice. What another process
writes from now on is not written here: whoever waits for that goes when the engine is given up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import structlog

from thumbturn.domain.announcing import NONE_CHOSEN, Chosen
from thumbturn.domain.attempt import Attempt, Signal, late_mark
from thumbturn.domain.clock import MILLISECOND, SECOND, Clock
from thumbturn.domain.errors import Refusal
from thumbturn.domain.failures import ActionAttemptExpired, OutcomeUnknown
from thumbturn.domain.refusals import Fenced
from thumbturn.engine.devices import Devices
from thumbturn.engine.in_turn import InTurn, Later
from thumbturn.engine.meters import AttemptMeters, RecordMeters
from thumbturn.engine.ports import Change, EventFilter, Store, Transition
from thumbturn.engine.storable import storable, storable_text

T = TypeVar("T")

log = structlog.get_logger(__name__)

#: Between two tries of a write: doubled each time, up to the longest. A database that is away may be back
#: at any moment; what it refused for another reason it will refuse for a while.
FIRST_PAUSE = 50 * MILLISECOND
LONGEST_PAUSE = 1 * SECOND
LONGEST_PAUSE_WHEN_ILL = 30 * SECOND
#: For so long, µs, the news of a device wait for one that the database refuses for its own sake.
OTHERS_WAIT = 5 * SECOND


class Ledger:
    """Writes for the engine."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        devices: Devices,
        meters: AttemptMeters,
        records: RecordMeters,
        chosen: Chosen = NONE_CHOSEN,
    ) -> None:
        #: What workspaces want to be told of the ends of attempts.
        self.chosen = chosen
        self._store = store
        self._clock = clock
        self._devices = devices
        self._meters = meters
        self._records = records
        #: What is written behind somebody's back, and what the store was asked for it.
        self._background: dict[asyncio.Task[None], Awaitable[bool] | None] = {}
        #: Set once nothing is to be written any more.
        self._given_up = asyncio.Event()
        self._in_turn = InTurn()

    async def move(self, change: Change, given_up_at: int | None = None) -> Attempt | None:
        """Make a change with exactly one transition durable.

        Returns ``None`` when it was made. When the attempt turns out to be in another phase,
        nothing was written if that phase is final, and the attempt as it stands is returned;
        from another open phase the change is made all the same. Raises what the database says to an
        outcome that it has refused, for another reason than being away, until ``given_up_at``, µs: then
        there is something plainer to say.
        """
        change = self._devices.labels.on_change(change)
        return await self._move(change, self._ask(change), given_up_at)

    async def _move(
        self, change: Change, asked: Awaitable[bool], given_up_at: int | None = None
    ) -> Attempt | None:
        while not await self._asked(change, asked, given_up_at):  # lost: somebody else moved it
            wanted = change.transitions[0].attempt
            stands = await self._read(wanted)
            if stands is None:
                return wanted  # it never came on record
            if stands.marks == wanted.marks:
                break  # it was ours: made, and its answer lost
            if stands.phase.is_final:
                log.warning("attempt_was_ended_elsewhere", action_attempt_id=wanted.id)
                return stands
            change = replace(change, transitions=(Transition(wanted, stands.phase),))
            asked = self._ask(change)
        moved = change.transitions[0].attempt
        if moved.settled_at is not None:
            self._meters.ended(moved)
        return None

    def soon(self, change: Change) -> asyncio.Task[None]:
        """Make a change durable behind the caller's back; awaiting the task waits for it.

        It is asked for at once: what is told after it must not be written before it.
        """
        change = self._devices.labels.on_change(change)
        asked = self._ask(change)

        async def write() -> None:
            if change.transitions:
                await self._move(change, asked)
            else:
                await self._asked(change, asked)

        return self._spawn(write(), asked)

    def late(self, attempt: Attempt, signal: Signal) -> asyncio.Task[None]:
        """Append a signal that came after the attempt's end to its timeline."""
        mark = late_mark(attempt, signal, self._clock.now())
        mark = mark._replace(note=storable_text(mark.note))

        async def write() -> None:
            await self._insist(lambda: self._store.append_late(attempt.id, mark))

        return self._spawn(write())

    async def settle_down(self) -> None:
        """Return when everything handed to ``soon`` and ``late`` is durable."""
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)

    def give_up(self) -> None:
        """Write nothing more; everybody who waits for a write is cancelled."""
        self._given_up.set()
        for task in self._background:
            task.cancel()

    def _ask(self, change: Change) -> Awaitable[bool]:
        """Have the store make a change; what it says to that, be it a refusal, is in the answer."""
        if change.events and not self._in_turn.enter(change):
            return Later(partial(self._ask_behind, change))
        try:
            return self._store.apply(change)
        except Exception as problem:  # noqa: BLE001 - as below
            answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            answer.set_exception(problem)
            return answer

    async def _ask_behind(self, change: Change) -> bool:
        await self._in_turn.wait(change)
        return await self._store.apply(storable(self._as_now(change)))

    async def _asked(self, change: Change, asked: Awaitable[bool], given_up_at: int | None = None) -> bool:
        try:
            return await asked
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is counted, logged and tried again
            if not _can_be_plainer(change):
                given_up_at = None
            others_wait_until = self._clock.now() + OTHERS_WAIT
            return await self._again(
                problem, lambda: self._apply_again(change, others_wait_until), given_up_at
            )
        finally:
            if change.events:
                self._in_turn.leave(change)

    async def _apply_again(self, change: Change, others_wait_until: int) -> bool:
        # With a transition, its guard says whether it was made. Without one, its events do.
        if change.events and not change.transitions:
            told = change.events[0]
            if await self._store.event(told.workspace_id, EventFilter(event_ids=(told.event_id,))):
                return True
        try:
            return await self._store.apply(storable(self._as_now(change)))
        except Exception as problem:
            if not isinstance(problem, Refusal) and self._clock.now() >= others_wait_until:
                self._in_turn.leave(change)
            raise

    def _as_now(self, change: Change) -> Change:
        """The change with its devices as they are now: what is late must not undo what is newer."""
        known = [self._devices.get(device.id) for device in change.devices]
        return replace(change, devices=tuple(device for device in known if device is not None))

    async def _read(self, wanted: Attempt) -> Attempt | None:
        return await self._insist(lambda: self._store.attempt(wanted.workspace_id, wanted.id))

    async def _insist(self, operation: Callable[[], Awaitable[T]]) -> T:
        try:
            return await operation()
        except Exception as problem:  # noqa: BLE001 - as above
            return await self._again(problem, operation)

    async def _again(
        self, problem: Exception, operation: Callable[[], Awaitable[T]], given_up_at: int | None = None
    ) -> T:
        """What the operation brings when it no longer fails; with growing pauses before each try.

        What the database refuses for its own sake may be given up at a moment: it is raised then.
        """
        pause, is_new = FIRST_PAUSE, True
        self._records.waiting += 1
        try:
            while True:
                if isinstance(problem, Fenced) or self._given_up.is_set():
                    await self._given_up.wait()
                    raise asyncio.CancelledError
                longest = self._complain(problem, is_new=is_new)
                if given_up_at is not None and not isinstance(problem, Refusal):
                    left = given_up_at - self._clock.now()
                    if left <= 0:
                        raise problem
                    pause = min(pause, left)
                await self._clock.sleep(pause)
                try:
                    return await operation()
                except Exception as again:  # noqa: BLE001 - as above
                    is_new = type(again) is not type(problem)
                    problem = again
                pause = min(2 * pause, longest)
        finally:
            self._records.waiting -= 1

    def _complain(self, problem: Exception, *, is_new: bool) -> int:
        """Count and log it; the longest pause until the next try, µs."""
        self._records.failed += 1
        if isinstance(problem, Refusal):
            log.warning("write_is_tried_again", because=problem.message)
            return LONGEST_PAUSE
        # Whole only once: it may come again for hours.
        log.error(
            "write_is_tried_again", problem=type(problem).__name__, exc_info=problem if is_new else None
        )
        return LONGEST_PAUSE_WHEN_ILL

    def _spawn(
        self, work: Coroutine[Any, Any, None], asked: Awaitable[bool] | None = None
    ) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._background[task] = asked
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[None]) -> None:
        asked = self._background.pop(task, None)
        if task.cancelled():
            if isinstance(asked, asyncio.Future) and not asked.cancel() and not asked.cancelled():
                asked.exception()  # given up before it began: what the store said is nobody's affair
        elif (error := task.exception()) is not None:
            log.error("write_failed", exc_info=error)


#: Ends than which there is none plainer.
_PLAIN = (OutcomeUnknown.type, ActionAttemptExpired.type)


def _can_be_plainer(change: Change) -> bool:
    """True if the change says more of an attempt's end than that the time was over."""
    ended = change.transitions[0].attempt if change.transitions else None
    if ended is None or not ended.phase.is_final:
        return False
    return ended.failure is None or ended.failure[0] not in _PLAIN
