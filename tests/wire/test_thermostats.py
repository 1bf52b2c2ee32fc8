"""Thermostats on the wire: what is asked of them, what is refused, and what is told."""

from __future__ import annotations

import pytest

from thumbturn.domain.clock import seconds

HOUR = seconds(3_600)
FULL, HEATER, COOLER = "Living Room", "Bedroom", "Server Room"


async def properties(wire, name=FULL):
    return (await wire.call("/devices/get", name=name))["device"]["properties"]


async def setting(wire, name=FULL):
    return (await properties(wire, name))["current_climate_setting"]


async def attempt_of(wire, path, name=FULL, **ask):
    """The attempt, once everything that takes no time has happened."""
    begun = await wire.call(path, device_id=await wire.door(name), **ask)
    await wire.house.clock.settle()
    id = begun["action_attempt"]["action_attempt_id"]
    return (await wire.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]


async def refusal_of(wire, path, name=FULL, **ask):
    refused = await wire.ask("POST", path, {"device_id": await wire.door(name), **ask})
    assert refused.status == 400, refused.content
    attempts = (await wire.call("/action_attempts/list"))["action_attempts"]
    assert attempts == [], "an ask that is refused begins nothing"
    return refused.error


async def told(wire, name=FULL):
    """What the workspace was told of a thermostat, without the keys that all events have."""
    common = {"event_id", "workspace_id", "created_at", "occurred_at", "device_id", "connected_account_id"}
    found = await wire.call("/events/list", device_id=await wire.door(name))
    return [{key: value for key, value in event.items() if key not in common} for event in found["events"]]


HEAT_22 = {
    "hvac_mode_setting": "heat",
    "fan_mode_setting": "auto",
    "heating_set_point_celsius": 22,
    "heating_set_point_fahrenheit": 71.6,
}
ALIKE = [
    ("/thermostats/set_hvac_mode", {"hvac_mode_setting": "heat", "heating_set_point_celsius": 22}),
    ("/thermostats/set_hvac_mode", {"hvac_mode_setting": "heat", "heating_set_point_fahrenheit": 71.6}),
    ("/thermostats/heat", {"heating_set_point_celsius": 22}),
    ("/thermostats/heat", {"heating_set_point_celsius": 22, "heating_set_point_fahrenheit": 71.6}),
    ("/thermostats/heat", {"heating_set_point_fahrenheit": 71.6, "cooling_set_point_celsius": -300}),
]


@pytest.mark.parametrize(("path", "ask"), ALIKE, ids=str)
async def test_every_way_to_heat_is_the_same(wire, path, ask):
    """Whichever endpoint and unit it is asked with, it is one action, and the thermostat is set to it."""
    attempt = await attempt_of(wire, path, **ask)
    assert (attempt["action_type"], attempt["status"], attempt["result"]) == ("SET_HVAC_MODE", "success", {})
    assert await setting(wire) == HEAT_22
    assert await told(wire) == [{"event_type": "thermostat.manually_adjusted", "method": "seam"} | HEAT_22]


async def test_the_other_modes(wire):
    """Cooling, both by turns and off are set; each mode shows the set points that it goes by."""
    await attempt_of(wire, "/thermostats/cool", cooling_set_point_celsius=24)
    assert (await setting(wire)).keys() == {
        "hvac_mode_setting",
        "fan_mode_setting",
        "cooling_set_point_celsius",
        "cooling_set_point_fahrenheit",
    }
    await attempt_of(
        wire, "/thermostats/heat_cool", heating_set_point_celsius=19, cooling_set_point_fahrenheit=77
    )
    both = await setting(wire)
    assert both["hvac_mode_setting"] == "heat_cool"
    assert (both["heating_set_point_celsius"], both["cooling_set_point_celsius"]) == (19, 25)
    for path, ask, mode in (
        ("/thermostats/off", {}, "off"),
        ("/thermostats/set_hvac_mode", {"hvac_mode_setting": "eco"}, "eco"),
    ):
        assert (await attempt_of(wire, path, **ask))["status"] == "success"
        assert await setting(wire) == {"hvac_mode_setting": mode, "fan_mode_setting": "auto"}


async def test_a_set_point_that_is_not_named_stays(wire):
    """Without a set point a mode goes by the last one; a thermostat that has none must be told."""
    await attempt_of(wire, "/thermostats/heat", heating_set_point_fahrenheit=75)
    await attempt_of(wire, "/thermostats/off")
    await attempt_of(wire, "/thermostats/heat")
    assert (await setting(wire))["heating_set_point_fahrenheit"] == 75
    device = await wire.house.device(FULL)
    state = {key: value for key, value in device.state.items() if key != "cooling_set_point_celsius"}
    wire.house.engine._devices.put([type(device)(**{**_fields(device), "state": state})])
    refused = await wire.ask("POST", "/thermostats/cool", {"device_id": device.id})
    assert (refused.status, refused.error["type"]) == (400, "set_point_required")


