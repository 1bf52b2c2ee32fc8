"""``CREATE_NOISE_THRESHOLD``: a sensor shall tell when it is too loud between two times of the day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import model_validator

from thumbturn.actions.definition import DeviceAsk, Known, Maybe, Outcome, Run, action
from thumbturn.actions.noise_thresholds import (
    CREATION,
    UNNAMED,
    DailyTime,
    Loudness,
    Name,
    NoiseThreshold,
    ThresholdPut,
    ThresholdPutResult,
    fitting,
    look,
    put,
    threshold_json,
)
from thumbturn.domain.capabilities.noise_sensor import NoiseSensor
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Device
from thumbturn.domain.ids import new_id
from thumbturn.domain.noise import MOST_THRESHOLDS, TooManyNoiseThresholds, thresholds_of
from thumbturn.domain.policy import AfterCrash, WhenOffline


class NoiseThresholdAsk(Loudness, DeviceAsk):
    """A new noise threshold."""

    starts_daily_at: DailyTime
    """From which time of the day on it is in force, such as 22:00:00[Europe/Berlin]; without a zone, that
    which the sensor is in."""
    ends_daily_at: DailyTime
    """Until which time of the day, likewise. If it is the same, all day."""
    name: Maybe[Name] = None
    """What to call it."""

    @model_validator(mode="after")
    def _exactly_one(self) -> NoiseThresholdAsk:
        if (self.noise_threshold_decibels is None) == (self.noise_threshold_nrs is None):
            raise ValueError(
                "Exactly one of 'noise_threshold_decibels' and 'noise_threshold_nrs' is required"
            )
        return self


async def new_threshold(ask: NoiseThresholdAsk, known: Known) -> ThresholdPut:
    """Has a noise sensor hold one more threshold."""
    named = {"name": ask.name or UNNAMED, "noise_threshold_id": new_id()}
    return ThresholdPut(**ask.model_dump(include=set(NoiseThresholdAsk.model_fields) - {"name"}), **named)


def _fit(ask: ThresholdPut, device: Device) -> ThresholdPut:
    if len(thresholds_of(device)) >= MOST_THRESHOLDS:
        raise TooManyNoiseThresholds
    return fitting(ask, device)


def _shown(ask: Mapping[str, Any]) -> dict[str, Any]:
    return threshold_json(ask["device_id"], ask["noise_threshold_id"], ask)


async def make_it_so(ask: ThresholdPut, sensor: NoiseSensor, run: Run) -> Outcome:
    """Have the sensor hold it, if it does not yet."""
    held = await look(run, sensor.read_thresholds, ask.noise_threshold_id, ask.given())
    return held or await create_noise_threshold(ask, sensor, run)


@action(
    CREATION,
    at="/noise_sensors/noise_thresholds/create",
    needs=NoiseSensor,
    result=ThresholdPutResult,
    deadline=seconds(60),
    after_crash=AfterCrash.RECONCILE,
    when_offline=WhenOffline.FAIL,
    recover=make_it_so,
    takes_sync=True,
    meaning=new_threshold,
    fit=_fit,
    shows=(("noise_threshold", NoiseThreshold, _shown),),
)
async def create_noise_threshold(ask: ThresholdPut, sensor: NoiseSensor, run: Run) -> Outcome:
    """Has a noise sensor hold one more threshold."""
    id, threshold = ask.noise_threshold_id, ask.given()
    return await put(run, lambda: sensor.put_threshold(id, threshold), sensor.read_thresholds, id, threshold)
