"""Noise thresholds: how loud it may be at a sensor, and between which times of the day.

A sensor holds its thresholds and judges by itself, also while the server is down. What it says that it holds
is ``noise_thresholds`` of its state, by id: ``name``, ``starts_daily_at``, ``ends_daily_at`` and
``noise_threshold_decibels``. A time of the day names its zone: ``22:00:00[Europe/Berlin]``. From the start to
the next end a threshold is **in force**; over midnight, if that comes before; all day, if both are the same.

A **breach** begins when it gets as loud as a threshold that is in force, and ends when it is quieter or the
threshold is no longer in force. It is told once, when it begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from thumbturn.domain.clock import SECOND, from_datetime
from thumbturn.domain.errors import Refusal

if TYPE_CHECKING:
    from thumbturn.domain.device import Device

#: The parts of a sensor's state: what it holds, what it hears, and which of them are breached.
THRESHOLDS = "noise_thresholds"
LEVEL = "noise_level_decibels"
BREACHED = "currently_triggering_noise_threshold_ids"

MOST_THRESHOLDS = 50

Threshold = Mapping[str, Any]

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?:\[([A-Za-z0-9_+\-/]{1,64})\])?")


class NoiseThresholdNotFound(Refusal, type="noise_threshold_not_found", status=404):
    """Noise threshold not found"""


class TooManyNoiseThresholds(Refusal, type="too_many_noise_thresholds", status=400):
    """A noise sensor has at most 50 noise thresholds. Delete one that is not needed any more."""


class NoNoiseThresholdInForce(Refusal, type="no_noise_threshold_in_force", status=400):
    """None of this sensor's noise thresholds is in force now: no noise could trigger one"""


class TimeOfDay(NamedTuple):
    """A time that comes every day, on the clocks of a zone; ``None`` is the zone that the sensor is in."""

    time: time
    zone: str | None

    def __str__(self) -> str:
        return self.time.strftime("%H:%M:%S") + ("" if self.zone is None else f"[{self.zone}]")


def time_of_day(text: str) -> TimeOfDay:
    """What such a text means. Raises ``ValueError`` for another, and for a zone that there is not."""
    found = _TIME_OF_DAY.fullmatch(text)
    if found is None:
        raise ValueError("Expected a time of day such as 22:00:00[America/Los_Angeles]")
    hours, minutes, seconds, zone = found.groups()
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"There is no time zone {zone}") from None
    return TimeOfDay(time(int(hours), int(minutes), int(seconds or 0)), zone)


def in_zone(text: str, zone: str) -> str:
    """The same time of the day with its zone named: this one, if it names none."""
    daily = time_of_day(text)
    return str(daily if daily.zone is not None else daily._replace(zone=zone))


def thresholds_of(device: Device) -> Mapping[str, Threshold]:
    """The thresholds that a sensor holds, by their ids."""
    held: Mapping[str, Threshold] = device.state.get(THRESHOLDS) or {}
    return held


def threshold_of(device: Device, threshold_id: str) -> Threshold:
    """One of them. Raises ``NoiseThresholdNotFound``."""
    found = thresholds_of(device).get(threshold_id)
    if found is None:
        raise NoiseThresholdNotFound(data={"noise_threshold_id": threshold_id})
    return found


def is_in_force(threshold: Threshold, at: int) -> bool:
    """True from its daily start until its next daily end, in the zones that these name."""
    if threshold["starts_daily_at"] == threshold["ends_daily_at"]:
        return True
    return _last(threshold["starts_daily_at"], at) >= _last(threshold["ends_daily_at"], at)


def breached(thresholds: Mapping[str, Threshold], decibels: float, at: int) -> list[str]:
    """The ids of those in force that it is as loud as, or louder."""
    return sorted(
        id
        for id, threshold in thresholds.items()
        if decibels >= threshold["noise_threshold_decibels"] and is_in_force(threshold, at)
    )


def next_turn(thresholds: Mapping[str, Threshold], after: int) -> int | None:
    """The next moment at which one of them begins or ceases to be in force, µs."""
    edges = (
        _next(threshold[name], after)
        for threshold in thresholds.values()
        for name in ("starts_daily_at", "ends_daily_at")
        if threshold["starts_daily_at"] != threshold["ends_daily_at"]
    )
    return min(edges, default=None)


def follow_noise(device: Device, news: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of a sensor's report that brought ``news``, as type and payload: each breach that began."""
    after = {**device.state, **news}
    known = frozenset(device.state.get(BREACHED) or ())
    for id in after.get(BREACHED) or ():
        threshold = (after.get(THRESHOLDS) or {}).get(id)
        if id not in known and threshold is not None:
            payload = {"noise_threshold_id": id, "noise_threshold_name": threshold["name"]}
            if after.get(LEVEL) is not None:
                payload[LEVEL] = after[LEVEL]
            yield "noise_sensor.noise_threshold_triggered", payload


def _last(text: str, at: int) -> int:
    return max(moment for moment in _moments(text, at) if moment <= at)


def _next(text: str, after: int) -> int:
    return min(moment for moment in _moments(text, after) if moment > after)


def _moments(text: str, around: int) -> Iterator[int]:
    """When this time of the day is, on the days around a moment. One that summer time skips comes an hour
    later by the clocks; of one that comes twice, the first counts.
    """
    daily = time_of_day(text)
    zone: tzinfo = ZoneInfo(daily.zone or "UTC")
    today = datetime.fromtimestamp(around / SECOND, zone).date()
    for days in range(-2, 3):
        yield from_datetime(datetime.combine(today + timedelta(days), daily.time, zone))
