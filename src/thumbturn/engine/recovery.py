"""After a start: everything unfinished is owned again, and settled by its action's policy.

A ``queued`` attempt was certainly not sent: it goes on as if nothing had happened, while its
deadline lives. A ``sent`` one may have reached its device; what may be done then is declared by
its action (``AfterCrash``). The open attempts enter their lanes before the drivers speak to the
devices, so that a report about the unfinished command is recognised as such.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog

from thumbturn.actions.definition import Action
from thumbturn.domain.attempt import AfterCrash, Attempt, DeadlinePassed, Failed, Phase, Resending, Signal
from thumbturn.domain.failures import DeviceRemoved, Interrupted, OutcomeUnknown
from thumbturn.engine.devices import Devices
from thumbturn.engine.dispatch import Dispatch
from thumbturn.engine.run import Run

log = structlog.get_logger(__name__)

AFTER_A_RESTART = "the server was restarted"


class Recovery:
    """The open attempts of an earlier life of the server."""

    def __init__(
        self,
        actions: Mapping[str, Action],
        dispatch: Dispatch,
        devices: Devices,
        make_run: Callable[[Attempt, Action], Run],
    ) -> None:
        self._actions = actions
        self._dispatch = dispatch
        self._devices = devices
        self._make_run = make_run
        self._entered: list[Run] = []

    def own(self, attempts: Sequence[Attempt]) -> list[tuple[Run, Signal]]:
        """Put them into their lanes, started ones first; those that can only end, with their end."""
        ends: list[tuple[Run, Signal]] = []
        for attempt in sorted(attempts, key=lambda each: each.phase is Phase.QUEUED):
            action = self._actions.get(attempt.action_type)
            if action is None:
                log.error(
                    "unknown_action_type", action_attempt_id=attempt.id, action_type=attempt.action_type
                )
                continue
            run = self._make_run(attempt, action)
            end = self._plan(run)
            if end is not None:
                ends.append((run, end))
            else:
                self._dispatch.enter(run)
                self._entered.append(run)
        return ends

    async def go_on(self, ends: list[tuple[Run, Signal]]) -> None:
        """End those that can only end, and let the others run."""
        for run, end in ends:
            await run.settle(end)
        for run in self._entered:
            self._dispatch.durable(run)
        if ends or self._entered:
            log.info("attempts_taken_up_again", ended=len(ends), going_on=len(self._entered))
        self._entered.clear()

    def _plan(self, run: Run) -> Signal | None:
        """How the run must end at once; ``None`` if it may go on, prepared for that."""
        attempt, action = run.attempt, run.action
        is_gone = attempt.device_id is not None and self._devices.get(attempt.device_id) is None
        if attempt.phase is Phase.QUEUED:
            if run.time_left() <= 0:
                return DeadlinePassed()
            if is_gone:
                return _failed(DeviceRemoved)
            if action.secrets:
                # What it needs was never written down.
                return _failed(Interrupted)
            return None
        if run.time_left() <= 0 or is_gone:
            return DeadlinePassed()
        run.may_have_acted = True
        match action.after_crash:
            case AfterCrash.RESEND:
                run.opening = Resending(AFTER_A_RESTART)
            case AfterCrash.ASK_DEVICE | AfterCrash.RECONCILE:
                assert action.recover is not None  # the declaration saw to it
                run.performance = action.recover
            case AfterCrash.FAIL:
                return Failed(
                    OutcomeUnknown.type, f"{OutcomeUnknown.sentence} The server was restarted meanwhile."
                )
        return None


def _failed(failure: type[DeviceRemoved | Interrupted]) -> Failed:
    return Failed(failure.type, failure.sentence)
