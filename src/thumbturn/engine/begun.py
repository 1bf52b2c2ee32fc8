"""What callers may do with attempts that have begun: wait for their end, cancel them, see how they stand."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import NamedTuple, TypeVar

from thumbturn.domain.attempt import Attempt, Cancelled, Phase, Progress
from thumbturn.domain.client_session import Reach, among
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.failures import AttemptCancelled
from thumbturn.domain.refusals import ActionAttemptNotFound, StorageUnavailable, TooLateToCancel
from thumbturn.engine.dispatch import Dispatch
from thumbturn.engine.lanes import Lanes
from thumbturn.engine.ports import Store
from thumbturn.engine.run import Run
from thumbturn.engine.waiting import Waiting

A = TypeVar("A", Attempt, Progress)

#: How long a caller waits for the record of an end that is decided.
RECORDED_WITHIN = seconds(10)
NOT_ON_RECORD = "Its end is decided, and the database has not taken it yet. Look at the attempt in a while."


class Standing(NamedTuple):
    """An attempt as it is known now."""

    attempt: Attempt
    #: How many of its lane come before it; ``None`` if nobody here has it open.
    ahead: int | None
    #: Why it may not enter its lane yet, as a phrase; ``""`` if it may.
    held_for: str = ""


class Begun:
    """The attempts that have begun, for those who asked for them."""

    def __init__(
        self, store: Store, dispatch: Dispatch, lanes: Lanes, waiting: Waiting, clock: Clock
    ) -> None:
        self._store = store
        self._dispatch = dispatch
        self._lanes = lanes
        self._waiting = waiting
        self._clock = clock
        #: Takes in what other processes have accepted for this engine; ``None`` where there are no others.
        self.take_arrivals: Callable[[], Awaitable[object]] | None = None

    async def settled(self, attempt: A, within: int) -> A | Attempt:
        """The attempt once it has ended; as given if it has not within so many µs, or the server stops."""
        if attempt.id not in self._dispatch.open:
            return await self._store.attempt(attempt.workspace_id, attempt.id) or attempt
        return await self._waiting.end_of(attempt.id, within) or attempt

    def is_open(self, attempt_id: str) -> bool:
        """True as long as its own end may still be put on record, whatever is on record already."""
        return attempt_id in self._dispatch.open

    async def all_settled(self, attempts: Iterable[Attempt], within: int) -> None:
        """Return when all of them have ended, after so many µs, or when the server stops."""
        until = self._clock.now() + within
        for attempt in attempts:
            if attempt.id in self._dispatch.open:
                await self._waiting.end_of(attempt.id, until - self._clock.now())

    def dismiss_waiting(self) -> None:
        """Answer all who wait with what there is, and let nobody wait any more: the server will stop."""
        self._waiting.dismiss()

    async def cancel(self, workspace_id: str, attempt_id: str, by: str, reach: Reach = None) -> Attempt:
        """End an attempt that was not sent yet, durably; its lane goes on. ``by`` says who, for the timeline.

        Raises ``ActionAttemptNotFound``; ``TooLateToCancel`` once it was sent or has ended;
        ``StorageUnavailable`` when its end cannot be put on record now.
        """
        run = self._dispatch.open.get(attempt_id)
        if run is None and self.take_arrivals is not None:
            # It may have been accepted elsewhere, and not have come here yet.
            await self.take_arrivals()
            run = self._dispatch.open.get(attempt_id)
        if run is None or not _is_seen(run.attempt, workspace_id, reach):
            stands = await self._store.attempt(workspace_id, attempt_id, reach)
        elif await self._end_queued(run, Cancelled(by)):
            stands = run.attempt
            if stands.failure == (AttemptCancelled.type, AttemptCancelled.sentence):
                return stands
        else:
            stands = run.attempt
            if stands.phase.is_final:
                # It is decided and perhaps not on record yet; only what is on record is told.
                stands = await self.settled(stands, RECORDED_WITHIN)
                if attempt_id in self._dispatch.open:
                    raise StorageUnavailable(NOT_ON_RECORD, headers={"Retry-After": "1"})
        if stands is None:
            raise ActionAttemptNotFound(data={"action_attempt_id": attempt_id})
        raise TooLateToCancel(
            f"The attempt has ended already: {stands.status}" if stands.phase.is_final else None,
            data={"action_attempt_id": attempt_id, "status": stands.status},
        )

    async def _end_queued(self, run: Run, signal: Cancelled) -> bool:
        """End it if it was not sent and has not ended; true if it was this that ended it."""
        if run.attempt.phase is not Phase.QUEUED:
            return False
        ending = asyncio.ensure_future(self._dispatch.end(run, signal))
        if not await self._clock.wait(ending, RECORDED_WITHIN):
            raise StorageUnavailable(NOT_ON_RECORD, headers={"Retry-After": "1"})
        return ending.result()

    def standing(self, attempt: Attempt) -> Standing:
        """Where an attempt stands now, which may be further than what is on record."""
        run = self._dispatch.open.get(attempt.id)
        if run is None or run.attempt.phase.is_final:
            return Standing(attempt, None)
        return Standing(run.attempt, self._lanes.ahead_of(run), run.held_for)


def _is_seen(attempt: Attempt, workspace_id: str, reach: Reach) -> bool:
    return attempt.workspace_id == workspace_id and among(reach, attempt.connected_account_id)
