"""What ``zwave_js`` may say and when: each test takes a ``home`` that is a fake or the real stack.

Run on the fake by ``test_zwave_js.py`` here, on the real stack by ``labs/test_zwave_js.py``.
"""

from __future__ import annotations

import pytest

from tests.fixtures.zwave_home import PLAIN, SECURE, SUPERVISED, THERMOSTAT, ZwaveHome
from thumbturn.domain.access_code import Slot
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.clock import seconds
from thumbturn.domain.event import Event
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import DuplicateOnDevice
from thumbturn.domain.ids import new_id
from thumbturn.engine.acceptance import Timing

MOVES = ("lock.locked", "lock.unlocked")


def why(attempt) -> str | None:
    """The type of its failure."""
    return None if attempt.failure is None else attempt.failure[0]


async def told_after(home: ZwaveHome, count: int, *types: str) -> list[Event]:
    """The events among these types once there are so many, and whatever else comes in a moment after."""
    for _ in range(200):
        if len(await home.told(*types)) >= count:
            break
        await home.pass_time(0.1)
    await home.pass_time(1.0)
    return await home.told(*types)


async def memory(home: ZwaveHome, address: str = SUPERVISED) -> CodeMemory:
    """What a lock's keypad is commanded by."""
    found = home.driver.offer(home.device(address), CodeMemory)
    assert found is not None
    return found


def slot(home: ZwaveHome, pin: str, name: str | None = None, address: str = SUPERVISED) -> Slot:
    """A code as it comes to a lock."""
    return Slot(pin=home.pins.seal(pin), pin_key=home.pins.key_of(home.device(address).id, pin), name=name)


async def test_devices_are_what_they_say(home: ZwaveHome):
    """Locks and thermostats are found with what they offer, and read before they are online."""
    lock, thermostat = home.device(SUPERVISED), home.device(THERMOSTAT)
    assert (lock.device_type, thermostat.device_type) == ("zwave_lock", "zwave_thermostat")
    assert lock.capabilities >= {"lock", "keypad", "access_codes", "battery"}
    assert lock.details["supported_code_lengths"] == [4, 5, 6, 7, 8, 9, 10]
    assert lock.details["max_active_codes_supported"] == 8
    assert (lock.state["locked"], lock.state["battery_level"]) == (True, 0.87)
    assert thermostat.details["available_hvac_mode_settings"] == ["off", "heat", "cool", "heat_cool"]
    assert thermostat.details["available_fan_mode_settings"] == ["auto", "on", "circulate"]
    assert thermostat.details["max_heating_set_point_celsius"] == 30
    assert await home.told(*MOVES) == []


@pytest.mark.parametrize("address", [SUPERVISED, SECURE], ids=["supervised", "encrypted"])
async def test_supervision_is_the_lock_s_word(home: ZwaveHome, address: str):
    """A supervised lock that says that it did it has done it; the evidence and the message are on record."""
    ended = await home.run("UNLOCK_DOOR", address)
    # Its report may be there before its answer is.
    assert why(ended) is None
    assert ended.evidence >= Evidence.DEVICE_ACCEPTED
    assert await home.is_locked(address) is False
    assert any("Supervision" in mark.note or "98/currentMode" in mark.note for mark in ended.marks)
    [event] = await told_after(home, 1, "lock.unlocked")
    assert (event.payload["method"], event.action_attempt_id) == ("remote", ended.id)
    assert why(await home.run("LOCK_DOOR", address)) is None


async def test_a_report_after_the_command_is_the_lock_s_word(home: ZwaveHome):
    """Without supervision the radio's word is none; success is what the lock reports when it has moved."""
    ended = await home.run("UNLOCK_DOOR", PLAIN)
    assert (why(ended), ended.evidence) == (None, Evidence.STATE_REPORT)
    assert await home.is_locked(PLAIN) is False
    assert [mark.evidence for mark in ended.marks if "254" in mark.note] == [Evidence.RADIO_ACK]
    assert why(await home.run("LOCK_DOOR", PLAIN)) is None


@pytest.mark.parametrize("address", [SUPERVISED, PLAIN])
async def test_a_jam_is_its_own_cause(home: ZwaveHome, address: str):
    """A bolt that jams is said to have jammed, each time anew, and a free one moves again."""
    await home.fault(address, "jam")
    for _ in range(2):
        assert why(await home.run("UNLOCK_DOOR", address)) == "lock_jammed"
    assert await home.is_locked(address) is True
    await home.fault(address, "")
    assert why(await home.run("UNLOCK_DOOR", address)) is None
    assert why(await home.run("LOCK_DOOR", address)) is None


