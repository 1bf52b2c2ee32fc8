"""How full a battery is, and what is told when that becomes another word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

BatteryStatus = Literal["critical", "low", "good", "full"]
#: The words that mean: see to it soon.
_TO_BE_SEEN_TO = ("critical", "low")


def battery_status(level: float) -> BatteryStatus:
    """The word for a level from 0 to 1."""
    if level < 0.1:
        return "critical"
    if level < 0.25:
        return "low"
    return "good" if level < 0.95 else "full"


def follow_battery(before: float | None, level: float | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """The types and payloads of what is told when a battery that had the first level has the second.

    Nothing while the word stays, nor of a battery that was not known before: nobody saw it change.
    """
    if before is None or level is None:
        return
    was, status = battery_status(before), battery_status(level)
    if was == status:
        return
    yield "device.battery_status_changed", {"battery_level": level, "battery_status": status}
    if status in _TO_BE_SEEN_TO and was not in _TO_BE_SEEN_TO:
        yield "device.low_battery", {"battery_level": level}
