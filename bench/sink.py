"""An endpoint that takes webhooks' deliveries, as a process of its own that costs as little as one can.

Whatever comes to a path that begins with `/slow` is answered after ten seconds, everything else at once.
"""

import asyncio
import json
import multiprocessing
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any, cast

import uvloop

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_SLOW = 10.0

#: Per path: (event id, when it came, when its event was made), in seconds since 1970.
Arrivals = dict[str, list[tuple[str, float, float]]]


class Sink:
    """What is known of the process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.port: int = pipe.recv()

    def url(self, path: str) -> str:
        """The address of a path."""
        return f"http://127.0.0.1:{self.port}{path}"

    def arrivals(self, *, forget: bool = False) -> Arrivals:
        """What has come in so far; if asked to, it begins anew."""
        self._pipe.send(forget)
        arrivals: Arrivals = self._pipe.recv()
        return arrivals

    def wait_for(self, count: int, paths: list[str], within: float = 60.0) -> Arrivals:
        """What came in, once so many different events have come to each path, or it takes too long."""
        limit = time.monotonic() + within
        while True:
            found = self.arrivals()
            enough = all(len({id for id, *_ in found.get(path, [])}) >= count for path in paths)
            if enough or time.monotonic() > limit:
                return found
            time.sleep(0.2)


@contextmanager
def sink() -> Iterator[Sink]:
    """A sink that runs as long as the block."""
    ours, its = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(its,), daemon=True)
    process.start()
    try:
        yield Sink(ours)
    finally:
        process.terminate()
        process.join()


def _run(pipe: Connection) -> None:
    uvloop.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    arrivals: Arrivals = defaultdict(list)
    server = await loop.create_server(lambda: _Takes(arrivals), "127.0.0.1", 0)
    pipe.send(server.sockets[0].getsockname()[1])

    # On a thread, because a pipe that a loop watches takes only little at a time.
    threading.Thread(target=_report, args=(pipe, arrivals), daemon=True).start()
    await server.serve_forever()


def _report(pipe: Connection, arrivals: Arrivals) -> None:
    while True:
        forget = pipe.recv()
        pipe.send({path: list(came) for path, came in list(arrivals.items())})
        if forget:
            arrivals.clear()


class _Takes(asyncio.Protocol):
    def __init__(self, arrivals: Arrivals) -> None:
        self._arrivals = arrivals
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            head, ended, rest = self._received.partition(b"\r\n\r\n")
            length = _length(head)
            if not ended or len(rest) < length:
                return
            self._received = rest[length:]
            self._take(head.split(b" ", 2)[1].decode(), json.loads(rest[:length]))

    def _take(self, path: str, event: dict[str, Any]) -> None:
        assert self._transport is not None
        made = datetime.fromisoformat(event["created_at"]).timestamp()
        self._arrivals[path].append((event["event_id"], time.time(), made))
        if path.startswith("/slow"):
            asyncio.get_running_loop().call_later(_SLOW, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        # Whoever waited so long may have gone.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(_ANSWER)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0
