"""A thermostat's schedule: from one moment to another, a climate preset.

Of several that run at a moment the one that started last is in force. When it ends, the one that it
interrupted is in force again; when none is left, the thermostat's fallback preset is activated, once.

While a schedule is in force, somebody may set the thermostat differently: an **override**. How long it
stands is the schedule's affair (``restored_at``). A preset that is activated on purpose stands until the
schedule's end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from thumbturn.domain.clock import SECOND
from thumbturn.domain.device import Device

#: Under which a thermostat's settings have the schedule that is in force.
IN_FORCE = "schedule_in_force"
_MINUTE = 60 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a thermostat shall be at which preset. Times are µs."""

    id: str
    workspace_id: str
    device_id: str
    climate_preset_key: str
    starts_at: int
    ends_at: int
    name: str | None = None
    #: Whether the thermostat may be set differently while it is in force, and for how long; ``None`` is
    #: until its end.
    is_override_allowed: bool = False
    max_override_period_minutes: int | None = None
    created_at: int = 0
    #: True once its end was seen to.
    is_over: bool = False
    #: Why its preset could not be activated, if it could not: ``error_code``, ``message``, ``created_at``.
    errors: tuple[Mapping[str, Any], ...] = ()

    def runs(self, at: int) -> bool:
        """True from its start until its end."""
        return self.starts_at <= at < self.ends_at


def in_force(schedules: Iterable[Schedule], at: int) -> Schedule | None:
    """The schedule that a thermostat goes by at this moment."""
    running = [schedule for schedule in schedules if schedule.runs(at)]
    return max(running, key=lambda schedule: schedule.starts_at, default=None)


def next_turn(schedules: Iterable[Schedule], after: int) -> int | None:
    """The next moment at which a schedule starts or ends."""
    moments = [moment for each in schedules for moment in (each.starts_at, each.ends_at) if moment > after]
    return min(moments, default=None)


def as_settings(schedule: Schedule) -> dict[str, Any]:
    """A schedule as it stands in its thermostat's settings."""
    return {name: getattr(schedule, name) for name in Schedule.__dataclass_fields__} | {
        "errors": [dict(each) for each in schedule.errors]
    }


def schedule_in_force(device: Device) -> tuple[Schedule, int] | None:
    """The schedule that a thermostat goes by, and the moment since which it does."""
    found = device.settings.get(IN_FORCE)
    if found is None:
        return None
    facts = found["schedule"]
    return Schedule(**{**facts, "errors": tuple(facts["errors"])}), found["began_at"]


def restored_at(schedule: Schedule, began_at: int, state: Mapping[str, Any]) -> int | None:
    """When the schedule's preset is to be activated; ``None`` if the thermostat may stay as it is.

    ``began_at`` is the moment since which the schedule is in force. A moment that is past means: now.
    """
    preset = state.get("climate_preset")
    if preset is not None and _is_from(schedule, preset):
        return None
    adjusted = state.get("adjusted")
    if adjusted is not None and adjusted["at"] > began_at and not _is_later(preset, adjusted["at"]):
        if adjusted["by"] == "automatic" or not schedule.is_override_allowed:
            return int(adjusted["at"])
        if schedule.max_override_period_minutes is None:
            return None
        return int(adjusted["at"]) + schedule.max_override_period_minutes * _MINUTE
    if preset is not None and preset["at"] > began_at and not preset["is_fallback_climate_preset"]:
        return None
    return began_at


def is_to_fall_back(since: int, state: Mapping[str, Any]) -> bool:
    """True until the fallback preset was activated, or somebody set the thermostat otherwise since then."""
    preset, adjusted = state.get("climate_preset"), state.get("adjusted")
    if adjusted is not None and adjusted["at"] > since and adjusted["by"] != "automatic":
        return False
    if preset is None or preset["at"] < since:
        return True
    # At the same moment, only the fallback itself is what was waited for.
    return preset["at"] == since and not preset["is_fallback_climate_preset"]


def is_overridden(schedule: Schedule, state: Mapping[str, Any], began_at: int) -> bool:
    """True while the thermostat is set differently from the schedule that is in force."""
    preset, adjusted = state.get("climate_preset"), state.get("adjusted")
    if preset is not None and _is_from(schedule, preset):
        return False
    latest = max(adjusted["at"] if adjusted else 0, preset["at"] if preset else 0)
    return latest > began_at


def _is_from(schedule: Schedule, preset: Mapping[str, Any]) -> bool:
    return bool(
        preset["thermostat_schedule_id"] == schedule.id
        and preset["climate_preset_key"] == schedule.climate_preset_key
    )


def _is_later(preset: Mapping[str, Any] | None, at: int) -> bool:
    """True if a preset was activated on purpose after this moment."""
    return preset is not None and preset["at"] > at
