"""Saying of an attempt what did not happen, for tests that want to see it so: in a world of tests alone.

What an attempt came to is a fact, and nothing changes it (``domain/attempt.py``). A test may want another
answer all the same. Then the record says both: the wire shows what the test wants, and the timeline goes on
saying what came of the command, and that it was overruled. No event tells of it: events are facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thumbturn.domain.attempt import OVERRULED, Attempt, Mark, Phase
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.refusals import ActionAttemptNotFound, StorageUnavailable
from thumbturn.engine.begun import NOT_ON_RECORD, RECORDED_WITHIN, Begun
from thumbturn.engine.ports import Change, Store, Transition

#: For so long the command's own end is waited for first: whatever comes later must not overrule the test.
OWN_END_WITHIN = seconds(2)
#: What of the wire's words makes which phase.
_PHASES = {"pending": Phase.CONFIRMING, "success": Phase.SUCCEEDED, "error": Phase.FAILED}


class Overruling:
    """Overrules what attempts came to."""

    def __init__(self, begun: Begun, store: Store, clock: Clock) -> None:
        self._begun = begun
        self._store = store
        self._clock = clock

    async def overrule(
        self,
        attempt: Attempt,
        status: str,
        *,
        result: Mapping[str, Any] | None = None,
        failure: tuple[str, str] | None = None,
    ) -> Attempt:
        """The attempt with this status (the wire's word) on record, whatever it was before.

        Returns after its own end, if that comes soon. One whose command still runs then, and that shall be
        pending, is left to itself: it is. If it was overruled before, its own end is waited for as long as it
        takes. Raises ``ActionAttemptNotFound`` if it is gone, and ``StorageUnavailable`` if its own end is
        not on record when its time is over.
        """
        stands = await self._begun.settled(attempt, OWN_END_WITHIN)
        if status == "pending" and stands.phase.is_final and self._begun.is_open(attempt.id):
            # On an open phase the command's own end would be written, over all that a test said.
            await self._begun.settled(attempt, attempt.deadline_at - self._clock.now() + RECORDED_WITHIN)
            if self._begun.is_open(attempt.id):
                raise StorageUnavailable(NOT_ON_RECORD, headers={"Retry-After": "1"})
        while status != "pending" or stands.phase.is_final:
            overruled = self._overruled(stands, status, result, failure)
            if await self._store.apply(Change((Transition(overruled, stands.phase),))):
                return overruled
            # Somebody else moved it meanwhile.
            found = await self._store.attempt(attempt.workspace_id, attempt.id)
            if found is None:
                raise ActionAttemptNotFound(data={"action_attempt_id": attempt.id})
            stands = found
        return stands

    def _overruled(
        self,
        stands: Attempt,
        status: str,
        result: Mapping[str, Any] | None,
        failure: tuple[str, str] | None,
    ) -> Attempt:
        now, phase = self._clock.now(), _PHASES[status]
        return stands.moved(
            phase,
            Mark(OVERRULED, now, note=f"{stands.status} was overruled by a test: {status}"),
            result=result,
            failure=failure,
            settled_at=now if phase.is_final else None,
        )
