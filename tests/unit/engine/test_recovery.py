"""The server dies and comes back: every policy, at every point where it can have died."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from tests.fixtures.engine import ACTIONS, outcome
from thumbturn.actions.sending import ARRIVES_WITHIN
from thumbturn.domain.clock import seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.policy import AfterCrash
from thumbturn.engine.acceptance import Timing


async def sent_and_lost(house, action_type, door, **ask):
    """An attempt that was sent when the server died; whether the device got it depends on the fault."""
    attempt = await house.begin(action_type, door, **ask)
    await house.clock.settle()
    assert (await house.stored(attempt)).status == "pending"
    return attempt


async def test_lock_is_sent_again(house):
    """RESEND: locking twice is locking once."""
    door = await house.lock(locked=False, travel=1000)
    attempt = await sent_and_lost(house, "LOCK_DOOR", door)
    await house.revive()
    await house.clock.advance(seconds(2))
    ended = await house.stored(attempt)
    assert outcome(ended)[:3] == ("success", None, True)
    assert "resent" in [mark.stage for mark in ended.marks]


async def test_unlock_is_never_sent_again_and_succeeds_if_the_bolt_is_found_open(house):
    """ASK_DEVICE: it had got through; reading the bolt is evidence."""
    door = await house.lock(travel=1000)
    attempt = await sent_and_lost(house, "UNLOCK_DOOR", door)
    await house.clock.advance(seconds(0.5))
    await house.die()
    await house.clock.advance(seconds(2))  # the motor runs on without the server
    house.boot()
    await house.open()
    await house.clock.settle()
    assert outcome(await house.stored(attempt)) == ("success", None, True, Evidence.STATE_REPORT)
    assert house.commands(door).count("unlock") == 1
    assert (await house.told("lock.unlocked")) == ["lock.unlocked"]


async def test_unlock_is_unknown_if_the_bolt_is_found_closed(house):
    """ASK_DEVICE: it may have been opened and closed again; nobody may say more."""
    door = await house.lock()
    await house.fault(door, "ack_only", times=1)
    attempt = await sent_and_lost(house, "UNLOCK_DOOR", door)
    await house.revive()
    assert (await house.stored(attempt)).status == "pending"  # its motor might still be running
    await house.clock.advance(ARRIVES_WITHIN)
    ended = await house.stored(attempt)
    assert outcome(ended)[:2] == ("error", "outcome_unknown")
    assert "locked after the server's restart" in ended.failure[1]
    assert "unlock" not in house.commands(
        door
    )  # the radio had it, the lock never did: nothing was sent again


async def test_a_motor_that_still_runs_when_the_server_is_back_is_waited_for(house):
    """ASK_DEVICE: the bolt is not where it was to go yet, and a moment later it is."""
    door = await house.lock(travel=4_000)
    attempt = await sent_and_lost(house, "UNLOCK_DOOR", door)
    await house.revive()
    assert (await house.device(door.name)).state["locked"] is True
    assert (await house.stored(attempt)).status == "pending"
    await house.clock.advance(seconds(4.1))
    assert outcome(await house.stored(attempt)) == ("success", None, True, Evidence.STATE_REPORT)
    assert house.commands(door).count("unlock") == 1


@pytest.mark.parametrize("fault", ["offline", "refuse"])
async def test_what_keeps_it_from_being_sent_again_does_not_say_what_was_done_before(house, fault):
    """RESEND: the device is offline, or refuses, after the restart; it may have acted before that."""
    door = await house.lock(locked=False, travel=1000)
    attempt = await sent_and_lost(house, "LOCK_DOOR", door)
    await house.die()
    house.boot()
    house.driver.attach([door])
    house.driver.inject_fault(door.id, fault, times=None, milliseconds=None)
    with patch.object(house.driver, "attach"):
        await house.open()
    await house.clock.settle()
    ended = await house.stored(attempt)
    assert outcome(ended)[:2] == ("error", "outcome_unknown")
    assert "restarted" in ended.failure[1]


async def test_unlock_is_unknown_if_the_device_does_not_answer(house, monkeypatch):
    """ASK_DEVICE: no answer is no evidence."""
    door = await house.lock()
    await house.fault(door, "ack_only", times=1)
    attempt = await sent_and_lost(house, "UNLOCK_DOOR", door)
    await house.die()
    house.boot()
    offer = house.driver.offer

    def deaf(device, capability):
        lock = offer(device, capability)
        monkeypatch.setattr(type(lock), "read_bolt", nothing)
        return lock

    async def nothing(self):
        return None

    monkeypatch.setattr(house.driver, "offer", deaf)
    await house.open()
    assert outcome(await house.stored(attempt))[:2] == ("error", "outcome_unknown")


async def test_a_keypad_entry_is_not_repeated(house):
    """FAIL: somebody would have to enter the code again."""
    door = await house.lock()
    await house.fault(door, "slow", times=1, ms=5_000)
    attempt = await sent_and_lost(house, "SIMULATE_KEYPAD_CODE_ENTRY", door, code="1234")
    await house.revive()
    assert outcome(await house.stored(attempt))[:2] == ("error", "outcome_unknown")


async def test_reconcile_looks_first_and_then_makes_it_so(house):
    """RECONCILE: its own recovery runs in the place of the action, and its outcome counts."""
    done = []

    async def look_and_mend(ask, lock, run):
        done.append((await lock.read_bolt()).changes["locked"])
        return await ACTIONS["LOCK_DOOR"].perform(ask, lock, run)

    reconciling = replace(ACTIONS["LOCK_DOOR"], after_crash=AfterCrash.RECONCILE, recover=look_and_mend)
    opened = await house.lock(locked=False, travel=1000)
    attempt = await sent_and_lost(house, "LOCK_DOOR", opened)
    await house.clock.advance(seconds(0.2))
    await house.die()
    house.boot()
    house.engine.actions = {**ACTIONS, "LOCK_DOOR": reconciling}
    await house.open()
    await house.clock.advance(seconds(3))
    assert len(done) == 1
    assert outcome(await house.stored(attempt))[:3] == ("success", None, True)


@pytest.mark.parametrize("action_type", ["LOCK_DOOR", "UNLOCK_DOOR"])
async def test_what_was_only_queued_goes_on_as_if_nothing_had_happened(house, action_type):
    """Certainly not sent, so it is sent now, in its old order."""
    door = await house.lock(locked=action_type == "UNLOCK_DOOR", travel=1000)
    blocker = await house.begin("LOCK_DOOR", door)
    waiting = await house.begin(action_type, door)
    await house.clock.settle()
    await house.revive()
    await house.clock.advance(seconds(5))
    assert (await house.stored(blocker)).status == "success"
    assert outcome(await house.stored(waiting))[:3] == ("success", None, True)


async def test_what_was_queued_and_needs_a_secret_that_was_never_written_down_is_ended(house):
    """``interrupted``: it has not acted, and the caller may ask again."""
    door = await house.lock(travel=1000)
    await house.begin("UNLOCK_DOOR", door)
    waiting = await house.begin("SIMULATE_KEYPAD_CODE_ENTRY", door, code="1234")
    await house.clock.settle()
    await house.revive()
    assert outcome(await house.stored(waiting))[:2] == ("error", "interrupted")


@pytest.mark.parametrize("action_type", ["LOCK_DOOR", "UNLOCK_DOOR", "CONFIGURE_AUTO_LOCK"])
async def test_a_door_does_not_move_ten_minutes_after_a_restart(house, action_type):
    """Past its deadline nothing is sent, whether it was queued or sent when the server died."""
    door = await house.lock(locked=action_type != "LOCK_DOOR", travel=1000)
    ask = {"auto_lock_enabled": False} if action_type == "CONFIGURE_AUTO_LOCK" else {}
    await house.fault(door, "ack_only", times=1)
    was_sent = await house.begin(action_type, door, **ask)
    was_queued = await house.begin(action_type, door, **ask)
    await house.clock.settle()
    before = house.commands(door)
    await house.die()
    await house.clock.advance(seconds(600))
    house.boot()
    await house.open()
    await house.clock.advance(seconds(60))
    assert (await house.stored(was_sent)).failure[0] == "outcome_unknown"
    assert (await house.stored(was_queued)).failure[0] == "action_attempt_expired"
    assert house.commands(door) == before


async def test_everything_open_has_ended_or_is_owned_when_the_start_is_over(house):
    """Many at once, on many devices, in every phase."""
    doors = [await house.lock(travel=1000) for _ in range(20)]
    begun = [await house.begin(each, door) for door in doors for each in ("UNLOCK_DOOR", "LOCK_DOOR")]
    await house.clock.advance(seconds(0.5))
    await house.revive()
    await house.clock.advance(seconds(5))
    assert {(await house.stored(each)).phase.is_final for each in begun} == {True}


async def test_the_device_of_an_open_attempt_may_be_gone(house):
    """It ends with what is known, and the start is not disturbed."""
    door, other = await house.lock(travel=1000), await house.lock()
    sent, queued = await house.begin("UNLOCK_DOOR", door), await house.begin("LOCK_DOOR", door)
    await house.clock.settle()
    await house.die()
    del house.store._devices[door.id]
    house.boot()
    await house.open()
    assert (await house.stored(sent)).failure[0] == "outcome_unknown"
    assert (await house.stored(queued)).failure[0] == "device_removed"
    assert (await house.run("UNLOCK_DOOR", other)).status == "success"


async def test_draining_lets_what_is_in_flight_end_and_starts_nothing_more(house):
    """SIGTERM: the running command ends, the queued one is there for the next start."""
    door = await house.lock()
    running = await house.begin("UNLOCK_DOOR", door)
    await house.clock.settle()
    await house.fault(door, "slow", times=1, ms=10_000)
    slow = await house.begin("LOCK_DOOR", door)
    waiting = await house.begin("UNLOCK_DOOR", door)
    await house.clock.settle()
    await house.engine.stop(patience=0.05)
    assert (await house.stored(running)).status == "success"
    assert (await house.stored(slow)).phase.value in {"sent", "confirming"}
    assert (await house.stored(waiting)).phase.value == "queued"


async def test_what_was_sent_keeps_its_turn_although_the_clock_says_that_it_is_too_early(house):
    """The clock was set back while it was in flight: the next command waits for it all the same."""
    door = await house.lock()
    await house.fault(door, "silent", times=1)
    later = Timing(not_before=house.clock.now() + seconds(5))
    first = await house.begin("UNLOCK_DOOR", door, later)
    await house.clock.advance(seconds(6))
    assert (await house.stored(first)).phase == "sent"
    second = await house.begin("LOCK_DOOR", door)
    await house.clock.settle()
    await house.die()
    house.clock._now -= seconds(3_600)
    house.boot()
    await house.open()
    await house.clock.settle()
    assert (await house.stored(first)).phase.is_final or house.commands(door)[-1] != "lock"
    await house.clock.advance(seconds(60))
    marks = {each.stage: each.at for each in (await house.stored(first)).marks}
    sent = {each.stage: each.at for each in (await house.stored(second)).marks}
    assert marks["settled"] <= sent.get("sent", marks["settled"])
