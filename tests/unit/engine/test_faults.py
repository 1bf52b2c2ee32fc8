"""Every way in which a virtual lock can misbehave, with the outcome that honesty asks for."""

from __future__ import annotations

import pytest

from tests.fixtures.engine import outcome
from thumbturn.domain.clock import MILLISECOND, seconds
from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence

SOON = seconds(5)


async def test_a_sound_lock_confirms_by_itself(house):
    """The device's own report makes a confirmed success, at once."""
    door = await house.lock()
    attempt = await house.run("UNLOCK_DOOR", door)
    assert outcome(attempt) == ("success", None, True, Evidence.STATE_REPORT)
    assert (await house.store.device("w1", door.id)).state["locked"] is False


async def test_a_motor_takes_its_time_and_success_waits_for_it(house):
    """Accepted is not unlocked: the attempt stays pending until the bolt has moved."""
    door = await house.lock(travel=1500)
    attempt = await house.run("UNLOCK_DOOR", door)
    assert attempt.status == "pending"
    await house.clock.advance(seconds(1.4))
    assert (await house.stored(attempt)).status == "pending"
    await house.clock.advance(seconds(0.2))
    assert outcome(await house.stored(attempt)) == ("success", None, True, Evidence.STATE_REPORT)


async def test_an_offline_lock_fails_at_once_and_is_not_touched(house):
    """device_offline, and nothing reached the device."""
    door = await house.lock()
    await house.fault(door, "offline")
    before = house.commands(door)
    assert outcome(await house.run("UNLOCK_DOOR", door))[:2] == ("error", "device_offline")
    assert "unlock" not in house.commands(door)[len(before) :]


async def test_a_refusal_is_the_devices_own_no(house):
    """command_refused."""
    door = await house.lock()
    await house.fault(door, "refuse", times=1)
    assert outcome(await house.run("UNLOCK_DOOR", door))[:2] == ("error", "command_refused")
    assert (await house.run("UNLOCK_DOOR", door)).status == "success"


async def test_a_jam_is_told_as_a_jam(house):
    """lock_jammed; the door is not said to be unlocked."""
    door = await house.lock()
    await house.fault(door, "jam", times=1)
    assert outcome(await house.run("UNLOCK_DOOR", door))[:2] == ("error", "lock_jammed")
    assert (await house.store.device("w1", door.id)).state["locked"] is True
    assert "lock.unlocked" not in await house.told()


async def test_a_silent_lock_leaves_the_outcome_unknown_at_the_deadline(house):
    """It acted and said nothing: outcome_unknown, not before every chance to hear of it is over."""
    door = await house.lock()
    await house.fault(door, "silent", times=1)
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(29))
    assert (await house.stored(attempt)).status == "pending"
    await house.clock.advance(seconds(2))
    assert outcome(await house.stored(attempt))[:2] == ("error", "outcome_unknown")


async def test_a_silent_lock_that_speaks_later_is_late_truth(house):
    """What comes after the end is appended and changes nothing but the device."""
    door = await house.lock()
    await house.fault(door, "silent", times=1)
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(31))
    ended = await house.stored(attempt)
    await house.engine.sandbox.clear_faults(house.workspace, door.id)
    await house.clock.settle()
    timeline = await house.timeline(attempt)
    assert timeline.attempt == ended
    assert [mark.stage for mark in timeline.late] == ["late"]
    assert (await house.store.device("w1", door.id)).state["locked"] is False
    assert (await house.told("lock.unlocked")) == ["lock.unlocked"]


async def test_a_mere_radio_acknowledgement_is_success_that_nobody_confirmed(house):
    """was_confirmed_by_device is false, within the 5 s for which the official SDK waits."""
    door = await house.lock()
    await house.fault(door, "ack_only", times=1)
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(SOON)
    assert outcome(await house.stored(attempt)) == ("success", None, False, Evidence.RADIO_ACK)


async def test_a_workspace_may_ask_for_more_than_a_radio_acknowledgement(house):
    """Then the same is outcome_unknown."""
    from dataclasses import replace

    house.workspace = replace(house.workspace, required_evidence=Evidence.DEVICE_ACCEPTED)
    door = await house.lock()
    await house.fault(door, "ack_only", times=1)
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(SOON)
    assert outcome(await house.stored(attempt))[:2] == ("error", "outcome_unknown")


