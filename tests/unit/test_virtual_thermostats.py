"""The virtual thermostat and its room: how the air warms, what hands and faults do, what a restart finds."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from math import exp

import pytest

from tests.fixtures.house import WORKSPACE, House
from thumbturn.domain.capabilities.thermostat import Thermostat
from thumbturn.domain.clock import SECOND, seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.refusals import DeviceIsNotThermostat
from thumbturn.drivers.virtual.room import ARRIVED, STEP, Room

ROOM = "Living Room"
HEAT_22 = {"hvac_mode_setting": "heat", "heating_set_point_celsius": 22.0}
OFF = {"hvac_mode_setting": "off"}


@pytest.fixture
async def house():
    house = await House().open()
    yield house
    await house.driver.stop()


def thermostat(house, name=ROOM):
    found = house.driver.offer(house.devices[name], Thermostat)
    assert found is not None
    return found


async def temperature(house, name=ROOM):
    return (await thermostat(house, name).read_climate()).changes["temperature_celsius"]


def test_a_room_comes_nearer_by_the_same_share_in_the_same_time():
    """After each time constant the distance to the goal is 1/e of what it was."""
    room = Room(time_constant=seconds(100), celsius=30.0, since=0)
    room.head_for(20.0, 0)
    for constants in (1, 2, 3):
        assert room.temperature(seconds(100 * constants)) == pytest.approx(20 + 10 * exp(-constants))
    assert room.temperature(seconds(1_000)) == 20.0


@pytest.mark.parametrize(("begins", "goal"), [(18.0, 23.2), (23.2, 18.0), (20.5, 21.0), (19.98, 20.6)])
def test_a_room_has_a_step_for_each_half_degree_and_its_arrival(begins, goal):
    """Its steps are the half degrees on the way, in order, and the goal; then it rests."""
    room = Room(time_constant=seconds(60), celsius=begins, since=0)
    room.head_for(goal, 0)
    at, met = 0, []
    while (wait := room.next_step(at)) is not None:
        at += wait
        met.append(round(room.temperature(at), 2))
        assert len(met) < 50
    assert met[-1] == goal
    assert all(each / STEP == round(each / STEP) for each in met[:-1])
    assert all(0 < abs(one - other) <= STEP for one, other in pairwise([begins, *met]))
    assert room.next_step(at) is None


def test_a_room_at_rest_costs_nothing():
    """A room that is where it goes has no next step."""
    room = Room(time_constant=1, celsius=20.0, since=0)
    room.head_for(20.0 + ARRIVED / 2, 5)
    assert room.next_step(6) is None


async def test_nothing_happens_in_a_new_sandbox(house):
    """The first rooms are as warm as they shall be: nothing is reported, for days."""
    await house.clock.advance(seconds(3 * 24 * 3_600))
    assert house.seen == []


async def test_heating_is_felt(house):
    """It heats until the room is warm, says so at each half degree, and then holds it."""
    await thermostat(house).set_climate(HEAT_22)
    assert house.told("is_heating") == [True]
    await house.clock.advance(seconds(3_600))
    assert house.told("temperature_celsius") == [20.0, 20.5, 21.0, 21.5, 22.0]
    assert house.told("is_heating")[-1] is False


async def test_a_room_that_is_left_alone_becomes_as_cold_as_it_is_around(house):
    """Switched off, it goes to its surroundings: the same for the same seed, another for another."""
    found = []
    for seed in (1, 1, 2):
        each = await House(seed=seed).open()
        await thermostat(each).set_climate(OFF)
        await each.clock.advance(seconds(10 * 3_600))
        found.append(await temperature(each))
        await each.driver.stop()
    assert found[0] == found[1] != found[2]
    assert all(14 <= each <= 16 for each in found)


async def test_cooling_and_eco(house):
    """It is cooled where it is hot around; eco lets the room be between its bounds."""
    cooler = thermostat(house, "Server Room")
    await cooler.set_climate({"hvac_mode_setting": "cool", "cooling_set_point_celsius": 19.0})
    assert house.told("is_cooling") == [True]
    await house.clock.advance(seconds(3_600))
    assert await temperature(house, "Server Room") == 19.0
    await thermostat(house).set_climate({"hvac_mode_setting": "eco"})
    await house.clock.advance(seconds(10 * 3_600))
    assert await temperature(house) == 16.0


async def test_the_room_goes_on_while_the_server_is_dead(tmp_path):
    """What was set and how far the room had come is in the journal: a new start finds it further on."""
    journal = tmp_path / "world.jsonl"
    house = await House(journal).open()
    await thermostat(house).set_climate(HEAT_22)
    await house.clock.advance(seconds(60))
    before = await temperature(house)
    await house.driver.stop()
    later = House(journal, clock=house.clock)
    house.clock._now += seconds(120)
    await later.open()
    (found,) = later.seen
    assert before < found.changes["temperature_celsius"] < 22
    assert found.changes["heating_set_point_celsius"] == 22.0
    assert found.method == "remote"
    await later.clock.advance(seconds(3_600))
    assert await temperature(later) == 22.0
    await later.driver.stop()


async def test_a_room_that_changes_fast_is_told_of_slowly(house):
    """However far a room is from where it goes, its thermostat reports four times in a second at most."""
    house.driver.reach_temperature(house.id(ROOM), 10_000.0)
    await house.clock.advance(seconds(15))
    assert 50 < len(house.seen) <= 1 + 15 * 4
    times = [seen.at for seen in house.seen]
    assert all(after - before >= seconds(0.25) for before, after in pairwise(times))


@pytest.mark.parametrize(("was", "found"), [(1e9, 100.0), (-1e9, -50.0)])
async def test_a_journal_with_a_room_like_the_sun(tmp_path, was, found):
    """Found in a journal, a room that no room can be is as warm, or as cold, as one can be."""
    journal = tmp_path / "world.jsonl"
    house = await House(journal).open()
    house.driver.reach_temperature(house.id(ROOM), was)
    await house.driver.stop()
    later = await House(journal, clock=house.clock).open()
    assert await temperature(later) == found
    await later.driver.stop()


async def test_a_hand_at_the_thermostat(house):
    """Set by hand it reports so, and makes the room as it was set."""
    house.driver.adjust_climate(house.id(ROOM), HEAT_22)
    assert [(seen.method, seen.changes["heating_set_point_celsius"]) for seen in house.seen] == [
        ("manual", 22.0)
    ]
    await house.clock.advance(seconds(3_600))
    assert await temperature(house) == 22.0


async def test_what_is_no_thermostat_has_no_climate(house):
    """Neither hands nor weather can be simulated at another device."""
    for name in ("Front Door", "Hallway Sensor"):
        with pytest.raises(DeviceIsNotThermostat):
            house.driver.adjust_climate(house.id(name), OFF)
        with pytest.raises(DeviceIsNotThermostat):
            house.driver.reach_temperature(house.id(name), 20)


async def test_a_silent_thermostat_acts_and_a_lying_one_does_not(house):
    """Silence hides what was done; a lie tells what was not. Healed, both say how it is."""
    house.inject(ROOM, "silent", times=1)
    await thermostat(house).set_climate(HEAT_22)
    assert house.seen == []
    assert await thermostat(house).read_climate() is None
    house.heal(ROOM)
    assert house.told("heating_set_point_celsius") == [22.0]
    house.inject(ROOM, "lie", times=1)
    await thermostat(house).set_climate(OFF)
    assert (await thermostat(house).read_climate()).changes["hvac_mode_setting"] == "off"
    house.heal(ROOM)
    assert house.told("hvac_mode_setting") == ["heat", "off", "heat"]


async def test_a_thermostat_that_dies_mid_way_leaves_it_to_chance(house):
    """It is off the air; whether it is set is the seed's affair, and both happen."""
    many = house.driver.more_devices(
        WORKSPACE, 20, kind="thermostat", travel_milliseconds=0, now=house.clock.now()
    )
    house.driver.attach(many)
    became = set()
    for number, device in enumerate(many):
        house.devices[str(number)] = device
        house.inject(str(number), "dead_mid_way", times=1)
        await thermostat(house, str(number)).set_climate(OFF)
        assert house.told("online")[-1] is False
        house.driver.connect(device.id)
        became.add(house.told("hvac_mode_setting")[-1])
    assert became == {"off", "heat"}


async def test_a_slow_thermostat_is_set_later(house):
    """Its reply and its report come when it is set."""
    house.inject(ROOM, "slow", times=1, milliseconds=5_000)
    slow = house.clock.now() + 5 * SECOND
    done = asyncio.ensure_future(thermostat(house).set_climate(OFF))
    await house.clock.advance(seconds(4))
    assert house.told("hvac_mode_setting") == []
    await house.clock.advance(seconds(1))
    assert await done is Evidence.DEVICE_ACCEPTED
    assert [seen.at for seen in house.seen if "hvac_mode_setting" in seen.changes] == [slow]
