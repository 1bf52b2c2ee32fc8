"""``SET_FAN_MODE``. Setting the same twice is setting it once."""

from __future__ import annotations

from pydantic import model_validator

from thumbturn.actions.definition import DeviceAsk, Maybe, Outcome, Run, action
from thumbturn.actions.sending import set_to
from thumbturn.domain.capabilities.thermostat import Thermostat
from thumbturn.domain.climate import FanMode, check_fan
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Device
from thumbturn.domain.policy import AfterCrash, WhenOffline


class FanModeAsk(DeviceAsk):
    """What a thermostat's fan shall do."""

    fan_mode_setting: Maybe[FanMode] = None
    """``auto`` while it heats or cools, ``on`` always, ``circulate`` now and then."""
    fan_mode: Maybe[FanMode] = None
    """The older word for ``fan_mode_setting``."""

    @model_validator(mode="after")
    def _one_of_both(self) -> FanModeAsk:
        if self.wanted is None:
            raise ValueError("Either 'fan_mode_setting' or 'fan_mode' is required")
        return self

    @property
    def wanted(self) -> FanMode | None:
        """What is asked for, by whichever name."""
        return self.fan_mode_setting or self.fan_mode


def _fit(ask: FanModeAsk, device: Device) -> FanModeAsk:
    assert ask.wanted is not None  # validation saw to it
    check_fan(device, ask.wanted)
    return FanModeAsk(device_id=ask.device_id, fan_mode_setting=ask.wanted)


@action(
    "SET_FAN_MODE",
    at="/thermostats/set_fan_mode",
    needs=Thermostat,
    deadline=seconds(60),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.FAIL,
    takes_sync=True,
    fit=_fit,
)
async def set_fan_mode(ask: FanModeAsk, thermostat: Thermostat, run: Run) -> Outcome:
    """Sets what a thermostat's fan does."""
    setting = {"fan_mode_setting": ask.wanted}
    return await set_to(run, lambda: thermostat.set_climate(setting), thermostat.read_climate, setting)
