"""Thermostats are kept to their schedules, against hands, programs, outages and crashes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from thumbturn.domain.audit import RECORDING, Recording
from thumbturn.domain.clock import seconds
from thumbturn.domain.ids import new_id
from thumbturn.domain.presets import ClimatePresetInUse, with_fallback
from thumbturn.domain.programs import DAYS, day_key, with_daily_program
from thumbturn.domain.refusals import DeviceUnmanaged
from thumbturn.domain.schedule import Schedule
from thumbturn.engine import timetable
from thumbturn.engine.schedules import (
    InvalidScheduleTimes,
    ScheduleIsOver,
    ScheduleNotFound,
    StartIsTaken,
    TooManySchedules,
)

ROOM = "Living Room"
MINUTE = seconds(60)
HOUR = 60 * MINUTE
BY_HAND = {"hvac_mode_setting": "off"}


@pytest.fixture(autouse=True)
def _clocks_are_trusted(monkeypatch):
    """Nobody sets the clock here: looking at it every ten seconds makes days long."""
    monkeypatch.setattr(timetable, "LOOK_EVERY", 1_000 * HOUR)


@pytest.fixture
async def room(house):
    """A thermostat with a fallback."""
    device = await house.device(ROOM)
    await house.engine.climate.change("w1", device.id, lambda known: with_fallback(known, "away"))
    return device


async def schedule(house, room, starts, ends, preset="sleep", **more):
    """A new schedule, with its times from now on."""
    now = house.clock.now()
    made = Schedule(
        id=new_id(),
        workspace_id="w1",
        device_id=room.id,
        climate_preset_key=preset,
        starts_at=now + starts,
        ends_at=now + ends,
        created_at=now,
        **more,
    )
    made = await house.engine.schedules.create(made)
    await house.clock.settle()
    return made


async def at(house, room):
    """Which preset the thermostat is at: its key, and whose it is; ``None`` if it is at none."""
    preset = (await house.store.device("w1", room.id)).state.get("climate_preset")
    if preset is None:
        return None
    whose = "fallback" if preset["is_fallback_climate_preset"] else preset["thermostat_schedule_id"]
    return preset["climate_preset_key"], whose


async def by_hand(house, room):
    await house.engine.sandbox.adjust_climate(house.workspace, room.id, BY_HAND)
    await house.clock.settle()


async def activated(house):
    """The presets that the workspace was told of, in order."""
    return [
        (event.payload["climate_preset_key"], event.payload["thermostat_schedule_id"])
        for _, event in await house.store.events_after("w1", 0, limit=1_000)
        if event.event_type == "thermostat.climate_preset_activated"
    ]


async def test_it_starts_ends_and_falls_back(house, room):
    """At its start its preset is activated, at its end the fallback, each once and by an attempt."""
    made = await schedule(house, room, HOUR, 3 * HOUR)
    await house.clock.advance(HOUR - 1)
    assert await at(house, room) is None
    await house.clock.advance(seconds(1))
    assert await at(house, room) == ("sleep", made.id)
    await house.clock.advance(2 * HOUR - seconds(2))
    assert await at(house, room) == ("sleep", made.id)
    await house.clock.advance(seconds(2))
    assert await at(house, room) == ("away", "fallback")
    await house.clock.advance(50 * HOUR)
    assert await activated(house) == [("sleep", made.id), ("away", None)]
    attempts = await house.store.attempts("w1", limit=10)
    assert [each.action_type for each in attempts] == ["ACTIVATE_CLIMATE_PRESET"] * 2
    assert {each.asked_by.kind for each in attempts} == {"thermostat_schedule"}
    assert (await house.engine.schedules.get("w1", made.id)).is_over


async def test_one_whose_start_is_past_begins_at_once(house, room):
    """It is in force as soon as it is made."""
    made = await schedule(house, room, -HOUR, HOUR)
    assert await at(house, room) == ("sleep", made.id)


async def test_without_a_fallback_the_thermostat_stays_as_it_is(house):
    """Nothing is activated at the end."""
    bare = await house.device(ROOM)
    made = await schedule(house, bare, 0, HOUR)
    await house.clock.advance(2 * HOUR)
    assert await at(house, bare) == ("sleep", made.id)
    assert len(await house.store.attempts("w1", limit=10)) == 1


async def test_the_one_that_started_last_is_in_force(house, room):
    """A schedule inside another interrupts it; the outer one is in force again, and only then falls back."""
    outer = await schedule(house, room, HOUR, 6 * HOUR, "sleep")
    inner = await schedule(house, room, 2 * HOUR, 3 * HOUR, "home")
    for hours, expected in ((1, ("sleep", outer.id)), (2, ("home", inner.id)), (3, ("sleep", outer.id))):
        await house.clock.advance(HOUR)
        await house.clock.advance(seconds(hours))
        assert await at(house, room) == expected
    await house.clock.advance(3 * HOUR)
    assert await at(house, room) == ("away", "fallback")


@pytest.mark.parametrize(
    ("allowed", "minutes", "stands"), [(False, None, 0), (False, 10, 0), (True, 20, 20), (True, None, None)]
)
async def test_an_override_stands_as_long_as_it_may(house, room, allowed, minutes, stands):
    """What is set by hand is put back at once, after the period, or not before the schedule's end."""
    made = await schedule(
        house, room, 0, 5 * HOUR, is_override_allowed=allowed, max_override_period_minutes=minutes
    )
    await house.clock.advance(HOUR)
    await by_hand(house, room)
    if stands != 0:
        assert await at(house, room) is None
        await house.clock.advance(19 * MINUTE)
        assert await at(house, room) is None
        await house.clock.advance(2 * MINUTE)
    assert await at(house, room) == (None if stands is None else ("sleep", made.id))
    await house.clock.advance(5 * HOUR)
    assert await at(house, room) == ("away", "fallback")


