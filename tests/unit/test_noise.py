"""Noise thresholds: when they are in force by the clocks of their zone, and what a virtual sensor does."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.fixtures.house import House
from thumbturn.domain.capabilities.noise_sensor import NoiseSensor
from thumbturn.domain.clock import from_datetime, seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import DeviceOffline
from thumbturn.domain.noise import BREACHED, LEVEL, breached, in_zone, is_in_force, next_turn, time_of_day
from thumbturn.drivers.virtual.noise_sensors import BURST, QUIET

SENSOR = "Terrace"
HOUR = seconds(3_600)
#: The fake clock begins at midnight, UTC.
NIGHT = {
    "name": "Night",
    "starts_daily_at": "22:00:00[Etc/UTC]",
    "ends_daily_at": "07:00:00[Etc/UTC]",
    "noise_threshold_decibels": 60.0,
}


def threshold(starts: str, ends: str, zone: str = "Europe/Berlin", decibels: float = 60.0):
    return {
        "name": "Any",
        "starts_daily_at": in_zone(starts, zone),
        "ends_daily_at": in_zone(ends, zone),
        "noise_threshold_decibels": decibels,
    }


def at(text: str, zone: str = "Europe/Berlin", fold: int = 0) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold))


@pytest.fixture
async def house():
    house = await House().open()
    yield house
    await house.driver.stop()


def sensor(house):
    found = house.driver.offer(house.devices[SENSOR], NoiseSensor)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("20:00:00[America/Los_Angeles]", "20:00:00[America/Los_Angeles]"),
        ("07:05", "07:05:00"),
        ("23:59:59", "23:59:59"),
        ("00:00[Etc/UTC]", "00:00:00[Etc/UTC]"),
    ],
)
def test_a_time_of_the_day_is_read(text, means):
    """Hours and minutes are enough; seconds and the zone are kept where they are given."""
    assert str(time_of_day(text)) == means


@pytest.mark.parametrize(
    "text",
    ["", "24:00:00", "7:00", "12:60", "20:00:00[Mars/Olympus]", "20:00:00[../UTC]", "20:00:00[]",
     "2025-01-01T20:00:00Z", "20:00:00+01:00", "20:00:00[America/Los_Angeles] "],
)  # fmt: skip
def test_what_is_no_time_of_the_day_is_refused(text):
    """Another text, a time that no clock shows, and a zone that is none are refused."""
    with pytest.raises(ValueError, match="time"):
        time_of_day(text)


@pytest.mark.parametrize(
    ("moment", "holds"),
    [
        ("2025-01-15T21:59:59", False),
        ("2025-01-15T22:00:00", True),
        ("2025-01-16T00:00:00", True),
        ("2025-01-16T06:59:59", True),
        ("2025-01-16T07:00:00", False),
        ("2025-07-15T21:59:59", False),
        ("2025-07-15T22:00:00", True),
        ("2025-07-16T07:00:00", False),
    ],
)
def test_a_night_goes_over_midnight_on_the_clocks_of_its_zone(moment, holds):
    """In force from ten at night to seven in the morning there, in winter as in summer."""
    assert is_in_force(threshold("22:00:00", "07:00:00"), at(moment)) is holds


def test_the_same_start_and_end_is_all_day():
    """A threshold that ends when it starts is always in force, and has no turns."""
    always = threshold("08:00:00", "08:00:00")
    assert all(is_in_force(always, at(f"2025-03-30T{hour:02}:00:00")) for hour in range(24))
    assert next_turn({"a": always}, at("2025-03-30T00:00:00")) is None
    # The same moment on the clocks of two zones that have no summer time.
    apart = threshold("08:00:00[Etc/UTC]", "10:00:00[Etc/GMT-2]")
    assert is_in_force(apart, at("2025-01-01T07:00:00", "UTC"))


def test_a_start_that_summer_time_skips_comes_when_the_clocks_have_jumped():
    """On the day that has no 02:30 the window opens at 03:30, which is when 02:30 would have been."""
    early = threshold("02:30:00", "05:00:00")
    assert not is_in_force(early, at("2025-03-30T03:29:59"))
    assert is_in_force(early, at("2025-03-30T03:30:00"))
    assert not is_in_force(early, at("2025-03-30T05:00:00"))


def test_of_a_time_that_comes_twice_the_first_counts():
    """On the day that has two 02:30 the window that ends then ends at the first, and does not open again."""
    early = threshold("01:00:00", "02:30:00")
    assert is_in_force(early, at("2025-10-26T02:29:59"))
    assert not is_in_force(early, at("2025-10-26T02:30:00"))
    assert not is_in_force(early, at("2025-10-26T02:15:00", fold=1))


def test_the_next_turn_is_the_next_start_or_end():
    """The turn after a moment is the first of all starts and ends, also on the day of 23 hours."""
    both = {"night": threshold("22:00:00", "07:00:00"), "noon": threshold("12:00:00", "13:00:00")}
    moment = at("2025-03-29T20:00:00")
    turns = []
    for _ in range(5):
        moment = next_turn(both, moment)
        turns.append(datetime.fromtimestamp(moment / 1_000_000, UTC).strftime("%d %H:%M"))
    assert turns == ["29 21:00", "30 05:00", "30 10:00", "30 11:00", "30 20:00"]


def test_as_loud_as_a_threshold_is_a_breach():
    """Those in force that it is as loud as are breached, the quieter and those out of force are not."""
    held = {
        "b": threshold("22:00:00", "07:00:00", decibels=50.0),
        "a": threshold("22:00:00", "07:00:00", decibels=60.0),
        "c": threshold("22:00:00", "07:00:00", decibels=60.1),
        "d": threshold("12:00:00", "13:00:00", decibels=1.0),
    }
    assert breached(held, 60.0, at("2025-01-15T23:00:00")) == ["a", "b"]


async def test_a_breach_begins_and_ends(house):
    """A sensor says which thresholds are breached: since it is too loud, and until it is quiet again."""
    await sensor(house).put_threshold("night", NIGHT)
    house.seen.clear()
    house.driver.make_noise(house.id(SENSOR), 61.0)
    house.driver.make_noise(house.id(SENSOR), 75.0)
    house.driver.make_noise(house.id(SENSOR), 40.0)
    assert house.told(BREACHED) == [["night"], ["night"], []]
    assert house.told(LEVEL) == [61.0, 75.0, 40.0]


async def test_a_window_that_opens_on_noise_begins_a_breach(house):
    """Noise that goes on is a breach when the window opens, and none any more when it closes; by itself."""
    await house.clock.advance(12 * HOUR)
    await sensor(house).put_threshold("night", NIGHT)
    house.driver.make_noise(house.id(SENSOR), 70.0)
    house.seen.clear()
    await house.clock.advance(10 * HOUR - 1)
    assert house.seen == []
    await house.clock.advance(1)
    await house.clock.advance(24 * HOUR)
    assert house.told(BREACHED) == [["night"], [], ["night"]]


async def test_a_burst_ends_by_itself(house):
    """A burst lasts some seconds; one that comes meanwhile makes it longer."""
    house.driver.burst(house.id(SENSOR), 90.0)
    await house.clock.advance(BURST - 1)
    house.driver.burst(house.id(SENSOR), 85.0)
    await house.clock.advance(BURST - 1)
    assert house.told(LEVEL)[-1] == 90.0
    await house.clock.advance(1)
    assert house.told(LEVEL)[-1] == QUIET


async def test_what_it_holds_outlives_the_server(tmp_path: Path):
    """Thresholds and lasting noise are as they were after a restart, and what changed meanwhile is said."""
    first = await House(tmp_path / "world.jsonl").open()
    await sensor(first).put_threshold("night", NIGHT)
    first.driver.make_noise(first.id(SENSOR), 70.0)
    await first.driver.stop()
    again = House(tmp_path / "world.jsonl", clock=first.clock)
    await again.clock.advance(8 * HOUR)
    held = (await sensor_of(again)).changes
    assert held["noise_thresholds"]["night"] == NIGHT
    assert (held[LEVEL], held[BREACHED]) == (70.0, [])
    await again.driver.stop()


async def sensor_of(house: House):
    await house.open()
    seen = await sensor(house).read_thresholds()
    assert seen is not None
    return seen


async def test_a_sensor_takes_orders_as_its_fault_has_it(house):
    """Offline it takes none; one that lies says that it holds what it does not, until it is healed."""
    house.inject(SENSOR, "offline", times=1)
    with pytest.raises(DeviceOffline):
        await sensor(house).put_threshold("night", NIGHT)
    house.heal(SENSOR)
    house.inject(SENSOR, "lie", times=1)
    assert await sensor(house).put_threshold("night", NIGHT) is Evidence.DEVICE_ACCEPTED
    assert "night" in (await sensor(house).read_thresholds()).changes["noise_thresholds"]
    house.heal(SENSOR)
    assert "night" not in house.seen[-1].changes["noise_thresholds"]


async def test_a_sensor_that_nobody_hears_tells_of_the_breach_later(house):
    """A breach that begins while it is offline is said when it is back."""
    house.driver.disconnect(house.id(SENSOR))
    house.driver.make_noise(house.id(SENSOR), 99.0)
    assert house.told(BREACHED) == []
    house.driver.connect(house.id(SENSOR))
    assert len(house.told(BREACHED)[-1]) == 1
