"""The air of a virtual room: it comes nearer to its goal, ever more slowly, as real air does.

The distance to the goal falls to 1/e of itself in each time constant. So where the temperature is, and when
it will be somewhere, follow from where it once was; nothing has to be simulated in between, and a room that
has arrived costs nothing.
"""

from __future__ import annotations

from math import ceil, exp, floor, log

#: °C. Nearer than this, it has arrived.
ARRIVED = 0.05
#: °C between two reports on the way.
STEP = 0.5
_NO_STEP = 0.01


class Room:
    """A room with this time constant (µs), this warm at this moment (µs). At first it stays so."""

    def __init__(self, time_constant: int, celsius: float, since: int) -> None:
        self._time_constant = time_constant
        self._celsius = celsius
        self._since = since
        self.goal = celsius

    def temperature(self, at: int) -> float:
        """How warm it is at this moment, °C."""
        distance = self._celsius - self.goal
        left = distance * exp(-max(0, at - self._since) / self._time_constant)
        return self.goal if abs(left) <= ARRIVED else self.goal + left

    def head_for(self, goal: float, at: int) -> None:
        """From this moment on it comes nearer to this goal."""
        self._celsius, self._since, self.goal = self.temperature(at), at, goal

    def be(self, celsius: float, at: int) -> None:
        """At this moment it is this warm, whatever it was before."""
        self._celsius, self._since = celsius, at

    def next_step(self, at: int) -> int | None:
        """How long (µs) from this moment until it is a step further, or has arrived; ``None`` if it has."""
        here = self.temperature(at)
        distance = self.goal - here
        if abs(distance) <= ARRIVED:
            return None
        # Half degrees are where it is reported, whatever it began with.
        up = distance > 0
        line = ceil((here + _NO_STEP) / STEP) * STEP if up else floor((here - _NO_STEP) / STEP) * STEP
        left = (self.goal - line) if up else (line - self.goal)
        return ceil(self._time_constant * log(abs(distance) / max(left, ARRIVED))) + 1
