"""``/noise_sensors/simulate``: what may happen where a virtual noise sensor is."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import OfDevice
from thumbturn.engine.engine import Engine


@endpoint(methods=WRITE)
async def trigger_noise_threshold(ask: OfDevice, caller: Caller, engine: Engine) -> Answer:
    """Makes it louder, for some seconds, than every threshold of a virtual noise sensor that is in force.

    While it is that loud already, it is the same breach: that is told once. Sandbox workspaces only.
    """
    await engine.sandbox.trigger_noise_threshold(caller.workspace, ask.device_id)
    return {}
