"""``/noise_sensors/noise_thresholds``: looking at what noise sensors hold. The rest are actions."""

from __future__ import annotations

from thumbturn.actions.noise_thresholds import NoiseThreshold, threshold_json
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.parameters import Maybe, OfDevice, Parameters
from thumbturn.engine.engine import Engine


class OfNoiseThreshold(Parameters):
    """One noise threshold."""

    noise_threshold_id: str
    """The noise threshold."""


class NoiseThresholdList(OfDevice):
    """Whose noise thresholds."""

    is_programmed: Maybe[bool] = None
    """Only those that the sensor holds, or only those that open attempts are to put there."""


@endpoint({"noise_threshold": NoiseThreshold})
async def get(ask: OfNoiseThreshold, caller: Caller, engine: Engine) -> Answer:
    """Returns a noise threshold that a sensor holds, or that an open attempt is to put there."""
    id = ask.noise_threshold_id
    sensor, found = engine.noise_sensors.threshold(caller.workspace.id, id, caller.reach)
    return {"noise_threshold": threshold_json(sensor.id, id, found)}


@endpoint({"noise_thresholds": list[NoiseThreshold]})
async def list_(ask: NoiseThresholdList, caller: Caller, engine: Engine) -> Answer:
    """Lists the noise thresholds that a sensor holds, and those that open attempts are to put there."""
    sensor = engine.noise_sensors.sensor(caller.workspace.id, ask.device_id, caller.reach)
    found = engine.noise_sensors.thresholds(sensor, is_programmed=ask.is_programmed)
    return {"noise_thresholds": [threshold_json(sensor.id, id, each) for id, each in found.items()]}
