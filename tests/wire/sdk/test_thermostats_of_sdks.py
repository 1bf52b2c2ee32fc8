"""Thermostats with the official SDKs, unmodified, against the live server: every verb that there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from seam import Seam, SeamHttpApiError

from tests.fixtures.javascript import run_script
from tests.fixtures.server import Caller, LiveServer


@pytest.fixture
def seam(caller: Caller, server: LiveServer) -> Iterator[Seam]:
    """The Python SDK, in a sandbox of its own."""
    client = Seam(
        personal_access_token=server.credentials["personal_access_token"],
        workspace_id=caller.workspace_id,
        endpoint=server.endpoint,
        wait_for_action_attempt={"timeout": 5, "polling_interval": 0.05},
    )
    yield client
    client.close()


def times(**ends: int) -> dict[str, str]:
    """A start and an end around now."""
    now = datetime.now(UTC)
    return {
        "starts_at": (now - timedelta(minutes=1)).isoformat(),
        "ends_at": (now + timedelta(**ends)).isoformat(),
    }


def test_python_sets_a_thermostat(seam):
    """Each command resolves to its finished attempt, and the thermostat is as it was told."""
    thermostat = seam.thermostats.list()[0]
    id, calls = thermostat.device_id, seam.thermostats
    attempts = [
        calls.heat(device_id=id, heating_set_point_fahrenheit=70),
        calls.cool(device_id=id, cooling_set_point_celsius=24),
        calls.heat_cool(device_id=id, heating_set_point_celsius=20, cooling_set_point_celsius=24),
        calls.off(device_id=id),
        calls.set_hvac_mode(device_id=id, hvac_mode_setting="eco"),
        calls.set_fan_mode(device_id=id, fan_mode_setting="on"),
    ]
    assert [attempt.action_type for attempt in attempts] == [*["SET_HVAC_MODE"] * 5, "SET_FAN_MODE"]
    assert {attempt.status for attempt in attempts} == {"success"}
    setting = seam.devices.get(device_id=id).properties.current_climate_setting
    assert (setting.hvac_mode_setting, setting.fan_mode_setting) == ("eco", "on")
    with pytest.raises(SeamHttpApiError) as refused:
        calls.heat(device_id=id, heating_set_point_celsius=99)
    assert refused.value.code == "heating_set_point_out_of_range"


def test_python_keeps_presets_and_a_schedule(seam):
    """Presets are made, changed, activated and deleted; a schedule takes over, and is the active one."""
    id, calls = seam.thermostats.list()[0].device_id, seam.thermostats
    preset = {"device_id": id, "climate_preset_key": "guests"}
    calls.create_climate_preset(**preset, hvac_mode_setting="heat", heating_set_point_celsius=22)
    calls.update_climate_preset(**preset, name="Guests", heating_set_point_celsius=23)
    assert calls.activate_climate_preset(**preset).action_type == "ACTIVATE_CLIMATE_PRESET"
    properties = seam.devices.get(device_id=id).properties
    assert properties.current_climate_setting.climate_preset_key == "guests"
    assert properties.current_climate_setting.heating_set_point_celsius == 23
    calls.set_fallback_climate_preset(device_id=id, climate_preset_key="away")
    calls.set_temperature_threshold(device_id=id, upper_limit_celsius=30, lower_limit_fahrenheit=50)
    calls.simulate.temperature_reached(device_id=id, temperature_celsius=31)
    calls.simulate.hvac_mode_adjusted(device_id=id, hvac_mode="off")
    made = calls.schedules.create(device_id=id, climate_preset_key="sleep", name="Night", **times(hours=1))
    calls.schedules.update(thermostat_schedule_id=made.thermostat_schedule_id, is_override_allowed=True)
    found = calls.schedules.get(thermostat_schedule_id=made.thermostat_schedule_id)
    assert (found.name, found.is_override_allowed, found.errors) == ("Night", True, [])
    assert [each.name for each in calls.schedules.list(device_id=id)] == ["Night"]
    calls.schedules.delete(thermostat_schedule_id=made.thermostat_schedule_id)
    assert calls.schedules.list(device_id=id) == []
    calls.delete_climate_preset(**preset)
    presets = seam.devices.get(device_id=id).properties.available_climate_presets
    assert [preset.climate_preset_key for preset in presets] == ["home", "away", "sleep"]
    events = seam.events.list(device_id=id, since="2020-01-01T00:00:00Z")
    assert "thermostat.temperature_threshold_exceeded" in [event.event_type for event in events]


def test_python_programs_a_thermostat(seam):
    """A daily program is made, put into the week, replaced, taken out and deleted."""
    id, calls = seam.thermostats.list()[0].device_id, seam.thermostats
    periods = [{"starts_at_time": "06:00:00", "climate_preset_key": "home"}]
    made = calls.daily_programs.create(device_id=id, name="Day", periods=periods)
    week = calls.update_weekly_program(device_id=id, monday_program_id=made.thermostat_daily_program_id)
    assert (week.action_type, week.status) == ("PUSH_THERMOSTAT_PROGRAMS", "success")
    program_id = made.thermostat_daily_program_id
    update = calls.daily_programs.update(thermostat_daily_program_id=program_id, name="New", periods=[])
    assert (update.action_type, update.status) == ("PUSH_THERMOSTAT_PROGRAMS", "success")
    properties = seam.devices.get(device_id=id).properties
    assert [program.name for program in properties.thermostat_daily_programs] == ["New"]
    assert properties.thermostat_weekly_program.monday_program_id == program_id
    with pytest.raises(SeamHttpApiError) as used:
        calls.daily_programs.delete(thermostat_daily_program_id=program_id)
    assert used.value.code == "thermostat_daily_program_in_use"


def test_javascript_does_all_of_it(caller):
    """The same verbs with the JavaScript SDK."""
    came = run_script(caller, "thermostats.mjs")
    assert came["attempts"] == [
        *[["SET_HVAC_MODE", "success"]] * 5,
        ["SET_FAN_MODE", "success"],
        ["ACTIVATE_CLIMATE_PRESET", "success"],
        ["PUSH_THERMOSTAT_PROGRAMS", "success"],
        ["PUSH_THERMOSTAT_PROGRAMS", "success"],
    ]
    assert came["refusal"] == "invalid_heating_cooling_delta"
    assert came["setting"] == ["guests", 22]
    assert came["schedules"] == [["Night", True]]
    assert came["week"] == came["program"]
    assert came["programs"] == ["New"]
    assert came["presets"] == ["home", "away", "sleep"]