async def test_a_second_override_has_its_own_period(house, room):
    """Set by hand again, it stands as long again."""
    made = await schedule(house, room, 0, 5 * HOUR, is_override_allowed=True, max_override_period_minutes=20)
    await by_hand(house, room)
    await house.clock.advance(15 * MINUTE)
    await house.engine.sandbox.adjust_climate(house.workspace, room.id, {"hvac_mode_setting": "cool"})
    await house.clock.advance(15 * MINUTE)
    assert await at(house, room) is None
    await house.clock.advance(6 * MINUTE)
    assert await at(house, room) == ("sleep", made.id)


async def test_a_command_is_an_override_like_a_hand(house, room):
    """A mode that is set by an attempt is put back as one that was set by hand."""
    made = await schedule(house, room, 0, HOUR)
    await house.clock.advance(MINUTE)
    assert (await house.run("SET_HVAC_MODE", room, hvac_mode_setting="off")).status == "success"
    await house.clock.settle()
    assert await at(house, room) == ("sleep", made.id)


async def test_a_preset_that_is_activated_on_purpose_stands(house, room):
    """It overrides the schedule until its end, whatever the schedule allows."""
    await schedule(house, room, 0, HOUR)
    await house.clock.advance(MINUTE)
    await house.run("ACTIVATE_CLIMATE_PRESET", room, climate_preset_key="home")
    await house.clock.advance(30 * MINUTE)
    assert await at(house, room) == ("home", None)
    await house.clock.advance(HOUR)
    assert await at(house, room) == ("away", "fallback")


async def test_the_thermostats_own_program_is_put_back(house, room):
    """A period of its own program that begins meanwhile does not end a schedule, even if overrides may."""
    made = await schedule(house, room, 0, 30 * HOUR, is_override_allowed=True)
    program = {"name": "Day", "periods": [{"starts_at_time": "02:00:00", "climate_preset_key": "home"}]}
    await house.engine.climate.change(
        "w1", room.id, lambda known: with_daily_program(known, "p1", {**program, "created_at": 1})
    )
    week = {day_key(day): "p1" for day in DAYS}
    assert (await house.run("PUSH_THERMOSTAT_PROGRAMS", room, weekly_program=week)).status == "success"
    await house.clock.advance(3 * HOUR)
    assert await at(house, room) == ("sleep", made.id)
    assert ("home", None) in await activated(house)
    await house.clock.advance(28 * HOUR)
    assert await at(house, room) == ("away", "fallback")


async def test_a_start_that_was_missed_is_made_up_for(house, room):
    """The server was down at its start: it begins when the server is back."""
    made = await schedule(house, room, HOUR, 3 * HOUR)
    await house.die()
    await house.clock.advance(2 * HOUR)
    assert await at(house, room) is None
    house.boot()
    await house.open()
    assert await at(house, room) == ("sleep", made.id)


