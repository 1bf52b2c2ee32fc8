"""What presets, set points and thresholds look like in a request."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from thumbturn.actions.degrees import BothUnits, Degrees
from thumbturn.actions.set_hvac_mode import Cooling, Heating
from thumbturn.api.parameters import Maybe, OfDevice, Parameters
from thumbturn.api.wire.thermostat import PresetMode
from thumbturn.domain.climate import COOLING, HEATING, FanMode, HvacMode

PresetKey = Annotated[str, Field(min_length=1, max_length=255)]


class OfPreset(OfDevice):
    """One climate preset of a thermostat."""

    climate_preset_key: PresetKey
    """Its key."""


class EcobeeMetadata(Parameters):
    """What only ecobee's presets have."""

    climate_ref: Maybe[Annotated[str, Field(max_length=255)]] = None
    is_optimized: Maybe[bool] = None
    owner: Maybe[Literal["user", "system"]] = None


class PresetSetting(Heating, Cooling, OfPreset):
    """What a climate preset sets. What is not given stays as it is when it is activated."""

    name: Annotated[str, Field(max_length=255)] | None = None
    """What to call it."""
    climate_preset_mode: Maybe[PresetMode] = None
    """What it is for."""
    hvac_mode_setting: Maybe[HvacMode] = None
    """The mode that it sets."""
    fan_mode_setting: Maybe[FanMode] = None
    """What it has the fan do."""
    ecobee_metadata: Maybe[EcobeeMetadata] = None
    """Kept and shown."""

    def given(self) -> dict[str, Any]:
        """What is given of the preset, with its temperatures in °C."""
        names = (
            "name",
            "climate_preset_mode",
            "hvac_mode_setting",
            "fan_mode_setting",
            "manual_override_allowed",
        )
        given = {name: getattr(self, name) for name in names if name in self.model_fields_set}
        if self.ecobee_metadata is not None:
            given["ecobee_metadata"] = self.ecobee_metadata.model_dump(exclude_none=True)
        for name in (HEATING, COOLING):
            degrees = self.degrees(name.removesuffix("_celsius"))
            if degrees is not None:
                given[name] = degrees
        return given


class PresetCreate(PresetSetting):
    """A new climate preset."""

    manual_override_allowed: bool = True
    """Kept and shown. Whether a schedule may be overridden is said with the schedule."""


class PresetUpdate(PresetSetting):
    """What shall change of a climate preset. What is not given stays."""

    manual_override_allowed: Maybe[bool] = None
    """Kept and shown."""


class Threshold(BothUnits, OfDevice):
    """Between which temperatures it shall be. What is null or not given has no limit."""

    lower_limit_celsius: Degrees | None = None
    """Tell when it is colder than this."""
    lower_limit_fahrenheit: Degrees | None = None
    """The same in °F, in the place of °C."""
    upper_limit_celsius: Degrees | None = None
    """Tell when it is warmer than this."""
    upper_limit_fahrenheit: Degrees | None = None
    """The same in °F, in the place of °C."""

    @model_validator(mode="after")
    def _lower_below_upper(self) -> Threshold:
        lower, upper = self.degrees("lower_limit"), self.degrees("upper_limit")
        if lower is not None and upper is not None and lower >= upper:
            raise ValueError("The lower limit must be below the upper limit")
        return self