async def test_a_lie_is_believed_where_nothing_contradicts_it_with_its_grade_on_record(house):
    """The device's word is all there is: success, by state_report and not by a sensor."""
    door = await house.lock()
    await house.fault(door, "lie", times=1)
    assert outcome(await house.run("UNLOCK_DOOR", door)) == ("success", None, True, Evidence.STATE_REPORT)


async def test_a_lie_is_found_out_where_a_sensor_watches_the_bolt(house):
    """Lock and sensor contradict each other: nobody knows, and it is said so."""
    door = await house.device("Back Door")
    await house.fault(door, "lie", times=1)
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(SOON)
    ended = await house.stored(attempt)
    assert outcome(ended)[:2] == ("error", "outcome_unknown")
    assert "sensor" in ended.failure[1]
    assert (await house.store.device("w1", door.id)).state["locked"] is True


async def test_a_sensor_that_agrees_is_the_strongest_evidence(house):
    """independent_sensor."""
    door = await house.device("Back Door")
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(SOON)
    assert outcome(await house.stored(attempt)) == ("success", None, True, Evidence.INDEPENDENT_SENSOR)


async def test_a_slow_lock_is_waited_for(house):
    """Slowness is not failure."""
    door = await house.lock()
    await house.fault(door, "slow", times=1, ms=8_000)
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(7))
    assert (await house.stored(attempt)).status == "pending"
    await house.clock.advance(seconds(2))
    assert outcome(await house.stored(attempt)) == ("success", None, True, Evidence.STATE_REPORT)


async def test_a_bolt_that_is_found_on_its_way_is_not_called_jammed(house):
    """A bolt that is where it was when the lock is asked may still be moving: it is given its time."""
    for travel in (3_000, 6_000, 11_000):
        door = await house.lock(travel=travel)
        attempt = await house.run("UNLOCK_DOOR", door)
        await house.clock.advance(travel * MILLISECOND + seconds(0.5))
        assert outcome(await house.stored(attempt)) == ("success", None, True, Evidence.STATE_REPORT)


async def test_a_bolt_that_stays_where_it_was_is_told_as_that(house):
    """Found in its old place again after longer than a motor turns, it has not moved."""
    door = await house.lock(travel=20_000)
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(12))
    assert (await house.stored(attempt)).status == "pending"
    await house.clock.advance(seconds(2))
    assert outcome(await house.stored(attempt))[:2] == ("error", "lock_jammed")


async def test_a_lock_that_falls_silent_after_its_first_answer_is_unknown(house):
    """Its bolt was not there yet, and then nobody answers: what became of it, nobody knows."""
    door = await house.lock(travel=20_000)
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(5))
    house.driver.disconnect(door.id)
    await house.clock.advance(seconds(12))
    assert outcome(await house.stored(attempt))[:2] == ("error", "outcome_unknown")


async def test_a_lock_slower_than_the_deadline_ends_unknown_and_its_report_is_late(house):
    """The caller's time is over; what the lock says after that is appended."""
    door = await house.lock()
    await house.fault(door, "slow", times=1, ms=40_000)
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(31))
    assert outcome(await house.stored(attempt))[:2] == ("error", "outcome_unknown")
    await house.clock.advance(seconds(20))
    assert [mark.stage for mark in (await house.timeline(attempt)).late] == ["late"]


async def test_a_lock_that_dies_mid_way_leaves_the_outcome_unknown(house):
    """It took the command and went off the air; that it is gone is told as well."""
    door = await house.lock(travel=500)
    await house.fault(door, "dead_mid_way", times=1)
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(SOON)
    assert outcome(await house.stored(attempt))[:2] == ("error", "outcome_unknown")
    assert "device.disconnected" in await house.told()


@pytest.mark.parametrize(
    ("fault", "status", "failure"),
    [
        ("offline", "error", "device_offline"),
        ("refuse", "error", "command_refused"),
        ("ack_only", "success", None),
        ("silent", "error", "outcome_unknown"),
        ("slow", "success", None),
        ("dead_mid_way", "error", "outcome_unknown"),
    ],
)
async def test_setting_the_auto_lock_is_as_honest_as_moving_the_bolt(house, fault, status, failure):
    """The same faults, the same outcomes."""
    door = await house.lock()
    await house.fault(door, fault, times=1, ms=500)
    ask = {"auto_lock_enabled": True, "auto_lock_delay_seconds": 20}
    attempt = await house.run("CONFIGURE_AUTO_LOCK", door, **ask)
    await house.clock.advance(seconds(31))
    ended = await house.stored(attempt)
    assert (ended.status, ended.failure and ended.failure[0]) == (status, failure)


