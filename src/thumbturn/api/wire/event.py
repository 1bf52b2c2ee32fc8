"""An event: common keys, and what its type says beyond them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NotRequired, cast

from typing_extensions import TypedDict

from thumbturn.domain import event as domain
from thumbturn.domain.clock import to_wire
from thumbturn.engine.pins import Pins

#: The beginnings of the types whose payload may have a sealed PIN.
_WITH_PINS = ("access_code.", "access_method.", "lock.")


class DeniedReason(TypedDict):
    """Why a keypad refused somebody."""

    reason_code: str
    message: str


class Event(TypedDict):
    """A fact that the workspace is told once."""

    event_id: str
    event_type: str
    workspace_id: str
    created_at: str
    occurred_at: str
    device_id: NotRequired[str]
    connected_account_id: NotRequired[str]
    action_attempt_id: NotRequired[str]
    action_type: NotRequired[str]
    status: NotRequired[str]
    method: NotRequired[str]
    reason: NotRequired[DeniedReason]
    error_code: NotRequired[str]
    device_custom_metadata: NotRequired[Mapping[str, str | bool]]
    connected_account_custom_metadata: NotRequired[Mapping[str, str | bool]]
    customer_key: NotRequired[str]
    device_errors: NotRequired[list[Mapping[str, Any]]]
    device_warnings: NotRequired[list[Mapping[str, Any]]]
    connected_account_errors: NotRequired[list[Mapping[str, Any]]]
    connected_account_warnings: NotRequired[list[Mapping[str, Any]]]
    client_session_id: NotRequired[str]
    connect_webview_id: NotRequired[str]
    connected_account_type: NotRequired[str]
    device_name: NotRequired[str]
    battery_level: NotRequired[float]
    battery_status: NotRequired[str]
    hvac_mode_setting: NotRequired[str]
    fan_mode_setting: NotRequired[str]
    heating_set_point_celsius: NotRequired[float]
    heating_set_point_fahrenheit: NotRequired[float]
    cooling_set_point_celsius: NotRequired[float]
    cooling_set_point_fahrenheit: NotRequired[float]
    temperature_celsius: NotRequired[float]
    temperature_fahrenheit: NotRequired[float]
    lower_limit_celsius: NotRequired[float | None]
    lower_limit_fahrenheit: NotRequired[float | None]
    upper_limit_celsius: NotRequired[float | None]
    upper_limit_fahrenheit: NotRequired[float | None]
    climate_preset_key: NotRequired[str]
    is_fallback_climate_preset: NotRequired[bool]
    thermostat_schedule_id: NotRequired[str | None]
    desired_temperature_celsius: NotRequired[float]
    desired_temperature_fahrenheit: NotRequired[float]
    noise_level_decibels: NotRequired[float]
    noise_threshold_id: NotRequired[str]
    noise_threshold_name: NotRequired[str]
    acs_system_id: NotRequired[str]
    acs_system_errors: NotRequired[list[Mapping[str, Any]]]
    acs_system_warnings: NotRequired[list[Mapping[str, Any]]]
    acs_user_id: NotRequired[str]
    user_identity_id: NotRequired[str]
    acs_credential_id: NotRequired[str]
    acs_entrance_id: NotRequired[str]
    acs_access_group_id: NotRequired[str]
    acs_encoder_id: NotRequired[str]
    space_id: NotRequired[str]
    space_key: NotRequired[str]
    device_ids: NotRequired[list[str]]
    acs_entrance_ids: NotRequired[list[str]]
    webhook_id: NotRequired[str]
    disabled_because: NotRequired[str]
    access_grant_id: NotRequired[str]
    access_grant_ids: NotRequired[list[str]]
    access_grant_key: NotRequired[str]
    access_grant_keys: NotRequired[list[str]]
    access_method_id: NotRequired[str]
    error_message: NotRequired[str]
    missing_device_ids: NotRequired[list[str]]
    is_backup_code: NotRequired[bool]
    starts_at: NotRequired[str]
    ends_at: NotRequired[str]
    access_code_id: NotRequired[str]
    access_code_is_managed: NotRequired[bool]
    backup_access_code_id: NotRequired[str]
    code: NotRequired[str | None]
    change_reason: NotRequired[str]
    changed_properties: NotRequired[list[Mapping[str, Any]]]
    requested_mutations: NotRequired[list[Mapping[str, Any]]]
    description: NotRequired[str]
    access_code_errors: NotRequired[list[Mapping[str, Any]]]
    access_code_warnings: NotRequired[list[Mapping[str, Any]]]


def event_json(event: domain.Event, pins: Pins) -> Event:
    """The event as the wire has it; the PINs in it can be read."""
    common: dict[str, Any] = {
        "event_id": event.event_id,
        "event_type": event.event_type,
        "workspace_id": event.workspace_id,
        "created_at": to_wire(event.created_at),
        "occurred_at": to_wire(event.occurred_at),
    }
    for name in ("device_id", "connected_account_id", "action_attempt_id"):
        id = getattr(event, name)
        if id is not None:
            common[name] = id
    payload = dict(event.payload)
    if event.event_type.startswith(_WITH_PINS):
        payload = {name: _opened(value, name, pins) for name, value in payload.items()}
    return cast("Event", common | payload)


def _opened(value: Any, name: str, pins: Pins) -> Any:
    """A part of an event about a code: what is under this name is sealed, however deep."""
    if isinstance(value, Mapping):
        # A changed property has its name beside it.
        called = value.get("property")
        return {key: _opened(each, called or key, pins) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_opened(each, name, pins) for each in value]
    return pins.open(value) if name == "code" and isinstance(value, str) and value != "code" else value
