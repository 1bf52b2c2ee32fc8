"""A device that is known and not managed: what it is, and nothing of what it could be told to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, cast

from typing_extensions import TypedDict

from thumbturn.api.wire.device import Battery, Device, DeviceError, Location, Model


class UnmanagedProperties(TypedDict):
    """What an unmanaged device is, and whether it can be reached."""

    online: bool
    name: str
    model: Model
    manufacturer: NotRequired[str]
    image_url: NotRequired[str]
    battery: NotRequired[Battery]
    battery_level: NotRequired[float]


class UnmanagedDevice(TypedDict):
    """A thing that could be commanded from here, if it were managed."""

    device_id: str
    workspace_id: str
    connected_account_id: str
    device_type: str
    capabilities_supported: list[str]
    properties: UnmanagedProperties
    location: NotRequired[Location]
    errors: list[DeviceError]
    warnings: list[Mapping[str, Any]]
    custom_metadata: Mapping[str, str | bool]
    is_managed: bool
    created_at: str
    can_remotely_lock: NotRequired[bool]
    can_remotely_unlock: NotRequired[bool]
    can_configure_auto_lock: NotRequired[bool]
    can_unlock_with_code: NotRequired[bool]
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


def unmanaged_json(device: Device) -> UnmanagedDevice:
    """What is shown of a device while it is not managed."""
    shown = {key: value for key, value in device.items() if key in UnmanagedDevice.__annotations__}
    of_it: Mapping[str, Any] = device["properties"]
    known = UnmanagedProperties.__annotations__
    shown["properties"] = {key: value for key, value in of_it.items() if key in known}
    return cast("UnmanagedDevice", shown)
