"""The life of access codes: programmed ahead of their time, removed at their end, kept as they shall be."""

from __future__ import annotations

import asyncio

import pytest

from tests.fixtures.codes import DAY, HOUR, ME, NATIVE, PLAIN
from thumbturn.domain.clock import seconds
from thumbturn.domain.ids import new_id
from thumbturn.engine.code_refusals import AccessCodeNotFound, DuplicateAccessCode


async def test_code_without_times_is_set_at_once(codes):
    """It is at its lock when its attempt succeeds, and the workspace is told so, once."""
    code_id, attempt = await codes.create()
    assert (await codes.house.stored(attempt)).status == "success"
    assert await codes.status(code_id) == "set"
    assert await codes.at_lock() == {code_id: "4711"}
    assert await codes.told() == ["created", "set_on_device"]


async def test_deleted_code_is_gone_when_its_lock_holds_it_no_longer(codes):
    """It is being removed until the lock has said so; then it is no more."""
    code_id, _ = await codes.create()
    device = await codes.house.device(PLAIN)
    await codes.house.fault(device, "slow", 1, 5_000)
    attempt = await codes.all.delete("w1", code_id, ME)
    await codes.house.clock.settle()
    assert await codes.status(code_id) == "removing"
    await codes.house.clock.advance(seconds(6))
    assert (await codes.house.stored(attempt)).status == "success"
    assert await codes.status(code_id) == "gone"
    assert await codes.at_lock() == {}
    assert await codes.told() == [
        "created",
        "set_on_device",
        "mutations_requested",
        "removed_from_device",
        "deleted",
    ]


@pytest.mark.parametrize(("door", "ahead", "then"), [(PLAIN, HOUR, "set"), (NATIVE, 72 * HOUR, "unset")])
async def test_code_with_times_is_set_ahead_and_removed_at_its_end(codes, door, ahead, then):
    """It is at its lock an hour ahead (72 h where that keeps the time itself), and goes at its end."""
    clock = codes.house.clock
    start = clock.now() + 4 * DAY
    code_id, attempt = await codes.create(door, starts_at=start, ends_at=start + DAY)
    await clock.advance(start - clock.now() - ahead - seconds(2))
    assert (await codes.status(code_id), await codes.at_lock(door)) == ("unset", {})
    assert (await codes.house.stored(attempt)).status == "pending"
    await clock.advance(seconds(4))
    assert (await codes.status(code_id), await codes.at_lock(door)) == (then, {code_id: "4711"})
    assert (await codes.house.stored(attempt)).status == "success"
    await clock.advance(start - clock.now() + seconds(1))
    assert await codes.status(code_id) == "set"
    await clock.advance(DAY + seconds(2))
    assert (await codes.status(code_id), await codes.at_lock(door)) == ("gone", {})
    scheduled = ["scheduled_on_device"] if then == "unset" else []
    assert await codes.told() == ["created", *scheduled, "set_on_device", "removed_from_device", "deleted"]


async def test_same_pin_at_one_lock_is_refused(codes):
    """Two codes of a lock cannot have one PIN; of two locks they can. A deleted code's PIN is free again."""
    code_id, _ = await codes.create()
    with pytest.raises(DuplicateAccessCode):
        await codes.create()
    await codes.create(NATIVE)
    await codes.all.delete("w1", code_id, ME)
    await codes.house.clock.settle()
    await codes.create()


async def test_code_waits_for_a_lock_that_is_offline(codes):
    """It is accepted, said to be late after five minutes, and set when the lock is back."""
    house = codes.house
    device = await house.device(PLAIN)
    await house.engine.sandbox.disconnect(house.workspace, device.id)
    code_id, attempt = await codes.create()
    assert await codes.status(code_id) == "setting"
    await house.clock.advance(seconds(301))
    assert await codes.told() == ["created", "delay_in_setting_on_device"]
    code = await codes.all.get("w1", code_id)
    assert list(code.facts.warnings) == ["delay_in_setting_on_device"]
    await house.clock.advance(10 * HOUR)
    await house.engine.sandbox.connect(house.workspace, device.id)
    await house.clock.settle()
    assert (await house.stored(attempt)).status == "success"
    code = await codes.all.get("w1", code_id)
    assert (await codes.status(code_id), dict(code.facts.warnings)) == ("set", {})
    assert await codes.told() == ["created", "delay_in_setting_on_device", "set_on_device"]


