"""``SET_HVAC_MODE``: what a thermostat heats and cools to. Setting the same twice is setting it once."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import WrapValidator
from pydantic_core import PydanticCustomError, ValidationError

from thumbturn.actions.definition import DeviceAsk, Known, Maybe, Outcome, Run, action, way
from thumbturn.actions.degrees import BothUnits, Degrees
from thumbturn.actions.sending import set_to
from thumbturn.domain.capabilities.thermostat import Thermostat
from thumbturn.domain.climate import COOLING, HEATING, SET_POINTS, HvacMode, fitting_setting, in_both_units
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Device
from thumbturn.domain.policy import AfterCrash, WhenOffline


def as_discriminator(given: Any, check: Any) -> Any:
    """Check a word by which the contract chooses among models, which says it differently if it is wrong."""
    try:
        return check(given)
    except ValidationError as problem:
        if not isinstance(given, str):
            raise
        expected = problem.errors()[0]["ctx"]["expected"]
        raise PydanticCustomError("wrong_discriminator", "{expected}", {"expected": expected}) from None


class Heating(BothUnits):
    """How far to heat."""

    heating_set_point_celsius: Maybe[Degrees] = None
    """Heat to this, in °C; without it the thermostat's last heating set point."""
    heating_set_point_fahrenheit: Maybe[Degrees] = None
    """The same in °F, in the place of °C."""


class Cooling(BothUnits):
    """How far to cool."""

    cooling_set_point_celsius: Maybe[Degrees] = None
    """Cool to this, in °C; without it the thermostat's last cooling set point."""
    cooling_set_point_fahrenheit: Maybe[Degrees] = None
    """The same in °F, in the place of °C."""


class HvacModeAsk(Heating, Cooling, DeviceAsk):
    """What a thermostat shall heat and cool to."""

    hvac_mode_setting: Annotated[HvacMode, WrapValidator(as_discriminator)]
    """``heat`` goes by the heating set point, ``cool`` by the cooling one, ``heat_cool`` by both."""


class HeatAsk(Heating, DeviceAsk):
    """A thermostat that shall heat."""


class CoolAsk(Cooling, DeviceAsk):
    """A thermostat that shall cool."""


class HeatCoolAsk(Heating, Cooling, DeviceAsk):
    """A thermostat that shall heat and cool by turns."""


def _fit(ask: HvacModeAsk, device: Device) -> HvacModeAsk:
    mode = ask.hvac_mode_setting
    goes_by = SET_POINTS.get(mode, ())
    setting = fitting_setting(
        device,
        {"hvac_mode_setting": mode} | {name: ask.degrees(name.removesuffix("_celsius")) for name in goes_by},
    )
    # Both units are kept with the attempt; the degrees Celsius unrounded, because these are sent.
    in_units: dict[str, Any] = {}
    for name in goes_by:
        in_units |= in_both_units(name, setting[name]) | {name: setting[name]}
    # Of what was validated already.
    return HvacModeAsk.model_construct(device_id=ask.device_id, hvac_mode_setting=mode, **in_units)


@action(
    "SET_HVAC_MODE",
    at="/thermostats/set_hvac_mode",
    needs=Thermostat,
    deadline=seconds(60),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.FAIL,
    fit=_fit,
)
async def set_hvac_mode(ask: HvacModeAsk, thermostat: Thermostat, run: Run) -> Outcome:
    """Sets a thermostat's mode and set points."""
    setting = {
        name: value
        for name in ("hvac_mode_setting", HEATING, COOLING)
        if (value := getattr(ask, name)) is not None
    }
    return await set_to(run, lambda: thermostat.set_climate(setting), thermostat.read_climate, setting)


@way("SET_HVAC_MODE", at="/thermostats/heat", takes_sync=True)
async def heat(ask: HeatAsk, known: Known) -> HvacModeAsk:
    """Has a thermostat heat."""
    return _meant("heat", ask)


@way("SET_HVAC_MODE", at="/thermostats/cool", takes_sync=True)
async def cool(ask: CoolAsk, known: Known) -> HvacModeAsk:
    """Has a thermostat cool."""
    return _meant("cool", ask)


@way("SET_HVAC_MODE", at="/thermostats/heat_cool", takes_sync=True)
async def heat_cool(ask: HeatCoolAsk, known: Known) -> HvacModeAsk:
    """Has a thermostat heat and cool by turns."""
    return _meant("heat_cool", ask)


@way("SET_HVAC_MODE", at="/thermostats/off", takes_sync=True)
async def off(ask: DeviceAsk, known: Known) -> HvacModeAsk:
    """Switches a thermostat off."""
    return _meant("off", ask)


def _meant(mode: HvacMode, ask: DeviceAsk) -> HvacModeAsk:
    return HvacModeAsk.model_construct(hvac_mode_setting=mode, **ask.model_dump(exclude_none=True))
