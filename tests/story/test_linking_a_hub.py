"""From a hub on the network to a door that moves: `thumbturn connect`, over real sockets."""

from __future__ import annotations

import asyncio
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from typing import Self

import httpx
import pytest
from aiohttp import WSMsgType, web

from tests.fixtures.server import COMMAND, LiveServer
from tests.fixtures.zwave import URL, FakeHub
from thumbturn.domain.clock import SystemClock


class HubProcess:
    """The fake hub behind a real WebSocket on loopback, on a thread of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.url = ""
        self.hub = FakeHub(SystemClock())
        self._runner: web.AppRunner | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self.pull_plug()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(10)
        self.loop.close()

    def do(self, call: Callable[[], None]) -> None:
        """Have something happen at the hub."""
        self.loop.call_soon_threadsafe(call)

    def pull_plug(self) -> None:
        """Take it off the network."""
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self._serve())
        self._ready.set()
        self.loop.run_forever()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_get("/", self._talk)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"ws://{host}:{port}"

    async def _stop(self) -> None:
        self.hub.stop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        fake = await self.hub.dial(URL)
        saying = asyncio.ensure_future(self._say(fake, socket))
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await fake.send(message.data)
        saying.cancel()
        await fake.close()
        return socket

    async def _say(self, fake, socket: web.WebSocketResponse) -> None:
        while True:
            await socket.send_str(await fake.receive())


@pytest.fixture
def hub() -> Iterator[HubProcess]:
    """A Z-Wave JS server on the network."""
    with HubProcess() as it:
        yield it


def connect(server: LiveServer, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, to its end."""
    command = [COMMAND, "connect", *arguments, "--data", str(server.data)]
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)


def until(is_so: Callable[[], bool]) -> None:
    """Return when it is so."""
    limit = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < limit, "it is not so in time"
        time.sleep(0.05)


def test_a_hub_is_linked_and_its_door_moves(fresh_server: LiveServer, hub: HubProcess):
    """One command makes a workspace for real doors, a key for it, and devices that obey, also later."""
    done = connect(fresh_server, "zwave_js", hub.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Z-Wave home deadbeef is linked" in done.stdout
    assert len(re.findall(r"zwave_(?:lock|thermostat) ", done.stdout)) == 4
    [key] = re.findall(r"shown this once: (\S+)", done.stdout)
    http = httpx.Client(
        base_url=fresh_server.endpoint, headers={"authorization": f"Bearer {key}"}, timeout=30
    )

    def lock() -> dict[str, object]:
        devices = http.post("/devices/list").json()["devices"]
        return next(each for each in devices if each["display_name"] == "BE469")

    def is_online() -> bool:
        return bool(lock()["properties"]["online"])  # type: ignore[index]

    def unlock() -> tuple[str, object]:
        ask = {"device_id": lock()["device_id"], "sync": True}
        attempt = http.post("/locks/unlock_door", json=ask).json()["action_attempt"]
        return attempt["status"], attempt["result"] or attempt["error"]["type"]

    with http:
        until(is_online)
        assert unlock() == ("success", {"was_confirmed_by_device": True})
        assert hub.hub.nodes[2].log == ["unlock"]
        code = http.post(
            "/access_codes/create", json={"device_id": lock()["device_id"], "name": "Guest", "code": "4711"}
        ).json()["access_code"]

        def is_set() -> bool:
            found = http.post("/access_codes/get", json={"access_code_id": code["access_code_id"]}).json()
            return bool(found["access_code"]["status"] == "set")

        until(is_set)
        assert hub.hub.nodes[2].codes == {8: "4711"}
        fresh_server.stop()
        fresh_server.start()
        until(is_online)
        assert unlock() == ("success", {"was_confirmed_by_device": True})
        hub.do(lambda: hub.hub.move(2, locked=True, event=1))
        hub.do(lambda: hub.hub.move(2, locked=False, event=6, user=8))

        def who() -> list[object]:
            asked = {"since": "2020-01-01T00:00:00Z", "event_type": "lock.unlocked"}
            return [
                each.get("access_code_id") for each in http.post("/events/list", json=asked).json()["events"]
            ]

        until(lambda: code["access_code_id"] in who())
        hub.pull_plug()
        until(lambda: not is_online())
        assert unlock() == ("error", "device_offline")
        again = connect(fresh_server, "zwave_js", hub.url)
        assert (again.returncode, again.stdout) == (1, "")
        assert "The hub does not answer at this address" in again.stderr


def test_what_cannot_be_connected_is_said(fresh_server: LiveServer):
    """Each mistake on the command line ends with a sentence that helps, and a secret is not taken there."""
    nobody = connect(fresh_server, "enocean", "ws://127.0.0.1:1")
    assert (nobody.returncode, nobody.stderr.count("zwave_js")) == (1, 1)
    nowhere = connect(fresh_server, "zwave_js", "127.0.0.1:3000")
    assert (nowhere.returncode, "ws:// or wss://" in nowhere.stderr) == (1, True)
    unknown = connect(fresh_server, "zwave_js", "ws://127.0.0.1:1", "--set", "colour=red")
    assert "There is no setting 'colour'" in unknown.stderr
    secret = connect(fresh_server, "zigbee2mqtt", "mqtt://127.0.0.1:1", "--set", "password=hunter2")
    assert secret.returncode == 2
    assert "hunter2" not in secret.stderr
