"""What ``matter`` may say and when: each test takes a ``home`` that is a fake or the real stack.

Run on the fake by ``test_matter.py`` here, on the real stack by ``labs/test_matter.py``.
"""

from __future__ import annotations

import pytest

from tests.fixtures.matter_home import (
    AT_KEYPAD,
    BACK_DOOR,
    BY_CARD,
    BY_HAND,
    BY_ITSELF,
    FRONT_DOOR,
    PIN,
    ROOM,
    MatterHome,
)
from thumbturn.domain.access_code import Slot
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.clock import seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DuplicateOnDevice, NotSupported
from thumbturn.domain.hub import Hub
from thumbturn.domain.ids import new_id
from thumbturn.engine.acceptance import Timing

MOVES = ("lock.locked", "lock.unlocked")


def why(attempt) -> str | None:
    """The type of its failure."""
    return None if attempt.failure is None else attempt.failure[0]


def memory(home: MatterHome, address: str = FRONT_DOOR) -> CodeMemory:
    """What a lock's keypad is commanded by."""
    found = home.driver.offer(home.device(address), CodeMemory)
    assert found is not None
    return found


def slot(home: MatterHome, pin: str, name: str | None = None, address: str = FRONT_DOOR) -> Slot:
    """A code as it comes to a lock."""
    return Slot(pin=home.pins.seal(pin), pin_key=home.pins.key_of(home.device(address).id, pin), name=name)


async def done(home: MatterHome, doing):
    """What came of it, once time has passed for it."""
    future = home.soon(doing)
    await home.until(future.done)
    return future.result()


async def test_devices_are_what_they_say(home: MatterHome):
    """Locks and thermostats are found with what they offer, and read before they are online."""
    lock, thermostat = home.device(), home.device(ROOM)
    assert (lock.device_type, thermostat.device_type) == ("matter_lock", "matter_thermostat")
    assert lock.capabilities == {"lock", "keypad", "access_codes", "battery"}
    assert lock.details["supported_code_lengths"] == [4, 5, 6, 7, 8]
    assert lock.details["max_active_codes_supported"] == 8
    assert (lock.name, lock.details["manufacturer"], lock.details["model_name"]) == (
        "front",
        "Lab",
        "Bolt One",
    )
    assert (lock.state["locked"], lock.state["battery_level"]) == (True, 0.87)
    assert thermostat.details["available_hvac_mode_settings"] == ["off", "heat", "cool", "heat_cool"]
    assert thermostat.details["available_fan_mode_settings"] == ["auto", "on"]
    assert thermostat.details["max_heating_set_point_celsius"] == 30
    assert thermostat.details["min_heating_cooling_delta_celsius"] == 2
    assert thermostat.state["temperature_celsius"] == 21
    assert await home.told(*MOVES) == []


async def test_the_status_is_the_lock_s_word_and_its_bolt_is_looked_after(home: MatterHome):
    """A lock that says that it did it is asked at once where its bolt is: on record are both, told is one."""
    ended = await home.run("UNLOCK_DOOR")
    assert why(ended) is None
    assert ended.evidence >= Evidence.DEVICE_ACCEPTED
    assert await home.is_locked(FRONT_DOOR) is False
    assert any("Matter status: success" in mark.note for mark in ended.marks)
    await home.pass_time(3)
    [event] = await home.told("lock.unlocked")
    assert (event.payload["method"], event.action_attempt_id) == ("remote", ended.id)
    assert why(await home.run("LOCK_DOOR")) is None


async def test_a_motor_is_waited_for(home: MatterHome):
    """A lock that takes the command and moves later is unlocked when it is, and not before."""
    await home.fault(BACK_DOOR, "motor")
    ended = await home.run("UNLOCK_DOOR", BACK_DOOR)
    assert (why(ended), ended.evidence) == (None, Evidence.STATE_REPORT)
    assert ended.settled_at is not None
    assert ended.settled_at - ended.accepted_at >= seconds(1.4)
    assert await home.is_locked(BACK_DOOR) is False
    assert len(await home.told("lock.unlocked")) == 1
    assert why(await home.run("LOCK_DOOR", BACK_DOOR)) is None