def _fields(device):
    return {name: getattr(device, name) for name in type(device).__dataclass_fields__}


@pytest.mark.parametrize("fan", [{"fan_mode_setting": "circulate"}, {"fan_mode": "circulate"}])
async def test_the_fan(wire, fan):
    """The fan is set by either word, and the properties say so."""
    attempt = await attempt_of(wire, "/thermostats/set_fan_mode", **fan)
    assert (attempt["action_type"], attempt["status"], attempt["result"]) == ("SET_FAN_MODE", "success", {})
    found = await properties(wire)
    assert (found["fan_mode_setting"], found["is_fan_running"]) == ("circulate", True)
    assert [event["fan_mode_setting"] for event in await told(wire)] == ["circulate"]


SET, MODE = "/thermostats/set_hvac_mode", "hvac_mode_setting"
C, F = "heating_set_point_celsius", "heating_set_point_fahrenheit"
REFUSED = [
    ("/thermostats/heat", FULL, {"heating_set_point_celsius": 6.9}, "heating_set_point_out_of_range"),
    ("/thermostats/heat", FULL, {"heating_set_point_fahrenheit": 86.1}, "heating_set_point_out_of_range"),
    ("/thermostats/cool", FULL, {"cooling_set_point_celsius": 33.1}, "cooling_set_point_out_of_range"),
    ("/thermostats/cool", COOLER, {"cooling_set_point_celsius": 15}, "cooling_set_point_out_of_range"),
    ("/thermostats/heat", COOLER, {"heating_set_point_celsius": 20}, "heat_mode_not_available"),
    ("/thermostats/cool", HEATER, {"cooling_set_point_celsius": 20}, "cool_mode_not_available"),
    ("/thermostats/heat_cool", HEATER, {}, "heat_cool_not_available"),
    (SET, HEATER, {MODE: "eco"}, "eco_mode_not_available"),
    (
        "/thermostats/heat_cool",
        FULL,
        {"heating_set_point_celsius": 22, "cooling_set_point_celsius": 24.4},
        "invalid_heating_cooling_delta",
    ),
    ("/thermostats/heat_cool", FULL, {"heating_set_point_celsius": 24}, "invalid_heating_cooling_delta"),
    ("/thermostats/set_fan_mode", HEATER, {"fan_mode_setting": "on"}, "fan_mode_not_available"),
    ("/thermostats/heat", "Front Door", {"heating_set_point_celsius": 20}, "device_is_not_thermostat"),
    ("/thermostats/heat", FULL, {C: 20, F: 70}, "invalid_input"),
    ("/thermostats/heat", FULL, {"heating_set_point_celsius": None}, "invalid_input"),
    ("/thermostats/heat", FULL, {"heating_set_point_celsius": "20"}, "invalid_input"),
    ("/thermostats/heat", FULL, {"heating_set_point_celsius": 1_000.1}, "invalid_input"),
    ("/thermostats/heat", FULL, {"heating_set_point_fahrenheit": -500.1}, "invalid_input"),
    ("/thermostats/set_temperature_threshold", FULL, {"upper_limit_celsius": 1.7e308}, "invalid_input"),
    ("/thermostats/set_temperature_threshold", FULL, {"lower_limit_fahrenheit": -1e308}, "invalid_input"),
    ("/thermostats/set_fan_mode", FULL, {}, "invalid_input"),
    (SET, FULL, {}, "invalid_input"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "name", "ask", "type"), REFUSED, ids=str)
async def test_what_a_thermostat_cannot_be_set_to_is_refused(wire, path, name, ask, type):
    """It is refused before anything is accepted, by the word that the contract has for it."""
    assert (await refusal_of(wire, path, name, **ask))["type"] == type


@pytest.mark.parametrize(("least", "most"), [(7, 30), (44.6, 86)])
async def test_the_limits_themselves_can_be_set(wire, least, most):
    """The ends of the range are in it, in both units."""
    unit = "celsius" if least == 7 else "fahrenheit"
    for degrees in (least, most):
        attempt = await attempt_of(wire, "/thermostats/heat", **{f"heating_set_point_{unit}": degrees})
        assert attempt["status"] == "success"
    exactly = {"heating_set_point_celsius": 20, "cooling_set_point_celsius": 22.5}
    assert (await attempt_of(wire, "/thermostats/heat_cool", **exactly))["status"] == "success"


