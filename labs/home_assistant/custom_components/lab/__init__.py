"""Devices without a radio for Home Assistant: bolts in ``things.py``, and entities that speak of them."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web
from homeassistant.components.http import HomeAssistantView
from homeassistant.config_entries import SOURCE_IMPORT, ConfigEntry
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant

from .things import World

DOMAIN = "lab"
PLATFORMS = [Platform.CLIMATE, Platform.LOCK, Platform.SENSOR]


async def async_setup(hass: HomeAssistant, config: dict) -> bool:
    """Make the devices, and have entities for them: only those of an entry are in the register."""
    hass.data[DOMAIN] = World(Path(config[DOMAIN]["folder"]), config[DOMAIN]["first"])
    hass.http.register_view(Orders(hass))
    if not hass.config_entries.async_entries(DOMAIN):
        hass.async_create_task(
            hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_IMPORT}, data={})
        )
    return True


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Have entities for the devices."""
    await hass.config_entries.async_forward_entry_setups(entry, PLATFORMS)
    return True


async def async_unload_entry(hass: HomeAssistant, entry: ConfigEntry) -> bool:
    """Take the entities away."""
    return await hass.config_entries.async_unload_platforms(entry, PLATFORMS)


class Orders(HomeAssistantView):
    """What a test does at the devices, and what these did."""

    url, name, requires_auth = "/api/lab", "api:lab", False

    def __init__(self, hass: HomeAssistant) -> None:
        self._hass = hass

    async def post(self, request: web.Request) -> web.Response:
        """Do something at a device; how it really is then."""
        order = await request.json()
        return self.json(await self._hass.data[DOMAIN].obey(order))