async def test_a_jam_where_the_bolt_was_already_is_no_other_command_s(home: ZwaveHome):
    """It reports that it is locked, as before, and then that it jammed: both are of that command."""
    await home.fault(PLAIN, "jam")
    assert why(await home.run("LOCK_DOOR", PLAIN)) == "lock_jammed"
    await home.fault(PLAIN, "")
    assert why(await home.run("UNLOCK_DOOR", PLAIN)) is None
    assert why(await home.run("LOCK_DOOR", PLAIN)) is None


async def test_a_refusal_is_its_own_cause(home: ZwaveHome):
    """A lock that says no has refused."""
    await home.fault(SUPERVISED, "reject")
    assert why(await home.run("UNLOCK_DOOR")) == "command_refused"
    assert await home.is_locked(SUPERVISED) is True


async def test_a_lock_that_moves_and_says_nothing_is_asked(home: ZwaveHome):
    """What a lock does not report by itself it is asked for, and its answer is success."""
    await home.fault(PLAIN, "silent")
    ended = await home.run("UNLOCK_DOOR", PLAIN)
    assert (why(ended), ended.evidence) == (None, Evidence.STATE_REPORT)
    await home.fault(PLAIN, "")
    assert why(await home.run("LOCK_DOOR", PLAIN)) is None


async def test_silence_is_no_success(home: ZwaveHome):
    """A lock that takes a command and says nothing, not even when it is asked, has an unknown outcome."""
    await home.fault(PLAIN, "ack_only")
    within = seconds(8)
    ended = await home.run("UNLOCK_DOOR", PLAIN, timing=Timing(deadline=within))
    assert why(ended) == "outcome_unknown"
    assert ended.settled_at is not None
    assert within <= ended.settled_at - ended.accepted_at <= within + seconds(1)
    assert await home.told("lock.unlocked") == []


async def test_a_dead_lock_is_unreachable_and_holds_up_nobody(home: ZwaveHome):
    """A lock that its hub cannot reach says so, is offline once, and is not tried with commands again."""
    await home.fault(SUPERVISED, "dead")
    assert why(await home.run("UNLOCK_DOOR")) == "device_unreachable"
    await home.until(lambda: not home.device().online)
    again = await home.begin("UNLOCK_DOOR")
    other = await home.run("UNLOCK_DOOR", PLAIN)
    assert why(await home.end_of(again)) == "device_offline"
    # Its own motor takes 1.5 s: the dead one has not cost it three seconds more.
    assert other.settled_at is not None
    assert other.settled_at - other.accepted_at < 4_000_000
    assert len(await home.told("device.disconnected")) == 1
    assert why(await home.run("LOCK_DOOR", PLAIN)) is None
    await home.fault(SUPERVISED, "")
    await home.all_online()
    assert why(await home.run("LOCK_DOOR")) is None


async def test_what_happens_at_the_door_is_told_once(home: ZwaveHome):
    """A key, a code and a battery are told once each, in order, with who did it."""
    await home.at_keypad(SUPERVISED, 7)
    await told_after(home, 1, *MOVES)
    await home.by_hand(SUPERVISED, locked=True)
    await told_after(home, 2, *MOVES)
    await home.drain(SUPERVISED, 5)
    await told_after(home, 1, "device.low_battery")
    assert [(each.event_type, each.payload["method"]) for each in await home.told(*MOVES)] == [
        ("lock.unlocked", "keycode"),
        ("lock.locked", "manual"),
    ]
    assert len(await home.told("device.low_battery")) == 1
    await home.drain(SUPERVISED, 87)


@pytest.mark.parametrize(
    ("type", "event", "reason"),
    [(6, 19, "too_many_attempts"), (6, 16, "too_many_attempts"), (7, 4, "unknown_code")],
    ids=["too many tries", "keypad off for a while", "wrong code"],
)
async def test_a_keypad_that_lets_nobody_in_says_why(home: ZwaveHome, type: int, event: int, reason: str):
    """Somebody who is not let in is told of once, with the reason that the lock gives."""
    await home.notify(SUPERVISED, event, type)
    [told] = await told_after(home, 1, "lock.access_denied")
    assert told.payload["reason"]["reason_code"] == reason
    assert await home.told(*MOVES) == []


async def test_after_the_hub_was_restarted_everything_is_read(home: ZwaveHome):
    """While the hub is away its devices are offline, told once; after that they are as they really are."""
    await home.run("UNLOCK_DOOR")
    await home.restart_hub()
    await home.until(lambda: not home.device().online)
    await home.all_online()
    assert home.device().state["locked"] is await home.is_locked(SUPERVISED)
    lost = await home.told("device.disconnected")
    assert sorted(each.device_id or "" for each in lost) == sorted(each.id for each in home.devices())
    assert {each.payload["error_code"] for each in lost} == {"hub_disconnected"}
    assert why(await home.run("LOCK_DOOR")) is None


