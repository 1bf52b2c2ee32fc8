"""After a start: everything unfinished is owned again, and settled by its action's policy.

A ``queued`` attempt was certainly not sent: it goes on as if nothing had happened, while its
deadline lives. A ``sent`` one may have reached its device; what may be done then is declared by
its action (``AfterCrash``). The open attempts enter their lanes before the drivers speak to the
devices, so that a report about the unfinished command is recognised as such.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from thumbturn.actions.definition import Action
from thumbturn.domain.attempt import Attempt, DeadlinePassed, Failed, Phase, Resending, Signal, decide
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.failures import DeviceRemoved, Interrupted, OutcomeUnknown
from thumbturn.domain.policy import AfterCrash
from thumbturn.engine.devices import Devices
from thumbturn.engine.dispatch import Dispatch
from thumbturn.engine.ledger import Ledger
from thumbturn.engine.meters import may_be_sent_from
from thumbturn.engine.ports import Change, Transition
from thumbturn.engine.run import Run

AFTER_A_RESTART = "the server was restarted"
#: For so long a start waits for those it ends to be on record; what is not by then is written later.
RECORDED_WITHIN = seconds(4)


class Recovery:
    """The open attempts of an earlier life of the server."""

    def __init__(
        self,
        actions: Mapping[str, Action],
        dispatch: Dispatch,
        devices: Devices,
        ledger: Ledger,
        clock: Clock,
        make_run: Callable[[Attempt, Action], Run],
    ) -> None:
        self._actions = actions
        self._dispatch = dispatch
        self._devices = devices
        self._ledger = ledger
        self._clock = clock
        self._make_run = make_run
        self._going_on: list[Run] = []
        self._ending: list[tuple[Attempt, Signal]] = []

    def own(self, attempts: Sequence[Attempt]) -> None:
        """Put those that may go on into their lanes, started ones first, then as their time came.

        One that is open because a test wants it so is left to the test: its command has come to an end, and
        that was told.
        """
        for attempt in sorted((each for each in attempts if not each.is_overruled), key=_turn):
            action = self._actions.get(attempt.action_type)
            end = self._end_of(attempt, action)
            if end is not None:
                self._ending.append((attempt, end))
            elif action is not None:
                run = self._make_run(attempt, action)
                if attempt.phase is not Phase.QUEUED:
                    _take_up(run)
                self._dispatch.enter(run)
                self._going_on.append(run)

    async def settle(self) -> tuple[int, int]:
        """End those that can only end, and let the others run; how many of each there were."""
        ending = [self._end(attempt, signal) for attempt, signal in self._ending]
        await self._clock.wait(asyncio.gather(*ending, return_exceptions=True), RECORDED_WITHIN)
        for run in self._going_on:
            self._dispatch.durable(run)
        return len(self._ending), len(self._going_on)

    def _end_of(self, attempt: Attempt, action: Action | None) -> Signal | None:
        """How the attempt must end at once; ``None`` if it may go on."""
        is_queued = attempt.phase is Phase.QUEUED
        is_gone = attempt.device_id is not None and self._devices.get(attempt.device_id) is None
        if attempt.deadline_at <= self._clock.now():
            return DeadlinePassed()
        if is_queued and is_gone:
            return _failed(DeviceRemoved)
        if is_queued and (action is None or action.secrets):
            # Nobody knows how to do it any more, or what it needs was never written down.
            return _failed(Interrupted)
        if is_gone:
            return DeadlinePassed()
        if not is_queued and (action is None or _only_fails(action)):
            return Failed(
                OutcomeUnknown.type, f"{OutcomeUnknown.sentence} The server was restarted meanwhile."
            )
        return None

    def _end(self, attempt: Attempt, signal: Signal) -> asyncio.Task[None]:
        decision = decide(attempt, signal, self._clock.now(), self._ledger.chosen)
        assert decision is not None  # it was open
        transition = Transition(decision.attempt, attempt.phase)
        return self._ledger.soon(Change((transition,), events=decision.events))


def _only_fails(action: Action) -> bool:
    return action.after_crash is AfterCrash.FAIL and action.recover is None


def _turn(attempt: Attempt) -> tuple[bool, int]:
    return attempt.phase is Phase.QUEUED, may_be_sent_from(attempt)


def _take_up(run: Run) -> None:
    """Prepare a run that may have reached its device before the restart."""
    run.may_have_acted = True
    if run.action.after_crash is AfterCrash.RESEND:
        run.opening = Resending(AFTER_A_RESTART)
    else:
        assert run.action.recover is not None  # the declaration saw to it
        run.performance = run.action.recover


def _failed(failure: type[DeviceRemoved | Interrupted]) -> Failed:
    return Failed(failure.type, failure.sentence)