async def test_auto_lock_is_set_and_then_happens(house):
    """The setting is confirmed, and the door locks itself by it."""
    door = await house.lock(locked=False)
    ask = {"auto_lock_enabled": True, "auto_lock_delay_seconds": 20}
    attempt = await house.run("CONFIGURE_AUTO_LOCK", door, **ask)
    assert attempt.status == "success"
    await house.clock.advance(seconds(21))
    state = (await house.store.device("w1", door.id)).state
    assert (state["auto_lock_enabled"], state["auto_lock_delay_seconds"], state["locked"]) == (True, 20, True)


async def test_a_known_code_at_the_keypad_opens_and_an_unknown_one_is_refused_at_the_door(house):
    """Both were entered; the events say what came of it, and the code is on no record."""
    door = await house.lock()
    good = await house.run("SIMULATE_KEYPAD_CODE_ENTRY", door, code="1234")
    assert good.status == "success"
    assert "lock.unlocked" in await house.told()
    bad = await house.run("SIMULATE_KEYPAD_CODE_ENTRY", door, code="9876")
    assert bad.status == "success"
    assert "lock.access_denied" in await house.told()
    assert "9876" not in repr(await house.timeline(bad))
    assert "1234" not in repr(await house.timeline(good))


async def test_the_lock_key_of_the_keypad_locks(house):
    """SIMULATE_MANUAL_LOCK_VIA_KEYPAD."""
    door = await house.lock(locked=False)
    assert (await house.run("SIMULATE_MANUAL_LOCK_VIA_KEYPAD", door)).status == "success"
    assert (await house.store.device("w1", door.id)).state["locked"] is True


async def test_a_setting_that_the_device_took_and_does_not_have_is_told_as_that(house, monkeypatch):
    """It said yes, and is found to be set as before, also after longer than it may take: command_refused."""
    room = await house.device("Living Room")

    async def says_yes(self, setting):
        return Evidence.DEVICE_ACCEPTED

    monkeypatch.setattr("thumbturn.drivers.virtual.thermostats.VirtualThermostat.set_climate", says_yes)
    attempt = await house.run("SET_HVAC_MODE", room, hvac_mode_setting="off")
    await house.clock.advance(seconds(12))
    assert (await house.stored(attempt)).status == "pending"
    await house.clock.advance(seconds(2))
    assert outcome(await house.stored(attempt))[:2] == ("error", "command_refused")


def says(house, device, **changes):
    """The device reports, as if it were over a command."""
    seen = Observation(device.id, house.clock.now(), changes, method="remote")
    house.engine._observations.observe(seen)


async def test_a_jam_before_the_bolt_arrived_is_none(house, monkeypatch):
    """Somebody held the thumb turn, then the bolt gave way and the lock says so: it has moved."""
    door = await house.lock()

    async def unlock(self):
        says(house, door, jammed=True)
        says(house, door, locked=False, jammed=False)
        return Evidence.DEVICE_ACCEPTED

    monkeypatch.setattr("thumbturn.drivers.virtual.locks.VirtualLock.unlock", unlock)
    assert outcome(await house.run("UNLOCK_DOOR", door))[:2] == ("success", None)


async def test_a_jam_that_is_over_when_it_is_looked_at_is_none(house, monkeypatch):
    """Both came while it was waited for, the better word last: that one counts, and alone it is a jam."""
    door = await house.lock()

    async def unlock(self):
        return Evidence.RADIO_ACK

    monkeypatch.setattr("thumbturn.drivers.virtual.locks.VirtualLock.unlock", unlock)
    attempt = await house.run("UNLOCK_DOOR", door)
    says(house, door, jammed=True)
    says(house, door, locked=False, jammed=False)
    await house.clock.settle()
    assert outcome(await house.stored(attempt))[:2] == ("success", None)
    says(house, door, locked=True)
    attempt = await house.run("UNLOCK_DOOR", door)
    says(house, door, jammed=True)
    await house.clock.settle()
    assert outcome(await house.stored(attempt))[:2] == ("error", "lock_jammed")