async def test_a_lock_that_lies_is_found_out(home: MatterHome):
    """A lock that says yes and does not move is no success: it is asked, and its bolt is where it was."""
    await home.fault(FRONT_DOOR, "lazy")
    ended = await home.run("UNLOCK_DOOR")
    assert why(ended) == "lock_jammed"
    assert await home.told("lock.unlocked") == []


@pytest.mark.parametrize("kind", ["jam", "jam_late"])
async def test_a_jam_is_its_own_cause(home: MatterHome, kind: str):
    """A bolt that jams is said to have jammed, known at once or later; a free one moves again."""
    await home.fault(FRONT_DOOR, kind)
    assert why(await home.run("UNLOCK_DOOR")) == "lock_jammed"
    assert (await home.look(FRONT_DOOR))["log"][-1:] != ["unlock"]
    await home.fault(FRONT_DOOR, "")
    assert why(await home.run("UNLOCK_DOOR")) is None
    assert why(await home.run("LOCK_DOOR")) is None


async def test_what_was_done_before_the_command_is_no_evidence(home: MatterHome):
    """A hub hears up to a second later of what a lock did: that is no word on what the next command did."""
    for action in ("UNLOCK_DOOR", "LOCK_DOOR") * 2:
        assert why(await home.run(action)) is None
    await home.fault(FRONT_DOOR, "jam_late")
    assert why(await home.run("UNLOCK_DOOR")) == "lock_jammed"
    await home.fault(FRONT_DOOR, "")


async def test_a_refusal_is_its_own_cause(home: MatterHome):
    """A lock that says no has refused, and why is said as far as the lock says it."""
    for kind, because in (("reject", "own settings"), ("flat", "battery is too low")):
        await home.fault(FRONT_DOOR, kind)
        ended = await home.run("UNLOCK_DOOR")
        assert why(ended) == "command_refused"
        assert because in ended.failure[1]
    await home.fault(FRONT_DOOR, "")
    await home.privacy(FRONT_DOOR, is_on=True)
    ended = await home.run("UNLOCK_DOOR")
    assert (why(ended), "privacy" in ended.failure[1]) == ("command_refused", True)
    await home.privacy(FRONT_DOOR, is_on=False)
    assert await home.is_locked(FRONT_DOOR) is True


async def test_a_dead_lock_is_unreachable_and_holds_up_nobody(home: MatterHome):
    """A lock that nobody has heard of is asked first: one that is away has certainly not acted."""
    await home.pass_time(6)
    await home.stun(FRONT_DOOR, is_stunned=True)
    attempt = await home.begin("UNLOCK_DOOR")
    other = await home.run("UNLOCK_DOOR", BACK_DOOR)
    assert why(other) is None
    assert other.settled_at - other.accepted_at < seconds(3)
    assert why(await home.end_of(attempt)) == "device_unreachable"
    await home.until(lambda: not home.device().online)
    assert len(await home.told("device.disconnected")) == 1
    assert why(await home.run("UNLOCK_DOOR")) == "device_offline"
    await home.stun(FRONT_DOOR, is_stunned=False)
    await home.all_online()
    assert home.device().state["locked"] is await home.is_locked(FRONT_DOOR) is True
    assert why(await home.run("LOCK_DOOR", BACK_DOOR)) is None


async def test_a_lock_that_died_under_a_command_has_an_unknown_outcome(home: MatterHome):
    """A lock that was there a moment ago and does not answer a command may have done it: nobody knows."""
    assert why(await home.run("LOCK_DOOR")) is None
    await home.stun(FRONT_DOOR, is_stunned=True)
    within = seconds(15)
    ended = await home.run("UNLOCK_DOOR", timing=Timing(deadline=within))
    assert why(ended) == "outcome_unknown"
    assert ended.settled_at - ended.accepted_at <= within + seconds(1)
    assert await home.told("lock.unlocked") == []
    await home.stun(FRONT_DOOR, is_stunned=False)
    await home.all_online()
    assert home.device().state["locked"] is await home.is_locked(FRONT_DOOR)


