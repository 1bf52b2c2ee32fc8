"""What must stay true when things happen at the worst moment."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.fixtures.engine import outcome
from thumbturn.domain.attempt import Failed, Phase
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.acceptance import Timing
from thumbturn.engine.ports import EventFilter


class Hold:
    """Holds back writes of the store that a test names, until it lets them go."""

    def __init__(self, store, monkeypatch, name, wanted=lambda *_: True):
        self.open = asyncio.Event()
        self.held = 0
        written = getattr(store, name)

        async def hold(*given):
            if wanted(*given) and not self.open.is_set():
                self.held += 1
                await self.open.wait()
            return await written(*given)

        monkeypatch.setattr(store, name, hold)


def says(house, device, method="manual", evidence=Evidence.STATE_REPORT, **changes):
    """The device reports."""
    house.engine._observations.observe(
        Observation(device.id, house.clock.now(), changes, evidence, method=method)
    )


def ends(change):
    """True for a change that ends an attempt."""
    return any(move.attempt.phase.is_final for move in change.transitions)


async def assert_one_truth(house, device):
    """Memory and record say the same of the device."""
    await house.clock.advance(seconds(2))
    known, stored = house.engine._devices.get(device.id), await house.store.device("w1", device.id)
    assert known == stored


async def test_what_a_hand_does_while_a_command_runs_is_not_undone_by_the_commands_end(house):
    """The end of an attempt writes the device as it is then, not as it was when it last reported."""
    door = await house.lock()
    await house.fault(door, "silent")
    begun = await house.begin("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(1))
    says(house, door, "remote", battery_level=0.5)
    says(house, door, door_open=True)
    await house.clock.advance(seconds(31))
    assert (await house.stored(begun)).failure[0] == "outcome_unknown"
    stored = await house.store.device("w1", door.id)
    assert (stored.state["door_open"], stored.state["battery_level"]) == (True, 0.5)
    await assert_one_truth(house, door)


async def test_a_state_is_never_on_record_before_the_event_that_tells_of_it(house, monkeypatch):
    """A report from the side does not carry a command's news to the record without its event."""
    door = await house.lock(travel=2_000)
    seen = []
    apply = house.store.apply

    def watch(change):
        seen.append(change)
        return apply(change)

    monkeypatch.setattr(house.store, "apply", watch)
    await house.begin("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(1))
    says(house, door, "remote", locked=False)
    says(house, door, door_open=True)
    await house.clock.settle()
    first = next(change for change in seen if change.devices)
    assert first.devices[0].state["locked"] is False
    assert [event.event_type for event in first.events] == ["lock.unlocked"]
    await assert_one_truth(house, door)


async def test_writes_that_are_tried_again_do_not_overtake_newer_ones(house, monkeypatch):
    """A state that could not be written at once does not replace the one after it."""
    door = await house.lock()
    apply, refused = house.store.apply, []

    async def refuse_twice(change):
        if len(refused) < 2:
            refused.append(change)
            raise StorageUnavailable
        return await apply(change)

    monkeypatch.setattr(house.store, "apply", refuse_twice)
    says(house, door, door_open=True)
    await house.clock.settle()
    says(house, door, door_open=False)
    await assert_one_truth(house, door)
    assert (await house.store.device("w1", door.id)).state["door_open"] is False


async def test_an_expired_attempt_keeps_its_lane_until_its_end_is_on_record(house, monkeypatch):
    """Also when the command itself comes to an end while the expiry is being written."""
    door = await house.lock(locked=False)
    await house.fault(door, "slow", times=1, ms=30_900)
    hold = Hold(house.store, monkeypatch, "apply", ends)
    expiring = await house.begin("UNLOCK_DOOR", door)
    told = asyncio.create_task(house.engine.begun.settled(expiring, seconds(60)))
    await house.clock.advance(seconds(20))
    behind = await house.begin("LOCK_DOOR", door)
    await house.clock.advance(seconds(11))
    assert hold.held == 1
    assert not told.done()
    assert house.commands(door)[-1] == "unlock"
    hold.open.set()
    await house.clock.advance(seconds(1))
    assert (await told).failure[0] == "outcome_unknown"
    assert (await house.stored(behind)).status == "success"


async def test_a_report_that_comes_while_the_end_is_being_written_is_late_truth(house, monkeypatch):
    """Nothing is lost between an attempt's end and its record."""
    door = await house.lock()
    await house.fault(door, "silent", times=1)
    hold = Hold(house.store, monkeypatch, "apply", ends)
    begun = await house.begin("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(31))
    assert hold.held == 1
    says(house, door, "remote", locked=False)
    hold.open.set()
    await house.clock.advance(seconds(1))
    assert [mark.stage for mark in (await house.timeline(begun)).late] == ["late"]
    await assert_one_truth(house, door)


async def test_a_reset_that_is_given_up_leaves_no_lane_blocked(house, monkeypatch):
    """What it had begun to end is ended, and the doors can be moved again."""
    door = await house.device("Garage Side Door")
    first, queued = await house.begin("UNLOCK_DOOR", door), await house.begin("LOCK_DOOR", door)
    hold = Hold(house.store, monkeypatch, "apply", ends)
    reset = await house.begin("RESET_SANDBOX_WORKSPACE")
    await house.clock.settle()
    house.engine._dispatch.open[reset.id].task.cancel()
    await house.clock.settle()
    hold.open.set()
    await house.clock.advance(seconds(61))
    assert [(await house.stored(each)).status for each in (first, queued, reset)] == ["error"] * 3
    again = await house.begin("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(2))
    assert (await house.stored(again)).status == "success"


async def test_a_reset_that_the_store_refuses_leaves_the_devices_as_they_were(house, monkeypatch):
    """They are commanded as before."""
    door = await house.device("Back Door")

    async def refuse(*_):
        raise StorageUnavailable

    monkeypatch.setattr(house.store, "reset_workspace", refuse)
    assert (await house.run("RESET_SANDBOX_WORKSPACE")).status == "error"
    assert (await house.run("UNLOCK_DOOR", door)).status == "success"
    await assert_one_truth(house, door)


async def test_nothing_from_before_a_reset_is_written_after_it(house, monkeypatch):
    """While it is under way its devices take no command."""
    door = await house.device("Back Door")
    hold = Hold(house.store, monkeypatch, "reset_workspace")
    reset = await house.begin("RESET_SANDBOX_WORKSPACE")
    await house.clock.settle()
    assert hold.held == 1
    assert (await house.run("UNLOCK_DOOR", door)).failure[0] == "device_removed"
    hold.open.set()
    await house.clock.settle()
    assert (await house.stored(reset)).status == "success"
    assert (await house.device("Back Door")).state["locked"] is True
    await assert_one_truth(house, door)
    assert (await house.run("UNLOCK_DOOR", door)).status == "success"


async def test_news_of_the_device_survives_when_another_writer_ended_the_attempt(house):
    """The outcome was not ours to write; what the device did is a fact all the same."""
    door = await house.lock(travel=1_000)
    begun = await house.begin("UNLOCK_DOOR", door)
    await house.clock.settle()
    house.store._attempts[begun.id] = replace_phase(begun)
    await house.clock.advance(seconds(2))
    assert (await house.stored(begun)).phase is Phase.FAILED
    assert (await house.told("lock.unlocked")) == ["lock.unlocked"]
    assert (await house.told("action_attempt.unlock_door.succeeded")) == []
    await assert_one_truth(house, door)


def replace_phase(attempt):
    """The attempt as somebody else has ended it."""
    return attempt._replace(phase=Phase.FAILED, failure=("outcome_unknown", "x"))


async def test_an_attempt_that_was_refused_but_written_is_never_carried_out(house, monkeypatch):
    """A commit whose answer was lost: the caller was told that nothing was done, and nothing will be."""
    door = await house.lock()
    accept, accepted = house.store.accept, []

    async def lose_the_answer(attempt):
        await accept(attempt)
        accepted.append(attempt)
        raise StorageUnavailable

    monkeypatch.setattr(house.store, "accept", lose_the_answer)
    with pytest.raises(StorageUnavailable):
        await house.begin("UNLOCK_DOOR", door)
    await house.clock.settle()
    assert (await house.stored(accepted[0])).status == "error"
    assert house.commands(door) == []


async def test_a_refusal_is_told_once_it_is_sure_that_nothing_will_be_done(house, monkeypatch):
    """Were it told earlier, a crash at that moment would let the next start carry out what was refused."""
    door = await house.lock()
    accept, apply, accepted, may_be_void = house.store.accept, house.store.apply, [], asyncio.Event()

    async def lose_the_answer(attempt):
        await accept(attempt)
        accepted.append(attempt)
        raise StorageUnavailable

    async def apply_later(change):
        await may_be_void.wait()
        return await apply(change)

    monkeypatch.setattr(house.store, "accept", lose_the_answer)
    monkeypatch.setattr(house.store, "apply", apply_later)
    beginning = asyncio.ensure_future(house.begin("UNLOCK_DOOR", door))
    await house.clock.settle()
    assert accepted
    assert not beginning.done()
    may_be_void.set()
    with pytest.raises(StorageUnavailable, match="Nothing was done"):
        await beginning
    assert (await house.stored(accepted[0])).status == "error"


async def test_a_refusal_that_cannot_be_sure_says_so(house, monkeypatch):
    """The database stays away: that nothing was done is true, that nothing will be depends on no crash."""
    door = await house.lock()
    accept, apply, accepted = house.store.accept, house.store.apply, []

    async def lose_the_answer(attempt):
        await accept(attempt)
        accepted.append(attempt)
        raise StorageUnavailable

    async def away(change):
        raise StorageUnavailable

    monkeypatch.setattr(house.store, "accept", lose_the_answer)
    monkeypatch.setattr(house.store, "apply", away)
    beginning = asyncio.ensure_future(house.begin("UNLOCK_DOOR", door))
    await house.clock.advance(seconds(2))
    with pytest.raises(StorageUnavailable, match="Look at the device") as refused:
        await beginning
    assert refused.value.headers == {"Retry-After": "1"}
    monkeypatch.setattr(house.store, "apply", apply)
    await house.clock.advance(seconds(10))
    assert (await house.stored(accepted[0])).status == "error"
    assert house.commands(door) == []


async def test_a_bug_in_accepting_leaves_the_lane_free(house, monkeypatch):
    """Whatever the store raises, the next command runs."""
    door = await house.lock()
    accept = house.store.accept

    def break_down(_):
        raise ZeroDivisionError

    monkeypatch.setattr(house.store, "accept", break_down)
    with pytest.raises(ZeroDivisionError):
        await house.begin("UNLOCK_DOOR", door)
    monkeypatch.setattr(house.store, "accept", accept)
    assert (await house.run("UNLOCK_DOOR", door)).status == "success"


async def test_an_open_attempt_of_an_action_that_is_not_known_any_more_is_ended(house):
    """Nobody can take it up: it does not stay pending for ever."""
    door = await house.lock(travel=1_000)
    sent, queued = await house.begin("UNLOCK_DOOR", door), await house.begin("LOCK_DOOR", door)
    await house.clock.settle()
    await house.die()
    for each in (sent, queued):
        house.store._attempts[each.id] = house.store._attempts[each.id]._replace(action_type="DANCE")
    house.boot()
    await house.open()
    assert (await house.stored(sent)).failure[0] == "outcome_unknown"
    assert (await house.stored(queued)).failure[0] == "interrupted"


async def test_two_changes_of_one_device_at_the_same_time_are_both_kept(house):
    """Each is made on top of the other, in whatever order they come."""
    door = await house.lock()

    def put(key):
        return lambda device: replace(device, custom_metadata={**device.custom_metadata, key: True})

    await asyncio.gather(*(house.engine.change_device("w1", door.id, put(key)) for key in "abc"))
    assert (await house.store.device("w1", door.id)).custom_metadata == dict.fromkeys("abc", True)


async def test_what_was_reported_before_the_command_was_sent_proves_nothing_about_it(house, monkeypatch):
    """An attempt is on its way to the disk as sent; what the lock says then it does not say of that."""
    door = await house.lock()
    await house.fault(door, "ack_only")
    storing = Hold(house.store, monkeypatch, "accept")
    beginning = asyncio.ensure_future(house.begin("UNLOCK_DOOR", door))
    await house.clock.settle()
    says(house, door, "remote", locked=False)
    storing.open.set()
    attempt = await beginning
    await house.clock.advance(seconds(5))
    assert outcome(await house.stored(attempt)) == ("success", None, False, Evidence.RADIO_ACK)
    [told] = await house.store.events("w1", EventFilter(event_types=["lock.unlocked"]), limit=10)
    assert told.action_attempt_id is None


async def test_what_is_told_first_is_written_first(house, monkeypatch):
    """A report that nobody caused, and right behind it the end of an attempt: in this order."""
    door, asked = await house.lock(), []
    apply = house.store.apply

    def note(change):
        asked.append([event.event_type for event in change.events])
        return apply(change)

    monkeypatch.setattr(house.store, "apply", note)
    attempt = await house.begin("UNLOCK_DOOR", door, Timing(not_before=house.clock.now() + seconds(60)))
    run = house.engine._dispatch.open[attempt.id]
    says(house, door, locked=False)
    await run.settle(Failed("interrupted", "It was interrupted."))
    assert asked == [["lock.unlocked"], ["action_attempt.unlock_door.failed"]]


async def test_a_success_rests_on_what_said_so_and_on_nothing_else_that_was_seen(house):
    """A lock reports the opposite while it is told to lock, and no more: the radio's word is all."""
    door = await house.lock(locked=False)
    await house.fault(door, "ack_only")
    attempt = await house.begin("LOCK_DOOR", door)
    await house.clock.settle()
    says(house, door, "remote", locked=False, jammed=False)
    await house.clock.advance(seconds(15))
    ended = await house.stored(attempt)
    assert outcome(ended) == ("success", None, False, Evidence.RADIO_ACK)
    says(house, door, "remote", locked=True)
    await house.clock.settle()
    assert [mark.stage for mark in (await house.timeline(attempt)).late] == ["late"]
