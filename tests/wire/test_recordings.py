"""Recording a real device on a running server: what is in it, what is not, and whose it is."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.fixtures.hubs import RealHome, real_home
from tests.fixtures.replay import Replay
from tests.fixtures.wire import Wire
from tests.fixtures.zwave import SUPERVISED, URL, FakeHub
from thumbturn.domain.clock import seconds
from thumbturn.domain.recording import recording_in
from thumbturn.drivers.zwave_js.driver import ZwaveJsDriver
from thumbturn.engine.overheard import Overheard
from thumbturn.engine.tape import LONGEST

START, SCENE, STOP = (f"/thumbturn/recordings/{verb}" for verb in ("start", "begin_scene", "stop"))
PIN = "428193"


class RecordedHome:
    """A home behind a Z-Wave JS server, whose devices can be recorded."""

    def __init__(self, home: RealHome, hub: FakeHub) -> None:
        self.home, self.hub, self.clock = home, hub, home.wire.house.clock
        self.account, self.lock = "", ""

    async def while_time_passes(self, doing: Any) -> Any:
        """What comes of it; time must pass for it."""
        future = asyncio.ensure_future(doing)
        for _ in range(200):
            await self.clock.advance(seconds(0.05))
            if future.done():
                return future.result()
        raise AssertionError("it does not end")

    async def call(self, path: str, **ask: Any) -> Any:
        """The good answer of an endpoint."""
        return await self.while_time_passes(self.home.call(path, **ask))

    async def start(self) -> str:
        """A recording of the lock that has begun; its id."""
        begun = await self.call(START, connected_account_id=self.account, device_id=self.lock)
        await self.clock.advance(seconds(2))
        return str(begun["recording"]["recording_id"])

    async def trace(self, recording_id: str) -> dict[str, Any]:
        """What was written."""
        trace: dict[str, Any] = (await self.call(STOP, recording_id=recording_id))["trace"]
        return trace


@pytest.fixture
async def recorded(wire: Wire) -> RecordedHome:
    """A linked home whose devices were read."""
    hub = FakeHub(wire.house.clock)
    driver = ZwaveJsDriver(wire.house.clock, wire.house.pins, hub.dial)
    it = RecordedHome(await real_home(wire, Overheard(driver)), hub)
    account = await it.while_time_passes(it.home.link(URL))
    it.account = account["connected_account_id"]
    await it.clock.advance(seconds(5))
    devices = (await it.call("/devices/list"))["devices"]
    it.lock = next(
        each["device_id"] for each in devices if each["properties"]["name"] == "BE469" and is_online(each)
    )
    return it


def is_online(device: Any) -> bool:
    """Whether it can be reached."""
    return bool(device["properties"]["online"])


async def test_what_is_done_while_it_is_recorded_is_in_it(recorded: RecordedHome):
    """A recording has how the hub describes the device, each scene by its name, and what came of it; and the
    device is online all the while.
    """
    before = await recorded.home.told()
    id = await recorded.start()
    await recorded.call(SCENE, recording_id=id, name="unlock in the app")
    await recorded.call("/locks/unlock_door", device_id=recorded.lock)
    await recorded.clock.advance(seconds(3))
    trace = await recorded.trace(id)
    assert [scene["name"] for scene in trace["scenes"]] == ["found", "unlock in the app"]
    assert trace["device"]["details"]["model_name"] == "BE469"
    lines = trace["scenes"][1]["lines"]
    assert [line["command"] for line in lines if "command" in line] == ["unlock"]
    assert {"evidence": "device_accepted"} in [line.get("outcome") for line in lines]
    told = (await recorded.home.told())[len(before) :]
    assert "device.disconnected" not in told
    # Nobody listens any more.
    assert not recorded.home.hubs.tapes
    assert not recorded.home.hubs.taps.is_open(recorded.account)


async def test_it_can_be_replayed_without_the_hub(recorded: RecordedHome):
    """What a running server recorded is played to a driver that has no hub, with the same outcome."""
    id = await recorded.start()
    await recorded.call("/locks/lock_door", device_id=recorded.lock)
    await recorded.clock.advance(seconds(3))
    trace = await recorded.trace(id)
    again = await Replay(recording_in(trace)).play()
    for one, other in zip(trace["scenes"], again["scenes"], strict=True):
        for word in ("observed", "outcome"):
            assert [line[word] for line in one["lines"] if word in line] == [
                line[word] for line in other["lines"] if word in line
            ]


async def test_no_pin_gets_into_it(recorded: RecordedHome):
    """A code that is programmed and used while a lock is recorded is in it as another one."""
    recorded.hub.nodes[SUPERVISED].codes[3] = "9173"
    id = await recorded.start()
    made = await recorded.call("/access_codes/create", device_id=recorded.lock, code=PIN, name="Ann Miller")
    await recorded.clock.advance(seconds(30))
    text = json.dumps(await recorded.trace(id))
    assert '"command": "set_code"' in text
    for secret in (PIN, "9173", "Ann", str(recorded.hub.home_id), made["access_code"]["access_code_id"]):
        assert secret not in text


async def test_a_recording_is_its_workspaces(recorded: RecordedHome):
    """Another workspace neither starts, names nor fetches it: to it there is no such recording."""
    wire = recorded.home.wire
    id = await recorded.start()
    for path, ask, type in (
        (START, {"connected_account_id": recorded.account}, "connected_account_not_found"),
        (SCENE, {"recording_id": id, "name": "lock"}, "recording_not_found"),
        (STOP, {"recording_id": id}, "recording_not_found"),
    ):
        reply = await wire.ask("POST", path, ask)
        assert (reply.status, reply.error["type"]) == (404, type)
    assert (await recorded.trace(id))["scenes"]


async def test_what_cannot_be_recorded_is_refused(recorded: RecordedHome):
    """A virtual device, an account of several devices, one device twice and odd names are refused."""
    wire = recorded.home.wire
    [virtual] = (await wire.call("/connected_accounts/list"))["connected_accounts"]
    reply = await wire.ask("POST", START, {"connected_account_id": virtual["connected_account_id"]})
    assert (reply.status, reply.error["type"]) == (400, "device_cannot_be_recorded")
    mine = {"connected_account_id": recorded.account}
    refused = recorded.home.refused
    status, type, message = await refused(START, **mine)
    assert (status, type) == (400, "device_cannot_be_recorded")
    assert "name one" in message
    assert (await refused(START, **mine, device_id="unknown"))[:2] == (404, "device_not_found")
    id = await recorded.start()
    assert (await refused(START, **mine, device_id=recorded.lock))[:2] == (429, "too_many_recordings")
    assert (await refused(SCENE, recording_id=id, name="428193"))[:2] == (400, "scene_name_invalid")


async def test_a_hub_that_is_away_is_not_recorded(recorded: RecordedHome):
    """When its hub does not answer nothing is recorded, and it can be tried again later."""
    recorded.hub.stop()
    ask = {"connected_account_id": recorded.account, "device_id": recorded.lock}
    refused = await recorded.while_time_passes(recorded.home.refused(START, **ask))
    assert refused[:2] == (400, "hub_unreachable")
    recorded.hub.start()
    await recorded.clock.advance(seconds(70))
    await recorded.start()


async def test_it_listens_for_a_quarter_of_an_hour(recorded: RecordedHome):
    """A recording that nobody ends takes in nothing more, can be fetched for an hour, and is gone."""
    id = await recorded.start()
    await recorded.clock.advance(LONGEST)
    recorded.hub.move(SUPERVISED, locked=False, event=2)
    await recorded.clock.advance(seconds(2))
    named = await recorded.call(SCENE, recording_id=id, name="too late")
    assert named["recording"]["is_listening"] is False
    assert [scene["name"] for scene in (await recorded.trace(id))["scenes"]] == ["found"]
    id = await recorded.start()
    await recorded.clock.advance(LONGEST + seconds(3_700))
    assert (await recorded.home.refused(STOP, recording_id=id))[:2] == (404, "recording_not_found")