async def test_what_happens_at_the_door_is_told_once(home: MatterHome):
    """Keys, codes, cards and whatever else moves a bolt are told once each, in order, with who did it."""
    for locked, source, number in (
        (False, AT_KEYPAD, 2),
        (True, BY_HAND, None),
        (False, BY_CARD, None),
        (True, BY_ITSELF, None),
        (False, None, None),
        (True, BY_HAND, None),
    ):
        await home.turn(FRONT_DOOR, locked=locked, source=source, slot=number)
        await home.until(lambda locked=locked: home.device().state["locked"] is locked)
    await home.drain(FRONT_DOOR, 5)
    await home.deny(FRONT_DOOR)
    await home.pass_time(1.5)
    told = [(each.event_type[5:], each.payload["method"]) for each in await home.told(*MOVES)]
    assert told == [
        ("unlocked", "keycode"),
        ("locked", "manual"),
        ("unlocked", "card"),
        ("locked", "automatic"),
        ("unlocked", "unknown"),
        ("locked", "manual"),
    ], told
    assert len(await home.told("device.low_battery")) == 1
    assert len(await home.told("lock.access_denied")) == 1
    await home.drain(FRONT_DOOR, 87)


async def test_to_and_fro_between_two_reports_is_told_by_its_operations(home: MatterHome):
    """A door that was opened for a moment was: the lock says so, though its state does not."""
    await home.pass_time(2)
    await home.turn(FRONT_DOOR, locked=False, source=AT_KEYPAD, slot=2)
    await home.turn(FRONT_DOOR, locked=True, source=BY_ITSELF)
    await home.pass_time(2.5)
    assert [each.payload["method"] for each in await home.told(*MOVES)] == ["keycode", "automatic"]
    await home.turn(FRONT_DOOR, locked=False, source=None)
    await home.turn(FRONT_DOOR, locked=True, source=None)
    await home.pass_time(2.5)
    assert len(await home.told(*MOVES)) == 2


async def test_after_the_hub_was_restarted_everything_is_read(home: MatterHome):
    """While the hub is away its devices are offline, told once; after that they are as they really are."""
    await home.run("UNLOCK_DOOR")
    await home.restart_hub()
    await home.until(lambda: not home.device().online)
    await home.all_online()
    assert home.device().state["locked"] is await home.is_locked(FRONT_DOOR) is False
    lost = await home.told("device.disconnected")
    assert sorted(each.device_id or "" for each in lost) == sorted(each.id for each in home.devices())
    assert {each.payload["error_code"] for each in lost} == {"hub_disconnected"}
    assert why(await home.run("LOCK_DOOR")) is None


async def test_commands_that_the_hub_dies_under_are_settled(home: MatterHome):
    """Whatever was under way when the hub died ends in time; success is said of nothing that is not so."""
    soon = Timing(deadline=seconds(15))
    attempts = [
        await home.begin("UNLOCK_DOOR", each, soon) for each in (FRONT_DOOR, BACK_DOOR) for _ in range(3)
    ]
    await home.restart_hub()
    for attempt in attempts:
        ended = await home.end_of(attempt)
        assert ended.deadline_at + seconds(1) >= (ended.settled_at or 0)
    await home.all_online()
    for address in (FRONT_DOOR, BACK_DOOR):
        assert home.device(address).state["locked"] is await home.is_locked(address)
        assert why(await home.run("LOCK_DOOR", address)) is None


async def test_a_lock_that_wants_a_pin_is_told_the_one_that_was_filled_in(home: MatterHome):
    """Without a PIN nothing is sent; with the one of the hub's form the lock obeys; a wrong one is named."""
    await home.plant_code(FRONT_DOOR, 3, PIN)
    await home.want_pin(FRONT_DOOR, is_wanted=True)
    await home.pass_time(2)
    ended = await home.run("UNLOCK_DOOR")
    assert (why(ended), "wants a PIN" in ended.failure[1]) == ("command_refused", True)
    for pin, because in (("1111", "does not accept the PIN"), ("1", "a length"), (PIN, None)):
        settings = {"url": home.url, "remote_pin": pin}
        hub = Hub(home.account.id, "home", home.account.hub_id, settings)
        home.driver.follow(hub, home.driver._tell[home.account.id])
        await home.pass_time(0.1)
        await home.all_online()
        ended = await home.run("UNLOCK_DOOR")
        assert (ended.failure is None) if because is None else (because in ended.failure[1])
    assert await home.is_locked(FRONT_DOOR) is False
    await home.want_pin(FRONT_DOOR, is_wanted=False)
    await home.plant_code(FRONT_DOOR, 3, None)
    await home.pass_time(2)


