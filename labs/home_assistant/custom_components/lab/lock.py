"""The locks of the lab."""

from __future__ import annotations

from typing import Any

from homeassistant.components.lock import LockEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback

from .entity import LabEntity


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry, add: AddEntitiesCallback) -> None:
    """Add them."""
    add([LabLock(thing) for thing in hass.data["lab"].things.values() if "locked" in thing.so])


class LabLock(LabEntity, LockEntity):
    """A lock."""

    @property
    def is_locked(self) -> bool:
        """Where its bolt is, as it has said."""
        return self.thing.said["locked"]

    @property
    def is_locking(self) -> bool:
        """Whether it says that it moves."""
        return self.thing.motion == "locking"

    @property
    def is_unlocking(self) -> bool:
        """Likewise."""
        return self.thing.motion == "unlocking"

    @property
    def is_jammed(self) -> bool:
        """Whether it says that it is jammed."""
        return self.thing.motion == "jammed"

    async def async_lock(self, **more: Any) -> None:
        """Tell it to lock."""
        await self._told(locked=True)

    async def async_unlock(self, **more: Any) -> None:
        """Tell it to unlock."""
        await self._told(locked=False)

    async def _told(self, locked: bool) -> None:
        if self.assumed_state:
            # Nobody will hear of it: what it was told is all that is known.
            self.thing.said["locked"] = locked
            self.async_write_ha_state()
        await self.thing.be_told(locked=locked)
