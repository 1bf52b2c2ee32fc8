"""The stream over real connections: readers who do not read, who are many, who are cut, servers that die."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from typing import Any

import httpx
import psutil
import pytest
from uvicorn.server import ServerState

from tests.fixtures.server import Caller, LiveServer, caller_in_new_sandbox
from tests.fixtures.sse import Frame, SseParser
from tests.fixtures.stores import an_event
from tests.fixtures.wire import Wire
from thumbturn.api.protocol import EnvelopeProtocol
from thumbturn.engine.ports import Change
from thumbturn.main import _uvicorn
from thumbturn.storage.open import open_store

PATIENCE = 0.3
#: Readers who do not read, and how much there is that they do not.
SLEEPERS, MANY = 50, 10_000
#: Events that a reader has to be cut off among for something to be proven.
ENOUGH = 200


class Connection:
    """A socket on which the stream was asked for; it reads when it is told to."""

    def __init__(
        self, port: int, headers: dict[str, str], query: str = "", *, window: int | None = None
    ) -> None:
        self.parser = SseParser()
        self.frames: list[Frame] = []
        self.head = b""
        #: True once the server has said that there is no more.
        self.is_complete = False
        self._body = b""
        self._socket = socket.socket()
        if window is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
        self._socket.settimeout(20)
        self._socket.connect(("127.0.0.1", port))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        target = f"/thumbturn/stream?{query}"
        self._socket.sendall(f"GET {target} HTTP/1.1\r\nhost: x\r\n{lines}\r\n".encode())

    def read(self, most: int = 65_536) -> bool:
        """Take what came, at least a byte; false when there is no more."""
        received = self._socket.recv(most)
        if b"\r\n\r\n" not in self.head:
            self.head, separator, rest = (self.head + received).partition(b"\r\n\r\n")
            self.head += separator
            self._body = rest
        else:
            self._body += received
        while (chunk := self._chunk()) is not None:
            self.frames += self.parser.feed(chunk)
        return bool(received)

    def read_until(self, enough: Callable[[Connection], bool]) -> None:
        """Read until it is enough. Raises ``AssertionError`` if the stream ends before."""
        while not enough(self):
            assert self.read(), "the stream has ended"

    @property
    def told(self) -> list[int]:
        """The places of the events that came."""
        return [
            int(each.last_event_id)
            for each in self.frames
            if each.type not in {"ready", "action_attempt", "closed", "skipped"}
        ]

    def close(self) -> None:
        self._socket.close()

    def _chunk(self) -> bytes | None:
        length, separator, rest = self._body.partition(b"\r\n")
        if not separator or len(rest) < int(length, 16) + 2:
            return None
        self._body = rest[int(length, 16) + 2 :]
        self.is_complete = int(length, 16) == 0
        return rest[: int(length, 16)]


def headers_of(caller: Caller, last_event_id: int | str | None = None) -> dict[str, str]:
    """What to ask the stream with."""
    headers = {name: caller.http.headers[name] for name in ("authorization", "seam-workspace")}
    return headers if last_event_id is None else headers | {"last-event-id": str(last_event_id)}


def is_ready(connection: Connection) -> bool:
    return any(frame.type == "ready" for frame in connection.frames)


def swing(caller: Caller, times: int = 1) -> None:
    """Unlock and lock a door without a motor, which tells four events each time."""
    [door] = caller.call("/thumbturn/sandbox/add_devices")["device_ids"]
    for _ in range(times):
        for path in ("/locks/unlock_door", "/locks/lock_door"):
            caller.call(path, device_id=door, sync=True)


@contextmanager
def events_all_the_time(caller: Caller) -> Iterator[None]:
    """Inside, doors are moved without a pause."""
    stop = threading.Event()

    def move() -> None:
        while not stop.is_set():
            swing(caller, 10)

    thread = threading.Thread(target=move)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


def newest(caller: Caller) -> int:
    """The place of the workspace's newest event."""
    with closing(Connection(caller.server.port, headers_of(caller))) as connection:
        connection.read_until(is_ready)
        return int(connection.parser.last_event_id)


@asynccontextmanager
async def listening(wire: Wire) -> AsyncIterator[tuple[int, ServerState]]:
    """The API in this process on a real port, spoken to as the server speaks."""
    config, state = _uvicorn(wire.app), ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: EnvelopeProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    passing = asyncio.create_task(let_time_pass(wire))
    try:
        yield server.sockets[0].getsockname()[1], state
    finally:
        passing.cancel()
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.sleep(0.01)


async def let_time_pass(wire: Wire) -> None:
    """The clock of the house runs like that of the connections."""
    while True:
        await asyncio.sleep(0.01)
        await wire.house.clock.advance(10_000)


