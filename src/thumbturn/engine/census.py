"""What the engine has before it at this moment, counted when somebody asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from thumbturn.domain.attempt import Phase
from thumbturn.domain.device import Device
from thumbturn.engine.meters import may_be_sent_from
from thumbturn.engine.ports import Driver
from thumbturn.engine.run import Run


class DriverCensus(NamedTuple):
    """A driver's devices and the links that it holds."""

    devices: int
    devices_online: int
    links: int
    links_up: int


class Census(NamedTuple):
    """How things stand in this process, over all workspaces."""

    #: Open attempts by their phase; every open phase is named.
    open: Mapping[Phase, int]
    #: Since when the oldest open attempt that may be sent might be sent, µs; ``None`` if there is none.
    oldest_since: int | None
    #: When the first open attempt must have ended, µs; ``None`` if none is open.
    earliest_deadline_at: int | None
    #: Lanes with a command in flight.
    lanes_busy: int
    #: Lanes in which an attempt waits for its turn: for the one before it, or for its hub's gate.
    lanes_waiting: int
    drivers: Mapping[str, DriverCensus]


def take_census(runs: Iterable[Run], devices: Iterable[Device], drivers: Mapping[str, Driver]) -> Census:
    """Count these open attempts, devices and drivers.

    It holds up the event loop: 0.3 µs for each device and each attempt.
    """
    queued = sent = confirming = busy = 0
    waiting = set()
    oldest: int | None = None
    earliest: int | None = None
    for run in runs:
        attempt = run.attempt
        # Neither: its end is decided and not yet on record. A dictionary by phase costs three times this.
        if attempt.phase is Phase.SENT:
            sent += 1
        elif attempt.phase is Phase.QUEUED:
            queued += 1
        elif attempt.phase is Phase.CONFIRMING:
            confirming += 1
        if run.has_turn:
            busy += 1
        elif not run.held_for:
            waiting.add(attempt.lane)
        # What is held is meant to wait: its age says nothing about us.
        if not run.held_for:
            since = may_be_sent_from(attempt)
            if oldest is None or since < oldest:
                oldest = since
        if earliest is None or run.ends_by < earliest:
            earliest = run.ends_by
    return Census(
        open={Phase.QUEUED: queued, Phase.SENT: sent, Phase.CONFIRMING: confirming},
        oldest_since=oldest,
        earliest_deadline_at=earliest,
        lanes_busy=busy,
        lanes_waiting=len(waiting),
        drivers=_of_drivers(devices, drivers),
    )


def _of_drivers(devices: Iterable[Device], drivers: Mapping[str, Driver]) -> dict[str, DriverCensus]:
    known = {name: [0, 0] for name in drivers}
    for device in devices:
        count = known.get(device.driver)
        if count is not None:
            count[0] += 1
            if device.online:
                count[1] += 1
    links = {name: driver.links() for name, driver in drivers.items()}
    return {
        name: DriverCensus(known[name][0], known[name][1], len(links[name]), sum(links[name].values()))
        for name in drivers
    }


def together(parts: Iterable[Census]) -> Census:
    """How things stand in several engines of a process."""
    several = list(parts)
    drivers: dict[str, DriverCensus] = {}
    for name in {name for each in several for name in each.drivers}:
        of_name = [each.drivers[name] for each in several if name in each.drivers]
        drivers[name] = DriverCensus(*map(sum, zip(*of_name, strict=True)))
    open_phases = (Phase.QUEUED, Phase.SENT, Phase.CONFIRMING)
    since = [each.oldest_since for each in several if each.oldest_since is not None]
    deadlines = [each.earliest_deadline_at for each in several if each.earliest_deadline_at is not None]
    return Census(
        open={phase: sum(each.open[phase] for each in several) for phase in open_phases},
        oldest_since=min(since, default=None),
        earliest_deadline_at=min(deadlines, default=None),
        lanes_busy=sum(each.lanes_busy for each in several),
        lanes_waiting=sum(each.lanes_waiting for each in several),
        drivers=drivers,
    )
