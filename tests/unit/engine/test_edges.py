"""The edges: the last moment before a deadline, the end of the process, the order of lanes, stray reports."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.fixtures.engine import outcome
from thumbturn.domain.attempt import Phase, Sending, decide
from thumbturn.domain.clock import MILLISECOND, seconds
from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.idempotency import KeyTaken
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.ports import EventFilter
from thumbturn.engine.timetable import Timetable
from thumbturn.testing.clock import NEW_YEAR_2025, FakeClock


@pytest.fixture
def held(house, monkeypatch):
    """Makes writes of one kind wait until the event is set."""

    def hold(name, wanted=lambda _: True):
        released, written = asyncio.Event(), getattr(house.store, name)

        async def wait(given):
            if wanted(given):
                await released.wait()
            return await written(given)

        monkeypatch.setattr(house.store, name, wait)
        return released

    return hold


def says(house, device, method="manual", **changes):
    """The device reports."""
    house.engine._observations.observe(Observation(device.id, house.clock.now(), changes, method=method))


def moves_to(stage):
    """Chooses the changes that put an attempt's timeline to this stage."""
    return lambda change: any(move.attempt.marks[-1].stage == stage for move in change.transitions)


async def test_an_attempt_that_was_stored_too_slowly_is_not_sent(house, held):
    """Accepting it took until after its deadline: the device is not touched."""
    door = await house.lock()
    released = held("accept")
    begun = asyncio.create_task(house.begin("UNLOCK_DOOR", door))
    await house.clock.advance(seconds(31))
    released.set()
    await house.clock.settle()
    assert (await house.stored(await begun)).failure[0] == "action_attempt_expired"
    assert house.commands(door) == []


async def test_an_attempt_whose_sending_was_recorded_too_slowly_is_not_sent(house, held):
    """Neither is one whose turn came in time and whose record did not."""
    door = await house.lock(travel=1_000)
    released = held("apply", moves_to("sent"))
    await house.begin("UNLOCK_DOOR", door)
    behind = await house.begin("LOCK_DOOR", door)
    await house.clock.advance(seconds(30) + 50 * MILLISECOND)
    released.set()
    await house.clock.settle()
    assert (await house.stored(behind)).failure[0] == "action_attempt_expired"
    assert house.commands(door) == ["unlock"]


async def test_one_that_may_have_acted_before_a_crash_never_ends_as_not_sent(house, held):
    """Sent once, and too late to be sent again: nobody knows, and it is not said to have expired unsent."""
    door = await house.lock(locked=False)
    await house.fault(door, "slow", times=1, ms=29_000)
    begun = await house.begin("LOCK_DOOR", door)
    await house.clock.settle()
    await house.die()
    house.boot()
    released = held("apply", moves_to("resent"))
    await house.open()
    await house.clock.advance(begun.deadline_at - house.clock.now() + 50 * MILLISECOND)
    released.set()
    await house.clock.settle()
    assert (await house.stored(begun)).failure[0] == "outcome_unknown"
    assert house.commands(door).count("lock") == 1


async def test_at_the_deadline_it_is_too_late_to_send(house):
    """The moment itself counts as past."""
    door = await house.lock(travel=1_000)
    await house.begin("UNLOCK_DOOR", door)
    attempt = await house.begin("LOCK_DOOR", door)
    assert decide(attempt, Sending(), attempt.deadline_at - 1).attempt.phase is Phase.SENT
    assert decide(attempt, Sending(), attempt.deadline_at).attempt.phase is Phase.FAILED


async def test_the_sweep_is_never_early_and_less_than_a_second_late():
    """Also for a deadline that comes while it sleeps towards a later one, and for none that was met."""
    clock = FakeClock(NEW_YEAR_2025 + 100 * MILLISECOND)
    ended = {}

    async def expire(thing):
        name, deadline_at = thing
        ended[name] = clock.now() - deadline_at

    deadlines = Timetable(clock, expire)
    deadlines.start()
    for name, after in (("met", 20), ("later", 30), ("sooner", 10), ("soonest", 1), ("soon too", 1.01)):
        deadline_at = clock.now() + seconds(after)
        deadlines.add((name, deadline_at), deadline_at)
        await clock.settle()
        if name == "met":
            deadlines.remove((name, deadline_at), deadline_at)
    await clock.advance(seconds(32))
    await deadlines.stop()
    assert list(ended) == ["soonest", "soon too", "sooner", "later"]
    assert all(0 <= lag < seconds(1) for lag in ended.values())


