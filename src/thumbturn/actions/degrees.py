"""Temperatures as callers give them: in °C or in °F, as they like."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from thumbturn.actions.definition import Ask
from thumbturn.domain.climate import to_celsius

#: A temperature, in whichever unit its name says. No device is anywhere outside, in neither unit; what is
#: could not be written in the other unit, or not as JSON.
Degrees = Annotated[float, Field(ge=-500, le=1_000, allow_inf_nan=False)]
#: By how much the two units of one temperature may differ, °C: people round.
SAME_WITHIN = 0.1

_CELSIUS, _FAHRENHEIT = "_celsius", "_fahrenheit"


class BothUnits(Ask):
    """Parameters among which temperatures come in pairs: ``x_celsius`` and ``x_fahrenheit``."""

    def degrees(self, name: str) -> float | None:
        """The temperature of this name (without its unit), °C; ``None`` if it is in neither unit."""
        celsius: float | None = getattr(self, name + _CELSIUS)
        fahrenheit: float | None = getattr(self, name + _FAHRENHEIT)
        if celsius is None and fahrenheit is not None:
            return to_celsius(fahrenheit)
        return celsius

    @model_validator(mode="after")
    def _both_units_agree(self) -> Any:
        for field in type(self).model_fields:
            name = field.removesuffix(_CELSIUS)
            fahrenheit = getattr(self, name + _FAHRENHEIT, None) if name != field else None
            celsius = getattr(self, field)
            if fahrenheit is None or celsius is None:
                continue
            if abs(to_celsius(fahrenheit) - celsius) > SAME_WITHIN:
                raise ValueError(
                    f"{field} and {name}{_FAHRENHEIT} are different temperatures: give one of them"
                )
        return self
