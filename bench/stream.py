"""The stream under readers: from an event's own time, before its commit, to the hands of each of them."""

import asyncio
import gc
import re
from collections.abc import Iterator
from datetime import datetime
from time import time
from typing import cast

import uvloop

from bench.openloop import percentile, unlocking
from bench.options import Options
from bench.rows import BenchError, Bound, Row
from bench.servers import Server, fresh

READERS = 100
#: The first unlock of a door tells two events: that it was unlocked, and that the attempt succeeded.
EVENTS_EACH = 2
#: What the last events may take until everybody has them.
ARRIVE_WITHIN = 10.0

_EVENT = re.compile(rb'id: (\d+)\n.*"created_at":"([^"]+)"', re.DOTALL)


class Reader(asyncio.Protocol):
    """One reader of the stream, on a connection of his own: notes each event's place, and how old it was."""

    def __init__(self, server: Server) -> None:
        self.ready = asyncio.get_running_loop().create_future()
        #: Milliseconds from the moment an event happened until it was here.
        self.ages: list[float] = []
        self.places: list[int] = []
        self._server = server
        self._wanted = 0
        self._arrived = asyncio.get_running_loop().create_future()
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(
            b"GET /thumbturn/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            b"Authorization: Bearer %b\r\n\r\n" % self._server.token.encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time()
        *frames, self._rest = (self._rest + data).split(b"\n\n")
        for frame in frames:
            if found := _EVENT.search(frame):
                self.places.append(int(found[1]))
                # Times are told in whole milliseconds, cut off: what is measured is rather too much.
                self.ages.append((now - datetime.fromisoformat(found[2].decode()).timestamp()) * 1e3)
            elif b"event: ready" in frame and not self.ready.done():
                self.ready.set_result(None)
        self._note_arrival()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(exc or ConnectionResetError("the stream was refused"))

    def has(self, count: int) -> asyncio.Future[None]:
        """Done once so many events are here."""
        self._wanted = count
        self._note_arrival()
        return self._arrived

    def _note_arrival(self) -> None:
        if self._wanted and len(self.places) >= self._wanted and not self._arrived.done():
            self._arrived.set_result(None)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()


def stream(options: Options) -> Iterator[Row]:
    """How old events are when a hundred readers have them, at a steady pace."""
    about = f"{READERS} readers, {EVENTS_EACH * options.pace} events/s, event → in the reader's hands"
    half = Row("stream_p50", f"{about}, p50", "ms")
    most = Row("stream_p99", f"{about}, p99", "ms", Bound(100))
    if "ours" not in options.sides:
        return
    gc.collect()
    gc.disable()  # a pause of this program would count as one of the server's
    try:
        for _ in range(options.rounds):
            with fresh("ours", options, devices=options.pace * options.pace_seconds) as server:
                readers, lost = uvloop.run(_listen(server, options.pace, options.pace_seconds))
            ages = [age for reader in readers for age in reader.ages]
            if lost or not ages:
                most.invalid.append(lost or "nothing was told")
                continue
            half.add("ours", percentile(ages, 0.5))
            most.add("ours", percentile(ages, 0.99))
            most.notes.append(f"{len(ages):,} events were read; the oldest was {max(ages):.0f} ms old")
    finally:
        gc.enable()
    yield from (half, most)


async def _listen(server: Server, pace: int, seconds: int) -> tuple[list[Reader], str]:
    """The readers after so many seconds of unlocking, and what somebody missed or got twice."""
    loop = asyncio.get_running_loop()
    readers: list[Reader] = []
    for _ in range(READERS):
        _, reader = await loop.create_connection(lambda: Reader(server), "127.0.0.1", server.port)
        readers.append(reader)
    await asyncio.wait_for(asyncio.gather(*[reader.ready for reader in readers]), ARRIVE_WITHIN)
    seen = await unlocking(server, pace, seconds, until_final=False)
    if seen.errors:
        raise BenchError(f"ours: {len(seen.errors)} errors, the first: {seen.errors[0]}")
    wanted = EVENTS_EACH * pace * seconds
    await asyncio.wait([reader.has(wanted) for reader in readers], timeout=ARRIVE_WITHIN)
    for reader in readers:
        reader.close()
    told = list(range(1, wanted + 1))
    wrong = sum(reader.places != told for reader in readers)
    return readers, f"{wrong} readers did not get each event once, in order" if wrong else ""