async def test_what_has_ended_is_forgotten(house):
    """Nothing is kept of an ended attempt but its lane's last; a device that is gone has no lane."""
    door = await house.lock()
    await house.run("UNLOCK_DOOR", door)
    assert (house.engine._dispatch.open, house.engine._deadlines.things()) == ({}, set())
    await house.run("RESET_SANDBOX_WORKSPACE")
    assert house.engine._lanes.of(door.id) is None


async def test_stopping_leaves_no_task_behind(house):
    """Neither the sweep, nor a command, nor a motor."""
    before = asyncio.all_tasks()
    await house.revive()
    door = await house.lock(travel=1_000)
    await house.begin("UNLOCK_DOOR", door)
    await house.clock.settle()
    await house.engine.stop(patience=0.01)
    assert asyncio.all_tasks() <= before


async def test_a_stopping_server_sends_nothing_more(house):
    """The one behind stays queued although the one before it ends while the server drains."""
    door = await house.lock(travel=1_000)
    running, waiting = await house.begin("UNLOCK_DOOR", door), await house.begin("LOCK_DOOR", door)
    await house.clock.settle()
    stopping = asyncio.create_task(house.engine.stop(patience=5))
    await house.clock.advance(seconds(1.1))
    await stopping
    assert (await house.stored(running)).status == "success"
    assert (await house.stored(waiting)).phase is Phase.QUEUED
    assert house.commands(door) == ["unlock"]


async def test_two_commands_of_one_door_pass_a_narrow_hub(house):
    """A lane that passed the gate once asks for it again."""
    house.commands_at_once = 1
    await house.revive()
    doors = [await house.lock(travel=1_000) for _ in range(2)]
    begun = [await house.begin(action, door) for action in ("UNLOCK_DOOR", "LOCK_DOOR") for door in doors]
    await house.clock.advance(seconds(4.1))
    assert [(await house.stored(each)).status for each in begun] == ["success"] * 4


