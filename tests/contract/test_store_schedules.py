"""Thermostats' schedules: what every store keeps of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from tests.fixtures.stores import NOON, a_seed
from thumbturn.domain.ids import new_id
from thumbturn.domain.schedule import Schedule
from thumbturn.engine.ports import Store
from thumbturn.engine.schedule_ports import Stored


def a_schedule(number: int = 0, workspace_id: str = "w1", **other: Any) -> Schedule:
    """A schedule of the workspace's first device."""
    schedule = Schedule(
        id=new_id(),
        workspace_id=workspace_id,
        device_id=f"{workspace_id}_lock_1",
        climate_preset_key="home",
        starts_at=NOON + number,
        ends_at=NOON + number + 10,
        created_at=NOON,
    )
    return replace(schedule, **other)


async def test_a_schedule_is_kept_whole(store: Store):
    """Everything of it comes back; in another workspace it is not found."""
    made = a_schedule(
        name="Gäste",
        is_override_allowed=True,
        max_override_period_minutes=90,
        errors=({"error_code": "device_offline", "message": 'so "it" is', "created_at": "2030"},),
    )
    assert await store.schedules.add(made) is Stored.DONE
    assert await store.schedules.get("w1", made.id) == made
    assert await store.schedules.get("w2", made.id) is None
    assert await store.schedules.of_device("w2", made.device_id) == []


async def test_a_start_is_taken_once(store: Store):
    """Of several that are made at once for one moment of a device one is kept; elsewhere it is free."""
    made = [a_schedule() for _ in range(5)]
    stored = await asyncio.gather(*[store.schedules.add(each) for each in made])
    assert sorted(each.value for each in stored) == ["done", "taken", "taken", "taken", "taken"]
    other = a_schedule(device_id="w1_lock_2")
    assert await store.schedules.add(other) is Stored.DONE
    assert await store.schedules.change(replace(other, name="New")) is Stored.DONE
    later = a_schedule(5)
    assert await store.schedules.add(later) is Stored.DONE
    assert await store.schedules.change(replace(later, starts_at=NOON)) is Stored.TAKEN
    assert await store.schedules.get("w1", later.id) == later


async def test_a_schedule_needs_its_device(store: Store):
    """For a device that is not there, or is another workspace's, none is kept."""
    assert await store.schedules.add(a_schedule(device_id="nobody")) is Stored.MISSING
    assert await store.schedules.add(a_schedule(device_id="w2_lock_1")) is Stored.MISSING


async def test_a_schedule_is_changed_and_removed_by_its_workspace(store: Store):
    """Nobody else changes or removes it, and one that is gone is missing."""
    made = a_schedule()
    await store.schedules.add(made)
    changed = replace(made, name="Later", starts_at=NOON + 3, ends_at=NOON + 9, is_over=True)
    assert await store.schedules.change(replace(changed, workspace_id="w2", starts_at=1)) is Stored.MISSING
    assert await store.schedules.change(changed) is Stored.DONE
    assert await store.schedules.get("w1", made.id) == changed
    assert await store.schedules.remove("w2", made.id) is False
    assert await store.schedules.remove("w1", made.id) is True
    assert await store.schedules.remove("w1", made.id) is False
    assert await store.schedules.change(changed) is Stored.MISSING


async def test_schedules_are_listed_by_their_start(store: Store):
    """Those of a device in order of their start; those that are not over of all workspaces."""
    made = [a_schedule(number) for number in (3, 1, 2)]
    over = a_schedule(0, is_over=True)
    elsewhere = a_schedule(0, "w2")
    for each in (*made, over, elsewhere):
        await store.schedules.add(each)
    found = await store.schedules.of_device("w1", "w1_lock_1")
    assert [each.starts_at - NOON for each in found] == [0, 1, 2, 3]
    left = {each.id for each in await store.schedules.not_over()}
    assert left == {each.id for each in (*made, elsewhere)}


async def test_a_reset_takes_a_workspaces_schedules(store: Store):
    """They go with their devices; those of other workspaces stay."""
    mine, theirs = a_schedule(), a_schedule(0, "w2")
    for each in (mine, theirs):
        await store.schedules.add(each)
    await store.reset_workspace("w1", a_seed("w1"), [])
    assert [each.id for each in await store.schedules.not_over()] == [theirs.id]
