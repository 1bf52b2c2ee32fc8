"""Accepting, refusing, waiting, and what happens when the store is in trouble."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from thumbturn.domain.attempt import Failed, decide
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Observation
from thumbturn.domain.refusals import (
    DeviceNotFound,
    DeviceTypeNotSupported,
    DeviceUnmanaged,
    Overloaded,
    StorageUnavailable,
    WorkspaceNotSandbox,
)
from thumbturn.engine.ports import Change, EventFilter, Transition


async def test_an_unknown_device_and_one_of_another_workspace_are_refused_alike(house):
    """Neither exists for this caller."""
    door = await house.lock()
    with pytest.raises(DeviceNotFound) as unknown:
        await house.begin("UNLOCK_DOOR", replace(door, id="august_device_1"))
    house.workspace = replace(house.workspace, id="w2")
    with pytest.raises(DeviceNotFound) as foreign:
        await house.begin("UNLOCK_DOOR", door)
    assert unknown.value.message == foreign.value.message


async def test_what_cannot_do_it_is_refused_before_an_attempt_exists(house):
    """device_type_not_supported, and nothing is stored."""
    [sensor] = await house.engine.sandbox.add_devices(house.workspace, 1, "sensor", 0)
    with pytest.raises(DeviceTypeNotSupported):
        await house.begin("UNLOCK_DOOR", sensor)
    assert await house.store.attempts("w1", limit=10) == []


async def test_an_unmanaged_device_is_not_commanded(house):
    """device_unmanaged."""
    door = await house.lock()
    await house.engine.change_device("w1", door.id, lambda known: replace(known, is_managed=False))
    with pytest.raises(DeviceUnmanaged):
        await house.begin("UNLOCK_DOOR", door)


async def test_renaming_a_device_does_not_bring_back_an_old_state(house):
    """What it reported between the reading and the writing of its name stays."""
    read_before = await house.lock()
    await house.run("UNLOCK_DOOR", read_before)
    await house.engine.change_device("w1", read_before.id, lambda _: replace(read_before, nickname="Mine"))
    await house.run("LOCK_DOOR", read_before)
    assert await house.told("lock.unlocked", "lock.locked") == ["lock.unlocked", "lock.locked"]
    stored = await house.store.device("w1", read_before.id)
    assert (stored.nickname, stored.state["locked"]) == ("Mine", True)


async def test_sandbox_actions_and_controls_are_refused_elsewhere(house):
    """workspace_not_sandbox."""
    door = await house.lock()
    house.workspace = replace(house.workspace, is_sandbox=False)
    with pytest.raises(WorkspaceNotSandbox):
        await house.begin("SIMULATE_MANUAL_LOCK_VIA_KEYPAD", door)
    with pytest.raises(WorkspaceNotSandbox):
        await house.begin("RESET_SANDBOX_WORKSPACE")
    with pytest.raises(WorkspaceNotSandbox):
        await house.fault(door, "jam")


async def test_when_the_store_refuses_nothing_happens_and_the_lane_is_free(house, monkeypatch):
    """No attempt, no command, and the next one runs."""
    door = await house.lock()
    before = house.commands(door)

    async def away(attempt):
        raise StorageUnavailable

    def full(attempt):
        raise Overloaded

    accept = house.store.accept
    for trouble, refusal in ((away, StorageUnavailable), (full, Overloaded)):
        monkeypatch.setattr(house.store, "accept", trouble)
        with pytest.raises(refusal):
            await house.begin("UNLOCK_DOOR", door)
    assert house.commands(door) == before
    monkeypatch.setattr(house.store, "accept", accept)
    assert (await house.run("UNLOCK_DOOR", door)).status == "success"


async def test_an_outcome_survives_a_store_that_is_away_for_a_while(house, monkeypatch):
    """The door did open: that is written as soon as it can be, and the caller waits for it."""
    door = await house.lock()
    apply, tries = house.store.apply, []

    async def away_at_first(change):
        tries.append(change)
        if len(tries) < 4:
            raise StorageUnavailable
        return await apply(change)

    monkeypatch.setattr(house.store, "apply", away_at_first)
    attempt = await house.run("UNLOCK_DOOR", door)
    assert attempt.status == "pending"
    await house.clock.advance(seconds(5))
    assert (await house.stored(attempt)).status == "success"
    assert await house.told("lock.unlocked", "action_attempt.unlock_door.succeeded") == [
        "lock.unlocked",
        "action_attempt.unlock_door.succeeded",
    ]


async def test_a_caller_who_goes_away_does_not_take_the_attempt_with_him(house):
    """Accepted work goes on; the lane does not hang."""
    door = await house.lock()
    task = asyncio.ensure_future(house.begin("UNLOCK_DOOR", door))
    await asyncio.sleep(0)
    task.cancel()
    await house.clock.settle()
    assert house.commands(door)[-1] == "unlock"
    assert (await house.run("LOCK_DOOR", door)).status == "success"


async def test_waiting_for_the_end_gives_the_ended_attempt(house):
    """``settled``, while it runs and after."""
    door = await house.lock(travel=1000)
    attempt = await house.begin("UNLOCK_DOOR", door)
    waiting = asyncio.ensure_future(house.engine.begun.settled(attempt, seconds(60)))
    await house.clock.advance(seconds(0.9))
    assert not waiting.done()
    await house.clock.advance(seconds(0.2))
    assert (await waiting).status == "success"
    assert (await house.engine.begun.settled(attempt, seconds(60))) == await waiting


async def test_whoever_ends_an_attempt_first_has_ended_it(house):
    """Another writer was first: ours is not applied, and no event is doubled."""
    door = await house.lock(travel=1000)
    attempt = await house.begin("UNLOCK_DOOR", door)
    await house.clock.settle()
    stands = await house.stored(attempt)
    other = decide(stands, Failed("lock_jammed", "said by another process"), house.clock.now())
    assert await house.store.apply(Change((Transition(other.attempt, stands.phase),), events=other.events))
    await house.clock.advance(seconds(2))
    assert (await house.stored(attempt)).failure == ("lock_jammed", "said by another process")
    ends = [each for each in await house.told() if each.startswith("action_attempt.unlock_door")]
    assert ends == ["action_attempt.unlock_door.failed"]


async def test_accepted_at_orders_attempts_even_when_the_clock_stands_still(house):
    """Order of acceptance is a fact of its own."""
    doors = [await house.lock() for _ in range(5)]
    begun = [await house.begin("UNLOCK_DOOR", door) for door in doors]
    times = [each.accepted_at for each in begun]
    assert times == sorted(set(times))


async def test_a_reset_brings_everything_back_and_ends_what_was_open(house):
    """Devices, names and faults are as at the beginning, under the same ids; attempts and events stay."""
    door = await house.device("Front Door")
    named = replace(door, nickname="Mine", custom_metadata={"a": "b"})
    await house.engine.change_device("w1", door.id, lambda _: named)
    await house.fault(door, "jam")
    extra = await house.lock(travel=1000)
    sent, queued = await house.begin("UNLOCK_DOOR", extra), await house.begin("LOCK_DOOR", extra)
    reset = await house.run("RESET_SANDBOX_WORKSPACE")
    assert (reset.status, reset.result) == ("success", {})
    assert (await house.stored(sent)).failure[0] == "outcome_unknown"
    assert (await house.stored(queued)).failure[0] == "device_removed"
    again = await house.device("Front Door")
    assert (again.id, again.nickname, dict(again.custom_metadata)) == (door.id, None, {})
    assert await house.store.device("w1", extra.id) is None
    attempt = await house.run("UNLOCK_DOOR", again)
    await house.clock.advance(seconds(3))
    assert (await house.stored(attempt)).status == "success"


async def test_connecting_disconnecting_and_removing_are_each_told_once(house):
    """A change has exactly one event; no change has none."""
    door = await house.lock()
    sandbox = house.engine.sandbox
    for verb in (sandbox.disconnect, sandbox.disconnect, sandbox.connect, sandbox.connect, sandbox.remove):
        await verb(house.workspace, door.id)
    told = await house.told("device.disconnected", "device.connected", "device.removed")
    assert told == ["device.disconnected", "device.connected", "device.removed"]
    assert (await house.run("UNLOCK_DOOR", door)).failure[0] == "device_offline"


async def test_an_unlocked_door_is_told_once_however_often_it_is_unlocked(house):
    """The second unlock succeeds, and changes nothing that could be told."""
    door = await house.lock()
    for _ in range(2):
        assert (await house.run("UNLOCK_DOOR", door)).status == "success"
    assert await house.told("lock.unlocked") == ["lock.unlocked"]
    [event] = await house.store.events("w1", EventFilter(event_types=["lock.unlocked"]), limit=9)
    assert event.payload["method"] == "remote"
    assert event.action_attempt_id is not None


async def test_a_hand_on_the_thumbturn_is_no_attempts_doing(house):
    """What happens at the door by itself is told without an attempt, even while one waits."""
    door = await house.lock(locked=False)
    await house.fault(door, "ack_only", times=1)
    await house.run("UNLOCK_DOOR", door)
    house.engine._observations.observe(
        Observation(device_id=door.id, at=house.clock.now(), changes={"locked": True}, method="manual")
    )
    await house.clock.settle()
    [event] = await house.store.events("w1", EventFilter(event_types=["lock.locked"]), limit=9)
    assert (event.payload["method"], event.action_attempt_id) == ("manual", None)
