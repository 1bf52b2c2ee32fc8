"""A device: what it is, what it can do right now, and what it last reported.

Flags such as ``can_remotely_unlock`` have three states: true, it works now; false, the device can
but something is in the way; absent, it cannot. While a device is offline nobody knows where its
bolt is, so ``locked`` is absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, cast

from typing_extensions import TypedDict

from thumbturn.api.wire.thermostat import (
    ThermostatProperties,
    thermostat_flags,
    thermostat_properties,
    thermostat_warnings,
)
from thumbturn.domain import device as domain
from thumbturn.domain.battery import BatteryStatus, battery_status
from thumbturn.domain.climate import to_fahrenheit
from thumbturn.domain.clock import to_wire
from thumbturn.domain.device_troubles import errors_of, warnings_of
from thumbturn.domain.pin import POOL_ENABLED, lengths_of


class Battery(TypedDict):
    """How full a battery is, 0 to 1."""

    level: float
    status: BatteryStatus


class Appearance(TypedDict):
    """How to show a device to people."""

    name: str


class Model(TypedDict):
    """What the maker calls it."""

    display_name: str
    manufacturer_display_name: str
    has_built_in_keypad: NotRequired[bool]


class DeviceError(TypedDict):
    """Why a device cannot be used at present: because of itself, or because of its account."""

    error_code: str
    message: str
    created_at: str
    is_device_error: NotRequired[Literal[True]]
    is_connected_account_error: NotRequired[Literal[True]]


class Location(TypedDict):
    """Where a device is."""

    location_name: NotRequired[str]
    time_zone: NotRequired[str]


class DeviceProperties(ThermostatProperties):
    """What a device last reported, and what it is."""

    online: bool
    name: str
    appearance: Appearance
    model: Model
    manufacturer: NotRequired[str]
    serial_number: NotRequired[str]
    image_url: NotRequired[str]
    has_direct_power: NotRequired[bool]
    battery: NotRequired[Battery]
    battery_level: NotRequired[float]
    locked: NotRequired[bool]
    door_open: NotRequired[bool]
    auto_lock_enabled: NotRequired[bool]
    auto_lock_delay_seconds: NotRequired[float]
    noise_level_decibels: NotRequired[float]
    currently_triggering_noise_threshold_ids: NotRequired[list[str]]
    supported_code_lengths: NotRequired[list[int]]
    max_active_codes_supported: NotRequired[int]
    code_constraints: NotRequired[list[Mapping[str, Any]]]
    supports_backup_access_code_pool: NotRequired[bool]
    backup_access_code_pool_enabled: NotRequired[bool]
    has_native_entry_events: NotRequired[bool]


class Device(TypedDict):
    """A thing that can act or sense."""

    device_id: str
    workspace_id: str
    connected_account_id: str
    device_type: str
    display_name: str
    nickname: NotRequired[str]
    capabilities_supported: list[str]
    properties: DeviceProperties
    location: NotRequired[Location]
    errors: list[DeviceError]
    warnings: list[Mapping[str, Any]]
    custom_metadata: Mapping[str, str | bool]
    space_ids: list[str]
    is_managed: bool
    created_at: str
    can_remotely_lock: NotRequired[bool]
    can_remotely_unlock: NotRequired[bool]
    can_configure_auto_lock: NotRequired[bool]
    can_unlock_with_code: NotRequired[bool]
    can_program_online_access_codes: NotRequired[bool]
    can_hvac_heat: NotRequired[bool]
    can_hvac_cool: NotRequired[bool]
    can_hvac_heat_cool: NotRequired[bool]
    can_turn_off_hvac: NotRequired[bool]
    can_run_thermostat_programs: NotRequired[bool]
    can_program_thermostat_programs_as_different_each_day: NotRequired[bool]
    can_program_thermostat_programs_as_same_each_day: NotRequired[bool]
    can_program_thermostat_programs_as_weekday_weekend: NotRequired[bool]
    can_simulate_connection: NotRequired[bool]
    can_simulate_disconnection: NotRequired[bool]
    can_simulate_removal: NotRequired[bool]
    can_simulate_hub_connection: NotRequired[bool]
    can_simulate_hub_disconnection: NotRequired[bool]
    can_simulate_paid_subscription: NotRequired[bool]


#: Our capabilities that the wire has a word for.
_SUPPORTED = ("access_code", "lock", "noise_detection", "thermostat", "battery")
#: What we call one of them differently.
_CALLED = {"access_code": "access_codes"}
#: The flags that each capability brings.
_FLAGS = {
    "lock": ("can_remotely_lock", "can_remotely_unlock"),
    "auto_lock": ("can_configure_auto_lock",),
    "keypad": ("can_unlock_with_code",),
    "access_codes": ("can_program_online_access_codes",),
}
#: What a device reports that goes to the wire as it is.
_REPORTED = (
    "locked",
    "door_open",
    "auto_lock_enabled",
    "auto_lock_delay_seconds",
    "battery_level",
    "temperature_celsius",
    "noise_level_decibels",
    "currently_triggering_noise_threshold_ids",
)
#: What is known of a device that goes to the wire as it is.
_KNOWN = ("manufacturer", "serial_number", "image_url", "has_direct_power")


def device_json(device: domain.Device, *, is_sandbox: bool, space_ids: Sequence[str] = ()) -> Device:
    """The device as the wire has it, in these spaces; a sandbox says what may be simulated."""
    json: dict[str, Any] = {
        "device_id": device.id,
        "workspace_id": device.workspace_id,
        "connected_account_id": device.connected_account_id,
        "device_type": device.device_type,
        "display_name": device.display_name,
        "capabilities_supported": [
            word for word in _SUPPORTED if _CALLED.get(word, word) in device.capabilities
        ],
        "properties": _properties(device),
        "errors": cast("list[DeviceError]", errors_of(device)),
        "warnings": [*thermostat_warnings(device), *warnings_of(device)],
        "custom_metadata": device.custom_metadata,
        "space_ids": list(space_ids),
        "is_managed": device.is_managed,
        "created_at": to_wire(device.created_at),
    }
    if device.nickname is not None:
        json["nickname"] = device.nickname
    location = {key: device.details[key] for key in ("location_name", "time_zone") if key in device.details}
    if location:
        json["location"] = location
    for capability, flags in _FLAGS.items():
        if capability in device.capabilities:
            json.update(dict.fromkeys(flags, device.takes_commands))
    if "thermostat" in device.capabilities:
        json.update(thermostat_flags(device))
    if is_sandbox:
        is_there = not device.state.get("removed", False)
        json["can_simulate_connection"] = not device.online
        json["can_simulate_disconnection"] = device.online
        json["can_simulate_removal"] = is_there
        is_lost = device.state.get("offline_because") == domain.HUB_DISCONNECTED
        json["can_simulate_hub_connection"] = is_lost
        json["can_simulate_hub_disconnection"] = not is_lost
        json["can_simulate_paid_subscription"] = True
    return cast("Device", json)


def _properties(device: domain.Device) -> DeviceProperties:
    details, state = device.details, device.state
    json: dict[str, Any] = {
        "online": device.online,
        "name": device.display_name,
        "appearance": {"name": device.nickname or details.get("appearance", device.name)},
        "model": _model(device),
    }
    json.update({key: details[key] for key in _KNOWN if key in details})
    json.update({key: state[key] for key in _REPORTED if state.get(key) is not None})
    if not device.online:
        json.pop("locked", None)
    if "battery_level" in json:
        level = json["battery_level"]
        json["battery"] = {"level": level, "status": battery_status(level)}
    if "temperature_celsius" in json:
        json["temperature_fahrenheit"] = to_fahrenheit(json["temperature_celsius"])
    if "access_codes" in device.capabilities:
        json.update(_keypad(device))
    if "thermostat" in device.capabilities:
        json.update(thermostat_properties(device))
    return cast("DeviceProperties", json)


def _keypad(device: domain.Device) -> Mapping[str, Any]:
    details = device.details
    known = ("max_active_codes_supported", "code_constraints", "supports_backup_access_code_pool")
    return {
        **{name: details[name] for name in known if name in details},
        "supported_code_lengths": list(lengths_of(device)),
        "backup_access_code_pool_enabled": bool(device.settings.get(POOL_ENABLED)),
        "has_native_entry_events": True,
    }


def _model(device: domain.Device) -> Model:
    details = device.details
    model: Model = {
        "display_name": details.get("model_name", device.device_type),
        "manufacturer_display_name": details.get("manufacturer_name", details.get("manufacturer", "Unknown")),
    }
    if "lock" in device.capabilities:
        model["has_built_in_keypad"] = "keypad" in device.capabilities
    return model