async def test_refusals_say_what_can_be_done(wire):
    """A set point out of range is answered with the range, a wrong mode with the modes there are."""
    error = await refusal_of(wire, "/thermostats/heat", heating_set_point_celsius=31)
    assert error["message"] == "The heating set point must be between 7 °C (44.6 °F) and 30 °C (86 °F)."
    error = await refusal_of(wire, SET, hvac_mode_setting="warm")
    problem = "Invalid discriminator value. Expected 'off' | 'heat' | 'cool' | 'heat_cool' | 'eco'"
    assert error["message"] == f'{problem} for "hvac_mode_setting"'
    assert error["validation_errors"]["hvac_mode_setting"] == {"_errors": [problem]}


async def test_commands_of_a_batch_are_looked_at_likewise(wire):
    """In a batch every way can be asked for, and one that does not fit its thermostat refuses all."""
    full, cooler = await wire.door(FULL), await wire.door(COOLER)

    def command(device_id):
        ask = {"device_id": device_id, "heating_set_point_fahrenheit": 75}
        return {"path": "/thermostats/heat", "parameters": ask}

    refused = await wire.ask(
        "POST", "/thumbturn/attempts/batch", {"commands": [command(full), command(cooler)]}
    )
    assert refused.error["data"]["index"] == 1
    assert refused.error["data"]["error"]["type"] == "heat_mode_not_available"
    await wire.call("/thumbturn/attempts/batch", commands=[command(full)])
    await wire.house.clock.settle()
    assert (await setting(wire))["heating_set_point_fahrenheit"] == 75


async def test_a_room_becomes_as_warm_as_it_shall_be(wire):
    """The temperature moves to the set point, is told on its way, and once when it is near enough."""
    await attempt_of(wire, "/thermostats/heat", heating_set_point_celsius=22)
    assert (await properties(wire))["is_heating"] is True
    await wire.house.clock.advance(HOUR)
    found = await properties(wire)
    assert (found["temperature_celsius"], found["temperature_fahrenheit"]) == (22, 71.6)
    assert (found["is_heating"], found["is_fan_running"]) == (False, False)
    events = await told(wire)
    steps = [
        each["temperature_celsius"] for each in events if each["event_type"].endswith("temperature_changed")
    ]
    assert steps == [20.5, 21, 21.5, 22]
    assert [each for each in events if "reached" in each["event_type"]] == [
        {
            "event_type": "thermostat.temperature_reached_set_point",
            "temperature_celsius": 21,
            "temperature_fahrenheit": 69.8,
            "desired_temperature_celsius": 22,
            "desired_temperature_fahrenheit": 71.6,
        }
    ]


async def test_hands_and_weather_can_be_simulated(wire):
    """Somebody sets it by hand; it becomes warm; the device reports both, and the room goes on from there."""
    room = await wire.door(FULL)
    ask = {"device_id": room, "hvac_mode": "cool", "cooling_set_point_fahrenheit": 77}
    await wire.call("/thermostats/simulate/hvac_mode_adjusted", **ask)
    (adjusted,) = await told(wire)
    assert (adjusted["method"], adjusted["hvac_mode_setting"]) == ("external", "cool")
    assert adjusted["cooling_set_point_celsius"] == 25
    await wire.call("/thermostats/simulate/temperature_reached", device_id=room, temperature_celsius=28)
    assert (await properties(wire))["temperature_celsius"] == 28
    await wire.house.clock.advance(HOUR)
    assert (await properties(wire))["temperature_celsius"] < 20, "it is cold outside, and nobody heats"
    reached = [each for each in await told(wire) if "reached" in each["event_type"]]
    assert [each["temperature_celsius"] for each in reached] == [26]


SIMULATE = "/thermostats/simulate/"


@pytest.mark.parametrize(
    ("path", "name", "ask", "type"),
    [
        ("hvac_mode_adjusted", COOLER, {"hvac_mode": "heat"}, "heat_mode_not_available"),
        ("hvac_mode_adjusted", FULL, {"hvac_mode": "eco"}, "invalid_input"),
        ("hvac_mode_adjusted", "Front Door", {"hvac_mode": "off"}, "device_is_not_thermostat"),
        ("temperature_reached", "Front Door", {"temperature_celsius": 20}, "device_is_not_thermostat"),
        ("temperature_reached", FULL, {}, "invalid_input"),
        ("temperature_reached", FULL, {"temperature_celsius": 100.1}, "invalid_input"),
        ("temperature_reached", FULL, {"temperature_celsius": -50.1}, "invalid_input"),
        ("temperature_reached", FULL, {"temperature_fahrenheit": 212.1}, "invalid_input"),
        ("temperature_reached", FULL, {"temperature_fahrenheit": -58.1}, "invalid_input"),
    ],
)
async def test_what_cannot_be_simulated_is_refused(wire, path, name, ask, type):
    """A thermostat cannot be set by hand to what it cannot do, and other devices are none."""
    assert (await refusal_of(wire, SIMULATE + path, name, **ask))["type"] == type