async def test_an_end_that_was_missed_is_made_up_for_once(house, room):
    """The server was down at its end, or from before its start: the thermostat falls back, once."""
    made = await schedule(house, room, HOUR, 3 * HOUR)
    missed = await schedule(house, room, 4 * HOUR, 5 * HOUR)
    await house.clock.advance(2 * HOUR)
    for away in (1.5 * HOUR, 3 * HOUR):
        await house.die()
        await house.clock.advance(int(away))
        house.boot()
        await house.open()
        assert await at(house, room) == ("away", "fallback")
        await house.run("SET_HVAC_MODE", room, hvac_mode_setting="off")
        await house.clock.settle()
        assert await at(house, room) is None, "what is set after the end stays"
    assert await activated(house) == [("sleep", made.id), ("away", None), ("away", None)]
    assert (await house.engine.schedules.get("w1", missed.id)).is_over


async def test_a_restart_in_the_middle_changes_nothing(house, room):
    """What is active stays so, and nothing is sent again."""
    made = await schedule(house, room, 0, 3 * HOUR)
    await house.clock.advance(HOUR)
    await house.revive()
    await house.clock.advance(HOUR)
    assert await at(house, room) == ("sleep", made.id)
    assert len(await house.store.attempts("w1", limit=10)) == 1


async def test_a_crash_while_it_is_activated_makes_one_attempt(house, room):
    """The attempt that was under way is sent again and waited for, and no second one is made."""
    await house.fault(room, "slow", ms=20_000)
    made = await schedule(house, room, 0, 3 * HOUR)
    await house.clock.advance(seconds(5))
    await house.revive()
    await house.clock.advance(seconds(30))
    assert await at(house, room) == ("sleep", made.id)
    (attempt,) = await house.store.attempts("w1", limit=10)
    assert "resent" in [mark.stage for mark in attempt.marks]


async def test_a_thermostat_that_is_away_at_the_start_is_set_when_it_is_back(house, room):
    """Why it could not be set is told with the schedule, until it could."""
    house.driver.disconnect(room.id)
    made = await schedule(house, room, 0, 3 * HOUR)
    (error,) = (await house.engine.schedules.get("w1", made.id)).errors
    assert error["error_code"] == "device_offline"
    await house.clock.advance(10 * MINUTE)
    assert await at(house, room) is None
    house.driver.connect(room.id)
    await house.clock.settle()
    assert await at(house, room) == ("sleep", made.id)
    assert (await house.engine.schedules.get("w1", made.id)).errors == ()


async def test_a_thermostat_that_refuses_is_asked_again(house, room):
    """Every minute, until it does as it is told."""
    await house.fault(room, "refuse", times=2)
    made = await schedule(house, room, 0, 3 * HOUR)
    await house.clock.advance(MINUTE + seconds(1))
    assert await at(house, room) is None
    await house.clock.advance(MINUTE + seconds(1))
    assert await at(house, room) == ("sleep", made.id)
    assert len(await house.store.attempts("w1", limit=10)) == 3


async def test_what_nobody_confirmed_is_not_sent_for_ever(house, room):
    """A radio's acknowledgement is success: it is not asked again."""
    await house.fault(room, "ack_only")
    await schedule(house, room, 0, 3 * HOUR)
    await house.clock.advance(2 * HOUR)
    assert [each.status for each in await house.store.attempts("w1", limit=10)] == ["success"]


async def test_a_fallback_waits_for_its_thermostat_unless_somebody_was_faster(house, room):
    """It is activated when the thermostat is back; not, if somebody has set it by then."""
    for was_set in (False, True):
        await schedule(house, room, 0, HOUR)
        await house.clock.advance(MINUTE)
        house.driver.disconnect(room.id)
        await house.clock.advance(HOUR + 1)
        if was_set:
            house.driver.adjust_climate(room.id, BY_HAND)
        house.driver.connect(room.id)
        await house.clock.advance(MINUTE)
        assert await at(house, room) == (None if was_set else ("away", "fallback"))


async def test_a_change_of_what_is_in_force_counts_at_once(house, room):
    """Another preset is activated, an end that is moved ends it, deleting it ends it."""
    made = await schedule(house, room, 0, 3 * HOUR)
    schedules = house.engine.schedules
    await schedules.change(replace(await schedules.get("w1", made.id), climate_preset_key="home"))
    await house.clock.settle()
    assert await at(house, room) == ("home", made.id)
    shorter = replace(await schedules.get("w1", made.id), ends_at=house.clock.now() + HOUR)
    await schedules.change(shorter)
    await house.clock.advance(HOUR + seconds(1))
    assert await at(house, room) == ("away", "fallback")
    with pytest.raises(ScheduleIsOver):
        await schedules.change(await schedules.get("w1", made.id))
    again = await schedule(house, room, 0, 3 * HOUR)
    assert await at(house, room) == ("sleep", again.id)
    await schedules.delete("w1", again.id)
    await house.clock.settle()
    assert await at(house, room) == ("away", "fallback")
    with pytest.raises(ScheduleNotFound):
        await schedules.get("w1", again.id)


