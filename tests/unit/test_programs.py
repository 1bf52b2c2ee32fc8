"""When a period of a program begins: by the clock on the wall, over midnight, weekends and summer time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.fixtures.house import House
from thumbturn.domain.capabilities.thermostat import Thermostat, ThermostatPrograms
from thumbturn.domain.clock import from_datetime, seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.programs import DAYS, day_key, next_period, period_at, zone_of

ZONE = ZoneInfo("Europe/Berlin")
HOUR = seconds(3_600)
DAY = {"name": "Day", "periods": [{"starts_at_time": "02:30:00", "climate_preset_key": "home"}]}
NIGHT = {
    "name": "Night",
    "periods": [
        {"starts_at_time": "22:00:00", "climate_preset_key": "sleep"},
        {"starts_at_time": "06:00:00", "climate_preset_key": "home"},
    ],
}
PRESETS = {
    "home": {"hvac_mode_setting": "heat", "heating_set_point_celsius": 21.0},
    "sleep": {"hvac_mode_setting": "heat", "heating_set_point_celsius": 17.0},
}


def programs(*days: str, daily=NIGHT):
    """Programs that have this daily program on these days."""
    weekly = {day_key(day): "p1" if day in days else None for day in DAYS}
    return {"daily": {"p1": daily}, "weekly": {**weekly, "created_at": 1}, "presets": PRESETS}


def local(*moment: int) -> int:
    return from_datetime(datetime(*moment, tzinfo=ZONE))


def test_a_period_lasts_until_the_next_one():
    """Over midnight, and over days that have no program, the last period goes on. Periods need no order."""
    week = programs("monday", "friday")
    found = {
        "Monday at five": period_at(week, local(2026, 6, 1, 5), ZONE),
        "Monday at six": period_at(week, local(2026, 6, 1, 6), ZONE),
        "Thursday": period_at(week, local(2026, 6, 4, 12), ZONE),
        "Sunday": period_at(week, local(2026, 6, 7, 12), ZONE),
    }
    assert found == {
        "Monday at five": (local(2026, 5, 29, 22), "sleep"),
        "Monday at six": (local(2026, 6, 1, 6), "home"),
        "Thursday": (local(2026, 6, 1, 22), "sleep"),
        "Sunday": (local(2026, 6, 5, 22), "sleep"),
    }
    assert next_period(week, local(2026, 6, 1, 22), ZONE) == local(2026, 6, 5, 6)


@pytest.mark.parametrize(("day", "utc_hour"), [(28, 1.5), (29, 1.5), (30, 0.5)])
def test_the_clock_on_the_wall_counts(day, utc_hour):
    """When the clocks change a period keeps its time of the day; one that is skipped begins all the same."""
    week = programs(*DAYS, daily=DAY)
    midnight = from_datetime(datetime(2026, 3, day, tzinfo=UTC))
    assert next_period(week, midnight, ZONE) == midnight + int(utc_hour * HOUR)


def test_no_program_no_period():
    """Without a weekly program, and with an empty one, nothing begins."""
    for week in (programs(), {"daily": {}, "weekly": None, "presets": {}}):
        assert period_at(week, local(2026, 6, 1), ZONE) is None
        assert next_period(week, local(2026, 6, 1), ZONE) is None


@pytest.mark.parametrize(
    ("name", "zone"), [("Europe/Berlin", "Europe/Berlin"), ("Mars/Olympus", "UTC"), ("..", "UTC")]
)
def test_an_unknown_zone_is_utc(name, zone):
    """A device in a zone that nobody knows goes by UTC."""
    device = House().devices["Living Room"]
    found = zone_of(replace(device, details={**device.details, "time_zone": name}))
    assert str(found) == zone


async def test_a_thermostat_catches_up_with_its_program(tmp_path):
    """It goes on without the server; what a new start finds is the period that it is time for, told once."""
    house = await House(tmp_path / "world.jsonl").open()
    thermostat = house.driver.offer(house.devices["Living Room"], ThermostatPrograms)
    assert await thermostat.set_programs(programs(*DAYS)) is Evidence.DEVICE_ACCEPTED
    assert [seen.method for seen in house.seen] == ["remote", "automatic"]
    assert house.told("climate_preset")[-1]["climate_preset_key"] == "sleep"
    await house.driver.stop()
    later = House(tmp_path / "world.jsonl", clock=house.clock)
    house.clock._now += 7 * HOUR
    await later.open()
    assert later.told("climate_preset")[-1]["climate_preset_key"] == "home"
    assert later.told("heating_set_point_celsius")[-1] == 21.0
    held = await later.driver.offer(later.devices["Living Room"], ThermostatPrograms).read_programs()
    assert held.changes == {"programs": programs(*DAYS)}
    count = len(later.told("climate_preset"))
    await later.clock.advance(14 * HOUR)
    assert len(later.told("climate_preset")) == count
    # Somebody sets it by hand: it is at no preset until the next period.
    setting = later.driver.offer(later.devices["Living Room"], Thermostat)
    await setting.set_climate({"hvac_mode_setting": "off"})
    assert "climate_preset" not in (await setting.read_climate()).changes
    await later.clock.advance(2 * HOUR)
    assert later.told("climate_preset")[-1]["climate_preset_key"] == "sleep"
    await later.driver.stop()
