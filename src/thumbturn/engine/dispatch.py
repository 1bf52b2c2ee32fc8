"""Runs attempts when it is their turn, and frees their lane when they have ended.

This is one of the two supervised places in which any exception at all is caught: a fault in an
action or a driver ends its own attempt, honestly, and disturbs no other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from thumbturn.domain.about import ATTEMPT
from thumbturn.domain.attempt import DeadlinePassed, Failed, Signal, Succeeded
from thumbturn.domain.errors import Failure
from thumbturn.domain.failures import ActionAttemptExpired, DeviceRemoved, OutcomeUnknown
from thumbturn.engine.deadlines import Deadlines
from thumbturn.engine.lanes import Lanes
from thumbturn.engine.ports import Driver
from thumbturn.engine.run import Run
from thumbturn.engine.traces import Traces
from thumbturn.engine.waiting import Waiting

log = structlog.get_logger(__name__)


class Dispatch:
    """The floor on which attempts run."""

    def __init__(
        self,
        lanes: Lanes,
        deadlines: Deadlines,
        waiting: Waiting,
        drivers: Mapping[str, Driver],
        capability_of: Callable[[Run], object | None],
        traces: Traces | None,
    ) -> None:
        self._lanes = lanes
        self._deadlines = deadlines
        self._waiting = waiting
        self._drivers = drivers
        self._capability_of = capability_of
        self._traces = traces
        #: Open attempts of this process by id.
        self.open: dict[str, Run] = {}
        self._draining = False

    def enter(self, run: Run) -> bool:
        """Take a run in; true if it is its turn at once. It starts when it is durable."""
        self.open[run.attempt.id] = run
        if self._traces is not None:
            self._traces.entered(run)
        if run.attempt.device_id is None:
            return self._lanes.enter(run, None, None)
        device = run.device
        driver = self._drivers.get(device.driver)
        return self._lanes.enter(
            run, device.connected_account_id, None if driver is None else driver.commands_at_once
        )

    def durable(self, run: Run) -> None:
        """The run is on record: its deadline counts, and it starts if it has its turn."""
        run.is_durable = True
        self._deadlines.add(run)
        if run.has_turn:
            self._start(run)

    def forget(self, run: Run) -> None:
        """The run has ended, or was never accepted: its lane is the next one's."""
        if self.open.pop(run.attempt.id, None) is None:
            return
        self._deadlines.remove(run)
        if self._traces is not None:
            self._traces.left(run)
        self._waiting.tell(run.attempt)
        for following in self._lanes.leave(run):
            if following.is_durable:
                self._start(following)

    async def end(self, run: Run, signal: Signal) -> None:
        """End a run from outside, whatever it is doing; return when that is durable."""
        if run.attempt.phase.is_final:
            return
        run.is_being_ended = True
        try:
            await run.settle(signal)
        finally:
            # The lane is free once the end is on record and the device is left alone.
            task = run.task
            if task is None or task.done():
                self.forget(run)
            else:
                task.add_done_callback(lambda _: self.forget(run))
                task.cancel()

    async def drain(self, patience: float) -> None:
        """Start nothing more; give what is in flight ``patience`` seconds of real time to end.

        What does not end keeps its phase, and the next start of the server settles it.
        """
        self._draining = True
        tasks = [run.task for run in self.open.values() if run.task is not None]
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=patience)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    def _start(self, run: Run) -> None:
        if self._draining or run.task is not None or run.attempt.phase.is_final:
            return
        run.task = asyncio.get_running_loop().create_task(self._bring_to_end(run), context=run.context)

    async def _bring_to_end(self, run: Run) -> None:
        ATTEMPT.set(run)
        try:
            if run.opening is not None:
                await run.settle(run.opening)
            # Past its deadline it has ended by that instead, and its device is left alone.
            if not run.attempt.phase.is_final:
                await run.settle(await self._perform(run))
        except Exception:  # supervised: the deadline ends an attempt whose outcome cannot be recorded
            log.exception("outcome_not_recorded", action_attempt_id=run.attempt.id)
        finally:
            if run.attempt.phase.is_final and not run.is_being_ended:
                self.forget(run)

    async def _perform(self, run: Run) -> Signal:
        if run.time_left() <= 0:
            # Getting here took until the deadline: the commit before was slow.
            if run.may_have_acted:
                return DeadlinePassed()
            return Failed(ActionAttemptExpired.type, ActionAttemptExpired.sentence)
        try:
            capability = self._capability_of(run)
            if capability is None:
                raise DeviceRemoved
            perform = run.performance if self._traces is None else self._traces.traced(run)
            result, evidence = await perform(run.ask, capability, run)
        except Failure as failure:
            return Failed(failure.type, run.discreet(failure.message))
        except Exception:  # supervised: a bug in an action or a driver must still end its attempt
            log.exception(
                "action_broke", action_attempt_id=run.attempt.id, action_type=run.attempt.action_type
            )
            return Failed(OutcomeUnknown.type, OutcomeUnknown.sentence)
        return Succeeded(result, evidence)