async def test_nothing_is_simulated_outside_sandboxes(wire):
    """Real thermostats are set by real hands."""
    _, token = await wire.another_workspace(is_sandbox=False)
    for path, ask in (
        ("hvac_mode_adjusted", {"hvac_mode": "off"}),
        ("temperature_reached", {"temperature_celsius": 1}),
    ):
        refused = await wire.ask("POST", SIMULATE + path, {"device_id": "any", **ask}, token=token)
        assert refused.error["type"] == "workspace_not_sandbox"


async def test_a_thermostat_cannot_jam(wire):
    """It has no bolt: that fault is refused, the others are taken."""
    error = await refusal_of(wire, "/thumbturn/sandbox/inject_fault", fault="jam")
    assert error["type"] == "device_type_not_supported"
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=await wire.door(FULL), fault="refuse")
    attempt = await attempt_of(wire, "/thermostats/off")
    assert attempt["error"]["type"] == "command_refused"


async def test_the_golden_thermostat(wire):
    """A thermostat that can do everything, as the wire has it."""
    device = (await wire.call("/thermostats/list"))["thermostats"][0]
    flags = {
        flag: value for flag, value in device.items() if flag.startswith("can_") and "simulate" not in flag
    }
    assert flags == {
        "can_hvac_heat": True,
        "can_hvac_cool": True,
        "can_hvac_heat_cool": True,
        "can_turn_off_hvac": True,
        "can_run_thermostat_programs": True,
        "can_program_thermostat_programs_as_different_each_day": True,
        "can_program_thermostat_programs_as_same_each_day": True,
        "can_program_thermostat_programs_as_weekday_weekend": True,
    }
    assert device["warnings"] == device["errors"] == []
    assert device["capabilities_supported"] == ["thermostat"]
    assert device["properties"] == {
        "online": True,
        "name": "Living Room",
        "appearance": {"name": "Living Room"},
        "model": {"display_name": "Virtual Thermostat Plus", "manufacturer_display_name": "Virtual"},
        "manufacturer": "unknown",
        "serial_number": device["properties"]["serial_number"],
        "has_direct_power": True,
        "temperature_celsius": 20.0,
        "temperature_fahrenheit": 68.0,
        "relative_humidity": 0.42,
        "is_heating": False,
        "is_cooling": False,
        "is_fan_running": False,
        "fan_mode_setting": "auto",
        "current_climate_setting": {
            "hvac_mode_setting": "heat",
            "fan_mode_setting": "auto",
            "heating_set_point_celsius": 20.0,
            "heating_set_point_fahrenheit": 68.0,
        },
        "available_hvac_mode_settings": ["off", "heat", "cool", "heat_cool", "eco"],
        "available_fan_mode_settings": ["auto", "on", "circulate"],
        "min_heating_set_point_celsius": 7.0,
        "min_heating_set_point_fahrenheit": 44.6,
        "max_heating_set_point_celsius": 30.0,
        "max_heating_set_point_fahrenheit": 86.0,
        "min_cooling_set_point_celsius": 16.0,
        "min_cooling_set_point_fahrenheit": 60.8,
        "max_cooling_set_point_celsius": 33.0,
        "max_cooling_set_point_fahrenheit": 91.4,
        "min_heating_cooling_delta_celsius": 2.5,
        "min_heating_cooling_delta_fahrenheit": 4.5,
        "available_climate_presets": device["properties"]["available_climate_presets"],
        "fallback_climate_preset_key": None,
        "temperature_threshold": {
            "lower_limit_celsius": None,
            "lower_limit_fahrenheit": None,
            "upper_limit_celsius": None,
            "upper_limit_fahrenheit": None,
        },
        "active_thermostat_schedule": None,
        "active_thermostat_schedule_id": None,
        "is_temporary_manual_override_active": False,
        "thermostat_daily_programs": [],
        "thermostat_weekly_program": None,
        "max_thermostat_daily_program_periods_per_day": 10,
        "max_unique_climate_presets_per_thermostat_weekly_program": 8,
        "thermostat_daily_program_period_precision_minutes": 5,
    }
