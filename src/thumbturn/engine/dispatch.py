"""Runs attempts when it is their turn, and frees their lane when they have ended.

This is one of the supervised places in which any exception at all is caught: a fault in an
action or a driver ends its own attempt, honestly, and disturbs no other.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from typing import Any

import structlog

from thumbturn.domain.about import ATTEMPT
from thumbturn.domain.attempt import DeadlinePassed, Failed, Phase, Postponed, Sending, Signal, Succeeded
from thumbturn.domain.clock import SECOND, Clock
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Failure
from thumbturn.domain.failures import (
    ActionAttemptExpired,
    DeviceOffline,
    DeviceRemoved,
    LockJammed,
    OutcomeUnknown,
)
from thumbturn.domain.policy import WhenOffline
from thumbturn.engine.devices import Devices
from thumbturn.engine.held import Held
from thumbturn.engine.lanes import Lane, Lanes
from thumbturn.engine.ports import Driver
from thumbturn.engine.run import Run
from thumbturn.engine.timetable import Timetable
from thumbturn.engine.traces import Traces
from thumbturn.engine.waiting import Waiting

log = structlog.get_logger(__name__)

#: For so long after its time, µs, a run may hold its lane until its end is on record.
RECORDED_WITHIN = SECOND
AFTER_A_RESTART = "When the server had been restarted:"


class Dispatch:
    """The floor on which attempts run."""

    def __init__(
        self,
        lanes: Lanes,
        waiting: Waiting,
        devices: Devices,
        drivers: Mapping[str, Driver],
        capability_of: Callable[[Run], object | None],
        traces: Traces | None,
        clock: Clock,
    ) -> None:
        self._lanes = lanes
        self._waiting = waiting
        self._devices = devices
        self._drivers = drivers
        self._capability_of = capability_of
        self._traces = traces
        self._clock = clock
        #: Those that end at their moment if they have not by then.
        self.deadlines = Timetable(clock, self.expire)
        #: Those that may not enter their lane yet.
        self.held = Held(clock, devices, self._admit)
        #: Open attempts of this process by id.
        self.open: dict[str, Run] = {}
        #: How many of them each workspace has.
        self.open_in: defaultdict[str, int] = defaultdict(int)
        self._draining = False
        #: Those that are on their way to the record as sent while it drains: they are still sent.
        self._being_stored: set[Run] = set()
        self._all_stored = asyncio.Event()
        self._given_up = False

    def enter(self, run: Run) -> bool:
        """Take a run in; true if it is its turn at once. It starts when it is durable.

        While it drains it is nobody's turn: who comes then is queued, and carried out after the next start.
        """
        self.open[run.attempt.id] = run
        self.open_in[run.attempt.workspace_id] += 1
        if self._traces is not None:
            self._traces.entered(run)
        return not self._draining and not self.held.holds(run) and self._enter_lane(run)

    def _enter_lane(self, run: Run) -> bool:
        if run.attempt.device_id is None:
            return self._lanes.enter(run, None, None)
        device = run.device
        driver = self._drivers.get(device.driver)
        return self._lanes.enter(
            run, device.connected_account_id, None if driver is None else driver.commands_at_once
        )

    def lend(self, device: Device, wanted: Callable[[], None]) -> Lane | None:
        """The lane of a device to look at it, if nobody is in it (``Lanes.lend``)."""
        driver = self._drivers.get(device.driver)
        at_once = None if driver is None else driver.commands_at_once
        return self._lanes.lend(device.id, device.connected_account_id, at_once, wanted)

    def take_back(self, lane: Lane) -> None:
        """It was looked at; who came meanwhile goes on."""
        self._go_on(self._lanes.take_back(lane))

    def durable(self, run: Run) -> None:
        """The run is on record: its deadline counts, and it starts if it has its turn."""
        run.is_durable = True
        self.deadlines.add(run, run.ends_by)
        if run.has_turn:
            self._go_on((run,))
        if self._being_stored:
            self._is_stored(run)

    def _is_stored(self, run: Run) -> None:
        self._being_stored.discard(run)
        if not self._being_stored:
            self._all_stored.set()

    def forget(self, run: Run) -> None:
        """The run has ended, or was never accepted: its lane is the next one's."""
        if self._given_up:
            return  # what became of it is not for this process to say
        if self.open.pop(run.attempt.id, None) is None:
            return
        self.open_in[run.attempt.workspace_id] -= 1
        if self._being_stored:
            self._is_stored(run)
        self.deadlines.remove(run, run.ends_by)
        self.held.remove(run)
        if self._traces is not None:
            self._traces.left(run)
        self._waiting.tell(run.attempt)
        self._go_on(self._lanes.leave(run))
        if run.on_end is not None and run.attempt.phase.is_final:
            run.on_end(run.attempt)

    def end(self, run: Run, signal: Signal) -> Coroutine[Any, Any, bool]:
        """End a run from outside, at once, whatever it is doing; durably when what is returned was awaited.

        That answers false if it had ended already, which may not be durable yet.
        """
        if run.attempt.phase.is_final:
            return _no()
        recording = run.settle(signal)
        run.is_being_ended = True
        return self._end(run, recording)

    async def _end(self, run: Run, recording: Awaitable[None]) -> bool:
        try:
            await recording
        except Exception:  # supervised: what cannot be recorded like this ends more plainly at its deadline
            log.exception("end_not_recorded", action_attempt_id=run.attempt.id)
            run.is_being_ended = False
            self.deadlines.add(run, run.ends_by)
            return False
        # The lane is free once the end is on record and the device is left alone.
        task = run.task
        if task is None or task.done():
            self.forget(run)
        else:
            task.add_done_callback(lambda _: self.forget(run))
            task.cancel()
        return True

    async def expire(self, run: Run) -> None:
        """End a run whose time is over.

        If its end cannot be put on record, its lane goes on without it: after the deadline nothing sends
        it again, whatever becomes of the record and of the server.
        """
        now = self._clock.now()
        if run.ends_by > now:
            return  # it was given more time
        if not run.attempt.phase.is_final:
            self.deadlines.add(run, max(run.attempt.deadline_at, now + RECORDED_WITHIN))
            await self.end(run, DeadlinePassed())
        elif run.attempt.id in self.open:
            # One that ended by itself a moment ago may still be on its way to the record.
            recorded_by = max(run.attempt.deadline_at, (run.attempt.settled_at or 0) + RECORDED_WITHIN)
            if recorded_by > now:
                self.deadlines.add(run, recorded_by)
            else:
                self._leave_alone(run)

    def _leave_alone(self, run: Run) -> None:
        """The run has ended, and only its record is missing: its lane need not wait for that."""
        task = run.task
        if run.is_being_ended and task is not None and not task.done():
            task.add_done_callback(lambda _: self._leave_alone(run))
            task.cancel()
        else:
            log.error("lane_goes_on_without_record", action_attempt_id=run.attempt.id)
            self._go_on(self._lanes.leave(run))

    async def drain(self, patience: float) -> None:
        """Start nothing more; give what is in flight ``patience`` seconds of real time to end.

        What is being stored as sent is sent, once it is stored, if that does not take longer. What does not
        end keeps its phase, and the next start of the server settles it.
        """
        self._draining = True
        self._being_stored = {
            run for run in self.open.values() if run.opening is None and run.has_turn and not run.is_durable
        }
        if self._being_stored:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._all_stored.wait(), patience)
            self._being_stored.clear()
        tasks = [run.task for run in self.open.values() if run.task is not None]
        if tasks:
            _, unfinished = await asyncio.wait(tasks, timeout=patience)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def give_up(self) -> None:
        """Start nothing more, and end what is in flight without a word: somebody else sees to it."""
        self._draining = self._given_up = True
        tasks = [run.task for run in self.open.values() if run.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _admit(self, run: Run) -> None:
        """A held run may enter its lane, unless it is held for something else now."""
        if run.attempt.phase.is_final or self.held.holds(run):
            return
        if run.attempt.device_id is not None and self._devices.get(run.attempt.device_id) is None:
            run.task = asyncio.get_running_loop().create_task(self._end_removed(run))
        elif self._enter_lane(run):
            self._go_on((run,))

    async def _end_removed(self, run: Run) -> None:
        run.task = None
        await self.end(run, Failed(DeviceRemoved.type, DeviceRemoved.sentence))

    def _go_on(self, runs: Iterable[Run]) -> None:
        """Start those whose turn it is and which are durable; the others start when they are.

        One whose device has gone away meanwhile steps aside, and it is the turn of the one behind it.
        """
        having_turn = deque(runs)
        while having_turn:
            run = having_turn.popleft()
            if not run.is_durable:
                continue
            # What is on record as sent already is not held: only sending it tells whether it can be.
            if run.opening is not None and not run.attempt.phase.is_final and self.held.holds(run):
                having_turn.extend(self._lanes.leave(run))
            else:
                self._start(run)

    def _start(self, run: Run) -> None:
        if run.task is not None or run.attempt.phase.is_final:
            return
        if self._draining and run not in self._being_stored:
            return
        run.task = asyncio.get_running_loop().create_task(self._bring_to_end(run), context=run.context)

    async def _bring_to_end(self, run: Run) -> None:
        in_logs = ATTEMPT.set(run)
        try:
            # One that was ended before it came here has ended; nothing is sent then.
            if run.opening is not None and not run.attempt.phase.is_final:
                await run.settle(run.opening)
            # Past its deadline it has ended by that instead, and its device is left alone.
            if not run.attempt.phase.is_final:
                self._watch_over(run, self._clock.now() + run.action.deadline)
                run.set_to_work()
                outcome = await self._perform(run)
                if isinstance(outcome, Postponed):
                    await self._postpone(run, outcome)
                else:
                    await run.settle(outcome)
        except Exception:  # supervised: the deadline ends an attempt whose outcome cannot be recorded
            log.exception("outcome_not_recorded", action_attempt_id=run.attempt.id)
            self.deadlines.add(run, run.ends_by)  # which may have passed meanwhile
        finally:
            # Else the run would be kept by its own context until the collector looks for such circles,
            # which took a seventh of the loop's time.
            ATTEMPT.reset(in_logs)
            if run.attempt.phase.is_final and not run.is_being_ended:
                self.forget(run)

    async def _postpone(self, run: Run, signal: Postponed) -> None:
        """Nothing was sent, because the device is offline: step out of the lane until it is back."""
        if not run.may_have_acted:
            await run.settle(signal)
            run.opening, run.is_at_work = Sending(), False
        if run.attempt.phase.is_final or run.is_being_ended:
            return
        self._watch_over(run, run.attempt.deadline_at)
        run.task = None
        self.held.put_off(run)
        self._go_on(self._lanes.leave(run))

    def _watch_over(self, run: Run, ends_by: int) -> None:
        """See to it that the run ends by then, or by its deadline if that is earlier."""
        ends_by = min(ends_by, run.attempt.deadline_at)
        if ends_by != run.ends_by:
            self.deadlines.remove(run, run.ends_by)
            run.ends_by = ends_by
            self.deadlines.add(run, ends_by)

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
            waits = run.action.when_offline is WhenOffline.WAIT and run.attempt.phase is Phase.SENT
            if waits and isinstance(failure, DeviceOffline):
                return Postponed()
            if self._hides_the_past(run, failure):
                failure = OutcomeUnknown.because(f"{AFTER_A_RESTART} {failure.message}")
            return Failed(failure.type, run.discreet(failure.message))
        except Exception:  # supervised: a bug in an action or a driver must still end its attempt
            log.exception(
                "action_broke", action_attempt_id=run.attempt.id, action_type=run.attempt.action_type
            )
            return Failed(OutcomeUnknown.type, OutcomeUnknown.sentence)
        return Succeeded(result, evidence)

    def _hides_the_past(self, run: Run, failure: Failure) -> bool:
        """True for a failure that says that nothing was done, of a run that was sent before a restart.

        That is true of this time, and says nothing of the time before. How a bolt stands, though, is so
        whoever moved it; and what no device does is on record.
        """
        is_so = isinstance(failure, LockJammed) or not run.action.concerns_device
        return run.may_have_acted and not failure.may_have_acted and not is_so


async def _no() -> bool:
    return False