async def test_commands_that_the_hub_dies_under_are_settled(home: ZwaveHome):
    """Whatever was under way when the hub died ends in time; success is said of nothing that is not so."""
    soon = Timing(deadline=seconds(10))
    attempts = [await home.begin("UNLOCK_DOOR", each, soon) for each in (SUPERVISED, PLAIN) for _ in range(3)]
    await home.restart_hub()
    for attempt in attempts:
        ended = await home.end_of(attempt)
        assert ended.phase.is_final
        assert ended.deadline_at + seconds(1) >= (ended.settled_at or 0)
    await home.all_online()
    for address in (SUPERVISED, PLAIN):
        assert home.device(address).state["locked"] is await home.is_locked(address)
        assert why(await home.run("LOCK_DOOR", address)) is None


async def test_a_server_that_was_killed_reads_the_bolt(home: ZwaveHome):
    """After a crash an unlock that was sent is not sent again: the bolt is read, and says what came."""
    await home.fault(PLAIN, "silent")
    attempt = await home.begin("UNLOCK_DOOR", PLAIN)
    await home.pass_time(0.4)
    await home.crash()
    ended = await home.end_of(attempt)
    assert (why(ended), ended.evidence) == (None, Evidence.STATE_REPORT)
    await home.fault(PLAIN, "")
    await home.all_online()
    assert why(await home.run("LOCK_DOOR", PLAIN)) is None


async def test_codes_are_where_nobody_s_are(home: ZwaveHome):
    """A code goes where none is, is read back, and one that was there before is seen and never touched."""
    await home.plant_code(SUPERVISED, 8, "9182")
    keypad, place = await memory(home), new_id()
    writing = home.soon(keypad.set_code(place, slot(home, "4711", "Guest")))
    await home.until(writing.done)
    assert writing.result() is Evidence.DEVICE_ACCEPTED
    held = await home.codes(SUPERVISED)
    assert (held[8], sorted(held.values())) == ("9182", ["4711", "9182"])
    reading = home.soon(keypad.fetch_codes())
    await home.until(reading.done)
    holds = reading.result()
    assert holds is not None
    assert holds.keys() == {place, "slot-8"}
    assert holds[place].is_like(slot(home, "4711", "Guest"))
    assert home.pins.open(holds["slot-8"].pin) == "9182"
    with pytest.raises(DuplicateOnDevice):
        await keypad.set_code(new_id(), slot(home, "9182"))
    clearing = home.soon(keypad.clear_code(place))
    await home.until(clearing.done)
    assert await home.codes(SUPERVISED) == {8: "9182"}
    clearing = home.soon(keypad.clear_code("slot-8"))
    await home.until(clearing.done)


async def test_who_entered_a_code_is_told(home: ZwaveHome):
    """An entry names the code that was entered, by the slot that it is in; so it does after a restart."""
    keypad, place = await memory(home), new_id()
    writing = home.soon(keypad.set_code(place, slot(home, "4711")))
    await home.until(writing.done)
    [(number, _)] = (await home.codes(SUPERVISED)).items()
    await home.close()
    home.boot()
    await home.engine.start()
    await home.all_online()
    await home.at_keypad(SUPERVISED, number)
    [event] = await told_after(home, 1, "lock.unlocked")
    assert (event.payload["method"], event.payload["access_code_id"]) == ("keycode", place)
    clearing = home.soon((await memory(home)).clear_code(place))
    await home.until(clearing.done)
    assert await home.codes(SUPERVISED) == {}
    assert why(await home.run("LOCK_DOOR")) is None


async def test_a_thermostat_is_set(home: ZwaveHome):
    """Mode, set point and fan are set and known; what the thermostat measures follows."""
    ended = await home.run(
        "SET_HVAC_MODE", THERMOSTAT, hvac_mode_setting="heat", heating_set_point_celsius=23.5
    )
    assert why(ended) is None
    assert ended.evidence.confirms
    assert why(await home.run("SET_FAN_MODE", THERMOSTAT, fan_mode_setting="on")) is None
    await home.until(lambda: home.device(THERMOSTAT).state.get("is_fan_running"))
    await home.until(lambda: home.device(THERMOSTAT).state.get("is_heating"))
    state = home.device(THERMOSTAT).state
    assert (state["hvac_mode_setting"], state["heating_set_point_celsius"]) == ("heat", 23.5)
    assert (state["is_heating"], state["is_fan_running"]) == (True, True)