async def test_what_a_lock_refuses_is_tried_again_ever_more_slowly(codes):
    """Each try is an attempt of its own; the failure is told once, and clears with the first success."""
    house = codes.house
    await house.fault(await house.device(PLAIN), "refuse")
    code_id, attempt = await codes.create()
    assert (await house.stored(attempt)).failure[0] == "command_refused"
    await house.clock.advance(10 * HOUR)
    tries = len(await codes.attempts())
    # 1, 2, 4 … 32 min, then every hour.
    assert tries == 1 + 6 + 8
    assert await codes.told() == ["created", "failed_to_set_on_device", "delay_in_setting_on_device"]
    assert list((await codes.all.get("w1", code_id)).facts.errors) == ["failed_to_set_on_device"]
    await house.engine.sandbox.clear_faults(house.workspace)
    await house.clock.advance(HOUR)
    assert await codes.status(code_id) == "set"
    assert not (await codes.all.get("w1", code_id)).facts.errors


async def test_code_that_is_deleted_while_it_is_tried_again_is_told_deleted_once(codes, monkeypatch):
    """The next try is being stored when somebody deletes the code: what that try began ends it, once."""
    house, may_accept = codes.house, asyncio.Event()
    device = await house.device(PLAIN)
    await house.fault(device, "refuse", times=1)
    code_id, _ = await codes.create()
    accept = house.store.accept

    async def accept_later(attempt):
        await may_accept.wait()
        await accept(attempt)

    monkeypatch.setattr(house.store, "accept", accept_later)
    await house.clock.advance(HOUR)
    deleting = asyncio.ensure_future(codes.all.delete("w1", code_id, ME))
    await house.clock.settle()
    may_accept.set()
    await deleting
    await house.clock.advance(HOUR)
    assert (await codes.status(code_id), await codes.at_lock()) == ("gone", {})
    assert (await codes.told()).count("deleted") == 1


async def test_one_dead_lock_stops_no_other(codes):
    """Codes of a lock that never answers do not keep those of others waiting."""
    house = codes.house
    await house.fault(await house.device(PLAIN), "silent")
    dead, _ = await codes.create(PLAIN)
    alive, _ = await codes.create(NATIVE)
    assert (await codes.status(dead), await codes.status(alive)) == ("setting", "set")


async def test_what_passed_while_the_server_was_down_is_made_up_for(codes):
    """A start and an end that passed meanwhile are seen to by the next start."""
    house = codes.house
    start = house.clock.now() + DAY
    ended, _ = await codes.create(pin="1111", starts_at=start - HOUR, ends_at=start)
    begun, _ = await codes.create(pin="2222", starts_at=start, ends_at=start + DAY)
    await house.clock.advance(start - house.clock.now() - HOUR)
    assert await codes.status(ended) == "set"
    await house.die()
    await house.clock.advance(2 * HOUR)
    house.boot()
    await house.open()
    await house.clock.advance(seconds(2))
    assert (await codes.status(ended), await codes.status(begun)) == ("gone", "set")
    assert await codes.at_lock() == {begun: "2222"}


async def test_code_of_another_workspace_is_not_found(codes):
    """What is another workspace's is not there."""
    code_id, _ = await codes.create()
    with pytest.raises(AccessCodeNotFound):
        await codes.all.get("w2", code_id)
    with pytest.raises(AccessCodeNotFound):
        await codes.all.get("w1", code_id, frozenset({new_id()}))
