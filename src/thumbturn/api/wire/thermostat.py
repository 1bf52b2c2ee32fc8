"""What a thermostat has beyond other devices: what it can be set to, is set to, and senses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from typing_extensions import TypedDict

from thumbturn.domain.climate import (
    COOLING,
    HEATING,
    SET_POINTS,
    SETTINGS,
    FanMode,
    HvacMode,
    in_both_units,
)
from thumbturn.domain.clock import to_wire
from thumbturn.domain.device import Device
from thumbturn.domain.presets import FALLBACK, presets_of
from thumbturn.domain.programs import daily_programs_of, weekly_program_of
from thumbturn.domain.schedule import Schedule, is_overridden, schedule_in_force
from thumbturn.domain.threshold import threshold_of

PresetMode = Literal["home", "away", "wake", "sleep", "occupied", "unoccupied"]


class Setting(TypedDict, total=False):
    """What a thermostat is, or can be, set to."""

    hvac_mode_setting: HvacMode
    fan_mode_setting: FanMode
    heating_set_point_celsius: float
    heating_set_point_fahrenheit: float
    cooling_set_point_celsius: float
    cooling_set_point_fahrenheit: float
    climate_preset_mode: PresetMode
    ecobee_metadata: Mapping[str, Any]


class ClimatePreset(Setting):
    """A setting that has a name."""

    climate_preset_key: str
    display_name: str
    name: str | None
    can_edit: bool
    can_delete: bool
    can_use_with_thermostat_daily_programs: bool
    manual_override_allowed: bool


class ClimateSetting(Setting, total=False):
    """What a thermostat is set to, and by which preset if by one."""

    climate_preset_key: str
    display_name: str
    name: str | None
    can_edit: bool
    can_delete: bool
    can_use_with_thermostat_daily_programs: bool
    manual_override_allowed: bool


class ScheduleError(TypedDict):
    """Why a schedule's preset could not be activated."""

    error_code: str
    message: str
    created_at: str


class ThermostatSchedule(TypedDict):
    """From a moment to another, a climate preset."""

    thermostat_schedule_id: str
    device_id: str
    workspace_id: str
    name: str | None
    climate_preset_key: str
    starts_at: str
    ends_at: str
    is_override_allowed: bool
    max_override_period_minutes: int | None
    errors: list[ScheduleError]
    created_at: str


class ProgramPeriod(TypedDict):
    """From what time of the day on which climate preset."""

    starts_at_time: str
    climate_preset_key: str


class ThermostatDailyProgram(TypedDict):
    """What a thermostat does by itself in a day."""

    thermostat_daily_program_id: str
    device_id: str
    workspace_id: str
    name: str | None
    periods: list[ProgramPeriod]
    created_at: str


class ThermostatWeeklyProgram(TypedDict):
    """By which daily program a thermostat goes on each day; null on a day without one."""

    created_at: str
    monday_program_id: str | None
    tuesday_program_id: str | None
    wednesday_program_id: str | None
    thursday_program_id: str | None
    friday_program_id: str | None
    saturday_program_id: str | None
    sunday_program_id: str | None


class TemperatureThreshold(TypedDict):
    """Between which temperatures it shall be; null where there is no limit."""

    lower_limit_celsius: float | None
    lower_limit_fahrenheit: float | None
    upper_limit_celsius: float | None
    upper_limit_fahrenheit: float | None


