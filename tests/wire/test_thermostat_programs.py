"""Thermostats' own programs, on the wire."""

from __future__ import annotations

from pydantic import TypeAdapter

from tests.fixtures.climate import (
    CREATE,
    FULL,
    HEATER,
    HOUR,
    T,
    properties,
    refused,
    room,
    scheduled,
    told,
)
from thumbturn.api.table import endpoints
from thumbturn.domain.clock import seconds, to_wire

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
PERIODS = [
    {"starts_at_time": "07:00:00", "climate_preset_key": "home"},
    {"starts_at_time": "22:30:00", "climate_preset_key": "sleep"},
]


async def program(wire, periods=PERIODS, name="Weekday"):
    made = await wire.call(
        T + "daily_programs/create", device_id=await room(wire), name=name, periods=periods
    )
    return made["thermostat_daily_program"]


async def attempt_of(wire, path, **ask):
    begun = await wire.call(path, **ask)
    await wire.house.clock.settle()
    id = begun["action_attempt"]["action_attempt_id"]
    attempt = (await wire.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]
    assert attempt["action_type"] == "PUSH_THERMOSTAT_PROGRAMS"
    return attempt["status"], attempt["result"], attempt["error"]


DONE = ("success", {}, None)


async def test_a_thermostat_goes_by_its_weekly_program(wire):
    """It is at the preset of the period that it is in, from the push on, as its own clock has it."""
    device_id = await room(wire)
    made = await program(wire)
    id = made["thermostat_daily_program_id"]
    assert made == {
        "thermostat_daily_program_id": id,
        "device_id": device_id,
        "workspace_id": "w1",
        "name": "Weekday",
        "periods": PERIODS,
        "created_at": "2025-01-01T00:00:00.000Z",
    }
    week = {f"{day}_program_id": id for day in WEEKDAYS}
    assert await attempt_of(wire, T + "update_weekly_program", device_id=device_id, **week) == DONE
    found = await properties(wire)
    assert found["thermostat_daily_programs"] == [made]
    assert found["thermostat_weekly_program"] == {
        "created_at": "2025-01-01T00:00:00.000Z",
        **week,
        "saturday_program_id": None,
        "sunday_program_id": None,
    }
    # 2025 began on a Wednesday. The program has no Saturday and no Sunday: Friday's last period goes on.
    presets_at = []
    for hours in (1, 7, 15, 1, 24 * 3, 7, 1):
        await wire.house.clock.advance(hours * HOUR)
        current = (await properties(wire))["current_climate_setting"]
        presets_at.append((to_wire(wire.house.clock.now())[8:13], current["climate_preset_key"]))
    assert presets_at == [
        ("01T01", "sleep"),
        ("01T08", "home"),
        ("01T23", "sleep"),
        ("02T00", "sleep"),
        ("05T00", "sleep"),
        ("05T07", "sleep"),
        ("05T08", "sleep"),
    ]
    await wire.house.clock.advance(24 * HOUR)
    assert (await properties(wire))["current_climate_setting"]["climate_preset_key"] == "home"
    activated = await told(wire, "climate_preset_activated")
    assert [event["climate_preset_key"] for event in activated] == [
        "sleep",
        "home",
        "sleep",
        "home",
        "sleep",
        "home",
        "sleep",
        "home",
    ]


async def test_a_daily_program_is_replaced_and_pushed(wire):
    """It is another one once the thermostat says that it holds it; if it refuses, it is what it was."""
    device_id = await room(wire)
    id = (await program(wire))["thermostat_daily_program_id"]
    await attempt_of(wire, T + "update_weekly_program", device_id=device_id, monday_program_id=id)
    update = {"thermostat_daily_program_id": id, "name": "New", "periods": PERIODS[:1]}
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=device_id, fault="refuse", times=1)
    status, _, error = await attempt_of(wire, T + "daily_programs/update", **update)
    assert (status, error["type"]) == ("error", "command_refused")
    (held,) = (await properties(wire))["thermostat_daily_programs"]
    assert (held["name"], held["periods"]) == ("Weekday", PERIODS)
    assert await attempt_of(wire, T + "daily_programs/update", **update) == DONE
    (held,) = (await properties(wire))["thermostat_daily_programs"]
    assert (held["name"], held["periods"]) == ("New", PERIODS[:1])


async def test_days_that_are_not_given_stay(wire):
    """A day that is not named keeps its program, one that is null loses it."""
    device_id = await room(wire)
    id = (await program(wire))["thermostat_daily_program_id"]
    update = T + "update_weekly_program"
    await attempt_of(wire, update, device_id=device_id, monday_program_id=id, sunday_program_id=id)
    await attempt_of(wire, update, device_id=device_id, monday_program_id=None)
    week = (await properties(wire))["thermostat_weekly_program"]
    assert (week["monday_program_id"], week["sunday_program_id"]) == (None, id)


async def test_a_preset_that_is_changed_is_pushed_to_a_program_that_has_it(wire):
    """The thermostat goes by what the preset is now; one that is in no program is not pushed."""
    device_id = await room(wire)
    id = (await program(wire))["thermostat_daily_program_id"]
    await attempt_of(wire, T + "update_weekly_program", device_id=device_id, wednesday_program_id=id)
    for key in ("away", "home"):
        ask = {"climate_preset_key": key, "heating_set_point_celsius": 22}
        await wire.call(T + "update_climate_preset", device_id=device_id, **ask)
        await wire.house.clock.settle()
    attempts = (await wire.call("/action_attempts/list", device_id=device_id))["action_attempts"]
    assert [attempt["status"] for attempt in attempts] == ["success"] * 2
    await wire.house.clock.advance(8 * HOUR)
    assert (await properties(wire))["current_climate_setting"]["heating_set_point_celsius"] == 22


