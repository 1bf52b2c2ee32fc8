"""``/devices/simulate``: what may happen to a virtual device."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import OfDevice
from thumbturn.engine.engine import Engine


@endpoint(methods=WRITE)
async def connect(ask: OfDevice, caller: Caller, engine: Engine) -> Answer:
    """Brings a virtual device online. Sandbox workspaces only."""
    await engine.sandbox.connect(caller.workspace, ask.device_id)
    return {}


@endpoint(methods=WRITE)
async def disconnect(ask: OfDevice, caller: Caller, engine: Engine) -> Answer:
    """Takes a virtual device offline. Sandbox workspaces only."""
    await engine.sandbox.disconnect(caller.workspace, ask.device_id)
    return {}


@endpoint(methods=WRITE)
async def remove(ask: OfDevice, caller: Caller, engine: Engine) -> Answer:
    """Takes a virtual device out of its account. Sandbox workspaces only."""
    await engine.sandbox.remove(caller.workspace, ask.device_id)
    return {}
