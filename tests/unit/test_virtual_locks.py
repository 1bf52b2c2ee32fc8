"""The virtual lock as a mechanism: bolt, motor, keypad, timer, battery, sensor and door contact."""

import asyncio
from dataclasses import replace

import pytest

from tests.fixtures.house import House
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.refusals import DeviceTypeNotSupported
from thumbturn.drivers.virtual.locks import MOVES_PER_CHARGE, SANDBOX_PIN


@pytest.fixture
async def house():
    house = await House().open()
    yield house
    await house.driver.stop()


def runs_to_its_end(command) -> bool:
    """True if the coroutine returns without ever yielding to the event loop."""
    try:
        command.send(None)
    except StopIteration:
        return True
    command.close()
    return False


async def test_without_travel_a_command_never_yields(house):
    """A lock without a motor's travel has moved and reported before its verb returns."""
    assert runs_to_its_end(house.lock("Storage Room").lock())
    assert house.told("locked") == [True]
    assert house.seen[0].method == "remote"
    assert house.seen[0].evidence is Evidence.STATE_REPORT
    assert house.seen[0].said == "The bolt is thrown."


async def test_the_motor_needs_its_time(house):
    """With travel the verb returns on acceptance; the bolt is there, and is reported, when the motor is."""
    began = house.clock.now()
    assert await house.lock("Front Door").unlock() is Evidence.DEVICE_ACCEPTED
    await house.pass_ms(299)
    assert house.told("locked") == []
    assert await house.bolt("Front Door") is True
    await house.pass_ms(1)
    assert house.told("locked") == [False]
    assert house.seen[-1].at == began + 300_000


async def test_a_new_command_turns_the_motor_round(house):
    """A bolt in motion that is told to go back never arrives where it went first."""
    await house.lock("Garage Side Door").unlock()
    await house.pass_ms(700)
    await house.lock("Garage Side Door").lock()
    await house.pass_ms(5_000)
    assert house.told("locked") == [True]
    assert await house.bolt("Garage Side Door") is True


async def test_the_sensor_at_the_bolt_is_heard_beside_the_lock(house):
    """A lock with a bolt sensor reports twice, in two grades of evidence."""
    await house.lock("Back Door").unlock()
    assert [(seen.changes["locked"], seen.evidence, seen.method) for seen in house.seen] == [
        (False, Evidence.STATE_REPORT, "remote"),
        (False, Evidence.INDEPENDENT_SENSOR, "remote"),
    ]


async def test_the_known_code_opens_and_the_lock_key_locks(house):
    """The keypad moves the bolt, and says by which hand."""
    assert await house.keypad("Front Door").enter_code(SANDBOX_PIN) is Evidence.DEVICE_ACCEPTED
    await house.pass_ms(300)
    assert await house.keypad("Front Door").press_lock() is Evidence.DEVICE_ACCEPTED
    await house.pass_ms(300)
    assert [(seen.changes["locked"], seen.method) for seen in house.seen] == [
        (False, "keycode"),
        (True, "manual"),
    ]


async def test_an_unknown_code_is_denied_at_the_door(house):
    """A wrong code moves nothing, and the refusal never repeats the code."""
    assert await house.keypad("Back Door").enter_code("987654") is Evidence.DEVICE_ACCEPTED
    assert [(seen.denied, dict(seen.changes)) for seen in house.seen] == [("unknown_code", {})]
    assert "987654" not in repr(house.seen)
    assert await house.bolt("Back Door") is True


async def test_automatic_locking_comes_after_its_delay(house):
    """An unlocked door locks itself, its delay after it was unlocked, and says that nobody did it."""
    await house.auto_lock("Front Door").set_auto_lock(True, 5)
    await house.lock("Front Door").unlock()
    await house.pass_ms(300)
    unlocked = house.clock.now()
    await house.pass_ms(4_999)
    assert await house.bolt("Front Door") is False
    await house.pass_ms(1 + 300)
    assert await house.bolt("Front Door") is True
    assert house.seen[-1].method == "automatic"
    assert house.seen[-1].at == unlocked + 5_300_000
    await house.pass_ms(60_000)
    assert house.told("locked") == [False, True]


async def test_locking_by_hand_stops_the_timer(house):
    """A door that was locked meanwhile is not locked again, and unlocking begins the delay anew."""
    await house.auto_lock().set_auto_lock(True, 5)
    await house.lock("Back Door").unlock()
    await house.pass_ms(3_000)
    await house.lock("Back Door").lock()
    await house.lock("Back Door").unlock()
    await house.pass_ms(4_000)
    assert await house.bolt("Back Door") is False
    await house.pass_ms(1_000)
    assert await house.bolt("Back Door") is True
    assert [seen.method for seen in house.seen if seen.method == "automatic"] == ["automatic"] * 2


async def test_switching_automatic_locking_off_stops_the_timer(house):
    """No door locks itself once that was switched off."""
    await house.auto_lock().set_auto_lock(True, 5)
    await house.lock("Back Door").unlock()
    await house.auto_lock().set_auto_lock(False, None)
    await house.pass_ms(60_000)
    assert await house.bolt("Back Door") is False


async def test_an_open_door_does_not_lock_itself(house):
    """The timer waits until the door is closed, and begins anew then."""
    await house.auto_lock().set_auto_lock(True, 5)
    await house.lock("Back Door").unlock()
    house.driver.swing_door(house.id("Back Door"), is_open=True)
    await house.pass_ms(60_000)
    assert await house.bolt("Back Door") is False
    house.driver.swing_door(house.id("Back Door"), is_open=False)
    await house.pass_ms(4_999)
    assert await house.bolt("Back Door") is False
    await house.pass_ms(1)
    assert await house.bolt("Back Door") is True
    assert house.told("door_open") == [True, False]


@pytest.mark.parametrize("name", ["Storage Room", "Hallway Sensor"])
async def test_a_door_without_a_contact_cannot_be_swung(house, name):
    """Only a lock with a door contact knows of its door."""
    with pytest.raises(DeviceTypeNotSupported):
        house.driver.swing_door(house.id(name), is_open=True)


async def test_the_battery_is_told_in_whole_per_cents(house):
    """A hundred moves cost one per cent; the reports between carry no battery; it never runs out."""
    lock = house.lock("Storage Room")
    for _ in range(100):
        await lock.lock()
        await lock.unlock()
    assert house.told("battery_level") == [0.99, 0.98]
    for _ in range(MOVES_PER_CHARGE):
        await lock.lock()
    assert house.told("battery_level")[-1] == 0.01
    assert len(house.told("battery_level")) == 99


async def test_a_lock_without_a_battery_tells_of_none():
    """A lock that is not known to have a battery never reports one."""
    house = House()
    wired = house.devices["Storage Room"]
    await house.open([replace(wired, state={"online": True, "locked": False, "jammed": False})])
    for _ in range(200):
        await house.lock("Storage Room").lock()
    assert house.told("battery_level") == []
    assert house.told("locked") == [True] * 200
    await house.driver.stop()


async def test_turning_the_bolt_does_not_stop_a_setting(house):
    """What a slow lock was told to set is set, although somebody presses a key meanwhile."""
    house.inject("Front Door", "slow", milliseconds=20)
    setting = asyncio.ensure_future(house.auto_lock("Front Door").set_auto_lock(True, 5))
    await asyncio.sleep(0)
    await house.pass_ms(5)
    pressing = asyncio.ensure_future(house.keypad("Front Door").press_lock())
    await house.pass_ms(400)
    await asyncio.gather(setting, pressing)
    assert house.told("auto_lock_enabled") == [True]
