"""How often one device may be asked for the same in a minute.

A lock has a battery and a motor, and its maker's cloud has limits of its own. Who asks too often is told
when to ask again; nothing is kept waiting. What is counted is what callers ask for: what the server does by
itself, as programming a code when it is time, is not. Each process counts for itself, from its start.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from math import ceil

from thumbturn.domain.clock import SECOND, Clock
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal

#: Counted where they are asked for, and not where an attempt begins: that may be much later.
OF_CODES = frozenset({"CREATE_ACCESS_CODE", "UPDATE_ACCESS_CODE", "DELETE_ACCESS_CODE"})
#: With more than so many devices and types, those of whom nothing counts any more are forgotten.
_MANY = 10_000
_MINUTE = 60 * SECOND


class RateLimited(Refusal, type="rate_limited", status=429):
    """This device was asked for that too often within a minute. Nothing was done: ask again after the time
    in Retry-After.
    """


class Pace:
    """The limits, and what was asked for within the last minute.

    ``limits`` are by action type; devices of the drivers in ``spared`` have none.
    """

    def __init__(self, limits: Mapping[str, int], spared: Collection[str], clock: Clock) -> None:
        self._limits = dict(limits)
        self.spared = frozenset(spared)
        self._clock = clock
        self._asked: dict[tuple[str, str], deque[int]] = {}

    def begins(self, action_type: str, device: Device) -> bool:
        """``take``, where an attempt begins."""
        return action_type not in OF_CODES and self.take(action_type, device)

    def limits(self, action_type: str, device: Device) -> bool:
        """True if this is counted where an attempt begins."""
        return (
            action_type in self._limits and action_type not in OF_CODES and device.driver not in self.spared
        )

    def take(self, action_type: str, device: Device) -> bool:
        """Count this; ``False`` if it has no limit. Raises ``RateLimited`` if it is one too many, and counts
        nothing.
        """
        limit = self._limits.get(action_type)
        if limit is None or device.driver in self.spared:
            return False
        now = self._clock.now()
        asked = self._asked.get((device.id, action_type))
        if asked is None:
            if len(self._asked) >= _MANY:
                self._forget_old(now)
            asked = self._asked[device.id, action_type] = deque(maxlen=limit)
        if len(asked) == limit and now - asked[0] < _MINUTE:
            seconds = max(1, ceil((asked[0] + _MINUTE - now) / SECOND))
            raise RateLimited(
                f"{RateLimited.sentence} At most {limit} times: {action_type}.",
                data={"device_id": device.id, "limit_per_minute": limit},
                headers={"retry-after": str(seconds)},
            )
        asked.append(now)
        return True

    def take_all(self, action_type: str, devices: Sequence[Device]) -> None:
        """Count this for each of these devices. Raises ``RateLimited``, and counts nothing then."""
        for index, device in enumerate(devices):
            try:
                self.take(action_type, device)
            except RateLimited:
                for counted in devices[:index]:
                    self.give_back(action_type, counted)
                raise

    def give_back(self, action_type: str, device: Device) -> None:
        """What was counted last came to nothing."""
        asked = self._asked.get((device.id, action_type))
        if asked:
            asked.pop()

    def _forget_old(self, now: int) -> None:
        self._asked = {
            key: asked for key, asked in self._asked.items() if asked and now - asked[-1] < _MINUTE
        }


def read_limits(text: str) -> dict[str, int]:
    """The limits of the setting ``rate_limits``: ``UNLOCK_DOOR=15,…``. Raises ``ValueError``."""
    limits: dict[str, int] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition("=")
        if not name.replace("_", "").isalnum() or not number.isdecimal() or not 0 < int(number) <= 100_000:
            raise ValueError(f"{part!r} is no limit: write UNLOCK_DOOR=15, for one")
        limits[name] = int(number)
    return limits
