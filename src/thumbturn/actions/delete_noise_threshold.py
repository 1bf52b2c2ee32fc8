"""``DELETE_NOISE_THRESHOLD``: a sensor holds a threshold no more. Deleting twice is deleting once."""

from __future__ import annotations

from thumbturn.actions.definition import DeviceAsk, Known, Outcome, Run, action
from thumbturn.actions.noise_thresholds import look, put
from thumbturn.domain.capabilities.noise_sensor import NoiseSensor
from thumbturn.domain.clock import seconds
from thumbturn.domain.policy import AfterCrash, WhenOffline


class ThresholdDelete(DeviceAsk):
    """A noise threshold that shall be no more."""

    noise_threshold_id: str
    """The noise threshold."""


async def known_threshold(ask: ThresholdDelete, known: Known) -> ThresholdDelete:
    """Deletes a threshold that a noise sensor holds."""
    known.check_noise_threshold(ask.device_id, ask.noise_threshold_id)
    # Without what else the call takes: that is about the attempt.
    return ThresholdDelete(device_id=ask.device_id, noise_threshold_id=ask.noise_threshold_id)


async def make_it_so(ask: ThresholdDelete, sensor: NoiseSensor, run: Run) -> Outcome:
    """Have the sensor hold it no more, if it still does."""
    gone = await look(run, sensor.read_thresholds, ask.noise_threshold_id, None)
    return gone or await delete_noise_threshold(ask, sensor, run)


@action(
    "DELETE_NOISE_THRESHOLD",
    at="/noise_sensors/noise_thresholds/delete",
    methods=("POST", "DELETE"),
    needs=NoiseSensor,
    deadline=seconds(60),
    after_crash=AfterCrash.RECONCILE,
    when_offline=WhenOffline.FAIL,
    recover=make_it_so,
    takes_sync=True,
    meaning=known_threshold,
)
async def delete_noise_threshold(ask: ThresholdDelete, sensor: NoiseSensor, run: Run) -> Outcome:
    """Deletes a threshold that a noise sensor holds."""
    id = ask.noise_threshold_id
    return await put(run, lambda: sensor.delete_threshold(id), sensor.read_thresholds, id, None)
