"""Where devices can come from: in a sandbox from the virtual home, elsewhere from hubs that people link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from typing_extensions import TypedDict

from thumbturn.domain.connect_webview import VIRTUAL
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.hub_ports import HubDriver

ProviderCategory = Literal[
    "stable",
    "consumer_smartlocks",
    "beta",
    "thermostats",
    "noise_sensors",
    "access_control_systems",
    "cameras",
    "connectors",
]


class DeviceProvider(TypedDict):
    """A maker or a cloud that devices can come from, and what its devices can do at best."""

    device_provider_name: str
    display_name: str
    image_url: str
    provider_categories: list[ProviderCategory]
    can_remotely_lock: bool
    can_remotely_unlock: bool
    can_configure_auto_lock: bool
    can_simulate_connection: bool
    can_simulate_disconnection: bool
    can_simulate_removal: bool


_VIRTUAL: DeviceProvider = {
    "device_provider_name": VIRTUAL,
    "display_name": "Virtual Home",
    "image_url": "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'%3E"
    "%3Cpath d='M2 4V2.5a2 2 0 0 1 4 0V4h.5v3.5h-5V4zm1 0h2V2.5a1 1 0 0 0-2 0z'/%3E%3C/svg%3E",
    "provider_categories": ["stable", "consumer_smartlocks", "thermostats", "noise_sensors"],
    "can_remotely_lock": True,
    "can_remotely_unlock": True,
    "can_configure_auto_lock": True,
    "can_simulate_connection": True,
    "can_simulate_disconnection": True,
    "can_simulate_removal": True,
}


def _of_hubs(name: str, driver: HubDriver) -> DeviceProvider:
    does = driver.capabilities
    categories: list[ProviderCategory] = ["consumer_smartlocks"] if "lock" in does else []
    if "thermostat" in does:
        categories.append("thermostats")
    return {
        "device_provider_name": name,
        "display_name": driver.title,
        "image_url": _VIRTUAL["image_url"],
        "provider_categories": ["stable", *categories],
        "can_remotely_lock": "lock" in does,
        "can_remotely_unlock": "lock" in does,
        "can_configure_auto_lock": "auto_lock" in does,
        "can_simulate_connection": False,
        "can_simulate_disconnection": False,
        "can_simulate_removal": False,
    }


def of_category(category: str, workspace: Workspace, drivers: Mapping[str, HubDriver]) -> list[str]:
    """The names of the workspace's providers of a category."""
    every = _every(workspace, drivers)
    return [each["device_provider_name"] for each in every if category in each["provider_categories"]]


def providers(
    workspace: Workspace, category: ProviderCategory | None, drivers: Mapping[str, HubDriver]
) -> list[DeviceProvider]:
    """The providers that the workspace can have devices of, in this category if one is given."""
    every = _every(workspace, drivers)
    return [each for each in every if category is None or category in each["provider_categories"]]


def _every(workspace: Workspace, drivers: Mapping[str, HubDriver]) -> list[DeviceProvider]:
    if workspace.is_sandbox:
        return [_VIRTUAL]
    return [_of_hubs(name, driver) for name, driver in drivers.items()]
