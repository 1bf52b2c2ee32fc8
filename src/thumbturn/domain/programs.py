"""A thermostat's own programs: which climate preset from what time of the day on, for each day of the week.

Unlike a schedule, a program runs in the thermostat itself. Daily programs are kept in ``Device.settings``;
what the thermostat was told, and says that it holds, is ``programs`` of its state: ``daily`` by id,
``weekly``, and under ``presets`` what each preset sets. What it holds wins: that is what it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from thumbturn.domain.clock import SECOND, from_datetime
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.presets import preset_of, setting_of

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
#: Under which a thermostat's settings have its daily programs, by their ids.
DAILY = "daily_programs"
MOST_PROGRAMS = 50


class DailyProgramNotFound(Refusal, type="thermostat_daily_program_not_found", status=404):
    """Thermostat daily program not found"""


class DailyProgramInUse(Refusal, type="thermostat_daily_program_in_use", status=400):
    """The thermostat's weekly program goes by this daily program: change that first"""


class TooManyDailyPrograms(Refusal, type="too_many_thermostat_daily_programs", status=400):
    """A thermostat has at most 50 daily programs. Delete one that is not needed any more."""


class InvalidPeriods(Refusal, type="invalid_thermostat_program", status=400):
    """The thermostat cannot hold such a program"""


def day_key(day: str) -> str:
    """Under which a weekly program has the daily program of a day."""
    return f"{day}_program_id"


def daily_programs_of(device: Device) -> dict[str, Mapping[str, Any]]:
    """The daily programs, by id: ``name``, ``periods`` and ``created_at``, as the thermostat holds them."""
    held = _held(device).get("daily", {})
    return {id: {**program, **held.get(id, {})} for id, program in device.settings.get(DAILY, {}).items()}


def daily_program_of(device: Device, program_id: str) -> Mapping[str, Any]:
    """One of them. Raises ``DailyProgramNotFound``."""
    found = daily_programs_of(device).get(program_id)
    if found is None:
        raise DailyProgramNotFound(data={"thermostat_daily_program_id": program_id})
    return found


def weekly_program_of(device: Device) -> Mapping[str, Any] | None:
    """The weekly program that it holds: its ``created_at``, and an id or ``None`` for each day."""
    weekly: Mapping[str, Any] | None = _held(device).get("weekly")
    return weekly


def with_daily_program(device: Device, program_id: str, program: Mapping[str, Any]) -> Device:
    """The thermostat with one more daily program."""
    known = device.settings.get(DAILY, {})
    if len(known) >= MOST_PROGRAMS:
        raise TooManyDailyPrograms
    check_periods(device, program["periods"])
    return replace(device, settings={**device.settings, DAILY: {**known, program_id: program}})


def without_daily_program(device: Device, program_id: str) -> Device:
    """The thermostat without a daily program that its weekly program does not go by."""
    daily_program_of(device, program_id)
    if program_id in (weekly_program_of(device) or {}).values():
        raise DailyProgramInUse(data={"thermostat_daily_program_id": program_id})
    left = {id: each for id, each in device.settings[DAILY].items() if id != program_id}
    return replace(device, settings={**device.settings, DAILY: left})


def goes_by_preset(device: Device, key: str) -> bool:
    """True if one of its daily programs has the preset in it."""
    return any(
        period["climate_preset_key"] == key
        for program in daily_programs_of(device).values()
        for period in program["periods"]
    )


def holds_preset_otherwise(device: Device, key: str) -> bool:
    """True if the thermostat holds a program with this preset in it, and the preset is another now."""
    held = _held(device).get("presets", {}).get(key)
    return held is not None and held != setting_of(preset_of(device, key))


def check_periods(device: Device, periods: Sequence[Mapping[str, Any]]) -> None:
    """Raise a ``Refusal`` for periods that the thermostat cannot hold, or that name a preset it has not."""
    times = [period["starts_at_time"] for period in periods]
    most = device.details.get("max_thermostat_daily_program_periods_per_day", len(times))
    precision = device.details.get("thermostat_daily_program_period_precision_minutes")
    if len(times) > most:
        raise InvalidPeriods(f"This thermostat takes at most {most} periods a day.")
    if len(set(times)) < len(times):
        raise InvalidPeriods("Two periods start at the same time.")
    for each in times:
        hours, minutes, seconds = map(int, each.split(":"))
        if precision and (seconds or (60 * hours + minutes) % precision):
            raise InvalidPeriods(
                f"On this thermostat periods start at whole multiples of {precision} minutes."
            )
    for period in periods:
        preset_of(device, period["climate_preset_key"])


def programs_for(
    device: Device, daily: Mapping[str, Mapping[str, Any]], weekly: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What a thermostat is to hold that goes by these. Raises a ``Refusal`` for what it cannot."""
    used = [program_id for name, program_id in (weekly or {}).items() if name != "created_at" and program_id]
    for program_id in used:
        if program_id not in daily:
            raise DailyProgramNotFound(data={"thermostat_daily_program_id": program_id})
    keys = sorted({period["climate_preset_key"] for id in used for period in daily[id]["periods"]})
    most = device.details.get("max_unique_climate_presets_per_thermostat_weekly_program", len(keys))
    if len(keys) > most:
        raise InvalidPeriods(f"This thermostat takes at most {most} climate presets in a week.")
    return {
        "daily": {id: {"name": each["name"], "periods": list(each["periods"])} for id, each in daily.items()},
        "weekly": None if weekly is None else dict(weekly),
        "presets": {key: setting_of(preset_of(device, key)) for key in keys},
    }


def period_at(programs: Mapping[str, Any], at: int, zone: tzinfo) -> tuple[int, str] | None:
    """The period in which a moment is: when it began, µs, and its preset."""
    return max((each for each in _periods(programs, at, zone) if each[0] <= at), default=None)


def next_period(programs: Mapping[str, Any], after: int, zone: tzinfo) -> int | None:
    """When the next period begins, µs."""
    return min((start for start, _ in _periods(programs, after, zone) if start > after), default=None)


def zone_of(device: Device) -> tzinfo:
    """The time zone that a device is in; UTC where that is not known."""
    try:
        return ZoneInfo(device.details.get("time_zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def _periods(programs: Mapping[str, Any], at: int, zone: tzinfo) -> Iterator[tuple[int, str]]:
    """The starts of all periods from a week before a moment to a week after it."""
    weekly = programs.get("weekly") or {}
    today = datetime.fromtimestamp(at / SECOND, zone).date()
    for days in range(-7, 8):
        date = today + timedelta(days)
        program_id = weekly.get(day_key(DAYS[date.weekday()]))
        for period in programs["daily"][program_id]["periods"] if program_id else ():
            start = datetime.combine(date, time.fromisoformat(period["starts_at_time"]), zone)
            yield from_datetime(start), period["climate_preset_key"]


def _held(device: Device) -> Mapping[str, Any]:
    held: Mapping[str, Any] = device.state.get("programs") or {}
    return held