@pytest.mark.parametrize("travel", [0, 1_000])
async def test_a_device_that_goes_off_the_air_is_not_waited_for(house, travel):
    """No report can come any more: the attempt ends when that is known, not seconds later."""
    door = await house.lock(travel=travel)
    await house.fault(door, "dead_mid_way", times=1)
    begun = await house.begin("UNLOCK_DOOR", door)
    await house.clock.advance(travel * MILLISECOND // 2 + MILLISECOND)
    assert (await house.stored(begun)).failure[0] == "outcome_unknown"


async def test_a_report_after_a_confirmed_end_is_no_late_truth(house):
    """The outcome was known; what happens to the door afterwards is another story."""
    door = await house.lock()
    begun = await house.run("UNLOCK_DOOR", door)
    says(house, door, "remote", locked=True)
    await house.clock.settle()
    assert (await house.timeline(begun)).late == ()


async def test_a_hand_that_does_what_was_asked_is_evidence(house):
    """The door stands as it was wanted, and the lock itself said so."""
    door = await house.lock()
    await house.fault(door, "silent")
    begun = await house.begin("UNLOCK_DOOR", door)
    await house.clock.settle()
    says(house, door, locked=False)
    await house.clock.settle()
    assert outcome(await house.stored(begun))[:3] == ("success", None, True)


async def test_a_report_before_it_was_sent_proves_nothing(house, held):
    """What the device says while the sending is being recorded is about something else."""
    door = await house.lock(travel=1_000)
    await house.begin("UNLOCK_DOOR", door)
    released = held("apply", moves_to("sent"))
    begun = await house.begin("LOCK_DOOR", door)
    await house.clock.advance(seconds(1.1))
    says(house, door, locked=True)
    await house.fault(door, "jam")
    released.set()
    await house.clock.advance(seconds(5))
    assert (await house.stored(begun)).failure[0] == "lock_jammed"


async def test_an_old_report_that_was_on_its_way_proves_nothing(house):
    """The opposite state, reported before the bolt has moved, does not end the attempt."""
    door = await house.lock(travel=1_000)
    begun = await house.begin("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(0.5))
    says(house, door, "remote", locked=True)
    await house.clock.settle()
    assert (await house.stored(begun)).status == "pending"
    await house.clock.advance(seconds(1))
    assert (await house.stored(begun)).status == "success"


async def test_a_movement_that_nobody_explains_has_an_unknown_method(house):
    """The wire's word for it is ``unknown``."""
    door = await house.lock()
    says(house, door, None, locked=False)
    await house.clock.settle()
    [event] = [event for event in house.store._events["w1"] if event.event_type == "lock.unlocked"]
    assert event.payload == {"method": "unknown"}


async def test_required_evidence_is_about_doors(house):
    """A workspace that asks for a sensor at the bolt can still set its locks."""
    strict = replace(house.workspace, required_evidence=Evidence.INDEPENDENT_SENSOR)
    house.workspace = strict
    door = await house.lock(locked=True)
    done = await house.run("CONFIGURE_AUTO_LOCK", door, auto_lock_enabled=True, auto_lock_delay_seconds=5)
    assert done.status == "success"
    assert (await house.run("UNLOCK_DOOR", door)).failure[0] == "outcome_unknown"


async def test_a_caller_who_goes_away_takes_nobody_with_him(house, held):
    """Others who wait for the same end hear of it, and accepting goes on without him."""
    door = await house.lock(travel=1_000)
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    released = held("accept")
    gone = asyncio.create_task(house.begin("UNLOCK_DOOR", door))
    await house.clock.settle()
    gone.cancel()
    await house.clock.settle()
    released.set()
    await house.clock.settle()
    [run] = house.engine._dispatch.open.values()
    leaving, staying = (
        asyncio.create_task(house.engine.begun.settled(run.attempt, seconds(60))) for _ in range(2)
    )
    await house.clock.settle()
    leaving.cancel()
    await house.clock.advance(seconds(2))
    assert (await staying).status == "success"
    assert complaints == []


async def test_a_reset_puts_the_bolts_back_too(house):
    """What is physically so begins anew, and nothing is reported of it."""
    door = await house.device("Back Door")
    await house.run("UNLOCK_DOOR", door)
    await house.run("RESET_SANDBOX_WORKSPACE")
    assert (await house.device("Back Door")).state["locked"] is True
    assert await house.told("lock.unlocked", "lock.locked") == ["lock.unlocked"]


async def test_an_end_is_written_from_whatever_open_phase_is_on_record(house):
    """Another writer may have recorded progress: the end is recorded all the same."""
    door = await house.lock(travel=1_000)
    begun = await house.begin("UNLOCK_DOOR", door)
    await house.clock.settle()
    on_record = await house.stored(begun)
    house.store._attempts[begun.id] = on_record._replace(phase=Phase.SENT)
    await house.clock.advance(seconds(2))
    assert (await house.stored(begun)).status == "success"


@pytest.mark.parametrize("takes", [StorageUnavailable(), ZeroDivisionError(), None])
async def test_a_report_during_an_acceptance_that_fails_is_told(house, monkeypatch, takes):
    """What the device says while an attempt is being stored in vain is told, as no attempt's doing."""
    door, released = await house.lock(), asyncio.Event()

    async def refuse(*_):
        await released.wait()
        if takes is not None:
            raise takes
        return False  # the key is taken

    monkeypatch.setattr(house.store, "accept_once", refuse)
    action = house.actions["UNLOCK_DOOR"]
    ask = action.ask.model_validate({"device_id": door.id})
    beginning = asyncio.ensure_future(house.engine.begin(action, ask, house.workspace, keep=lambda _: None))
    await house.clock.settle()
    says(house, door, "remote", locked=False)
    await house.clock.settle()
    assert await house.told("lock.unlocked") == ["lock.unlocked"]
    released.set()
    with pytest.raises((StorageUnavailable, ZeroDivisionError, KeyTaken)):
        await beginning
    await house.clock.settle()
    [told] = await house.store.events("w1", EventFilter(event_types=["lock.unlocked"]), limit=10)
    assert (told.action_attempt_id, told.device_id, told.payload) == (None, door.id, {"method": "remote"})
    assert (await house.store.device("w1", door.id)).state["locked"] is False
    assert "unlock" not in house.commands(door)
    assert (await house.run("UNLOCK_DOOR", door)).status == "success"
