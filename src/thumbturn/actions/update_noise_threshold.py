"""``UPDATE_NOISE_THRESHOLD``: a threshold that a sensor holds becomes another. Twice is once."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from thumbturn.actions.definition import DeviceAsk, Known, Maybe, Outcome, Run, action
from thumbturn.actions.noise_thresholds import (
    DailyTime,
    Loudness,
    Name,
    ThresholdPut,
    ThresholdPutResult,
    fitting,
    look,
    put,
)
from thumbturn.domain.capabilities.noise_sensor import NoiseSensor
from thumbturn.domain.clock import seconds
from thumbturn.domain.failures import NoiseThresholdDeleted
from thumbturn.domain.noise import NoiseThresholdNotFound, threshold_of
from thumbturn.domain.policy import AfterCrash, WhenOffline


class ThresholdUpdate(Loudness, DeviceAsk):
    """What shall change of a noise threshold. What is not given stays."""

    noise_threshold_id: str
    """The noise threshold."""
    starts_daily_at: Maybe[DailyTime] = None
    """From which time of the day on it is in force, such as 22:00:00[Europe/Berlin]."""
    ends_daily_at: Maybe[DailyTime] = None
    """Until which time of the day, likewise."""
    name: Maybe[Name] = None
    """What to call it."""

    @model_validator(mode="after")
    def _one_at_most(self) -> ThresholdUpdate:
        if self.noise_threshold_decibels is not None and self.noise_threshold_nrs is not None:
            raise ValueError("Only one of 'noise_threshold_decibels' and 'noise_threshold_nrs' can be given")
        return self


async def changed_threshold(ask: ThresholdUpdate, known: Known) -> ThresholdPut:
    """Changes a threshold that a noise sensor holds."""
    known.check_noise_threshold(ask.device_id, ask.noise_threshold_id)
    return ThresholdPut(**ask.model_dump(include=set(ThresholdUpdate.model_fields), exclude_none=True))


def _wanted(ask: ThresholdPut, run: Run) -> dict[str, Any]:
    """The whole threshold as it is to be. Raises ``NoiseThresholdDeleted``."""
    try:
        # As the sensor holds it now: an attempt before this one may have changed it.
        return {**threshold_of(run.device, ask.noise_threshold_id), **ask.given()}
    except NoiseThresholdNotFound:
        raise NoiseThresholdDeleted from None


async def make_it_so(ask: ThresholdPut, sensor: NoiseSensor, run: Run) -> Outcome:
    """Have the sensor hold it, if it does not yet."""
    held = await look(run, sensor.read_thresholds, ask.noise_threshold_id, _wanted(ask, run))
    return held or await update_noise_threshold(ask, sensor, run)


@action(
    "UPDATE_NOISE_THRESHOLD",
    at="/noise_sensors/noise_thresholds/update",
    methods=("POST", "PUT", "PATCH"),
    needs=NoiseSensor,
    result=ThresholdPutResult,
    deadline=seconds(60),
    after_crash=AfterCrash.RECONCILE,
    when_offline=WhenOffline.FAIL,
    recover=make_it_so,
    takes_sync=True,
    meaning=changed_threshold,
    fit=fitting,
)
async def update_noise_threshold(ask: ThresholdPut, sensor: NoiseSensor, run: Run) -> Outcome:
    """Changes a threshold that a noise sensor holds."""
    id, threshold = ask.noise_threshold_id, _wanted(ask, run)
    return await put(run, lambda: sensor.put_threshold(id, threshold), sensor.read_thresholds, id, threshold)
