"""Backups of codes: as many as shall stand ready, each for a code that lets in still, none for longer."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.fixtures.codes import DAY, HOUR, ME, PLAIN
from thumbturn.domain.clock import seconds
from thumbturn.engine.backup_pool import POOL_SIZE
from thumbturn.engine.code_refusals import AccessCodeIsOver, AccessCodeNotFound


async def with_backup(codes) -> tuple[str, str]:
    """A code that lets in for a day, and the backup that stands in for it."""
    now = codes.house.clock.now()
    code_id, _ = await codes.create(starts_at=now, ends_at=now + DAY, uses_backup_pool=True)
    await codes.house.engine.backup_pool.use(await codes.house.device(PLAIN))
    await codes.house.clock.settle()
    _, backup = await codes.house.engine.backup_pool.pull("w1", code_id)
    await codes.house.clock.settle()
    return code_id, backup.id


async def test_backup_goes_with_its_code(codes):
    """Who may not come any more has no other PIN that lets in; the pool stays as it is."""
    code_id, backup_id = await with_backup(codes)
    assert {code_id, backup_id} < (await codes.at_lock()).keys()
    await codes.all.delete("w1", code_id, ME)
    await codes.house.clock.settle()
    assert not {code_id, backup_id} & (await codes.at_lock()).keys()
    assert (await codes.status(code_id), await codes.status(backup_id)) == ("gone", "gone")
    assert len(await codes.at_lock()) == POOL_SIZE
    assert (await codes.told())[-6:].count("deleted") == 2


async def test_backup_is_removed_by_the_next_start(codes):
    """Its end is on record with its code's: a server that dies over it makes up for it."""
    code_id, backup_id = await with_backup(codes)
    device = await codes.house.device(PLAIN)
    await codes.house.engine.sandbox.disconnect(codes.house.workspace, device.id)
    await codes.all.delete("w1", code_id, ME)
    assert await codes.status(backup_id) == "removing"
    await codes.house.die()
    codes.house.boot()
    await codes.house.open()
    await codes.house.engine.sandbox.connect(codes.house.workspace, device.id)
    await codes.house.clock.advance(HOUR)
    assert not {code_id, backup_id} & (await codes.at_lock()).keys()


async def test_backup_that_is_gone_keeps_no_code_from_being_deleted(codes):
    """Whoever deleted the backup by itself deletes the code as ever, and changes it."""
    code_id, backup_id = await with_backup(codes)
    await codes.all.delete("w1", backup_id, ME)
    await codes.house.clock.settle()
    await codes.all.update("w1", code_id, {"ends_at": codes.house.clock.now() + HOUR}, ME)
    await codes.all.delete("w1", code_id, ME)
    await codes.house.clock.settle()
    assert await codes.status(code_id) == "gone"


async def test_backup_that_goes_meanwhile_keeps_no_code_from_being_deleted(codes, monkeypatch):
    """It may come to its end between the look at it and the change: the code is deleted all the same."""
    code_id, backup_id = await with_backup(codes)
    store = codes.house.store.access_codes
    get = store.get

    async def stale(access_code_id: str):
        found = await get(access_code_id)
        if found is None and access_code_id == backup_id:
            return before
        return found

    before = await get(backup_id)
    await codes.all.delete("w1", backup_id, ME)
    await codes.house.clock.settle()
    monkeypatch.setattr(store, "get", stale)
    await codes.all.delete("w1", code_id, ME)
    await codes.house.clock.settle()
    assert code_id not in await codes.at_lock()


@pytest.mark.parametrize("hours", [1, 48])
async def test_backup_ends_with_its_code_when_that_is_moved(codes, hours):
    """Earlier or later: it lets in exactly as long as the code that it stands in for."""
    clock = codes.house.clock
    code_id, backup_id = await with_backup(codes)
    end = clock.now() + hours * HOUR
    await codes.all.update("w1", code_id, {"ends_at": end}, ME)
    assert (await codes.all.get("w1", backup_id)).ends_at == end
    await clock.advance(hours * HOUR - seconds(1))
    assert {code_id, backup_id} < (await codes.at_lock()).keys()
    await clock.advance(seconds(3))
    assert not {code_id, backup_id} & (await codes.at_lock()).keys()


