"""What all entities of the lab have in common."""

from __future__ import annotations

from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.entity import Entity

from .things import Thing


class LabEntity(Entity):
    """An entity of one device."""

    _attr_should_poll = False
    _attr_has_entity_name = True

    def __init__(self, thing: Thing, part: str | None = None) -> None:
        self.thing = thing
        self._attr_name = part
        self._attr_unique_id = thing.name if part is None else f"{thing.name}-{part}"
        title = thing.name.replace("_", " ").title()
        self._attr_device_info = DeviceInfo(
            identifiers={("lab", thing.name)}, name=title, manufacturer="Lab & Sons", model="L1"
        )

    async def async_added_to_hass(self) -> None:
        """Be told what the device says."""
        self.thing.entities.append(self)

    async def async_will_remove_from_hass(self) -> None:
        """Be told no more."""
        self.thing.entities.remove(self)

    @property
    def available(self) -> bool:
        """Whether the device can be reached."""
        return self.thing.fault != "dead"

    @property
    def assumed_state(self) -> bool:
        """Whether nobody hears what the device does."""
        return bool(self.thing.so.get("is_assumed"))

    async def async_update(self) -> None:
        """Look how the device is."""
        self.thing.look()
