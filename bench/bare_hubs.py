"""Bare scripts beside ours: they send the same command to the same hub, and wait for the lock's own word.

Each runs on a loop of its own, so that whoever measures need not be asynchronous.
"""

import asyncio
import json
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from itertools import count
from time import perf_counter
from typing import Any, TypeVar
from urllib.parse import urlsplit

import aiohttp
import aiomqtt

from bench.rows import BenchError
from labs.matter.stack import NAMES

T = TypeVar("T")

#: Seconds after which a lock has not said anything.
_CONFIRMED_WITHIN = 10.0
_DOOR_LOCK, _SUCCESS = 98, 255


class BareHub(ABC):
    """A connection to a hub, and what came of commands over it."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._connect())

    def move(self, door: str, *, locked: bool) -> float:
        """Milliseconds from sending a command until its lock's word is here."""
        return self._run(self._timed(door, locked=locked))

    def close(self) -> None:
        """Hang up."""
        self._run(self._disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _timed(self, door: str, *, locked: bool) -> float:
        began = perf_counter()
        async with asyncio.timeout(_CONFIRMED_WITHIN):
            await self._move(door, locked=locked)
        return (perf_counter() - began) * 1_000

    def _run(self, doing: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(60)

    @abstractmethod
    async def _connect(self) -> None: ...

    @abstractmethod
    async def _disconnect(self) -> None: ...

    @abstractmethod
    async def _move(self, door: str, *, locked: bool) -> None: ...


class BareZwave(BareHub):
    """A Z-Wave JS server: the lock's word is supervision."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ids = count(1)
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        super().__init__()

    async def _connect(self) -> None:
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(self._url, max_msg_size=64 << 20)
        await self._socket.receive_json()
        self._reading = asyncio.create_task(self._read())
        await self._ask("initialize", schemaVersion=44)
        await self._ask("start_listening")

    async def _disconnect(self) -> None:
        self._reading.cancel()
        await self._session.close()

    async def _move(self, door: str, *, locked: bool) -> None:
        value_id = {"commandClass": _DOOR_LOCK, "endpoint": 0, "property": "targetMode"}
        answer = await self._ask(
            "node.set_value", nodeId=int(door), valueId=value_id, value=255 if locked else 0
        )
        if answer["result"]["result"]["status"] != _SUCCESS:
            raise BenchError(f"the lock {door} did not confirm: {answer}")

    async def _ask(self, command: str, **more: Any) -> dict[str, Any]:
        id = str(next(self._ids))
        answer = self._asked[id] = asyncio.get_running_loop().create_future()
        await self._socket.send_str(json.dumps({"messageId": id, "command": command, **more}))
        return await answer

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if said["type"] == "result":
                self._asked.pop(said["messageId"]).set_result(said)


class BareZigbee(BareHub):
    """A broker with a Zigbee2MQTT behind it: the lock's word is its report of the new state."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        #: By a lock's name and the state that it shall report.
        self._awaited: dict[tuple[str, str], asyncio.Future[None]] = {}
        super().__init__()

    async def _connect(self) -> None:
        nodelay = [(6, 1, 1)]  # IPPROTO_TCP, TCP_NODELAY
        self._client = aiomqtt.Client(
            self._address.hostname or "", self._address.port or 1883, socket_options=nodelay
        )
        await self._client.__aenter__()
        await self._client.subscribe("zigbee2mqtt/+")
        self._reading = asyncio.create_task(self._read())

    async def _disconnect(self) -> None:
        self._reading.cancel()
        await self._client.__aexit__(None, None, None)

    async def _move(self, door: str, *, locked: bool) -> None:
        wanted = "LOCK" if locked else "UNLOCK"
        told = self._awaited[door, wanted] = asyncio.get_running_loop().create_future()
        await self._client.publish(f"zigbee2mqtt/{door}/set", json.dumps({"state": wanted}))
        await told

    async def _read(self) -> None:
        async for message in self._client.messages:
            door, said = str(message.topic).rpartition("/")[2], json.loads(message.payload or b"{}")
            told = self._awaited.pop((door, said.get("state")), None)
            if told is not None and not told.done():
                told.set_result(None)


class BareMatter(BareHub):
    """A Matter server: the lock's word is the status that it answers with."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._ids = count(1)
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}
        super().__init__()

    async def _connect(self) -> None:
        self._session = aiohttp.ClientSession()
        self._socket = await self._session.ws_connect(self._url, max_msg_size=64 << 20)
        await self._socket.receive_json()
        self._reading = asyncio.create_task(self._read())

    async def _disconnect(self) -> None:
        self._reading.cancel()
        await self._session.close()

    async def _move(self, door: str, *, locked: bool) -> None:
        id = str(next(self._ids))
        answer = self._asked[id] = asyncio.get_running_loop().create_future()
        args = {
            # The lab adds its devices in this order.
            "node_id": NAMES.index(door) + 1, "endpoint_id": 1, "cluster_id": 257, "payload": {},
            "command_name": "LockDoor" if locked else "UnlockDoor", "timed_request_timeout_ms": 2_000,
        }  # fmt: skip
        await self._socket.send_json({"message_id": id, "command": "device_command", "args": args})
        said = await answer
        if "error_code" in said:
            raise BenchError(f"the lock {door} did not confirm: {said}")

    async def _read(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if "message_id" in said:
                self._asked.pop(said["message_id"]).set_result(said)
