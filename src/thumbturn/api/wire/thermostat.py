"""What a thermostat has beyond other devices: what it can be set to, is set to, and senses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from thumbturn.domain.device import Device


class ClimateSetting(TypedDict, total=False):
    """What a thermostat is, or can be, set to."""

    hvac_mode_setting: HvacMode
    fan_mode_setting: FanMode
    heating_set_point_celsius: float
    heating_set_point_fahrenheit: float
    cooling_set_point_celsius: float
    cooling_set_point_fahrenheit: float


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
_SENSED = ("relative_humidity", "is_heating", "is_cooling", "is_fan_running", "fan_mode_setting")
_AVAILABLE = ("available_hvac_mode_settings", "available_fan_mode_settings")
_LIMITS = tuple(f"{least_or_most}_{name}" for least_or_most in ("min", "max") for name in (HEATING, COOLING))


def thermostat_flags(device: Device) -> dict[str, bool]:
    """What the thermostat can do: true now, false when it is back online."""
    modes = device.details.get("available_hvac_mode_settings", ())
    return {flag: device.online for flag, mode in _FLAGS.items() if mode in modes}


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
    json["current_climate_setting"] = setting_json({name: state.get(name) for name in SETTINGS})
    return json


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