async def test_codes_are_where_nobody_s_are(home: MatterHome):
    """A code goes where none is; one that was there before is seen, not read, and never touched."""
    await home.plant_code(FRONT_DOOR, 8, "9182")
    keypad, place, written = memory(home), new_id(), slot(home, "4711", "Guest")
    assert await done(home, keypad.set_code(place, written)) is Evidence.DEVICE_ACCEPTED
    assert await home.codes(FRONT_DOOR) == {8: "9182", 7: "4711"}
    holds = await done(home, keypad.fetch_codes())
    assert holds.keys() == {place, "slot-8"}
    assert holds[place].is_like(written)
    assert home.pins.open(holds["slot-8"].pin) == ""
    with pytest.raises(DuplicateOnDevice):
        await done(home, keypad.set_code(new_id(), slot(home, "4711")))
    with pytest.raises(CommandRefused):
        await done(home, keypad.set_code(new_id(), slot(home, "9182")))
    with pytest.raises(NotSupported):
        await done(home, keypad.set_code(new_id(), slot(home, "123456789")))
    assert await home.codes(FRONT_DOOR) == {8: "9182", 7: "4711"}
    assert await done(home, keypad.set_code(place, slot(home, "47110"))) is Evidence.DEVICE_ACCEPTED
    assert await home.codes(FRONT_DOOR) == {8: "9182", 7: "47110"}
    for _ in range(2):
        await done(home, keypad.clear_code(place))
    assert await home.codes(FRONT_DOOR) == {8: "9182"}
    await done(home, keypad.clear_code("slot-8"))
    assert await home.codes(FRONT_DOOR) == {}


async def test_who_entered_a_code_is_told(home: MatterHome):
    """An entry names the code that was entered, by where it is; so it does after a restart of the server."""
    place = new_id()
    await done(home, memory(home).set_code(place, slot(home, "4711")))
    [(number, _)] = (await home.codes(FRONT_DOOR)).items()
    await home.close()
    home.boot()
    await home.engine.start()
    await home.all_online()
    await home.turn(FRONT_DOOR, locked=False, source=AT_KEYPAD, slot=number)
    await home.pass_time(2)
    [event] = await home.told("lock.unlocked")
    assert (event.payload["method"], event.payload["access_code_id"]) == ("keycode", place)
    await done(home, memory(home).clear_code(place))
    assert await home.codes(FRONT_DOOR) == {}
    assert why(await home.run("LOCK_DOOR")) is None


async def test_a_thermostat_is_set(home: MatterHome):
    """Mode, set points and fan are set, confirmed and read back; what is set at the device is no command."""
    ended = await home.run("SET_HVAC_MODE", ROOM, hvac_mode_setting="heat", heating_set_point_celsius=23.5)
    assert (why(ended), ended.evidence.confirms) == (None, True)
    assert why(await home.run("SET_FAN_MODE", ROOM, fan_mode_setting="on")) is None
    so = await home.look(ROOM)
    assert (so["systemMode"], so["heat"], so["fanMode"]) == (4, 2_350, 1)
    state = home.device(ROOM).state
    assert (state["hvac_mode_setting"], state["heating_set_point_celsius"]) == ("heat", 23.5)
    await home.pass_time(3.1)
    before = len(await home.told("thermostat.manually_adjusted"))
    await home.set_heat(2_100)
    await home.pass_time(2)
    assert home.device(ROOM).state["heating_set_point_celsius"] == 21
    told = (await home.told("thermostat.manually_adjusted"))[before:]
    assert [each.payload["method"] for each in told] == ["external"]


async def test_both_set_points_move_together(home: MatterHome):
    """Set points that must keep their distance are moved in the order in which they can be, both ways."""
    for heat, cool in ((26, 30), (10, 17), (20, 26)):
        ended = await home.run(
            "SET_HVAC_MODE",
            ROOM,
            hvac_mode_setting="heat_cool",
            heating_set_point_celsius=heat,
            cooling_set_point_celsius=cool,
        )
        assert why(ended) is None
        so = await home.look(ROOM)
        assert (so["systemMode"], so["heat"], so["cool"]) == (1, heat * 100, cool * 100)
    assert why(await home.run("SET_HVAC_MODE", ROOM, hvac_mode_setting="off")) is None
