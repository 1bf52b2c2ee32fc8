"""Climate presets: settings of a thermostat that have a name, kept in ``Device.settings``.

A preset is a mapping in the wire's own words, with its temperatures in °C: ``climate_preset_key``, ``name``,
``climate_preset_mode``, ``hvac_mode_setting``, ``fan_mode_setting``, the two set points,
``manual_override_allowed``, ``ecobee_metadata``. What it does not name stays as it is when it is activated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from thumbturn.domain.climate import SETTINGS, check_fan, check_mode, check_set_points
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal

#: They are kept in memory, and part of each look at their thermostat.
MOST_PRESETS = 50

PRESETS, FALLBACK = "climate_presets", "fallback_climate_preset_key"


class ClimatePresetNotFound(Refusal, type="climate_preset_not_found", status=404):
    """This thermostat has no such climate preset"""


class ClimatePresetExists(Refusal, type="climate_preset_already_exists", status=409):
    """This thermostat has a climate preset of that key: update it, or take another key"""


class TooManyClimatePresets(Refusal, type="too_many_climate_presets", status=400):
    """A thermostat has at most 50 climate presets. Delete one that is not needed any more."""


class ClimatePresetInUse(Refusal, type="climate_preset_in_use", status=400):
    """The climate preset is used elsewhere: change that first."""


def presets_of(device: Device) -> Sequence[Mapping[str, Any]]:
    """The presets of a thermostat, in the order in which they were made."""
    found: Sequence[Mapping[str, Any]] = device.settings.get(PRESETS, ())
    return found


def preset_of(device: Device, key: str) -> Mapping[str, Any]:
    """The preset of this key. Raises ``ClimatePresetNotFound``."""
    for preset in presets_of(device):
        if preset["climate_preset_key"] == key:
            return preset
    raise ClimatePresetNotFound(data={"device_id": device.id, "climate_preset_key": key})


def with_preset(device: Device, preset: Mapping[str, Any]) -> Device:
    """The thermostat with one more preset."""
    known = presets_of(device)
    key = preset["climate_preset_key"]
    if any(each["climate_preset_key"] == key for each in known):
        raise ClimatePresetExists(data={"device_id": device.id, "climate_preset_key": key})
    if len(known) >= MOST_PRESETS:
        raise TooManyClimatePresets
    _check(device, preset)
    return _set(device, PRESETS, [*known, preset])


def with_preset_changed(device: Device, key: str, changes: Mapping[str, Any]) -> Device:
    """The thermostat with this preset changed in what is given."""
    changed = {**preset_of(device, key), **changes}
    _check(device, changed)
    presets = [changed if each["climate_preset_key"] == key else each for each in presets_of(device)]
    return _set(device, PRESETS, presets)


def without_preset(device: Device, key: str) -> Device:
    """The thermostat without this preset. Raises ``ClimatePresetInUse`` for its fallback."""
    preset_of(device, key)
    if device.settings.get(FALLBACK) == key:
        raise ClimatePresetInUse("The climate preset is the fallback: choose another fallback first.")
    return _set(device, PRESETS, [each for each in presets_of(device) if each["climate_preset_key"] != key])


def with_fallback(device: Device, key: str) -> Device:
    """The thermostat with this preset to fall back to."""
    preset_of(device, key)
    return _set(device, FALLBACK, key)


def setting_of(preset: Mapping[str, Any]) -> dict[str, Any]:
    """What a preset sets."""
    return {name: preset[name] for name in SETTINGS if preset.get(name) is not None}


def _set(device: Device, name: str, value: Any) -> Device:
    return replace(device, settings={**device.settings, name: value})


def _check(device: Device, preset: Mapping[str, Any]) -> None:
    """Raise a ``Refusal`` for what the thermostat can never be set to."""
    if preset.get("hvac_mode_setting") is not None:
        check_mode(device, preset["hvac_mode_setting"])
    if preset.get("fan_mode_setting") is not None:
        check_fan(device, preset["fan_mode_setting"])
    check_set_points(device, preset)