class ThermostatProperties(TypedDict, total=False):
    """The part of a device's properties that only thermostats have."""

    temperature_celsius: float
    temperature_fahrenheit: float
    relative_humidity: float
    is_heating: bool
    is_cooling: bool
    is_fan_running: bool
    fan_mode_setting: FanMode
    current_climate_setting: ClimateSetting
    available_climate_presets: list[ClimatePreset]
    fallback_climate_preset_key: str | None
    default_climate_setting: ClimatePreset
    temperature_threshold: TemperatureThreshold
    active_thermostat_schedule: ThermostatSchedule | None
    active_thermostat_schedule_id: str | None
    is_temporary_manual_override_active: bool
    thermostat_daily_programs: list[ThermostatDailyProgram]
    thermostat_weekly_program: ThermostatWeeklyProgram | None
    max_thermostat_daily_program_periods_per_day: int
    max_unique_climate_presets_per_thermostat_weekly_program: int
    thermostat_daily_program_period_precision_minutes: int
    available_hvac_mode_settings: list[HvacMode]
    available_fan_mode_settings: list[FanMode]
    min_heating_set_point_celsius: float
    min_heating_set_point_fahrenheit: float
    max_heating_set_point_celsius: float
    max_heating_set_point_fahrenheit: float
    min_cooling_set_point_celsius: float
    min_cooling_set_point_fahrenheit: float
    max_cooling_set_point_celsius: float
    max_cooling_set_point_fahrenheit: float
    min_heating_cooling_delta_celsius: float
    min_heating_cooling_delta_fahrenheit: float


#: The mode behind each flag: what a thermostat can do now.
_FLAGS = {
    "can_hvac_heat": "heat",
    "can_hvac_cool": "cool",
    "can_hvac_heat_cool": "heat_cool",
    "can_turn_off_hvac": "off",
}
#: What of a preset is not told of it while it is active: the thermostat tells what it is set to.
_SET = frozenset(Setting.__annotations__) - {"climate_preset_mode", "ecobee_metadata"}
_SENSED = ("relative_humidity", "is_heating", "is_cooling", "is_fan_running", "fan_mode_setting")
_PROGRAM_FLAGS = (
    "can_run_thermostat_programs",
    "can_program_thermostat_programs_as_different_each_day",
    "can_program_thermostat_programs_as_same_each_day",
    "can_program_thermostat_programs_as_weekday_weekend",
)
_PROGRAM_LIMITS = (
    "max_thermostat_daily_program_periods_per_day",
    "max_unique_climate_presets_per_thermostat_weekly_program",
    "thermostat_daily_program_period_precision_minutes",
)
_AVAILABLE = ("available_hvac_mode_settings", "available_fan_mode_settings")
_LIMITS = tuple(f"{least_or_most}_{name}" for least_or_most in ("min", "max") for name in (HEATING, COOLING))


def thermostat_flags(device: Device) -> dict[str, bool]:
    """What the thermostat can do: true now, false when it is back online."""
    modes = device.details.get("available_hvac_mode_settings", ())
    flags = [flag for flag, mode in _FLAGS.items() if mode in modes]
    if "thermostat_programs" in device.capabilities:
        flags += _PROGRAM_FLAGS
    return dict.fromkeys(flags, device.takes_commands)


def thermostat_properties(device: Device) -> dict[str, Any]:
    """The properties of a thermostat, in both units where they are temperatures."""
    details, state = device.details, device.state
    json: dict[str, Any] = {name: state[name] for name in _SENSED if state.get(name) is not None}
    json |= {name: details[name] for name in _AVAILABLE if name in details}
    for name in _LIMITS:
        if name in details:
            json |= in_both_units(name, details[name])
    delta = details.get("min_heating_cooling_delta_celsius")
    if delta is not None:
        # The difference of two temperatures: no zero point to be moved.
        json["min_heating_cooling_delta_celsius"] = round(delta, 2)
        json["min_heating_cooling_delta_fahrenheit"] = round(delta * 1.8, 2)
    json["current_climate_setting"] = _current(device)
    json["available_climate_presets"] = [preset_json(preset) for preset in presets_of(device)]
    fallback = json["fallback_climate_preset_key"] = device.settings.get(FALLBACK)
    for preset in json["available_climate_presets"]:
        if preset["climate_preset_key"] == fallback:
            json["default_climate_setting"] = preset  # by its older name
    json["temperature_threshold"] = {}
    for name, limit in threshold_of(device).items():
        json["temperature_threshold"] |= in_both_units(name, limit)
    json |= _schedule_properties(device)
    if "thermostat_programs" in device.capabilities:
        json |= {name: details[name] for name in _PROGRAM_LIMITS if name in details}
        json["thermostat_daily_programs"] = [
            daily_program_json(device, id, program) for id, program in daily_programs_of(device).items()
        ]
        weekly = weekly_program_of(device)
        json["thermostat_weekly_program"] = (
            None if weekly is None else {**weekly, "created_at": to_wire(weekly["created_at"])}
        )
    return json


