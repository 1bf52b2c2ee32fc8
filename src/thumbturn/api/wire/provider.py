"""Where devices can come from. At present that is the sandbox's virtual home, and nowhere else."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from thumbturn.domain.connect_webview import VIRTUAL
from thumbturn.domain.workspace import Workspace

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


def of_category(category: str) -> list[str]:
    """The names of the providers of a category."""
    return [VIRTUAL] if category in _VIRTUAL["provider_categories"] else []


def providers(workspace: Workspace, category: ProviderCategory | None) -> list[DeviceProvider]:
    """The providers that the workspace can have devices of, in this category if one is given."""
    if not workspace.is_sandbox or (category and category not in _VIRTUAL["provider_categories"]):
        return []
    return [_VIRTUAL]
