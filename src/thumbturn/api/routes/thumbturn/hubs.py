"""``/thumbturn/hubs``: linking the hubs that real devices are reached through, without a person at a page."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.metadata import MetadataChange, merged
from thumbturn.api.parameters import Maybe, Parameters
from thumbturn.api.wire.connected_account import ConnectedAccount, connected_account_json
from thumbturn.domain.connected_account import AcceptedCapability
from thumbturn.domain.hub import LONGEST_SETTING
from thumbturn.engine.engine import Engine
from thumbturn.engine.hubs import Taking


class HubSetting(TypedDict):
    """What must be known to reach a hub: a line of its form."""

    name: str
    label: str
    is_secret: bool
    is_required: bool
    default: str
    hint: str


class HubProvider(TypedDict):
    """An ecosystem whose hubs can be linked."""

    provider: str
    display_name: str
    settings: list[HubSetting]


class HubLink(Parameters):
    """A hub, and what shall be taken from it."""

    provider: Annotated[str, Field(max_length=100)]
    """Its ecosystem: one of ``/thumbturn/hubs/list_providers``."""
    settings: dict[str, Annotated[str, Field(max_length=LONGEST_SETTING)]]
    """How it is reached, by the names of the provider's settings. Kept encrypted, and never shown again but
    for its address.
    """
    accepted_capabilities: Maybe[list[AcceptedCapability]] = None
    """The kinds of devices to take; all if it is not given."""
    automatically_manage_new_devices: Maybe[bool] = None
    """Whether its devices are managed at once; they are if it is not given."""
    custom_metadata: Maybe[MetadataChange] = None
    """Kept with the account. At most 50 keys of 500 characters."""
    customer_key: Maybe[Annotated[str, Field(min_length=1, max_length=500)]] = None
    """Whose customer's the account will be: your own word for the customer."""


@endpoint({"hub_providers": list[HubProvider]})
async def list_providers(caller: Caller, engine: Engine) -> Answer:
    """Lists the ecosystems whose hubs can be linked, and what must be known to reach one."""
    shown: list[HubProvider] = [
        {
            "provider": name,
            "display_name": driver.title,
            "settings": [
                {
                    "name": each.name,
                    "label": each.label,
                    "is_secret": each.kind == "secret",
                    "is_required": each.is_required,
                    "default": each.default,
                    "hint": each.hint,
                }
                for each in driver.fields
            ],
        }
        for name, driver in engine.accounts.hubs.drivers.items()
    ]
    return {"hub_providers": shown}


@endpoint({"connected_account": ConnectedAccount}, methods=WRITE)
async def link(ask: HubLink, caller: Caller, engine: Engine) -> Answer:
    """Tries a hub and links it: an account with all its devices. One that is linked already is reached like
    this from now on. Not in sandboxes, whose devices are virtual.
    """
    account = await engine.accounts.hubs.link(
        caller.workspace,
        ask.provider,
        ask.settings,
        Taking(
            accepted_capabilities=tuple(dict.fromkeys(ask.accepted_capabilities or ())),
            manages_new_devices=ask.automatically_manage_new_devices is not False,
            custom_metadata=merged({}, ask.custom_metadata or {}),
            customer_key=ask.customer_key,
        ),
    )
    return {"connected_account": connected_account_json(account)}
