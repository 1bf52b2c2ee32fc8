"""The thermostats of the lab."""

from __future__ import annotations

from typing import Any, ClassVar

from homeassistant.components.climate import ClimateEntity, ClimateEntityFeature, HVACMode
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import UnitOfTemperature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddEntitiesCallback

from .entity import LabEntity


async def async_setup_entry(hass: HomeAssistant, entry: ConfigEntry, add: AddEntitiesCallback) -> None:
    """Add them."""
    add([LabThermostat(thing) for thing in hass.data["lab"].things.values() if "mode" in thing.so])


class LabThermostat(LabEntity, ClimateEntity):
    """A thermostat with one set point for each mode, two for both, and a fan."""

    _attr_temperature_unit = UnitOfTemperature.CELSIUS
    _attr_hvac_modes: ClassVar = [
        HVACMode.OFF,
        HVACMode.HEAT,
        HVACMode.COOL,
        HVACMode.HEAT_COOL,
        HVACMode.DRY,
    ]
    _attr_fan_modes: ClassVar = ["Auto", "On", "turbo"]
    _attr_min_temp, _attr_max_temp, _attr_target_temperature_step = 7, 30, 0.5
    _attr_supported_features = (
        ClimateEntityFeature.TARGET_TEMPERATURE
        | ClimateEntityFeature.TARGET_TEMPERATURE_RANGE
        | ClimateEntityFeature.FAN_MODE
    )

    @property
    def hvac_mode(self) -> str:
        """As it has said."""
        return self.thing.said["mode"]

    @property
    def target_temperature(self) -> float | None:
        """Likewise, where one set point counts."""
        return self.thing.said["temperature"] if self.hvac_mode in {"heat", "cool"} else None

    @property
    def target_temperature_low(self) -> float | None:
        """Likewise, where two do."""
        return self.thing.said["low"] if self.hvac_mode == "heat_cool" else None

    @property
    def target_temperature_high(self) -> float | None:
        """Likewise."""
        return self.thing.said["high"] if self.hvac_mode == "heat_cool" else None

    @property
    def fan_mode(self) -> str:
        """Likewise."""
        return self.thing.said["fan"]

    @property
    def current_temperature(self) -> float:
        """What it measures."""
        return self.thing.said["room"]

    async def async_set_hvac_mode(self, hvac_mode: str) -> None:
        """Tell it its mode."""
        await self.thing.be_told(mode=str(hvac_mode))

    async def async_set_fan_mode(self, fan_mode: str) -> None:
        """Tell it how its fan goes."""
        await self.thing.be_told(fan=fan_mode)

    async def async_set_temperature(self, **given: Any) -> None:
        """Tell it its set points."""
        words = {"temperature": "temperature", "target_temp_low": "low", "target_temp_high": "high"}
        await self.thing.be_told(
            **{words[name]: given[name] for name in words if given.get(name) is not None}
        )
