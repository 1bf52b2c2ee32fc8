"""A test says what became of an attempt: the engine goes on by what really did."""

from __future__ import annotations

import asyncio

import pytest

from tests.fixtures.codes import DAY, PLAIN
from thumbturn.domain.clock import seconds
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.overruling import OWN_END_WITHIN, Overruling

ERROR = ("door_is_gone", "It was here yesterday.")


def overruling(house, attempt, status, **more):
    """The attempt that comes of what a test said it shall be."""
    overruling = Overruling(house.engine.begun, house.store, house.clock)
    return asyncio.ensure_future(overruling.overrule(attempt, status, **more))


async def overruled(house, attempt, status, **more):
    """It, once for an end of its own was waited as long as for most."""
    being = overruling(house, attempt, status, **more)
    await house.clock.settle()
    await house.clock.advance(OWN_END_WITHIN)
    assert being.done()
    return being.result()


async def failing(house):
    """An attempt on a door that is an error as a test says, and runs for two seconds more."""
    door = await house.lock()
    await house.fault(door, "slow", times=1, ms=4_000)
    attempt = await house.begin("UNLOCK_DOOR", door)
    assert (await overruled(house, attempt, "error", failure=ERROR)).failure == ERROR
    return attempt


async def late(house, attempt):
    """What stands behind its end: how it really ended."""
    return [mark.note for mark in (await house.timeline(attempt)).late if mark.note.startswith("settled")]


async def test_a_code_does_not_go_by_what_a_test_said_of_its_attempt(codes):
    """Its attempt is an error as a test says; it is set all the same, and nothing else is told of it."""
    house = codes.house
    await house.fault(await house.device(PLAIN), "slow", times=1, ms=4_000)
    code_id, attempt = await codes.create()
    await overruled(house, attempt, "error", failure=ERROR)
    await house.clock.advance(seconds(10))
    assert await codes.at_lock() == {code_id: "4711"}
    assert await codes.status(code_id) == "set"
    assert not (await codes.all.get("w1", code_id)).facts.errors
    assert await codes.told() == ["created", "set_on_device"]
    assert (await house.stored(attempt)).failure == ERROR
    assert house.engine._code_keeper._failed == {}


async def test_a_code_whose_attempt_was_overruled_before_it_was_sent_has_not_failed(codes):
    """Its lock is away, and it is an error as a test says; once the lock is back it is set."""
    house = codes.house
    door = await house.device(PLAIN)
    await house.engine.sandbox.disconnect(house.workspace, door.id)
    code_id, attempt = await codes.create()
    await overruled(house, attempt, "error", failure=("device_offline", "As a test has it."))
    await house.engine.sandbox.connect(house.workspace, door.id)
    await house.clock.advance(seconds(1))
    assert await codes.at_lock() == {code_id: "4711"}
    assert await codes.told() == ["created", "set_on_device"]


async def test_what_a_test_made_pending_is_not_begun_again_by_the_next_start(house):
    """The door moves no more, nothing is told twice, and the attempt stays pending until a test says more."""
    door = await house.lock()
    attempt = await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(1))
    assert (await overruled(house, await house.stored(attempt), "pending")).status == "pending"
    before = await house.told(), house.journal.read_text()
    assert before[0].count("lock.unlocked") == 1
    await house.revive()
    await house.clock.advance(DAY)
    await house.revive()
    assert (await house.told(), house.journal.read_text()) == before
    stands = await house.stored(attempt)
    assert (stands.status, [mark.stage for mark in stands.marks][-2:]) == (
        "pending",
        ["settled", "overruled"],
    )
    assert (await overruled(house, stands, "success", result={})).status == "success"
    assert (await house.run("LOCK_DOOR", door)).status == "success", "nobody stands in its lane"


async def test_a_command_that_is_overruled_keeps_its_own_end(house):
    """What it really came to stands behind what the test said, and no event tells of it."""
    attempt = await failing(house)
    assert await late(house, attempt) == []
    before = await house.told()
    await house.clock.advance(seconds(10))
    assert (await house.stored(attempt)).failure == ERROR
    assert await late(house, attempt) == ["settled: success"]
    assert [each for each in await house.told() if each not in before] == ["lock.unlocked"]


async def test_a_command_that_still_runs_is_not_made_pending_before_its_end(house):
    """An error, then pending, while it runs: its own end overrules neither, and all that was said is kept."""
    attempt = await failing(house)
    being = overruling(house, await house.stored(attempt), "pending")
    await house.clock.settle()
    await house.clock.advance(seconds(1))
    assert not being.done()
    assert (await house.stored(attempt)).failure == ERROR
    await house.clock.advance(seconds(20))
    assert being.result().status == "pending"
    stands = await house.stored(attempt)
    assert (stands.status, stands.failure) == ("pending", None)
    assert [mark.note for mark in stands.marks if mark.stage == "overruled"] == [
        "pending was overruled by a test: error",
        "error was overruled by a test: pending",
    ]
    assert await late(house, attempt) == ["settled: success"]


async def test_what_has_no_end_of_its_own_yet_is_not_made_pending_when_the_server_stops(house):
    """Nobody may wait any more, so it is said that it cannot be, and what is on record stays."""
    attempt = await failing(house)
    house.engine.begun.dismiss_waiting()
    with pytest.raises(StorageUnavailable):
        await overruled(house, await house.stored(attempt), "pending")
    assert (await house.stored(attempt)).failure == ERROR
    await house.clock.advance(seconds(10))
