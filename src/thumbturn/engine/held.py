"""Attempts that may not enter their lane yet: it is too early for them, or their device is away.

They stand beside the lane, so that they are in nobody's way. When their time has come, or their
device is back, they go to the end of it.
"""

from __future__ import annotations

from collections.abc import Callable

from thumbturn.domain.clock import Clock, seconds, to_wire
from thumbturn.domain.policy import WhenOffline
from thumbturn.engine.devices import Devices
from thumbturn.engine.run import Run
from thumbturn.engine.timetable import Timetable

#: A device that was believed to be online and was not may be back without saying so.
TRIED_AGAIN_AFTER = seconds(60)
DEVICE_IS_OFFLINE = "its device is offline"


class Held:
    """The attempts beside the lanes. ``admit`` is called with each that may go on; it may be held again."""

    def __init__(self, clock: Clock, devices: Devices, admit: Callable[[Run], None]) -> None:
        self._clock = clock
        self._devices = devices
        self._admit = admit
        self._timed = Timetable(clock, self._let_go)
        self._away: dict[str, dict[str, Run]] = {}

    def __len__(self) -> int:
        away = {run for together in self._away.values() for run in together.values()}
        return len(away | self._timed.things())

    def holds(self, run: Run) -> bool:
        """Keep the run if it may not enter its lane now; true if it is kept."""
        not_before = run.attempt.not_before
        # Not what was sent before a restart: its time had come then, wherever the clock was set meanwhile.
        if not_before is not None and not run.may_have_acted and not_before > self._clock.now():
            self._hold_until(run, not_before, f"it shall not be sent before {to_wire(not_before)}")
            return True
        if run.action.when_offline is WhenOffline.WAIT and not self._is_online(run):
            self._hold_until_back(run)
            return True
        return False

    def put_off(self, run: Run) -> None:
        """Keep a run whose device turned out to be offline, until it is back or a while has passed."""
        self._hold_until_back(run)
        if self._is_online(run):
            self._hold_until(run, self._clock.now() + TRIED_AGAIN_AFTER, DEVICE_IS_OFFLINE)

    def remove(self, run: Run) -> None:
        """Keep it no longer: it has ended, or goes on."""
        if not run.held_for:
            return
        run.held_for = ""
        if run.held_until is not None:
            self._timed.remove(run, run.held_until)
            run.held_until = None
        together = self._away.get(run.attempt.lane)
        if together is not None:
            together.pop(run.attempt.id, None)
            if not together:
                del self._away[run.attempt.lane]

    def device_is_back(self, device_id: str) -> None:
        """The device was reported online: those that waited for it go on, in order of acceptance."""
        waiting = self._away.get(device_id, {}).values()
        for run in sorted(waiting, key=lambda each: each.attempt.accepted_at):
            self.remove(run)
            self._admit(run)

    def start(self) -> None:
        """Begin to let go those whose time has come."""
        self._timed.start()

    async def stop(self) -> None:
        """Let nobody go any more."""
        await self._timed.stop()

    def _hold_until(self, run: Run, moment: int, why: str) -> None:
        run.held_until, run.held_for = moment, why
        self._timed.add(run, moment)

    def _hold_until_back(self, run: Run) -> None:
        run.held_for = DEVICE_IS_OFFLINE
        self._away.setdefault(run.attempt.lane, {})[run.attempt.id] = run

    def _is_online(self, run: Run) -> bool:
        device = self._devices.get(run.attempt.device_id or "")
        return device is None or device.online

    async def _let_go(self, run: Run) -> None:
        self.remove(run)
        self._admit(run)
