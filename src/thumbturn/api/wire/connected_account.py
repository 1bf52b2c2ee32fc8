"""A connected account: what devices are reached through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, cast

from typing_extensions import TypedDict

from thumbturn.domain import connected_account as domain
from thumbturn.domain.clock import to_wire

#: The names of the ecosystems whose name is not their driver's with a capital.
_ECOSYSTEMS = {
    "virtual": "Virtual Home",
    "zwave_js": "Z-Wave JS",
    "zigbee2mqtt": "Zigbee2MQTT",
    "home_assistant": "Home Assistant",
    "matter": "Matter",
}


class AccountError(TypedDict):
    """Why an account cannot be used at present."""

    error_code: str
    message: str
    created_at: str
    is_connected_account_error: Literal[True]


class UserIdentifier(TypedDict):
    """Who signed in."""

    email: NotRequired[str]
    #: Of a hub, where it is.
    api_url: NotRequired[str]
    username: NotRequired[str]


class ConnectedAccount(TypedDict):
    """A hub, or an account at a maker, whose devices are commanded from here."""

    connected_account_id: str
    account_type: str
    account_type_display_name: str
    display_name: str
    user_identifier: NotRequired[UserIdentifier]
    accepted_capabilities: list[domain.AcceptedCapability]
    automatically_manage_new_devices: bool
    custom_metadata: Mapping[str, str | bool]
    customer_key: NotRequired[str]
    errors: list[AccountError]
    warnings: list[Mapping[str, Any]]
    created_at: str


def connected_account_json(account: domain.ConnectedAccount) -> ConnectedAccount:
    """The account as the wire has it."""
    json: ConnectedAccount = {
        "connected_account_id": account.id,
        "account_type": account.driver,
        "account_type_display_name": _ECOSYSTEMS.get(account.driver, account.driver.capitalize()),
        "display_name": account.name,
        "accepted_capabilities": list(account.accepted_capabilities),
        "automatically_manage_new_devices": account.manages_new_devices,
        "custom_metadata": account.custom_metadata,
        "errors": cast("list[AccountError]", account.errors),
        "warnings": [],
        "created_at": to_wire(account.created_at),
    }
    if account.user_identifier:
        json["user_identifier"] = cast("UserIdentifier", dict(account.user_identifier))
    if account.customer_key is not None:
        json["customer_key"] = account.customer_key
    return json
