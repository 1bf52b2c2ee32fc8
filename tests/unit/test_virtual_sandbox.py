"""What a sandbox begins with, and what it may do to its devices besides breaking them."""

import pytest

from tests.fixtures.house import WORKSPACE, House
from thumbturn.actions.definition import CAPABILITY_WORD
from thumbturn.domain.access import AcsEntrance
from thumbturn.domain.device import absorb
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import DeviceOffline
from thumbturn.domain.ids import chance, named_id
from thumbturn.domain.refusals import DeviceTypeNotSupported

PLAIN = "Storage Room"
THERMOSTATS = ("Living Room", "Bedroom", "Server Room")


@pytest.fixture
async def house():
    house = await House().open()
    yield house
    await house.driver.stop()


def test_the_same_workspace_begins_with_the_same_things():
    """Ids follow from the workspace's id: the same each time, others in another workspace."""
    driver = House().driver
    first, again = driver.seed("one", 5), driver.seed("one", 5)
    other = driver.seed("two", 5)
    assert first == again
    ids = {device.id for device in first.devices} | {account.id for account in first.accounts}
    others = {device.id for device in other.devices} | {account.id for account in other.accounts}
    assert len(ids) == len(first.devices) + 1
    assert not ids & others


def test_a_sandbox_has_one_of_each_kind():
    """There are locks and thermostats that can all and that can little, and what is neither."""
    account, devices, access = House().driver.seed(WORKSPACE, 1_000)
    by_name = {device.name: device for device in devices}
    assert {each.connected_account_id for each in access} == {account[0].id}
    assert {each.device_id for each in access if isinstance(each, AcsEntrance)} <= {
        device.id for device in devices if "lock" in device.capabilities
    }
    assert [each.name for each in account] == ["Virtual Home"]
    assert {device.connected_account_id for device in devices} == {account[0].id}
    assert by_name["Front Door"].capabilities >= set(CAPABILITY_WORD.values()) - {
        "thermostat",
        "thermostat_programs",
        "noise_detection",
        "encoder",
    }
    modes = {name: set(by_name[name].details["available_hvac_mode_settings"]) for name in THERMOSTATS}
    assert modes == {
        "Living Room": {"off", "heat", "cool", "heat_cool", "eco"},
        "Bedroom": {"off", "heat"},
        "Server Room": {"off", "cool"},
    }
    assert by_name["Back Door"].details["has_bolt_sensor"]
    assert by_name["Garage Side Door"].details["travel_milliseconds"] == 1_500
    assert by_name["Storage Room"].capabilities == {"lock", "battery"}
    assert by_name["Storage Room"].state["locked"] is False
    assert "lock" not in by_name["Hallway Sensor"].capabilities
    assert "locked" not in by_name["Hallway Sensor"].state
    assert "noise_detection" in by_name["Terrace"].capabilities
    ages = [device.created_at for device in devices]
    assert ages == sorted(set(ages))


async def test_a_seeded_device_stands_as_its_seed_says(house):
    """Attaching what a sandbox begins with reports nothing: everything is as it was said to be."""
    assert house.seen == []


async def test_more_devices_are_new_each_time(house):
    """Devices for tests of many have ids of their own, belong to the home, and work once attached."""
    made = [
        device
        for _ in range(2)
        for device in house.driver.more_devices(
            WORKSPACE, 3, kind="lock", travel_milliseconds=0, now=house.clock.now()
        )
    ]
    assert len({device.id for device in made} | {device.name for device in made}) == 12
    assert {device.connected_account_id for device in made} == {
        house.devices[PLAIN].connected_account_id,
    }
    house.driver.attach(made)
    house.devices["New"] = made[0]
    assert await house.lock("New").unlock() is Evidence.DEVICE_ACCEPTED
    assert [seen.device_id for seen in house.seen] == [made[0].id]
    with pytest.raises(KeyError):
        house.driver.more_devices(WORKSPACE, 1, kind="toaster", travel_milliseconds=0, now=0)


