"""The honesty of the driver ``zigbee2mqtt``, on the real one with devices emulated frame by frame."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiomqtt
import pytest

from labs.zigbee.stack import BASE, NAMES, ZigbeeStack
from tests.contract.zigbee_climate import *  # noqa: F403 - the tests, as they run in the lab too
from tests.contract.zigbee_codes import *  # noqa: F403 - likewise
from tests.contract.zigbee_honesty import *  # noqa: F403 - likewise
from tests.fixtures.zigbee_bench import Linked
from thumbturn.drivers.zigbee2mqtt import hub


class RealWorld:
    """The stack of the lab, with the verbs of the fake."""

    #: As ``GIVES_UP_AFTER`` of the coordinator, and a little more.
    gives_up_after = 0.8
    rounds = 12

    def __init__(self, stack: ZigbeeStack) -> None:
        self.stack = stack
        self.address = stack.address

    async def order(self, do: str, device: str = "", **more: Any) -> dict[str, Any]:
        return await asyncio.to_thread(self.stack.order, do, device, **more)

    async def start_hub(self) -> None:
        await asyncio.to_thread(self.stack.start_hub)

    async def stop_hub(self, *, at_once: bool = False) -> None:
        await asyncio.to_thread(self.stack.stop_hub, at_once=at_once)

    async def start_broker(self) -> None:
        await asyncio.to_thread(self.stack.start_broker)

    async def stop_broker(self) -> None:
        await asyncio.to_thread(self.stack.stop_broker)

    async def rename(self, name: str, to: str) -> None:
        await self._request("device/rename", **{"from": _ADDRESSES[name], "to": to})

    async def remove(self, name: str) -> None:
        await self._request("device/remove", id=_ADDRESSES[name], force=True)
        await self.order("leave", name)

    async def let_join(self, name: str) -> None:
        await self._request("permit_join", time=60)
        await self.order("join", name)

    async def _request(self, what: str, **words: Any) -> None:
        async with aiomqtt.Client("127.0.0.1", self.stack.port) as client:
            await client.subscribe(f"{BASE}/bridge/response/#")
            await client.publish(f"{BASE}/bridge/request/{what}", json.dumps(words))
            async with asyncio.timeout(10):
                async for message in client.messages:
                    assert json.loads(message.payload)["status"] == "ok", message.payload
                    return


_ADDRESSES = {
    name: f"0x00124b000000000{number}"
    for number, name in enumerate(("front_door", "hall", "back_door", "side_door"), 1)
}


@pytest.fixture
async def linked(zigbee_stack, monkeypatch):
    """The driver, linked; nothing is wrong with any device, and every bolt is thrown."""
    # The real one says all that it will within two seconds of its return.
    monkeypatch.setattr(hub, "SAYS_ALL_WITHIN", 3_000_000)
    world = RealWorld(zigbee_stack)
    await world.order("heal")
    for name in NAMES:
        if name.endswith("door"):
            await world.order(
                "set", name, cluster="closuresDoorLock", values={"lockState": 1, "operatingMode": 0}
            )
            await world.order("set", name, cluster="genPowerCfg", values={"batteryPercentageRemaining": 160})
            await world.order("behave", name, values={"says_event_first": False, "pins": {}})
            await world.order("look", name)
    climate = {
        "systemMode": 4,
        "occupiedHeatingSetpoint": 2000,
        "occupiedCoolingSetpoint": 2600,
        "localTemp": 2100,
    }
    await world.order("set", "hall", cluster="hvacThermostat", values=climate)
    await world.order("look", "hall")
    linked = Linked(world)
    await linked.open()
    yield linked
    await linked.close()
