"""Whatever schedules there are, and whatever happens to a thermostat: it is where they want it, in the end.

Days pass in milliseconds. A small model says what shall be; the engine, its store, the virtual thermostat and
its faults are the real ones.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.engine import House
from thumbturn.domain.clock import seconds
from thumbturn.domain.ids import new_id
from thumbturn.domain.presets import with_fallback
from thumbturn.domain.schedule import Schedule, in_force, next_turn
from thumbturn.engine import timetable
from thumbturn.engine.schedules import StartIsTaken

HOUR = seconds(3_600)
DAY = 24 * HOUR
#: Longer than a bucket of the timetable and all that a sound thermostat takes, and two tries after a failure.
SOON = seconds(130)

spans = st.tuples(st.integers(0, 40), st.integers(1, 12))
plans = st.lists(st.tuples(spans, st.sampled_from(["home", "sleep"])), min_size=1, max_size=6)
#: (hours until it happens, what): it may happen while a schedule is in force or not.
happenings = st.lists(
    st.tuples(st.integers(1, 9), st.sampled_from(["hand", "offline", "crash", "refuse", "long crash"])),
    max_size=6,
)


def test_a_thermostat_is_where_its_schedules_want_it(monkeypatch):
    """After every turn, and after every accident, it is at the preset of the schedule that is in force."""
    monkeypatch.setattr(timetable, "LOOK_EVERY", 1_000 * DAY)

    @settings(max_examples=30, deadline=None)
    @given(plans, happenings)
    def any_plan(plan, happening):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(live(Path(folder), plan, happening))

    any_plan()


async def live(folder: Path, plan: Any, happening: Any) -> None:
    house = House(folder / "world.jsonl")
    await house.open()
    room = await house.device("Living Room")
    await house.engine.climate.change("w1", room.id, lambda known: with_fallback(known, "away"))
    begun = house.clock.now()
    made: list[Schedule] = []
    for (starts, lasts), preset in plan:
        schedule = Schedule(
            id=new_id(),
            workspace_id="w1",
            device_id=room.id,
            climate_preset_key=preset,
            # Nobody may set it otherwise: so it is known where it must be.
            is_override_allowed=False,
            starts_at=begun + starts * HOUR + HOUR // 2,
            ends_at=begun + (starts + lasts) * HOUR + HOUR // 2,
            created_at=begun,
        )
        try:
            made.append(await house.engine.schedules.create(schedule))
        except StartIsTaken:
            assert schedule.starts_at in [each.starts_at for each in made]
    for hours, what in happening:
        await house.clock.advance(hours * HOUR)
        await happen(house, room.id, what)
        await house.clock.advance(SOON)
        await holds(house, room.id, made)
    is_undisturbed = False
    while (turn := next_turn(made, house.clock.now())) is not None:
        await house.clock.advance(turn - house.clock.now() + SOON)
        await holds(house, room.id, made)
        is_undisturbed = True
    # Each end has been seen to. What was set by hand after the last one stays.
    assert await house.store.schedules.not_over() == []
    if is_undisturbed:
        preset = (await house.store.device("w1", room.id)).state["climate_preset"]
        assert preset["is_fallback_climate_preset"]
    count = len(await house.store.attempts("w1", limit=1_000))
    await house.clock.advance(3 * DAY)
    assert len(await house.store.attempts("w1", limit=1_000)) == count, "nothing is left to do"
    await house.die()


async def happen(house: House, device_id: str, what: str) -> None:
    """An accident, which is over when this returns."""
    if what == "hand":
        house.driver.adjust_climate(device_id, {"hvac_mode_setting": "off"})
    elif what == "offline":
        house.driver.disconnect(device_id)
        await house.clock.advance(3 * HOUR)
        house.driver.connect(device_id)
    elif what == "refuse":
        house.driver.inject_fault(device_id, "refuse", times=1, milliseconds=None)
        house.driver.adjust_climate(device_id, {"hvac_mode_setting": "cool"})
    else:
        await house.die()
        await house.clock.advance(5 * HOUR if what == "long crash" else 1)
        house.boot()
        await house.open()
    await house.clock.settle()


async def holds(house: House, device_id: str, made: list[Schedule]) -> None:
    """What must be so now."""
    current = in_force(made, house.clock.now())
    device = await house.store.device("w1", device_id)
    assert device is not None
    if current is not None:
        preset = device.state["climate_preset"]
        assert (preset["climate_preset_key"], preset["thermostat_schedule_id"]) == (
            current.climate_preset_key,
            current.id,
        )
        expected = {"home": 21.0, "sleep": 18.0}[current.climate_preset_key]
        assert device.state["heating_set_point_celsius"] == expected
    else:
        assert device.settings.get("schedule_in_force") is None