def thermostat_warnings(device: Device) -> list[dict[str, Any]]:
    """What is to be warned of at a thermostat."""
    since = device.state.get("threshold_exceeded_since")
    if since is None:
        return []
    return [
        {
            "warning_code": "temperature_threshold_exceeded",
            "message": "It is colder or warmer than the temperature threshold allows.",
            "created_at": to_wire(since),
        }
    ]


def preset_json(preset: Mapping[str, Any]) -> ClimatePreset:
    """A climate preset as the wire has it."""
    json: dict[str, Any] = {
        "climate_preset_key": preset["climate_preset_key"],
        "display_name": preset.get("name") or preset["climate_preset_key"],
        "name": preset.get("name"),
        "can_edit": True,
        "can_delete": True,
        "can_use_with_thermostat_daily_programs": True,
        "manual_override_allowed": preset.get("manual_override_allowed", True),
    }
    for name in ("climate_preset_mode", "ecobee_metadata"):
        if preset.get(name) is not None:
            json[name] = preset[name]
    return cast("ClimatePreset", json | setting_json(preset))


def schedule_json(schedule: Schedule) -> ThermostatSchedule:
    """A schedule as the wire has it."""
    return {
        "thermostat_schedule_id": schedule.id,
        "device_id": schedule.device_id,
        "workspace_id": schedule.workspace_id,
        "name": schedule.name,
        "climate_preset_key": schedule.climate_preset_key,
        "starts_at": to_wire(schedule.starts_at),
        "ends_at": to_wire(schedule.ends_at),
        "is_override_allowed": schedule.is_override_allowed,
        "max_override_period_minutes": schedule.max_override_period_minutes,
        "errors": [cast("ScheduleError", dict(each)) for each in schedule.errors],
        "created_at": to_wire(schedule.created_at),
    }


def daily_program_json(device: Device, program_id: str, program: Mapping[str, Any]) -> ThermostatDailyProgram:
    """A daily program as the wire has it."""
    return {
        "thermostat_daily_program_id": program_id,
        "device_id": device.id,
        "workspace_id": device.workspace_id,
        "name": program["name"],
        "periods": [cast("ProgramPeriod", dict(period)) for period in program["periods"]],
        "created_at": to_wire(program["created_at"]),
    }


def _current(device: Device) -> dict[str, Any]:
    setting = setting_json({name: device.state.get(name) for name in SETTINGS})
    active = device.state.get("climate_preset")
    key = None if active is None else active["climate_preset_key"]
    for preset in presets_of(device):
        if preset["climate_preset_key"] == key:
            words = preset_json(preset)
            return {name: value for name, value in words.items() if name not in _SET} | setting
    return setting


def _schedule_properties(device: Device) -> dict[str, Any]:
    goes_by = schedule_in_force(device)
    if goes_by is None:
        return {
            "active_thermostat_schedule": None,
            "active_thermostat_schedule_id": None,
            "is_temporary_manual_override_active": False,
        }
    schedule, began_at = goes_by
    return {
        "active_thermostat_schedule": schedule_json(schedule),
        "active_thermostat_schedule_id": schedule.id,
        "is_temporary_manual_override_active": is_overridden(schedule, device.state, began_at),
    }


def setting_json(setting: Mapping[str, Any]) -> dict[str, Any]:
    """A setting as the wire has it, with the set points that its mode goes by; without a mode, with all."""
    mode = setting.get("hvac_mode_setting")
    json: dict[str, Any] = {
        name: setting[name]
        for name in ("hvac_mode_setting", "fan_mode_setting")
        if setting.get(name) is not None
    }
    for name in (HEATING, COOLING) if mode is None else SET_POINTS.get(mode, ()):
        if setting.get(name) is not None:
            json |= in_both_units(name, setting[name])
    return json