@pytest.mark.parametrize("name", [PLAIN, "Hallway Sensor"])
async def test_disconnect_and_connect(house, name):
    """A disconnected device is said to be offline until it is connected, whatever it is."""
    house.driver.disconnect(house.id(name))
    house.driver.connect(house.id(name))
    assert house.told("online") == [False, True]


async def test_a_disconnected_lock_catches_up(house):
    """What a lock did while nobody heard it, it says when it is connected again."""
    await house.auto_lock("Back Door").set_auto_lock(True, 5)
    await house.lock("Back Door").unlock()
    house.seen.clear()
    house.driver.disconnect(house.id("Back Door"))
    with pytest.raises(DeviceOffline):
        await house.lock("Back Door").lock()
    await house.pass_ms(5_000)
    assert house.told("locked") == []
    house.driver.connect(house.id("Back Door"))
    assert house.told("locked") == [True]
    assert house.seen[-1].method == "automatic"


async def test_a_removed_device_is_gone_until_it_is_connected(house):
    """Removal is told once, with the device offline; connecting takes it back."""
    house.driver.remove(house.id(PLAIN))
    with pytest.raises(DeviceOffline):
        await house.lock(PLAIN).lock()
    house.driver.connect(house.id(PLAIN))
    assert [dict(seen.changes) for seen in house.seen[:2]] == [
        {"online": False, "offline_because": None, "removed": True},
        {"online": True, "offline_because": None, "removed": False},
    ]
    assert await house.lock(PLAIN).lock() is Evidence.DEVICE_ACCEPTED


async def test_connecting_ends_an_outage_that_a_fault_made(house):
    """A device that a fault keeps off the air comes back when it is connected."""
    house.inject(PLAIN, "offline")
    house.driver.connect(house.id(PLAIN))
    assert await house.lock(PLAIN).lock() is Evidence.DEVICE_ACCEPTED
    house.inject(PLAIN, "dead_mid_way", times=1)
    await house.lock(PLAIN).unlock()
    house.driver.connect(house.id(PLAIN))
    assert await house.lock(PLAIN).read_bolt() is not None


async def test_healing_a_sound_device_says_nothing(house):
    """Clearing faults where there are none is no news."""
    house.heal(PLAIN)
    assert house.seen == []


async def test_healing_does_not_connect_what_was_disconnected(house):
    """Being disconnected is no fault: clearing faults leaves it."""
    house.driver.disconnect(house.id(PLAIN))
    house.inject(PLAIN, "offline")
    house.heal(PLAIN)
    assert house.told("online")[-1] is False


async def test_a_device_that_is_not_virtual_is_refused(house):
    """Nothing can be done to a device that this driver does not speak to."""
    for verb in (house.driver.connect, house.driver.disconnect, house.driver.remove):
        with pytest.raises(DeviceTypeNotSupported):
            verb("a-real-lock")


async def test_a_report_that_repeats_what_is_known_is_no_event(house):
    """A lock that is told to go where it is reports it, and the domain makes nothing of it."""
    device = house.devices[PLAIN]
    await house.lock(PLAIN).unlock()
    (seen,) = house.seen
    assert absorb(device, seen, house.clock.now()) == (device, ())


async def test_a_device_that_was_offline_starts_offline():
    """Without a journal a device is as its server knows it, also off the air."""
    house = House()
    await house.open([house.believe(PLAIN, online=False)])
    with pytest.raises(DeviceOffline):
        await house.lock(PLAIN).lock()
    assert house.seen == []
    await house.driver.stop()


def test_named_ids_and_chance_follow_from_their_names():
    """Two strings make one id, and are not confused with two others; so does chance with its seed."""
    assert named_id("a", "b") == named_id("a", "b")
    assert len({named_id("a", "bc"), named_id("ab", "c"), named_id("a", "b"), named_id("b", "a")}) == 4
    assert chance(1, "a").random() == chance(1, "a").random()
    assert len({chance(1, "a").random(), chance(2, "a").random(), chance(1, "b").random()}) == 3
