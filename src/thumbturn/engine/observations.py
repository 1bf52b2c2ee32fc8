"""What devices report by themselves: state that changes, and events that tell of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from collections.abc import Set as AbstractSet

from thumbturn.domain.attempt import Attempt, Observed
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Absorbed, Device, Observation, absorb, review
from thumbturn.domain.discretion import discreet
from thumbturn.engine.devices import Devices
from thumbturn.engine.lanes import Lanes
from thumbturn.engine.ledger import Ledger
from thumbturn.engine.ports import Change
from thumbturn.engine.run import Run

#: How long after an attempt's unconfirmed end a report may still be about it.
LATE_WITHIN = seconds(600)


class Observations:
    """Takes every report of every driver, and gives it to the run that it is about."""

    def __init__(
        self,
        devices: Devices,
        lanes: Lanes,
        ledger: Ledger,
        clock: Clock,
        *,
        secretive: AbstractSet[str],
        came_back: Callable[[str], None],
        codes_touched: Callable[[str], None],
    ) -> None:
        self._devices = devices
        self._lanes = lanes
        self._ledger = ledger
        self._clock = clock
        #: The action types that take a secret: what a device says of these is kept without digits.
        self._secretive = secretive
        #: Called with each device that is reported online.
        self._came_back = came_back
        #: Called with each lock that reports that its codes were changed by hand.
        self._codes_touched = codes_touched
        #: What is not durable yet, and of which device it is.
        self._unwritten: dict[asyncio.Task[None], str] = {}

    def observe(self, seen: Observation) -> None:
        """A driver's report. Never raises for a device that is gone: reports may be late."""
        self._take_in(seen)
        if seen.changes.get("online") is True:
            self._came_back(seen.device_id)
        if "codes_touched_at" in seen.changes:
            self._codes_touched(seen.device_id)

    def _take_in(self, seen: Observation) -> None:
        device = self._devices.get(seen.device_id)
        if device is None:
            return
        lane = self._lanes.of(device.id)
        run = None if lane is None else lane.running
        if run is not None and run.causes(seen):
            run.hear(seen)
            return
        last = None if lane is None else lane.last
        if run is not None:
            # Its end is decided and perhaps not on record yet: a report may be late already.
            last = run.attempt if run.attempt.phase.is_final else None
        about = None if last is None else self._late(last, seen)
        absorbed = absorb(device, seen, self._clock.now(), about)
        if absorbed.device is not device or absorbed.events:
            self._put_on_record(device, absorbed, run)
        if seen.on_record is not None:
            self._tell_when_written(device.id, seen.on_record)
        if run is not None:
            run.overhear(seen)

    def _tell_when_written(self, device_id: str, tell: Callable[[], None]) -> None:
        """Also if it is no news: what was said before may not be written yet."""

        def look(written: asyncio.Future[list[None]]) -> None:
            if not written.cancelled() and written.exception() is None:
                tell()

        mine = [task for task, whose in self._unwritten.items() if whose == device_id]
        asyncio.gather(*mine).add_done_callback(look)

    async def review(self, device_id: str) -> None:
        """See what follows for a device whose settings were changed; durable when this returns."""
        device = self._devices.get(device_id)
        absorbed = None if device is None else review(device, self._clock.now())
        if device is not None and absorbed is not None and absorbed.device is not device:
            lane = self._lanes.of(device_id)
            await self._put_on_record(device, absorbed, None if lane is None else lane.running)

    def _put_on_record(self, device: Device, absorbed: Absorbed, run: Run | None) -> asyncio.Task[None]:
        devices: tuple[Device, ...] = ()
        events = absorbed.events
        self._devices.put((absorbed.device,))
        if run is not None:
            # The device carries what the run has heard: that goes on record with its own events.
            devices, heard = run.hand_over()
            events = (*heard, *events)
        if absorbed.device is not device:
            devices = (absorbed.device,)
        task = self._ledger.soon(Change(devices=devices, events=events))
        self._unwritten[task] = device.id
        task.add_done_callback(self._unwritten.pop)
        return task

    async def written(self) -> None:
        """Return when every report so far is durable."""
        if self._unwritten:
            await asyncio.gather(*self._unwritten, return_exceptions=True)

    def _late(self, last: Attempt, seen: Observation) -> Attempt | None:
        """Keep a report that comes after an unconfirmed end as late truth of that attempt."""
        if seen.method != "remote" or last.evidence.confirms or last.settled_at is None:
            return None
        if self._clock.now() - last.settled_at > LATE_WITHIN:
            return None
        said = discreet(seen.said) if last.action_type in self._secretive else seen.said
        self._ledger.late(last, Observed(seen.evidence, said))
        return last
