"""``/thermostats/simulate``: what may happen at a virtual thermostat."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, WrapValidator, model_validator

from thumbturn.actions.degrees import BothUnits
from thumbturn.actions.set_hvac_mode import Cooling, Heating, as_discriminator
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import Maybe, OfDevice
from thumbturn.domain.climate import COLDEST_ROOM, SET_POINTS, WARMEST_ROOM, to_fahrenheit
from thumbturn.engine.engine import Engine


class HandSet(Heating, Cooling, OfDevice):
    """What somebody sets a thermostat to by hand."""

    hvac_mode: Annotated[Literal["off", "cool", "heat", "heat_cool"], WrapValidator(as_discriminator)]
    """``heat`` goes by the heating set point, ``cool`` by the cooling one, ``heat_cool`` by both."""


class Temperature(BothUnits, OfDevice):
    """How warm it is."""

    temperature_celsius: Maybe[Annotated[float, Field(ge=COLDEST_ROOM, le=WARMEST_ROOM)]] = None
    """In °C."""
    temperature_fahrenheit: Maybe[
        Annotated[float, Field(ge=to_fahrenheit(COLDEST_ROOM), le=to_fahrenheit(WARMEST_ROOM))]
    ] = None
    """In °F, in the place of °C."""

    @model_validator(mode="after")
    def _one_of_both(self) -> Temperature:
        if self.degrees("temperature") is None:
            raise ValueError("Either 'temperature_celsius' or 'temperature_fahrenheit' is required")
        return self


@endpoint(methods=WRITE)
async def hvac_mode_adjusted(ask: HandSet, caller: Caller, engine: Engine) -> Answer:
    """Sets a virtual thermostat by hand. Sandbox workspaces only."""
    wanted: dict[str, object] = {"hvac_mode_setting": ask.hvac_mode}
    for name in SET_POINTS.get(ask.hvac_mode, ()):
        wanted[name] = ask.degrees(name.removesuffix("_celsius"))
    await engine.sandbox.adjust_climate(caller.workspace, ask.device_id, wanted)
    return {}


@endpoint(methods=WRITE)
async def temperature_reached(ask: Temperature, caller: Caller, engine: Engine) -> Answer:
    """Makes it as warm as this where a virtual thermostat is. Sandbox workspaces only."""
    celsius = ask.degrees("temperature")
    assert celsius is not None  # validation saw to it
    await engine.sandbox.reach_temperature(caller.workspace, ask.device_id, celsius)
    return {}