@pytest.fixture
async def impatient(tmp_path: Any) -> AsyncIterator[Wire]:
    """An API that soon loses its patience, with more events than any connection holds."""
    wire = await Wire(tmp_path, stream_patience=PATIENCE).open()
    events = tuple(an_event("w1", payload={"filler": "x" * 1_000}) for _ in range(15_000))
    await wire.house.store.apply(Change(events=events))
    yield wire
    await wire.house.die()


def ask(wire: Wire) -> dict[str, str]:
    return {"authorization": f"Bearer {wire.api_key}", "last-event-id": "0"}


async def test_who_does_not_read_is_cut_off(impatient: Wire):
    """A reader who takes nothing is broken off; until then no more waits for him than a connection holds."""
    async with listening(impatient) as (port, state):
        connection = await asyncio.to_thread(Connection, port, ask(impatient), window=4_096)
        held = 0
        async with asyncio.timeout(20):
            while not state.connections:
                await asyncio.sleep(0.01)
            while state.connections:
                waiting = [each.transport.get_write_buffer_size() for each in state.connections]
                held = max([held, *waiting])
                await asyncio.sleep(0.01)
            while state.tasks:
                await asyncio.sleep(0.01)
        assert 0 < held < 512 * 1024
        assert impatient.feed._tails == {}
        assert impatient.house.engine.live.watched == {}
        await asyncio.to_thread(read_to_the_end, connection)
        connection.close()
        assert not connection.is_complete, "an end that was not sent is not made up"
        assert connection.told == list(range(1, len(connection.told) + 1)), "what came is in order"


async def test_who_reads_on_in_time_is_told_why(impatient: Wire):
    """A reader who was cut off and reads on soon gets all that was sent, a last word, and a proper end."""
    async with listening(impatient) as (port, state):
        connection = await asyncio.to_thread(Connection, port, ask(impatient), window=4_096)
        await asyncio.sleep(PATIENCE * 1.5)

        def read() -> None:
            while connection.frames[-1:] == [] or connection.frames[-1].type != "closed":
                assert connection.read()

        await asyncio.wait_for(asyncio.to_thread(read), 20)
        assert connection.frames[-1].data["type"] == "too_slow"
        assert connection.told == list(range(1, len(connection.told) + 1))
        assert len(connection.told) < 15_000
        last = connection.parser.last_event_id
        connection.close()
        headers = ask(impatient) | {"last-event-id": last}
        again = await asyncio.to_thread(Connection, port, headers)
        await asyncio.to_thread(again.read_until, lambda it: it.parser.last_event_id == "15000")
        assert connection.told + again.told == list(range(1, 15_001))
        again.close()
        async with asyncio.timeout(5):
            while state.tasks:
                await asyncio.sleep(0.01)


async def test_a_slow_reader_who_reads_is_not_cut_off(impatient: Wire):
    """Slowness is no fault: who takes something all the time gets everything, at his pace."""
    async with listening(impatient) as (port, _):
        connection = await asyncio.to_thread(Connection, port, ask(impatient), window=16_384)

        def read() -> None:
            for number in range(100_000):
                if connection.parser.last_event_id == "15000":
                    return
                assert connection.read()
                if number % 50 == 0:
                    time.sleep(PATIENCE / 20)

        await asyncio.wait_for(asyncio.to_thread(read), 60)
        assert connection.told == list(range(1, 15_001))
        connection.close()


def test_a_hundred_readers(server: LiveServer, caller: Caller):
    """A hundred readers get every event, in order, and the same ones."""
    connections = [Connection(server.port, headers_of(caller)) for _ in range(100)]
    for connection in connections:
        connection.read_until(is_ready)
    first = int(connections[0].parser.last_event_id)
    swing(caller, 5)
    for connection in connections:
        connection.read_until(lambda it: len(it.told) >= 20)
        connection.close()
        assert connection.told == list(range(first + 1, first + 21))


def test_readers_who_do_not_read_cost_no_memory(fresh_server: LiveServer):
    """Readers who never read do not make the server grow by what waits for them; others are served."""
    caller = caller_in_new_sandbox(fresh_server, "memory")
    fresh_server.stop()
    asyncio.run(write_history(fresh_server, caller.workspace_id, MANY))
    fresh_server.start()
    process = psutil.Process(fresh_server.process.pid)
    with closing(Connection(fresh_server.port, headers_of(caller, 0))) as reader:
        reader.read_until(lambda it: it.parser.last_event_id == str(MANY))
        sent = sum(len(frame.text) for frame in reader.frames)
        before = process.memory_info().rss
        sleepers = [
            Connection(fresh_server.port, headers_of(caller, 0), window=4_096) for _ in range(SLEEPERS)
        ]
        swing(caller, 50)
        reader.read_until(lambda it: len(it.told) == MANY + 200)
    grown = process.memory_info().rss - before
    for sleeper in sleepers:
        sleeper.close()
    assert sent * SLEEPERS > 500e6, "too little to tell"
    assert grown < 60e6, f"{grown / 1e6:.0f} MB"
    assert reader.told == list(range(1, MANY + 201))


