"""What an action says of a device that is offline: doors fail at once, others may wait until it is back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from thumbturn.domain.attempt import Phase
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.clock import seconds
from thumbturn.domain.failures import DeviceOffline
from thumbturn.domain.policy import AfterCrash, WhenOffline
from thumbturn.engine.acceptance import Timing

DAY = seconds(86_400)
A_DAY = Timing(deadline=DAY)


@pytest.fixture
async def patient(house):
    """The house, where setting the auto-lock waits for its device."""
    action = house.actions["CONFIGURE_AUTO_LOCK"]
    house.actions["CONFIGURE_AUTO_LOCK"] = replace(action, when_offline=WhenOffline.WAIT)
    await house.revive()
    return house


async def begin(house, door, timing=A_DAY):
    """An attempt of the action that waits."""
    ask = {"auto_lock_enabled": True, "auto_lock_delay_seconds": 5}
    return await house.begin("CONFIGURE_AUTO_LOCK", door, timing, **ask)


def stages(attempt):
    """The words of its timeline."""
    return [mark.stage for mark in attempt.marks]


async def disconnect(house, door):
    await house.engine.sandbox.disconnect(house.workspace, door.id)


async def connect(house, door):
    await house.engine.sandbox.connect(house.workspace, door.id)
    await house.clock.settle()


def test_doors_never_wait(house):
    """Codes wait for their lock; every other action says of itself that it does not wait."""
    waiting = {type for type, action in house.actions.items() if action.when_offline is WhenOffline.WAIT}
    assert waiting == {type for type, action in house.actions.items() if action.needs is CodeMemory}


async def test_a_door_that_is_offline_fails_at_once(house):
    """However long its deadline is."""
    door = await house.lock()
    await disconnect(house, door)
    begun = await house.begin("UNLOCK_DOOR", door, A_DAY)
    await house.clock.settle()
    assert (await house.stored(begun)).failure[0] == "device_offline"


async def test_what_waits_is_sent_when_the_device_is_back(patient):
    """Hours later, once, and its timeline says what it waited for."""
    door = await patient.device("Back Door")
    await disconnect(patient, door)
    begun = await begin(patient, door)
    assert begun.marks[-1].note == "its device is offline"
    await patient.clock.advance(DAY // 2)
    assert (await patient.stored(begun)).phase is Phase.QUEUED
    await connect(patient, door)
    done = await patient.stored(begun)
    assert done.status == "success"
    assert stages(done)[:3] == ["accepted", "queued", "sent"]


async def test_it_is_in_nobody_s_way_while_it_waits(patient):
    """A door command behind it fails at once, as it would without it."""
    door = await patient.device("Back Door")
    await disconnect(patient, door)
    waiting = await begin(patient, door)
    failed = await patient.run("UNLOCK_DOOR", door)
    assert failed.failure[0] == "device_offline"
    assert (await patient.stored(waiting)).phase is Phase.QUEUED


async def test_a_device_that_goes_away_while_it_waits_for_its_turn_is_waited_for(patient):
    """All that wait step aside at once, however many; the first to be accepted goes first afterwards."""
    door = await patient.device("Back Door")
    await patient.fault(door, "slow", times=1, ms=5_000)
    first = await patient.begin("UNLOCK_DOOR", door)
    waiting = [await begin(patient, door) for _ in range(2_000)]
    await disconnect(patient, door)
    await patient.clock.advance(seconds(31))
    assert (await patient.stored(first)).phase.is_final
    assert {(await patient.stored(each)).phase for each in waiting} == {Phase.QUEUED}
    assert len(patient.engine._dispatch.held) == 2_000
    await connect(patient, door)
    await patient.clock.advance(seconds(1))
    done = [await patient.stored(each) for each in waiting]
    assert {each.status for each in done} == {"success"}
    sent = [next(mark.at for mark in each.marks if mark.stage == "sent") for each in done]
    assert sent == sorted(sent)


async def test_nothing_was_sent_to_a_device_that_turned_out_to_be_offline(patient):
    """It goes back from sent to queued, because its driver knows; and it is tried again after a while."""
    door = await patient.device("Back Door")
    link = patient.driver._world  # the hub notices nothing: what it believes stays
    link.observe, heard = (lambda seen: None), link.observe
    patient.driver.disconnect(door.id)
    begun = await begin(patient, door)
    await patient.clock.settle()
    found = await patient.stored(begun)
    assert found.phase is Phase.QUEUED
    assert stages(found) == ["accepted", "sent", "postponed"]
    patient.driver.connect(door.id)
    link.observe = heard
    await patient.clock.advance(seconds(61))
    done = await patient.stored(begun)
    assert (done.status, stages(done)[:4]) == ("success", ["accepted", "sent", "postponed", "sent"])


async def test_what_was_postponed_expires_as_not_sent_and_can_be_cancelled(patient):
    """The device has certainly not acted, and both ends say so."""
    door = await patient.device("Back Door")
    patient.driver._world.observe = lambda seen: None
    patient.driver.disconnect(door.id)
    expiring, unwanted = await begin(patient, door), await begin(patient, door)
    await patient.clock.advance(seconds(100))
    await patient.engine.begun.cancel("w1", unwanted.id, "key k1")
    await patient.clock.advance(DAY)
    assert (await patient.stored(expiring)).failure[0] == "action_attempt_expired"
    assert (await patient.stored(unwanted)).failure[0] == "cancelled"
    assert (patient.engine._dispatch.open, len(patient.engine._dispatch.held)) == ({}, 0)


async def test_the_deadline_ends_the_waiting(patient):
    """A device that does not come back in time is not surprised later."""
    door = await patient.device("Back Door")
    await disconnect(patient, door)
    begun = await begin(patient, door)
    await patient.clock.advance(DAY + seconds(1))
    assert (await patient.stored(begun)).failure[0] == "action_attempt_expired"
    before = patient.commands(door)
    await connect(patient, door)
    assert patient.commands(door)[len(before) :] == ["connect"]


async def test_waiting_survives_a_restart(patient):
    """The next process waits on, and sends when the device is back."""
    door = await patient.device("Back Door")
    await disconnect(patient, door)
    begun = await begin(patient, door)
    await patient.revive()
    assert (await patient.stored(begun)).phase is Phase.QUEUED
    await connect(patient, door)
    assert (await patient.stored(begun)).status == "success"


async def test_one_that_may_have_been_sent_waits_too_and_never_says_that_it_was_not(patient):
    """Sent, then the server died, then the device went away: sent again when it is back, or unknown."""
    door = await patient.device("Back Door")
    assert patient.actions["CONFIGURE_AUTO_LOCK"].after_crash is AfterCrash.RESEND
    await patient.fault(door, "slow", times=1, ms=20_000)
    begun, lost = await begin(patient, door), await begin(patient, door, Timing(deadline=seconds(50)))
    await patient.clock.settle()
    patient.driver._world.observe = lambda seen: None
    patient.driver.disconnect(door.id)
    await patient.die()
    patient.store._attempts[lost.id] = (await patient.stored(lost))._replace(phase=Phase.SENT)
    patient.boot()
    await patient.open()
    await patient.clock.advance(seconds(60))
    assert (await patient.stored(lost)).failure[0] == "outcome_unknown"
    assert (await patient.stored(begun)).phase is Phase.SENT
    await connect(patient, door)
    await patient.clock.advance(seconds(31))
    assert (await patient.stored(begun)).status == "success"


async def test_waiting_for_a_moment_and_then_for_the_device(patient):
    """Both must be so: its time has come, and its device is there."""
    door = await patient.device("Back Door")
    await disconnect(patient, door)
    begun = await begin(patient, door, Timing(patient.clock.now() + seconds(100), DAY))
    await patient.clock.advance(seconds(200))
    assert (await patient.stored(begun)).phase is Phase.QUEUED
    await connect(patient, door)
    assert (await patient.stored(begun)).status == "success"


async def test_a_failure_that_is_not_about_being_offline_is_the_end(patient):
    """Only what was certainly not sent is kept; a refusal is a refusal."""
    door = await patient.device("Back Door")
    await patient.fault(door, "refuse", times=1)
    begun = await begin(patient, door)
    await patient.clock.settle()
    assert (await patient.stored(begun)).failure[0] == "command_refused"
    assert DeviceOffline.may_have_acted is False
