"""``/devices/simulate``: what may happen to a virtual device."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import OfDevice
from thumbturn.engine.engine import Engine


class Subscription(OfDevice):
    """A device that its maker wants to be paid for."""

    is_expired: bool
    """True if it is not paid: then the device takes no command."""


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


@endpoint(methods=WRITE)
async def connect_to_hub(ask: OfDevice, caller: Caller, engine: Engine) -> Answer:
    """Has a virtual device's hub find it again. Sandbox workspaces only."""
    await engine.sandbox.find_hub(caller.workspace, ask.device_id)
    return {}


@endpoint(methods=WRITE)
async def disconnect_from_hub(ask: OfDevice, caller: Caller, engine: Engine) -> Answer:
    """Has a virtual device's hub lose it: the device is offline. Sandbox workspaces only."""
    await engine.sandbox.lose_hub(caller.workspace, ask.device_id)
    return {}


@endpoint(methods=WRITE)
async def paid_subscription(ask: Subscription, caller: Caller, engine: Engine) -> Answer:
    """Has the subscription of a virtual device expire, or be paid. Sandbox workspaces only."""
    await engine.sandbox.owe(caller.workspace, ask.device_id, is_unpaid=ask.is_expired)
    return {}