async def test_backup_of_a_code_that_ends_no_more_keeps_its_end(codes):
    """No backup stays for ever; what else changes of a code does not touch its backup."""
    code_id, backup_id = await with_backup(codes)
    before = await codes.all.get("w1", backup_id)
    await codes.all.update("w1", code_id, {"name": "Jane"}, ME)
    await codes.all.update("w1", code_id, {"starts_at": None, "ends_at": None}, ME)
    await codes.house.clock.settle()
    assert await codes.all.get("w1", backup_id) == before
    await codes.house.clock.advance(DAY + seconds(2))
    assert code_id in await codes.at_lock()
    assert backup_id not in await codes.at_lock()


async def test_a_crowd_fills_the_pool_once(codes):
    """Callers who ask for backups at one moment get one pool together."""
    device = await codes.house.device(PLAIN)
    await asyncio.gather(*(codes.house.engine.backup_pool.use(device) for _ in range(8)))
    await codes.house.clock.settle()
    assert len(await codes.at_lock()) == POOL_SIZE


async def test_backup_that_was_deleted_is_made_up_for(codes):
    """Another stands ready when it is gone; the one that is being removed is not counted as ready."""
    device = await codes.house.device(PLAIN)
    await codes.house.engine.backup_pool.use(device)
    await codes.house.clock.settle()
    first = min(await codes.at_lock())
    await codes.all.delete("w1", first, ME)
    await codes.house.clock.settle()
    there = await codes.at_lock()
    assert (len(there), first in there) == (POOL_SIZE, False)


async def test_a_lock_without_another_pin_is_looked_after_all_the_same(codes):
    """No backup can be made up for it: its codes end at their time, and it is said that a backup lacks."""
    house = codes.house
    device = await house.device(PLAIN)
    await house.engine.backup_pool.use(device)
    await house.clock.settle()
    now = house.clock.now()
    code_id, _ = await codes.create(starts_at=now, ends_at=now + HOUR)
    await house.engine.change_device(
        "w1",
        device.id,
        lambda known: replace(known, settings={**known.settings, "reported_code_lengths": [20]}),
    )
    await codes.all.delete("w1", min((await codes.at_lock()).keys() - {code_id}), ME)
    await house.clock.advance(HOUR + seconds(2))
    assert code_id not in await codes.at_lock()
    assert len(await codes.at_lock()) == POOL_SIZE - 1
    lacks = (await house.device(PLAIN)).state["backup_pool_lacks"]
    assert lacks is not None, "it is said that one lacks"


async def test_code_that_is_over_burns_no_backup(codes):
    """A backup that stood in for it would be over at once."""
    house = codes.house
    now = house.clock.now()
    code_id, _ = await codes.create(starts_at=now, ends_at=now + HOUR, uses_backup_pool=True)
    device = await house.device(PLAIN)
    await house.engine.backup_pool.use(device)
    await house.clock.settle()
    ready = await codes.at_lock()
    await house.engine.sandbox.disconnect(house.workspace, device.id)
    await codes.all.delete("w1", code_id, ME)
    with pytest.raises(AccessCodeIsOver):
        await house.engine.backup_pool.pull("w1", code_id)
    await house.engine.sandbox.connect(house.workspace, device.id)
    await house.clock.advance(HOUR)
    with pytest.raises(AccessCodeNotFound):
        await house.engine.backup_pool.pull("w1", code_id)
    assert await codes.at_lock() == {place: pin for place, pin in ready.items() if place != code_id}


async def test_pool_that_is_not_wanted_any_more_is_not_filled(codes):
    """What stands ready may be pulled and deleted; nothing comes after it."""
    house = codes.house
    now = house.clock.now()
    code_id, _ = await codes.create(starts_at=now, ends_at=now + DAY, uses_backup_pool=True)
    device = await house.device(PLAIN)
    await house.engine.backup_pool.use(device)
    await house.clock.settle()
    off = {**(await house.device(PLAIN)).settings, "backup_access_code_pool_enabled": False}
    await house.engine.change_device("w1", device.id, lambda known: replace(known, settings=off))
    _, pulled = await house.engine.backup_pool.pull("w1", code_id)
    ready = (await codes.at_lock()).keys() - {code_id, pulled.id}
    await codes.all.delete("w1", min(ready), ME)
    await house.clock.advance(HOUR)
    assert (await codes.at_lock()).keys() == {code_id, pulled.id, max(ready)}
