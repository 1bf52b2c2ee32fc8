"""The batteries and the ears of the lab."""

from __future__ import annotations

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import PERCENTAGE, UnitOfSoundPressure
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback

from .entity import LabEntity


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry, add: AddEntitiesCallback) -> None:
    """Add them."""
    things = hass.data["lab"].things.values()
    add([LabBattery(thing, "battery") for thing in things if "battery" in thing.so])
    add([LabEar(thing, "noise") for thing in things if "noise" in thing.so])


class LabBattery(LabEntity, SensorEntity):
    """A battery."""

    _attr_device_class = SensorDeviceClass.BATTERY
    _attr_native_unit_of_measurement = PERCENTAGE

    @property
    def native_value(self) -> int:
        """How full it is."""
        return self.thing.said["battery"]


class LabEar(LabEntity, SensorEntity):
    """It hears how loud it is."""

    _attr_device_class = SensorDeviceClass.SOUND_PRESSURE
    _attr_native_unit_of_measurement = UnitOfSoundPressure.DECIBEL

    @property
    def native_value(self) -> float:
        """How loud it is."""
        return self.thing.said["noise"]
