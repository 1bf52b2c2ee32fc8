"""Cancelling: before it is sent an attempt can be called off, and after that it cannot."""

from __future__ import annotations

import asyncio

import pytest

from thumbturn.domain.attempt import Phase
from thumbturn.domain.clock import seconds
from thumbturn.domain.failures import AttemptCancelled
from thumbturn.domain.refusals import ActionAttemptNotFound, TooLateToCancel


@pytest.fixture
async def door(house):
    """A door whose bolt takes a second."""
    return await house.lock(travel=1_000)


def cancel(house, attempt, workspace_id="w1"):
    """The cancelling, as a caller asks for it."""
    return house.engine.begun.cancel(workspace_id, attempt.id, "key k1")


async def test_what_was_not_sent_is_cancelled_and_never_reaches_its_device(house, door):
    """The end is ``cancelled``, on record when the caller hears of it, with its event and who wanted it."""
    await house.begin("UNLOCK_DOOR", door)
    unwanted = await house.begin("LOCK_DOOR", door)
    ended = await cancel(house, unwanted)
    assert (await house.stored(unwanted)) == ended
    assert (ended.status, ended.failure) == ("error", (AttemptCancelled.type, AttemptCancelled.sentence))
    assert ended.marks[-1].note == "cancelled by key k1"
    assert await house.told("action_attempt.lock_door.failed") == ["action_attempt.lock_door.failed"]
    await house.clock.advance(seconds(60))
    assert house.commands(door) == ["unlock"]
    assert (await house.stored(unwanted)) == ended
    assert (await house.timeline(unwanted)).late == ()


async def test_the_lane_goes_on_behind_it(house, door):
    """Those behind a cancelled attempt are sent as if it had never been there."""
    begun = [await house.begin(each, door) for each in ("UNLOCK_DOOR", "LOCK_DOOR", "UNLOCK_DOOR")]
    await cancel(house, begun[1])
    await house.clock.advance(seconds(3))
    assert [(await house.stored(each)).status for each in begun] == ["success", "error", "success"]
    assert house.commands(door) == ["unlock", "unlock"]


@pytest.mark.parametrize("state", ["sent", "ended", "cancelled"])
async def test_it_is_too_late_for_what_was_sent_or_has_ended(house, door, state):
    """The refusal says how the attempt stands, and nothing changes."""
    first = await house.begin("UNLOCK_DOOR", door)
    attempt = await house.begin("LOCK_DOOR", door) if state == "cancelled" else first
    if state == "cancelled":
        await cancel(house, attempt)
    await house.clock.advance(seconds(3 if state == "ended" else 0))
    before = await house.stored(attempt)
    with pytest.raises(TooLateToCancel) as refused:
        await cancel(house, attempt)
    assert refused.value.data == {"action_attempt_id": attempt.id, "status": before.status}
    assert ("has ended already" in refused.value.message) is (state != "sent")
    assert await house.stored(attempt) == before


async def test_an_unknown_one_is_not_found_and_neither_is_a_stranger_s(house, door):
    """Another workspace cannot cancel, and cannot learn that there is something to cancel."""
    await house.begin("UNLOCK_DOOR", door)
    waiting = await house.begin("LOCK_DOOR", door)
    for workspace_id, attempt in (("w2", waiting), ("w1", waiting._replace(id="unknown"))):
        with pytest.raises(ActionAttemptNotFound):
            await cancel(house, attempt, workspace_id)
    assert (await house.stored(waiting)).phase is Phase.QUEUED


async def test_of_two_who_cancel_one_is_told_that_it_is_done(house, door):
    """The other is told that it has ended, and there is one event."""
    await house.begin("UNLOCK_DOOR", door)
    waiting = await house.begin("LOCK_DOOR", door)
    done = await asyncio.gather(*(cancel(house, waiting) for _ in range(3)), return_exceptions=True)
    assert [isinstance(each, TooLateToCancel) for each in done] == [False, True, True]
    assert await house.told("action_attempt.lock_door.failed") == ["action_attempt.lock_door.failed"]


async def test_who_waits_for_its_end_hears_of_it(house, door):
    """Cancelling is an end like any other."""
    await house.begin("UNLOCK_DOOR", door)
    waiting = await house.begin("LOCK_DOOR", door)
    told = asyncio.create_task(house.engine.begun.settled(waiting, seconds(60)))
    await house.clock.settle()
    await cancel(house, waiting)
    assert (await told).failure[0] == "cancelled"


async def test_at_the_moment_of_its_turn_it_is_sent_or_cancelled_and_not_both(house, door):
    """Its lane has become free, and its task has not begun to run: cancelling still wins, cleanly."""
    first = await house.begin("UNLOCK_DOOR", door)
    waiting = await house.begin("LOCK_DOOR", door)
    runs = house.engine._dispatch.open
    running, run = runs[first.id], runs[waiting.id]
    running.attempt = running.attempt._replace(phase=Phase.FAILED, settled_at=1)
    house.engine._dispatch.forget(running)
    assert (run.has_turn, run.attempt.phase, run.task is not None) == (True, Phase.QUEUED, True)
    ended = await cancel(house, waiting)
    await house.clock.advance(seconds(60))
    assert await house.stored(waiting) == ended
    assert [mark.note for mark in (await house.timeline(waiting)).late if "sent" in mark.note] == []
    assert "lock" not in house.commands(door)
