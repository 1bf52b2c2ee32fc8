"""``ACTIVATE_CLIMATE_PRESET``. Callers ask for it, and so do schedules, through the same door."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from thumbturn.actions.definition import DeviceAsk, Known, Outcome, Run, action
from thumbturn.actions.sending import set_to
from thumbturn.domain.capabilities.thermostat import Thermostat
from thumbturn.domain.climate import fitting_setting
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import ClimatePresetDeleted, NotSupported
from thumbturn.domain.policy import AfterCrash, WhenOffline
from thumbturn.domain.presets import ClimatePresetNotFound, preset_of, setting_of
from thumbturn.domain.thermostat import ACTIVATION


class PresetAsk(DeviceAsk):
    """A climate preset that shall be activated."""

    climate_preset_key: Annotated[str, Field(min_length=1, max_length=255)]
    """Its key."""


class PresetActivation(PresetAsk):
    """The same, and why: a caller's wish, a schedule, or the end of one."""

    thermostat_schedule_id: str | None = None
    is_fallback_climate_preset: bool = False


async def wish(ask: PresetAsk, known: Known) -> PresetActivation:
    """Activates a climate preset."""
    return PresetActivation(device_id=ask.device_id, climate_preset_key=ask.climate_preset_key)


def _fit(ask: PresetActivation, device: Device) -> PresetActivation:
    fitting_setting(device, setting_of(preset_of(device, ask.climate_preset_key)))
    return ask


@action(
    ACTIVATION,
    at="/thermostats/activate_climate_preset",
    needs=Thermostat,
    deadline=seconds(60),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.FAIL,
    meaning=wish,
    fit=_fit,
)
async def activate_climate_preset(ask: PresetActivation, thermostat: Thermostat, run: Run) -> Outcome:
    """Activates a climate preset."""
    try:
        # What it is now, not what it was when it was asked for: it may have been changed meanwhile.
        setting = fitting_setting(run.device, setting_of(preset_of(run.device, ask.climate_preset_key)))
    except ClimatePresetNotFound:
        raise ClimatePresetDeleted from None
    except Refusal as refusal:
        raise NotSupported(refusal.message) from None
    outcome = await set_to(run, lambda: thermostat.set_climate(setting), thermostat.read_climate, setting)
    if outcome.evidence >= Evidence.STATE_REPORT:
        run.holds(
            {
                "climate_preset": {
                    "climate_preset_key": ask.climate_preset_key,
                    "is_fallback_climate_preset": ask.is_fallback_climate_preset,
                    "thermostat_schedule_id": ask.thermostat_schedule_id,
                    "at": run.now(),
                }
            }
        )
    return outcome
