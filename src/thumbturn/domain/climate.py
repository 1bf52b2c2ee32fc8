"""What a thermostat can be set to: modes, set points and their limits, in degrees Celsius.

Inside, a temperature is a float in °C. The wire has each in °C and °F, and takes either.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from thumbturn.domain.errors import Refusal

if TYPE_CHECKING:
    from thumbturn.domain.device import Device

HvacMode = Literal["off", "heat", "cool", "heat_cool", "eco"]
FanMode = Literal["auto", "on", "circulate"]

HEATING, COOLING = "heating_set_point_celsius", "cooling_set_point_celsius"
#: The part of a device's state that people set.
SETTINGS = ("hvac_mode_setting", HEATING, COOLING, "fan_mode_setting")
#: The set points that a mode goes by.
SET_POINTS: Mapping[str, tuple[str, ...]] = {
    "heat": (HEATING,),
    "cool": (COOLING,),
    "heat_cool": (HEATING, COOLING),
}
#: °C. How cold and how warm it may be in a virtual room.
COLDEST_ROOM, WARMEST_ROOM = -50.0, 100.0
#: What is lost when a temperature goes from one unit to the other and back, at most.
ROUNDING = 1e-6
_MOST = sys.float_info.max


class HeatingSetPointOutOfRange(Refusal, type="heating_set_point_out_of_range", status=400):
    """The heating set point is outside of what this thermostat can be set to."""


class CoolingSetPointOutOfRange(Refusal, type="cooling_set_point_out_of_range", status=400):
    """The cooling set point is outside of what this thermostat can be set to."""


class InvalidHeatingCoolingDelta(Refusal, type="invalid_heating_cooling_delta", status=400):
    """The cooling set point must be above the heating set point, by what this thermostat asks for."""


class HeatModeNotAvailable(Refusal, type="heat_mode_not_available", status=400):
    """This thermostat cannot heat."""


class CoolModeNotAvailable(Refusal, type="cool_mode_not_available", status=400):
    """This thermostat cannot cool."""


class HeatCoolNotAvailable(Refusal, type="heat_cool_not_available", status=400):
    """This thermostat cannot heat and cool by turns."""


class OffModeNotAvailable(Refusal, type="off_mode_not_available", status=400):
    """This thermostat cannot be switched off."""


class EcoModeNotAvailable(Refusal, type="eco_mode_not_available", status=400):
    """This thermostat has no eco mode."""


class FanModeNotAvailable(Refusal, type="fan_mode_not_available", status=400):
    """The fan of this thermostat cannot be set to that."""


class SetPointRequired(Refusal, type="set_point_required", status=400):
    """This thermostat was never told how far to heat or cool: name a set point."""


_NOT_AVAILABLE: Mapping[str, type[Refusal]] = {
    "heat": HeatModeNotAvailable,
    "cool": CoolModeNotAvailable,
    "heat_cool": HeatCoolNotAvailable,
    "off": OffModeNotAvailable,
    "eco": EcoModeNotAvailable,
}
_OUT_OF_RANGE: Mapping[str, tuple[str, type[Refusal]]] = {
    HEATING: ("heating", HeatingSetPointOutOfRange),
    COOLING: ("cooling", CoolingSetPointOutOfRange),
}


def to_fahrenheit(celsius: float) -> float:
    """The same temperature in °F, to a hundredth."""
    # No JSON has a number for what is beyond all floats.
    return round(min(max(celsius * 1.8 + 32, -_MOST), _MOST), 2)


def to_celsius(fahrenheit: float) -> float:
    """The same temperature in °C."""
    return (fahrenheit - 32) / 1.8


def in_both_units(name: str, celsius: float | None) -> dict[str, float | None]:
    """A temperature as the wire has it, in both units; ``name`` ends in ``_celsius``."""
    other = f"{name.removesuffix('celsius')}fahrenheit"
    if celsius is None:
        return {name: None, other: None}
    return {name: round(celsius, 2), other: to_fahrenheit(celsius)}


def fitting_setting(device: Device, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The setting that the device can be given: what is wanted, with the set points that its mode needs.

    A set point that is not named stays what it is. Raises a ``Refusal`` for what the device cannot do.
    """
    setting: dict[str, Any] = {}
    mode = wanted.get("hvac_mode_setting")
    needed = [name for name in (HEATING, COOLING) if wanted.get(name) is not None]
    if mode is not None:
        check_mode(device, mode)
        setting["hvac_mode_setting"] = mode
        needed += SET_POINTS.get(mode, ())
    elif needed and device.state.get("hvac_mode_setting") == "heat_cool":
        needed += SET_POINTS["heat_cool"]
    for name in needed:
        degrees = wanted.get(name)
        setting[name] = device.state.get(name) if degrees is None else degrees
        if setting[name] is None:
            raise SetPointRequired(data={"device_id": device.id})
    check_set_points(device, setting)
    fan = wanted.get("fan_mode_setting")
    if fan is not None:
        check_fan(device, fan)
        setting["fan_mode_setting"] = fan
    return setting


def check_mode(device: Device, mode: str) -> None:
    """Raise the ``Refusal`` that the wire has for a mode that the device has not."""
    if mode not in device.details.get("available_hvac_mode_settings", ()):
        raise _NOT_AVAILABLE[mode](data={"device_id": device.id})


def check_set_points(device: Device, setting: Mapping[str, Any]) -> None:
    """Raise a ``Refusal`` if the device cannot take the set points, alone or together."""
    for name, (word, refusal) in _OUT_OF_RANGE.items():
        degrees = setting.get(name)
        if degrees is None:
            continue
        least = device.details.get(f"min_{name}", float("-inf"))
        most = device.details.get(f"max_{name}", float("inf"))
        if not least - ROUNDING <= degrees <= most + ROUNDING:
            raise refusal(
                f"The {word} set point must be between {_text(least)} and {_text(most)}.",
                data={"device_id": device.id},
            )
    if setting.get(HEATING) is not None and setting.get(COOLING) is not None:
        delta = device.details.get("min_heating_cooling_delta_celsius", 0)
        if setting[COOLING] - setting[HEATING] < delta - ROUNDING:
            raise InvalidHeatingCoolingDelta(
                f"The cooling set point must be at least {_span(delta)} above the heating set point.",
                data={"device_id": device.id},
            )


def check_fan(device: Device, fan: str) -> None:
    """Raise ``FanModeNotAvailable`` if the device has no such fan mode."""
    available = device.details.get("available_fan_mode_settings", ())
    if fan not in available:
        raise FanModeNotAvailable(
            f"The fan of this thermostat can be set to: {', '.join(available) or 'nothing'}.",
            data={"device_id": device.id},
        )


def _text(celsius: float) -> str:
    return f"{round(celsius, 2):g} °C ({to_fahrenheit(celsius):g} °F)"


def _span(celsius: float) -> str:
    return f"{round(celsius, 2):g} °C ({round(celsius * 1.8, 2):g} °F)"
