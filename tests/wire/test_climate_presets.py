"""Climate presets, fallbacks and temperature thresholds, on the wire."""

from __future__ import annotations

from tests.fixtures.climate import CREATE, FULL, HEATER, T, presets, properties, refused, room, told
from thumbturn.domain.clock import seconds


async def test_a_preset_is_made_changed_and_deleted(wire):
    """It is shown with its temperatures in both units, keeps what is not changed, and can be deleted."""
    device_id = await room(wire)
    await wire.call(
        CREATE,
        device_id=device_id,
        climate_preset_key="guests",
        name="Guests",
        hvac_mode_setting="heat_cool",
        heating_set_point_fahrenheit=68,
        cooling_set_point_celsius=24,
        fan_mode_setting="on",
        climate_preset_mode="occupied",
        ecobee_metadata={"owner": "user"},
    )
    golden = {
        "climate_preset_key": "guests",
        "display_name": "Guests",
        "name": "Guests",
        "can_edit": True,
        "can_delete": True,
        "can_use_with_thermostat_daily_programs": True,
        "manual_override_allowed": True,
        "climate_preset_mode": "occupied",
        "ecobee_metadata": {"owner": "user"},
        "hvac_mode_setting": "heat_cool",
        "fan_mode_setting": "on",
        "heating_set_point_celsius": 20.0,
        "heating_set_point_fahrenheit": 68.0,
        "cooling_set_point_celsius": 24,
        "cooling_set_point_fahrenheit": 75.2,
    }
    assert (await presets(wire))["guests"] == golden
    changed = {
        "device_id": device_id,
        "climate_preset_key": "guests",
        "name": None,
        "manual_override_allowed": False,
    }
    reply = await wire.ask("PATCH", T + "update_climate_preset", changed | {"cooling_set_point_celsius": 25})
    assert (reply.status, reply.json) == (200, {"ok": True})
    assert (await presets(wire))["guests"] == golden | {
        "display_name": "guests",
        "name": None,
        "manual_override_allowed": False,
        "cooling_set_point_celsius": 25,
        "cooling_set_point_fahrenheit": 77.0,
    }
    reply = await wire.ask(
        "DELETE", f"{T}delete_climate_preset?device_id={device_id}&climate_preset_key=guests"
    )
    assert (reply.status, reply.json) == (200, {"ok": True})
    assert "guests" not in await presets(wire)


KEY = "climate_preset_key"
BOTH = {"heating_set_point_celsius": 20, "cooling_set_point_celsius": 21}
NO_PRESETS = [
    (FULL, {KEY: "home"}, 409, "climate_preset_already_exists"),
    (FULL, {KEY: ""}, 400, "invalid_input"),
    (FULL, {KEY: "x" * 256}, 400, "invalid_input"),
    (FULL, {"heating_set_point_celsius": 31}, 400, "heating_set_point_out_of_range"),
    (FULL, BOTH, 400, "invalid_heating_cooling_delta"),
    (HEATER, {"hvac_mode_setting": "cool"}, 400, "cool_mode_not_available"),
    (HEATER, {"fan_mode_setting": "on"}, 400, "fan_mode_not_available"),
    (HEATER, {"climate_preset_mode": "holiday"}, 400, "invalid_input"),
    ("Front Door", {}, 400, "device_is_not_thermostat"),
]


async def test_a_preset_that_cannot_be_is_refused(wire):
    """What the thermostat could never be set to is refused when the preset is made."""
    for of, ask, status, word in NO_PRESETS:
        assert (ask, await refused(wire, CREATE, status, of, **{KEY: "new"} | ask)) == (ask, word)
    assert list(await presets(wire)) == ["home", "away", "sleep"]


async def test_there_is_a_bound_to_presets(wire):
    """A thermostat takes fifty of them."""
    device_id = await room(wire)
    for number in range(47):
        await wire.call(CREATE, device_id=device_id, climate_preset_key=str(number))
    assert await refused(wire, CREATE, climate_preset_key="47") == "too_many_climate_presets"


async def test_unknown_presets_are_refused_everywhere(wire):
    """A key that the thermostat has not is 404, and nothing begins."""
    for path in (
        "activate_climate_preset",
        "set_fallback_climate_preset",
        "delete_climate_preset",
        "update_climate_preset",
    ):
        assert await refused(wire, T + path, 404, climate_preset_key="nobody's") == "climate_preset_not_found"
    assert (await wire.call("/action_attempts/list"))["action_attempts"] == []


