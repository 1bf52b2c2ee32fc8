"""A phone of a user identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from thumbturn.domain import phone as domain
from thumbturn.domain.clock import to_wire


class Endpoint(TypedDict):
    """What its maker's service knows a phone by."""

    endpoint_id: str
    is_active: bool


class ServiceMetadata(TypedDict):
    """What a maker's service knows of a phone."""

    endpoints: list[Endpoint]
    has_active_endpoint: bool


class PhoneProperties(TypedDict):
    """What is known of a phone."""

    assa_abloy_credential_service_metadata: ServiceMetadata


class Phone(TypedDict):
    """A phone of a user identity."""

    device_id: str
    workspace_id: str
    device_type: str
    display_name: str
    properties: PhoneProperties
    custom_metadata: Mapping[str, str | bool]
    errors: list[Mapping[str, Any]]
    warnings: list[Mapping[str, Any]]
    created_at: str


def phone_json(phone: domain.Phone) -> Phone:
    """The phone as the wire has it."""
    service: ServiceMetadata = {
        "endpoints": [{"endpoint_id": phone.endpoint_id, "is_active": True}],
        "has_active_endpoint": True,
    }
    return {
        "device_id": phone.id,
        "workspace_id": phone.workspace_id,
        "device_type": phone.device_type,
        "display_name": f"{phone.manufacturer} {phone.model}",
        "properties": {"assa_abloy_credential_service_metadata": service},
        "custom_metadata": {},
        "errors": [],
        "warnings": [],
        "created_at": to_wire(phone.created_at),
    }