async def test_what_cannot_be_kept_is_refused(house, room, monkeypatch):
    """An end before the start or in the past, a start that is taken, and too many."""
    await schedule(house, room, HOUR, 2 * HOUR)
    for starts, ends, refusal in (
        (2 * HOUR, 2 * HOUR, InvalidScheduleTimes),
        (-2 * HOUR, -HOUR, InvalidScheduleTimes),
        (HOUR, 9 * HOUR, StartIsTaken),
    ):
        with pytest.raises(refusal):
            await schedule(house, room, starts, ends)
    monkeypatch.setattr("thumbturn.engine.schedules.MOST_SCHEDULES", 1)
    with pytest.raises(TooManySchedules):
        await schedule(house, room, 3 * HOUR, 4 * HOUR)


async def test_a_preset_that_a_schedule_goes_by_stays(house, room):
    """It cannot be deleted until the schedule is over."""
    await schedule(house, room, 0, HOUR)
    with pytest.raises(ClimatePresetInUse):
        await house.engine.climate.delete_preset("w1", room.id, "sleep")
    await house.clock.advance(2 * HOUR)
    await house.engine.climate.delete_preset("w1", room.id, "sleep")


async def test_a_thermostat_that_is_handed_over_is_left_alone(house, room):
    """Its schedule says so, and goes on when it is taken back."""
    await house.engine.change_device("w1", room.id, lambda known: replace(known, is_managed=False))
    with pytest.raises(DeviceUnmanaged):
        await schedule(house, room, 0, HOUR)
    await house.engine.change_device("w1", room.id, lambda known: replace(known, is_managed=True))
    made = await schedule(house, room, HOUR, 3 * HOUR)
    await house.engine.change_device("w1", room.id, lambda known: replace(known, is_managed=False))
    await house.clock.advance(HOUR + seconds(1))
    (error,) = (await house.engine.schedules.get("w1", made.id)).errors
    assert error["error_code"] == "device_unmanaged"
    await house.engine.change_device("w1", room.id, lambda known: replace(known, is_managed=True))
    await house.clock.advance(MINUTE + seconds(1))
    assert await at(house, room) == ("sleep", made.id)


async def test_what_a_schedule_does_is_nobodys_call(house, room, monkeypatch):
    """The call that made it is not on record for what comes of it, nor later for anything."""
    calls, update_device = [], house.store.update_device

    async def update(*changed, **made):
        calls.append(RECORDING.get())
        return await update_device(*changed, **made)

    monkeypatch.setattr(house.store, "update_device", update)
    token = RECORDING.set(Recording(lambda _: None))
    try:
        await schedule(house, room, 0, HOUR)
    finally:
        RECORDING.reset(token)
    assert calls == [None]


async def test_a_reset_takes_the_schedules_with_it(house, room):
    """A sandbox that begins anew has none, and nothing of the old ones happens."""
    made = await schedule(house, room, HOUR, 3 * HOUR)
    assert (await house.run("RESET_SANDBOX_WORKSPACE")).status == "success"
    with pytest.raises(ScheduleNotFound):
        await house.engine.schedules.get("w1", made.id)
    await house.clock.advance(2 * HOUR)
    assert await at(house, room) is None
    assert (await house.store.device("w1", room.id)).settings.keys() == {"climate_presets"}


async def test_a_schedule_is_kept_when_the_database_said_what_nobody_expects(house, room, monkeypatch):
    """It breaks just when a schedule is to begin: the schedule begins a while later, and is not forgotten."""
    made = await schedule(house, room, HOUR, 3 * HOUR)
    with monkeypatch.context() as ill:

        async def fail(*_, **__):
            raise ZeroDivisionError

        ill.setattr(house.store, "update_device", fail)
        await house.clock.advance(HOUR + seconds(1))
    assert await at(house, room) is None
    await house.clock.advance(seconds(400))
    assert await at(house, room) == ("sleep", made.id)