async def test_a_preset_is_activated(wire):
    """The thermostat is set to it, shows it as what it is at, and the workspace is told once."""
    device_id = await room(wire)
    begun = await wire.call(T + "activate_climate_preset", device_id=device_id, climate_preset_key="sleep")
    await wire.house.clock.settle()
    id = begun["action_attempt"]["action_attempt_id"]
    attempt = (await wire.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]
    assert (attempt["action_type"], attempt["status"], attempt["result"]) == (
        "ACTIVATE_CLIMATE_PRESET",
        "success",
        {},
    )
    current = (await properties(wire))["current_climate_setting"]
    assert current == (await presets(wire))["sleep"]
    (event,) = await told(wire, "climate_preset_activated")
    assert {
        key: event[key]
        for key in ("climate_preset_key", "is_fallback_climate_preset", "thermostat_schedule_id")
    } == {
        "climate_preset_key": "sleep",
        "is_fallback_climate_preset": False,
        "thermostat_schedule_id": None,
    }
    assert await told(wire, "manually_adjusted") == []
    await wire.call("/thermostats/heat", device_id=device_id, heating_set_point_celsius=23)
    await wire.house.clock.settle()
    assert "climate_preset_key" not in (await properties(wire))["current_climate_setting"]
    assert len(await told(wire, "manually_adjusted")) == 1


async def test_callers_cannot_pretend_to_be_a_schedule(wire):
    """What only schedules say of an activation is ignored when a caller says it."""
    device_id = await room(wire)
    pretended = {"thermostat_schedule_id": "s1", "is_fallback_climate_preset": True}
    await wire.call(
        T + "activate_climate_preset", device_id=device_id, climate_preset_key="sleep", **pretended
    )
    await wire.house.clock.settle()
    (event,) = await told(wire, "climate_preset_activated")
    assert (event["thermostat_schedule_id"], event["is_fallback_climate_preset"]) == (None, False)


async def test_a_preset_that_is_deleted_before_it_could_be_activated(wire):
    """The attempt that waited for its turn fails, and says so."""
    device_id = await room(wire)
    await wire.call(
        "/thumbturn/sandbox/inject_fault", device_id=device_id, fault="slow", times=1, milliseconds=5_000
    )
    await wire.call("/thermostats/off", device_id=device_id)
    begun = await wire.call(T + "activate_climate_preset", device_id=device_id, climate_preset_key="sleep")
    await wire.call(T + "delete_climate_preset", device_id=device_id, climate_preset_key="sleep")
    await wire.house.clock.advance(seconds(10))
    id = begun["action_attempt"]["action_attempt_id"]
    attempt = (await wire.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]
    assert attempt["error"]["type"] == "climate_preset_deleted"


async def test_the_fallback_is_shown_and_cannot_be_deleted(wire):
    """It must be another one first."""
    device_id = await room(wire)
    assert (await properties(wire))["fallback_climate_preset_key"] is None
    assert "default_climate_setting" not in await properties(wire)
    await wire.call(T + "set_fallback_climate_preset", device_id=device_id, climate_preset_key="away")
    shown = await properties(wire)
    assert shown["fallback_climate_preset_key"] == "away"
    [away] = [each for each in shown["available_climate_presets"] if each["climate_preset_key"] == "away"]
    assert shown["default_climate_setting"] == away
    assert (
        await refused(wire, T + "delete_climate_preset", climate_preset_key="away") == "climate_preset_in_use"
    )


async def test_a_threshold_is_told_when_it_is_passed_and_when_it_is_back(wire):
    """Each once, with the limits in both units; while it is passed, the device has a warning."""
    device_id = await room(wire)
    threshold = T + "set_temperature_threshold"
    reply = await wire.ask(
        "PATCH", threshold, {"device_id": device_id, "lower_limit_celsius": 18, "upper_limit_fahrenheit": 77}
    )
    assert (reply.status, reply.json) == (200, {"ok": True})
    limits = {
        "lower_limit_celsius": 18,
        "lower_limit_fahrenheit": 64.4,
        "upper_limit_celsius": 25.0,
        "upper_limit_fahrenheit": 77.0,
    }
    assert (await properties(wire))["temperature_threshold"] == limits
    reach = T + "simulate/temperature_reached"
    for celsius in (25, 26, 27, 18, 17):
        await wire.call(reach, device_id=device_id, temperature_celsius=celsius)
    exceeded = await told(wire, "temperature_threshold_exceeded")
    assert [event["temperature_celsius"] for event in exceeded] == [26, 17]
    assert exceeded[0].items() >= (limits | {"temperature_fahrenheit": 78.8}).items()
    assert [
        event["temperature_celsius"] for event in await told(wire, "temperature_threshold_no_longer_exceeded")
    ] == [18]
    device = (await wire.call("/devices/get", device_id=device_id))["device"]
    assert [warning["warning_code"] for warning in device["warnings"]] == ["temperature_threshold_exceeded"]
    await wire.call(threshold, device_id=device_id)
    assert set((await properties(wire))["temperature_threshold"].values()) == {None}
    assert (await wire.call("/devices/get", device_id=device_id))["device"]["warnings"] == []


async def test_a_threshold_that_is_passed_already_is_told_at_once(wire):
    """Setting it is enough: the room need not change first. A threshold upside down is refused."""
    device_id = await room(wire)
    await wire.call(T + "set_temperature_threshold", device_id=device_id, upper_limit_celsius=19)
    assert [event["temperature_celsius"] for event in await told(wire, "temperature_threshold_exceeded")] == [
        20
    ]
    ask = {"lower_limit_celsius": 20, "upper_limit_fahrenheit": 68}
    assert await refused(wire, T + "set_temperature_threshold", **ask) == "invalid_input"
