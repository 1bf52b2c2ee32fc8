"""A lock that people can buy moves when the API says so: a Zigbee2MQTT is linked, its devices are used."""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any

import httpx
import pytest

from tests.fixtures.server import COMMAND, LiveServer
from tests.fixtures.zigbee2mqtt import FakeZigbee2Mqtt


class Home:
    """A server with a workspace of its own, linked to a hub that the test holds in its hands."""

    def __init__(self, world: FakeZigbee2Mqtt, client: httpx.AsyncClient) -> None:
        self.world, self.client = world, client

    async def ask(self, path: str, **ask: Any) -> dict[str, Any]:
        """The good answer of an endpoint."""
        reply = await self.client.post(path, json=ask)
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def device(self, name: str) -> dict[str, Any]:
        """A device as the API has it."""
        found = (await self.ask("/devices/list"))["devices"]
        return next(each for each in found if each["properties"]["name"] == name)

    async def until_online(self, name: str) -> dict[str, Any]:
        """The same, once it was read."""
        async with asyncio.timeout(20):
            while not (device := await self.device(name))["properties"]["online"]:
                await asyncio.sleep(0.05)
        return device

    async def ended(self, attempt: dict[str, Any]) -> dict[str, Any]:
        """The attempt in its final state."""
        async with asyncio.timeout(20):
            while attempt["status"] == "pending":
                await asyncio.sleep(0.02)
                id = attempt["action_attempt_id"]
                attempt = (await self.ask("/action_attempts/get", action_attempt_id=id))["action_attempt"]
        return attempt


@pytest.fixture
async def home(fresh_server: LiveServer):
    """A hub that was linked by the command line."""
    world = FakeZigbee2Mqtt()
    await world.start()
    command = [str(COMMAND), "connect", "zigbee2mqtt", world.address, "--data", str(fresh_server.data)]
    linked = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert linked.returncode == 0, linked.stderr
    key = linked.stdout.split()[-1]
    async with httpx.AsyncClient(
        base_url=fresh_server.endpoint, headers={"Authorization": f"Bearer {key}"}, timeout=20
    ) as client:
        yield Home(world, client)
    await world.stop()


async def test_a_real_lock_and_thermostat_are_linked_and_used(home: Home):
    """Linked by a command; a door is opened, a room is warmed, a guest enters his code, a hub is lost."""
    lock = await home.until_online("front_door")
    hall = await home.until_online("hall")
    assert (lock["device_type"], hall["device_type"]) == ("zigbee_lock", "zigbee_thermostat")
    id = lock["device_id"]

    answer = await home.ask("/locks/unlock_door", device_id=id)
    opened = await home.ended(answer["action_attempt"])
    assert (opened["status"], opened["result"]) == ("success", {"was_confirmed_by_device": True})
    assert [each["locked"] for each in home.world.devices["front_door"].log] == [False]
    timeline = await home.ask("/thumbturn/attempts/timeline", action_attempt_id=opened["action_attempt_id"])
    assert "state_report" in str(timeline)

    setting = {"device_id": hall["device_id"], "heating_set_point_fahrenheit": 69}
    warmed = await home.ended((await home.ask("/thermostats/heat", **setting))["action_attempt"])
    assert warmed["status"] == "success", warmed
    assert home.world.devices["hall"].attributes["hvacThermostat"]["occupiedHeatingSetpoint"] == 2_050

    made = await home.ask("/access_codes/create", device_id=id, name="Guest", code="0471")
    code_id = made["access_code"]["access_code_id"]
    async with asyncio.timeout(20):
        while (await home.ask("/access_codes/get", access_code_id=code_id))["access_code"]["status"] != "set":
            await asyncio.sleep(0.05)
    [(slot, held)] = home.world.devices["front_door"].pins.items()
    assert held["pin"] == "0471"
    await home.ended((await home.ask("/locks/lock_door", device_id=id))["action_attempt"])
    await home.world.order("turn", "front_door", locked=False, source=0, user=slot)
    async with asyncio.timeout(20):
        while not (told := await _entered(home, id)):
            await asyncio.sleep(0.05)
    assert [(each["method"], each["access_code_id"]) for each in told] == [("keycode", code_id)]

    await home.world.order("fault", "back_door", kind="unreachable")
    other = (await home.until_online("back_door"))["device_id"]
    failed = await home.ended((await home.ask("/locks/unlock_door", device_id=other))["action_attempt"])
    assert failed["error"]["type"] == "device_unreachable"
    await home.world.order("heal")

    await home.world.stop_hub()
    async with asyncio.timeout(20):
        while (await home.device("front_door"))["properties"]["online"]:
            await asyncio.sleep(0.05)
    away = (await home.device("front_door"))["errors"]
    assert [each["error_code"] for each in away] == ["hub_disconnected"]
    await home.world.order("set", "front_door", cluster="closuresDoorLock", values={"lockState": 1})
    await home.world.start_hub()
    assert (await home.until_online("front_door"))["properties"]["locked"] is True


async def _entered(home: Home, device_id: str) -> list[dict[str, Any]]:
    asked = {"device_id": device_id, "event_type": "lock.unlocked", "since": "2020-01-01T00:00:00Z"}
    events = (await home.ask("/events/list", **asked))["events"]
    return [each for each in events if each["method"] == "keycode"]
