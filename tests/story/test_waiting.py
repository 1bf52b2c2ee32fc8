"""A thousand clients who wait, seen from outside: the server that they wait at serves others and can stop."""

from __future__ import annotations

import asyncio
import json
import signal
import time

import pytest

from tests.fixtures.server import Caller

CLIENTS = 1_000


@pytest.fixture
def me(fresh_server) -> Caller:
    return Caller(fresh_server, fresh_server.client(), "")


def new_doors(me: Caller, count: int, *, slow: int = 0) -> list[str]:
    """New locks, to which every command takes this many milliseconds."""
    doors = me.call("/thumbturn/sandbox/add_devices", count=count, kind="lock")["device_ids"]
    for door in doors if slow else ():
        me.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="slow", milliseconds=slow)
    return doors


async def ask_to_unlock(me: Caller, door: str, prefer: str):
    """A connection on which an unlock was asked for, and not yet answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", me.server.port)
    body = json.dumps({"device_id": door})
    writer.write(
        (
            f"POST /locks/unlock_door HTTP/1.1\r\nhost: x\r\nprefer: {prefer}\r\n"
            f"authorization: {me.http.headers['authorization']}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        ).encode()
    )
    await writer.drain()
    return reader, writer


async def status_of(reader: asyncio.StreamReader) -> str:
    """The status in the answer that comes."""
    head = await reader.readuntil(b"\r\n\r\n")
    [length] = [
        int(line.partition(b":")[2]) for line in head.splitlines() if line.startswith(b"content-length")
    ]
    return json.loads(await reader.readexactly(length))["action_attempt"]["status"]


def accepted(me: Caller) -> int:
    """How many attempts are pending."""
    found = me.call("/action_attempts/list", limit=10_000)["action_attempts"]
    return sum(each["status"] == "pending" for each in found)


def test_a_thousand_wait_while_others_are_served(me):
    """All get their own end when it comes; meanwhile a quick door opens as quickly as ever."""
    doors = new_doors(me, CLIENTS, slow=4_000)
    [quick] = new_doors(me, 1)

    async def story():
        clients = await asyncio.gather(*(ask_to_unlock(me, door, "wait=30") for door in doors))
        began = time.monotonic()
        opened = await asyncio.to_thread(me.call, "/locks/unlock_door", device_id=quick, sync=True)
        took = time.monotonic() - began
        statuses = await asyncio.gather(*(status_of(reader) for reader, _ in clients))
        for _, writer in clients:
            writer.close()
        return opened["action_attempt"]["status"], took, statuses

    opened, took, statuses = asyncio.run(asyncio.wait_for(story(), 60))
    assert opened == "success"
    assert took < 3.5, "the quick door waited for the slow ones"
    assert statuses == ["success"] * CLIENTS


def test_sigterm_answers_those_who_wait(me):
    """The server ends within five seconds, and each of the thousand gets his attempt as it stands."""
    doors = new_doors(me, CLIENTS, slow=20_000)

    async def story():
        clients = await asyncio.gather(*(ask_to_unlock(me, door, "wait=60") for door in doors))
        while await asyncio.to_thread(accepted, me) < CLIENTS:
            await asyncio.sleep(0.05)
        began = time.monotonic()
        me.server.process.send_signal(signal.SIGTERM)
        statuses = await asyncio.gather(*(status_of(reader) for reader, _ in clients))
        for _, writer in clients:
            writer.close()
        assert await asyncio.to_thread(me.server.process.wait, 20) == 0
        return statuses, time.monotonic() - began

    statuses, took = asyncio.run(asyncio.wait_for(story(), 60))
    assert statuses == ["pending"] * CLIENTS
    assert took < 5


def test_who_hangs_up_is_not_waited_for(me):
    """The connections of those who left are gone, and so is what was kept for them."""
    doors = new_doors(me, 100, slow=20_000)

    async def story():
        clients = await asyncio.gather(*(ask_to_unlock(me, door, "wait=60") for door in doors))
        while await asyncio.to_thread(accepted, me) < len(doors):
            await asyncio.sleep(0.05)
        for _, writer in clients:
            writer.transport.abort()

    asyncio.run(asyncio.wait_for(story(), 30))
    began = time.monotonic()
    assert me.server.stop() == 0
    # Anybody who still had to be answered would have held it up for two seconds.
    assert time.monotonic() - began < 5
    assert "Traceback" not in me.server.log.read_text()
    assert "request_failed" not in me.server.log.read_text()