async def write_history(server: LiveServer, workspace_id: str, count: int) -> None:
    """Put many long events on record, without a server."""
    store = open_store(f"sqlite:///{server.data / 'thumbturn.db'}")
    for _ in range(count // 1_000):
        events = tuple(an_event(workspace_id, payload={"filler": "x" * 1_000}) for _ in range(1_000))
        await store.apply(Change(events=events))
    await store.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_connection_that_is_cut_again_and_again(server: LiveServer, seed: int):
    """Cut after any number of bytes, while things happen, a reader has each event once in the end."""
    caller = caller_in_new_sandbox(server, f"cut {seed}")
    chance = random.Random(seed)
    seen: list[int] = []
    last_event_id = "0"
    with events_all_the_time(caller):
        began = time.monotonic()
        while time.monotonic() < began + 3 or newest(caller) <= ENOUGH:
            assert time.monotonic() < began + 60
            with closing(Connection(server.port, headers_of(caller, last_event_id))) as connection:
                for _ in range(chance.randrange(1, 12)):
                    connection.read(chance.randrange(1, 900))
                seen += connection.told
                last_event_id = connection.parser.last_event_id or last_event_id
    place = newest(caller)
    with closing(Connection(server.port, headers_of(caller, last_event_id))) as connection:
        connection.read_until(lambda it: (it.parser.last_event_id or "0") == str(place))
        seen += connection.told
    assert seen == list(range(1, place + 1))


def test_a_server_that_is_killed(any_server: LiveServer):
    """After kill -9 and a new start a reader goes on behind his last id: nothing is lost or repeated."""
    caller = caller_in_new_sandbox(any_server, "killed")
    seen: list[int] = []
    last_event_id: str = "0"
    for _ in range(2):
        connection = Connection(any_server.port, headers_of(caller, last_event_id))
        thread = threading.Thread(target=swallow_errors, args=(caller,))
        thread.start()
        connection.read_until(lambda it: len(it.told) >= 6)
        any_server.kill9()
        with closing(connection):
            read_to_the_end(connection)
        thread.join(30)
        seen += connection.told
        last_event_id = connection.parser.last_event_id
        any_server.start()
    swing(caller)
    place = newest(caller)
    with closing(Connection(any_server.port, headers_of(caller, last_event_id))) as connection:
        connection.read_until(lambda it: int(it.parser.last_event_id or 0) >= place)
        seen += connection.told
    assert seen == list(range(1, len(seen) + 1))
    assert seen[-1] >= place


def swallow_errors(caller: Caller) -> None:
    """Move doors until the server is gone."""
    try:
        while True:
            swing(caller, 10)
    except (httpx.TransportError, AssertionError):
        return


def read_to_the_end(connection: Connection) -> None:
    """Read until there is no more, or the connection is reset."""
    with suppress(ConnectionError):
        while connection.read():
            pass


def test_the_server_stops_in_time(fresh_server: LiveServer):
    """SIGTERM ends a server with open streams within five seconds: readers are told, the deaf are left."""
    caller = caller_in_new_sandbox(fresh_server, "stopping")
    swing(caller, 5)
    readers = [Connection(fresh_server.port, headers_of(caller)) for _ in range(10)]
    deaf = [Connection(fresh_server.port, headers_of(caller, 0), window=4_096) for _ in range(10)]
    for reader in readers:
        reader.read_until(is_ready)
    started = time.monotonic()
    assert fresh_server.stop() == 0
    assert time.monotonic() - started < 5
    for reader in readers:
        read_to_the_end(reader)
        assert reader.is_complete
        assert reader.frames[-1].type == "closed"
        assert reader.frames[-1].data["type"] == "server_stopping"
    for each in readers + deaf:
        each.close()
    assert "Traceback" not in fresh_server.log.read_text()
    assert "without completing" not in fresh_server.log.read_text()


def test_a_key_that_is_revoked(server: LiveServer, caller: Caller):
    """A few seconds after its key was revoked a stream ends."""
    made = caller.call("/thumbturn/keys/create", name="short")
    with closing(Connection(server.port, {"authorization": f"Bearer {made['token']}"})) as connection:
        connection.read_until(is_ready)
        caller.call("/thumbturn/keys/revoke", key_id=made["key"]["key_id"])
        started = time.monotonic()
        connection.read_until(lambda it: it.is_complete)
        assert time.monotonic() - started < 6
    assert connection.frames[-1].data["type"] == "unauthorized"


def test_a_client_of_the_usual_kind(server: LiveServer, caller: Caller):
    """An HTTP client that knows nothing of all this reads lines; the server notices when it goes."""
    with caller.http.stream("GET", "/thumbturn/stream") as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        lines = answer.iter_lines()
        assert next(lines).startswith("id: ")
        assert next(lines) == "event: ready"
