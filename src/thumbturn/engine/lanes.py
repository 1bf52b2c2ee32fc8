"""Whose turn it is: one command at a time per device, in order of acceptance.

A lane is a queue per device. A slow or dead device fills its own lane and no other. Where a hub
takes only so many commands at a time, its driver says so (``commands_at_once``), and the lanes
of its devices share a gate: the first to ask is the first to pass.

A lane that nobody is in may be lent to whoever only looks at the device, until somebody wants it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from thumbturn.domain.attempt import Attempt
from thumbturn.engine.run import Run


class Gate:
    """A bound on the commands in flight behind one hub."""

    __slots__ = ("in_flight", "lent", "limit", "waiting")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.in_flight = 0
        self.waiting: deque[Lane] = deque()
        #: The lane behind it that is lent, if one is.
        self.lent: Lane | None = None


class Lane:
    """The open attempts of one device, in order of acceptance."""

    __slots__ = ("gate", "key", "last", "lent", "running", "waiting")

    def __init__(self, key: str, gate: Gate | None) -> None:
        self.key = key
        self.gate = gate
        self.running: Run | None = None
        #: A list: it is short, there is one for each device, and an empty deque takes ten times the memory.
        self.waiting: list[Run] = []
        #: The one that ended most recently, if the device has not confirmed its end: a late report may
        #: still be about it.
        self.last: Attempt | None = None
        #: While it is lent: to be called when somebody wants it.
        self.lent: Callable[[], None] | None = None


class Lanes:
    """All lanes. Says who may go; starts nothing itself."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._gates: dict[str, Gate] = {}

    def of(self, key: str) -> Lane | None:
        """The lane of this device, if it was ever used."""
        return self._lanes.get(key)

    def enter(self, run: Run, hub: str | None, commands_at_once: int | None) -> bool:
        """Put a run at the end of its lane; true if it is its turn at once."""
        key = run.attempt.lane
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key, self._gate(hub, commands_at_once))
        lane.waiting.append(run)
        if lane.lent is not None:
            lane.lent()
        return self._advance(lane) is run

    def lend(
        self, key: str, hub: str | None, commands_at_once: int | None, wanted: Callable[[], None]
    ) -> Lane | None:
        """The lane of a device to oneself, if nobody is in it; ``wanted`` is called once somebody wants in.

        He gets in when it was taken back.
        """
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(key, self._gate(hub, commands_at_once))
        gate = lane.gate
        if lane.running is not None or lane.waiting or lane.lent is not None:
            return None
        if gate is not None:
            if gate.waiting or gate.lent is not None or gate.in_flight >= gate.limit:
                return None
            gate.in_flight += 1
            gate.lent = lane
        lane.lent = wanted
        return lane

    def take_back(self, lane: Lane) -> list[Run]:
        """It is lent no longer; the runs whose turn it is now."""
        lane.lent = None
        if lane.gate is not None:
            lane.gate.lent = None
        return self._freed(lane)

    def ahead_of(self, run: Run) -> int:
        """How many of its lane come before this one."""
        lane = self._lanes.get(run.attempt.lane)
        if lane is None or run not in lane.waiting:
            return 0
        return lane.waiting.index(run) + (lane.running is not None)

    def leave(self, run: Run) -> list[Run]:
        """Take a run out, ended or given up; the runs whose turn it is now."""
        lane = self._lanes.get(run.attempt.lane)
        if lane is None:
            return []
        if lane.running is not run:
            if run in lane.waiting:
                lane.waiting.remove(run)
            return []
        lane.running, run.has_turn = None, False
        if run.attempt.settled_at is not None:
            lane.last = None if run.attempt.evidence.confirms else run.attempt
        return self._freed(lane)

    def forget(self, key: str) -> None:
        """Drop the lane of a device that is gone, unless somebody is still in it."""
        lane = self._lanes.get(key)
        if lane is not None and lane.running is None and not lane.waiting:
            del self._lanes[key]

    def _freed(self, lane: Lane) -> list[Run]:
        gate = lane.gate
        if gate is None:
            following = self._advance(lane)
            return [] if following is None else [following]
        gate.in_flight -= 1
        if lane.waiting and lane not in gate.waiting:
            gate.waiting.append(lane)
        released = []
        while gate.waiting and gate.in_flight < gate.limit:
            following = self._advance(gate.waiting.popleft())
            if following is not None:
                released.append(following)
        return released

    def _advance(self, lane: Lane) -> Run | None:
        if lane.running is not None or lane.lent is not None or not lane.waiting:
            return None
        gate = lane.gate
        if gate is not None:
            if gate.in_flight >= gate.limit:
                if lane not in gate.waiting:
                    gate.waiting.append(lane)
                if gate.lent is not None and gate.lent.lent is not None:
                    gate.lent.lent()
                return None
            gate.in_flight += 1
        run = lane.running = lane.waiting.pop(0)
        run.has_turn = True
        return run

    def _gate(self, hub: str | None, commands_at_once: int | None) -> Gate | None:
        if hub is None or commands_at_once is None:
            return None
        gate = self._gates.get(hub)
        if gate is None:
            gate = self._gates[hub] = Gate(commands_at_once)
        return gate
