"""``/noise_sensors/noise_thresholds``: looking at what noise sensors hold. The rest are actions."""

from __future__ import annotations

from thumbturn.actions.noise_thresholds import NoiseThreshold, threshold_json
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.parameters import Maybe, OfDevice, Parameters
from thumbturn.domain.noise import threshold_of, thresholds_of
from thumbturn.engine.engine import Engine


class OfNoiseThreshold(Parameters):
    """One noise threshold."""

    noise_threshold_id: str
    """The noise threshold."""


class NoiseThresholdList(OfDevice):
    """Whose noise thresholds."""

    is_programmed: Maybe[bool] = None
    """Only those that the sensor holds, or only others. There are no others: what it does not hold yet is
    an attempt, and no threshold."""


@endpoint({"noise_threshold": NoiseThreshold})
async def get(ask: OfNoiseThreshold, caller: Caller, engine: Engine) -> Answer:
    """Returns a noise threshold that a sensor holds."""
    id = ask.noise_threshold_id
    sensor = engine.noise_sensors.with_threshold(caller.workspace.id, id, caller.reach)
    return {"noise_threshold": threshold_json(sensor.id, id, threshold_of(sensor, id))}


@endpoint({"noise_thresholds": list[NoiseThreshold]})
async def list_(ask: NoiseThresholdList, caller: Caller, engine: Engine) -> Answer:
    """Lists the noise thresholds that a sensor holds."""
    sensor = engine.noise_sensors.sensor(caller.workspace.id, ask.device_id, caller.reach)
    held = {} if ask.is_programmed is False else thresholds_of(sensor)
    return {"noise_thresholds": [threshold_json(sensor.id, id, each) for id, each in held.items()]}