async def test_what_is_used_cannot_be_deleted(wire):
    """A daily program that the week goes by, and a preset in a daily program, stay until they are free."""
    device_id = await room(wire)
    id = (await program(wire))["thermostat_daily_program_id"]
    delete = T + "daily_programs/delete"
    update = T + "update_weekly_program"
    await attempt_of(wire, update, device_id=device_id, monday_program_id=id)
    reply = await wire.ask("DELETE", f"{delete}?thermostat_daily_program_id={id}")
    assert (reply.status, reply.error["type"]) == (400, "thermostat_daily_program_in_use")
    assert (
        await refused(wire, T + "delete_climate_preset", climate_preset_key="home") == "climate_preset_in_use"
    )
    await attempt_of(wire, update, device_id=device_id, monday_program_id=None)
    assert (await wire.ask("DELETE", f"{delete}?thermostat_daily_program_id={id}")).status == 200
    assert (await properties(wire))["thermostat_daily_programs"] == []
    reply = await wire.ask("DELETE", f"{delete}?thermostat_daily_program_id={id}")
    assert (reply.status, reply.error["type"]) == (404, "thermostat_daily_program_not_found")
    await wire.call(T + "delete_climate_preset", device_id=device_id, climate_preset_key="home")


def period(time, key="home"):
    return {"starts_at_time": time, "climate_preset_key": key}


NO_PROGRAMS = [
    (FULL, [period("07:00:00"), period("07:00:00", "away")], 400, "invalid_thermostat_program"),
    (FULL, [period(f"{hour:02}:00:00") for hour in range(11)], 400, "invalid_thermostat_program"),
    (FULL, [period("07:03:00")], 400, "invalid_thermostat_program"),
    (FULL, [period("07:00:30")], 400, "invalid_thermostat_program"),
    (FULL, [period("24:00:00")], 400, "invalid_input"),
    (FULL, [period("7:00")], 400, "invalid_input"),
    (FULL, [period("07:00:00", "nobody's")], 404, "climate_preset_not_found"),
    (HEATER, [], 400, "device_type_not_supported"),
    ("Front Door", [], 400, "device_is_not_thermostat"),
]


async def test_a_program_that_cannot_be_is_refused(wire):
    """Too many periods, two at once, between two steps of its clock, of no preset: nothing is made."""
    id = (await program(wire))["thermostat_daily_program_id"]
    for of, periods, status, word in NO_PROGRAMS:
        ask = {"name": "Any", "periods": periods}
        found = await refused(wire, T + "daily_programs/create", status, of, **ask)
        assert (periods, found) == (periods, word)
        if of == FULL:
            update = {"thermostat_daily_program_id": id, **ask}
            assert (await wire.ask("POST", T + "daily_programs/update", update)).status == status
    assert (await wire.call("/action_attempts/list"))["action_attempts"] == []
    assert len((await properties(wire))["thermostat_daily_programs"]) == 1


async def test_a_week_that_cannot_be_is_refused(wire):
    """A daily program of nobody, more presets than there is room for, and a thermostat without programs."""
    update = T + "update_weekly_program"
    assert await refused(wire, update, 404, monday_program_id="x") == "thermostat_daily_program_not_found"
    assert await refused(wire, update, 400, HEATER, monday_program_id=None) == "device_type_not_supported"
    device_id = await room(wire)
    for number in range(9):
        await wire.call(CREATE, device_id=device_id, climate_preset_key=str(number))
    id = await program(wire, [period(f"0{number}:00:00", str(number)) for number in range(9)])
    week = {"monday_program_id": id["thermostat_daily_program_id"]}
    assert await refused(wire, update, **week) == "invalid_thermostat_program"


async def test_there_is_a_bound_to_daily_programs(wire):
    """A thermostat takes fifty of them."""
    for _ in range(50):
        await program(wire, [])
    ask = {"name": "One more", "periods": []}
    assert await refused(wire, T + "daily_programs/create", **ask) == "too_many_thermostat_daily_programs"


async def test_answers_have_the_shape_that_is_documented(wire):
    """Devices with all that a thermostat can have, schedules and programs are as OpenAPI shows them."""
    device_id = await room(wire)
    await wire.call(T + "set_fallback_climate_preset", device_id=device_id, climate_preset_key="away")
    await wire.call(T + "set_temperature_threshold", device_id=device_id, upper_limit_celsius=10)
    id = (await program(wire))["thermostat_daily_program_id"]
    await attempt_of(wire, T + "update_weekly_program", device_id=device_id, monday_program_id=id)
    wire.house.driver.disconnect(device_id)
    schedule = (await wire.call(T + "schedules/create", device_id=device_id, **scheduled(wire, -1)))[
        "thermostat_schedule"
    ]
    await wire.house.clock.advance(seconds(1))
    asks = {
        T + "list": {},
        T + "schedules/list": {"device_id": device_id},
        T + "schedules/get": {"thermostat_schedule_id": schedule["thermostat_schedule_id"]},
    }
    for path, ask in asks.items():
        answer = await wire.call(path, **ask)
        for key, shape in endpoints()[path].answers.items():
            TypeAdapter(shape).validate_python(answer[key], strict=True)
    (listed,) = (await wire.call(T + "schedules/list", device_id=device_id))["thermostat_schedules"]
    assert [error["error_code"] for error in listed["errors"]] == ["device_offline"]
    answer = await wire.call(T + "schedules/list", device_id=device_id, user_identifier_key="nobody")
    assert answer["thermostat_schedules"] == []
