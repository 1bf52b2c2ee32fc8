"""Thermostats' schedules, on the wire."""

from __future__ import annotations

from tests.fixtures.climate import FULL, HOUR, T, properties, refused, room, scheduled
from thumbturn.domain.clock import seconds, to_wire


async def test_a_schedule_from_beginning_to_end(wire):
    """It is made, found, listed, changed and deleted; while it is in force its thermostat shows it."""
    device_id = await room(wire)
    ask = {"device_id": device_id, **scheduled(wire, name="Night")}
    made = (await wire.call(T + "schedules/create", **ask))["thermostat_schedule"]
    id = {"thermostat_schedule_id": made["thermostat_schedule_id"]}
    assert made == {
        **id,
        "device_id": device_id,
        "workspace_id": "w1",
        "name": "Night",
        "climate_preset_key": "sleep",
        "starts_at": "2025-01-01T01:00:00.000Z",
        "ends_at": "2025-01-01T02:00:00.000Z",
        "is_override_allowed": False,
        "max_override_period_minutes": None,
        "errors": [],
        "created_at": "2025-01-01T00:00:00.000Z",
    }
    assert (await wire.call(T + "schedules/get", **id))["thermostat_schedule"] == made
    changes = {"is_override_allowed": True, "max_override_period_minutes": 30}
    reply = await wire.ask("PATCH", T + "schedules/update", id | changes)
    assert (reply.status, reply.json) == (200, {"ok": True})
    assert (await wire.call(T + "schedules/list", device_id=device_id))["thermostat_schedules"] == [
        made | changes
    ]
    assert (await properties(wire))["active_thermostat_schedule"] is None
    await wire.house.clock.advance(HOUR + seconds(1))
    found = await properties(wire)
    assert found["active_thermostat_schedule"] == made | changes
    assert found["active_thermostat_schedule_id"] == made["thermostat_schedule_id"]
    assert found["is_temporary_manual_override_active"] is False
    await wire.call(T + "simulate/hvac_mode_adjusted", device_id=device_id, hvac_mode="off")
    assert (await properties(wire))["is_temporary_manual_override_active"] is True
    await wire.call(T + "schedules/update", **id, max_override_period_minutes=None)
    assert (await wire.call(T + "schedules/get", **id))["thermostat_schedule"][
        "max_override_period_minutes"
    ] is None
    reply = await wire.ask(
        "DELETE", f"{T}schedules/delete?thermostat_schedule_id={made['thermostat_schedule_id']}"
    )
    assert (reply.status, reply.json) == (200, {"ok": True})
    await wire.house.clock.settle()
    assert (await properties(wire))["active_thermostat_schedule"] is None
    assert (await wire.ask("POST", T + "schedules/get", id)).error["type"] == "thermostat_schedule_not_found"


async def test_a_schedule_without_a_zone_is_in_utc(wire):
    """A moment that names no zone is one of UTC."""
    ask = {"climate_preset_key": "home", "starts_at": "2030-06-01T12:00", "ends_at": "2030-06-02"}
    made = await wire.call(T + "schedules/create", device_id=await room(wire), **ask)
    assert made["thermostat_schedule"]["starts_at"] == "2030-06-01T12:00:00.000Z"
    assert made["thermostat_schedule"]["ends_at"] == "2030-06-02T00:00:00.000Z"


OVERRIDE = "max_override_period_minutes"
NO_SCHEDULES = [
    (FULL, {"ends": 0.5}, 400, "invalid_schedule_times"),
    (FULL, {"starts": -2, "ends": -1}, 400, "invalid_schedule_times"),
    (FULL, {"preset": "nobody's"}, 404, "climate_preset_not_found"),
    (FULL, {"starts_at": "tomorrow"}, 400, "invalid_input"),
    (FULL, {OVERRIDE: 0}, 400, "invalid_input"),
    (FULL, {OVERRIDE: 10**30}, 400, "invalid_input"),
    (FULL, {OVERRIDE: 1.5}, 400, "invalid_input"),
    ("Front Door", {}, 400, "device_is_not_thermostat"),
]


async def test_a_schedule_that_cannot_be_is_refused(wire):
    """Nothing is made then, and the words say why."""
    for of, ask, status, word in NO_SCHEDULES:
        found = await refused(wire, T + "schedules/create", status, of, **scheduled(wire, **ask))
        assert (ask, found) == (ask, word)
    answer = await wire.call(T + "schedules/list", device_id=await room(wire))
    assert answer["thermostat_schedules"] == []


async def test_a_start_is_taken_once(wire):
    """Two schedules of one thermostat cannot start together; changing one to that is refused as well."""
    create = T + "schedules/create"
    device_id = await room(wire)
    await wire.call(create, device_id=device_id, **scheduled(wire))
    assert await refused(wire, create, 409, **scheduled(wire, ends=9)) == "thermostat_schedule_start_taken"
    other = (await wire.call(create, device_id=device_id, **scheduled(wire, starts=1.5)))[
        "thermostat_schedule"
    ]
    ask = {
        "thermostat_schedule_id": other["thermostat_schedule_id"],
        "starts_at": to_wire(wire.house.clock.now() + HOUR),
    }
    assert (await wire.ask("POST", T + "schedules/update", ask)).status == 409
