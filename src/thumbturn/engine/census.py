"""What the engine has before it at this moment, counted when somebody asks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from thumbturn.domain.attempt import Phase
from thumbturn.domain.device import Device
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
    #: When the oldest open attempt was accepted, µs; ``None`` if none is open.
    oldest_accepted_at: int | None
    #: The earliest deadline of an open attempt, µs; likewise.
    earliest_deadline_at: int | None
    #: Lanes with a command in flight.
    lanes_busy: int
    #: Lanes in which an attempt waits for its turn: for the one before it, or for its hub's gate.
    lanes_waiting: int
    drivers: Mapping[str, DriverCensus]


def take_census(runs: Iterable[Run], devices: Iterable[Device], drivers: Mapping[str, Driver]) -> Census:
    """Count these open attempts, devices and drivers."""
    phases: Counter[Phase] = Counter()
    busy, waiting = 0, set()
    oldest: int | None = None
    earliest: int | None = None
    for run in runs:
        attempt = run.attempt
        # Its end may be decided and not yet on record.
        if not attempt.phase.is_final:
            phases[attempt.phase] += 1
        if run.has_turn:
            busy += 1
        else:
            waiting.add(attempt.lane)
        if oldest is None or attempt.accepted_at < oldest:
            oldest = attempt.accepted_at
        if earliest is None or attempt.deadline_at < earliest:
            earliest = attempt.deadline_at
    known: Counter[str] = Counter()
    online: Counter[str] = Counter()
    for device in devices:
        known[device.driver] += 1
        online[device.driver] += device.online
    links = {name: driver.links() for name, driver in drivers.items()}
    return Census(
        open={phase: phases[phase] for phase in Phase if not phase.is_final},
        oldest_accepted_at=oldest,
        earliest_deadline_at=earliest,
        lanes_busy=busy,
        lanes_waiting=len(waiting),
        drivers={
            name: DriverCensus(known[name], online[name], len(links[name]), sum(links[name].values()))
            for name in drivers
        },
    )
