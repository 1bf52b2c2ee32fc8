"""Low load: one request at every tick of a clock, whether or not the ones before were answered.

Each is measured from the moment it was due, so a server (or this program) that falls behind cannot hide
it. The HTTP client is the least that keeps a connection alive and reads a reply with a Content-Length: it
adds tens of microseconds.
"""

import asyncio
import gc
import json
import math
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, cast

import uvloop

from bench.rows import BenchError
from bench.servers import Server

#: Between the answer to one question for the attempt's state and the next question.
POLL_SECONDS = 0.002
GIVE_UP_SECONDS = 10.0


@dataclass(slots=True)
class Latencies:
    """Milliseconds, one of each per request that came to its end."""

    #: From the moment the request was due to its answer.
    accepted: list[float] = field(default_factory=list)
    #: From that answer until a question for the attempt was answered with its final state.
    final: list[float] = field(default_factory=list)
    #: From the moment the request was due to that final state.
    whole: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so great a share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def unlock_at_pace(server: Server, per_second: int, seconds: int, until_final: bool = True) -> Latencies:
    """Unlock doors in turn at a steady pace and, if asked to, follow each attempt to its final state."""
    gc.collect()
    gc.disable()  # a pause of this program would count as one of the server's
    try:
        return uvloop.run(unlocking(server, per_second, seconds, until_final))
    finally:
        gc.enable()


async def unlocking(server: Server, per_second: int, seconds: int, until_final: bool) -> Latencies:
    """The same, on a loop that may have other things to do as well."""
    return await _Pacer(server, until_final).run(per_second, seconds)


class _Connection(asyncio.Protocol):
    """One keep-alive connection that carries one question at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[tuple[int, bytes, float]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class is no subclass of it

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, body = self._received.partition(b"\r\n\r\n")
        if not ended or self._answer is None:
            return
        length = _content_length(head)
        if len(body) >= length:
            self._received = b""
            self._answer.set_result((int(head[9:12]), body[:length], perf_counter()))
            self._answer = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None:
            self._answer.set_exception(exc or ConnectionResetError("closed before the answer"))

    @property
    def usable(self) -> bool:
        """False once the server has closed it."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, question: bytes) -> tuple[int, bytes, float]:
        """Status, body, and the moment when the last byte was there."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(question)
        return await asyncio.wait_for(self._answer, GIVE_UP_SECONDS)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def _content_length(head: bytes) -> int:
    """How long the body is; raises BenchError for a reply that does not say."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise BenchError("a reply without Content-Length")


class _Pacer:
    """The clock, its requests and what they measured."""

    def __init__(self, server: Server, until_final: bool) -> None:
        self._server = server
        self._until_final = until_final
        self._idle: list[_Connection] = []
        self._seen = Latencies()

    async def run(self, per_second: int, seconds: int) -> Latencies:
        """Send every request when it is due; what was measured, after the last has ended."""
        self._idle = [await self._connect() for _ in range(4)]
        start = perf_counter() + 0.1
        async with asyncio.TaskGroup() as group:
            for number in range(per_second * seconds):
                due = start + number / per_second
                await asyncio.sleep(max(0.0, due - perf_counter()))
                group.create_task(self._one(number, due))
        for connection in self._idle:
            connection.close()
        return self._seen

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, "127.0.0.1", self._server.port)
        return connection

    def _question(self, path: str, body: dict[str, Any]) -> bytes:
        content = json.dumps(body)
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._server.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}"
        ).encode()

    async def _one(self, number: int, due: float) -> None:
        """One door: unlock it and, if asked to, see how that ended."""
        connection = self._idle.pop() if self._idle else await self._connect()
        if not connection.usable:
            connection = await self._connect()
        try:
            await self._unlock(connection, number, due)
        except (TimeoutError, OSError) as error:
            self._seen.errors.append(repr(error))
            connection.close()
        else:
            self._idle.append(connection)

    async def _unlock(self, connection: _Connection, number: int, due: float) -> None:
        device_id = self._server.device_ids[number % len(self._server.device_ids)]
        status, body, accepted = await connection.ask(
            self._question("/locks/unlock_door", {"device_id": device_id})
        )
        if status != 200:
            self._seen.errors.append(f"{status}: {body[:200]!r}")
            return
        self._seen.accepted.append((accepted - due) * 1e3)
        if not self._until_final:
            return
        attempt = json.loads(body)["action_attempt"]
        asking = self._question("/action_attempts/get", {"action_attempt_id": attempt["action_attempt_id"]})
        now = accepted
        while attempt["status"] == "pending":
            if now - accepted > GIVE_UP_SECONDS:
                raise TimeoutError("an attempt stayed pending")
            await asyncio.sleep(POLL_SECONDS)
            status, body, now = await connection.ask(asking)
            if status != 200:
                self._seen.errors.append(f"{status}: {body[:200]!r}")
                return
            attempt = json.loads(body)["action_attempt"]
        if attempt["status"] != "success":
            self._seen.errors.append(f"an attempt failed: {attempt['error']}")
        self._seen.final.append((now - accepted) * 1e3)
        self._seen.whole.append((now - due) * 1e3)
