"""Clients that keep a connection and send nothing, or half a request: they are let go of, and no others."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.server import LiveServer
from thumbturn.api import connections
from thumbturn.api.connections import Awaited, Patience

UNFINISHED = 1.0
IDLE = 3.0


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with little patience."""
    options = ("--request-seconds", str(UNFINISHED), "--keep-alive-seconds", str(IDLE))
    server = LiveServer(tmp_path_factory.mktemp("hasty") / "data", options=options).start()
    yield server
    server.close()


def until_closed(connection: socket.socket) -> tuple[bytes, float]:
    """What came until the other side closed, and how many seconds that took."""
    began, received = time.monotonic(), b""
    try:
        while chunk := connection.recv(65_536):
            received += chunk
    except ConnectionResetError:
        pass
    return received, time.monotonic() - began


def connected(server: LiveServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=30)


REQUEST = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    "half",
    [
        b"GET /hea",
        b"GET /health HTTP/1.1\r\nhost: x\r\n",
        b"POST /locks/list HTTP/1.1\r\nhost: x\r\nauthorization: Bearer KEY\r\ncontent-length: 9\r\n\r\n{",
        REQUEST + b"GET /hea",
    ],
    ids=["line", "head", "body", "second"],
)
def test_half_a_request_is_refused_in_time(hasty: LiveServer, half: bytes):
    """Whoever does not finish a request is told so in the envelope, and the connection ends."""
    with connected(hasty) as connection:
        connection.sendall(half.replace(b"KEY", hasty.credentials["api_key"].encode()))
        received, seconds = until_closed(connection)
    assert UNFINISHED * 0.9 < seconds < UNFINISHED + 15
    head, _, body = received.rpartition(b"\r\n\r\n")
    assert head.rpartition(b"HTTP/1.1 ")[2].startswith(b"408 ")
    error = json.loads(body)["error"]
    assert error["type"] == "request_timeout"
    assert b"seam-request-id: " + error["request_id"].encode() in head


def test_a_request_that_comes_bit_by_bit_is_not_waited_for_any_longer(hasty: LiveServer):
    """The time is for the whole request: a byte now and then does not buy more of it."""
    with connected(hasty) as connection:
        began = time.monotonic()
        connection.settimeout(0.1)
        received = b""
        for byte in b"GET /" + b"x" * 200:
            connection.sendall(bytes([byte]))
            try:
                received = connection.recv(65_536)
                break
            except TimeoutError:
                continue
    assert received.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < UNFINISHED + 15


@pytest.mark.parametrize("before", [b"", REQUEST], ids=["nothing", "one"])
def test_a_connection_without_a_request_ends(hasty: LiveServer, before: bytes):
    """One that sends nothing, at first or after an answer, is closed without a word after a while."""
    with connected(hasty) as connection:
        connection.sendall(before)
        received, seconds = until_closed(connection)
    assert IDLE * 0.9 < seconds < IDLE + 15
    assert received.count(b"HTTP/1.1") == (1 if before else 0)


def test_one_that_is_used_now_and_then_stays(hasty: LiveServer):
    """Each request begins the time anew, however long the connection lives."""
    with connected(hasty) as connection:
        for _ in range(5):
            connection.sendall(REQUEST)
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
            time.sleep(IDLE * 0.27)


def test_who_waits_for_us_is_not_let_go_of(hasty: LiveServer):
    """A caller who waits longer for his answer than a request may take gets it, and so does the next."""
    client = hasty.client()
    door = client.post("/locks/list", json={}).json()["locks"][0]
    client.post(
        "/thumbturn/sandbox/inject_fault",
        json={"device_id": door["device_id"], "fault": "slow", "milliseconds": 3_500},
    )
    body = json.dumps({"device_id": door["device_id"]}).encode()
    head = (
        "POST /locks/unlock_door HTTP/1.1",
        "host: x",
        "prefer: wait=20",
        "content-type: application/json",
        f"authorization: Bearer {hasty.credentials['api_key']}",
        f"content-length: {len(body)}",
    )
    unlock = "\r\n".join((*head, "", "")).encode() + body
    with connected(hasty) as connection:
        connection.sendall(unlock + REQUEST)
        began, received = time.monotonic(), b""
        while received.count(b"HTTP/1.1 200 ") < 2:
            chunk = connection.recv(65_536)
            assert chunk, received
            received += chunk
    assert time.monotonic() - began > 2.5
    assert b"preference-applied: wait=20" in received


class Connection:
    """A connection as the one who looks after it sees it."""

    def __init__(self, awaited: Awaited | None) -> None:
        self.now = awaited
        self.awaited: Any = None
        self.awaited_since = 0
        self.let_go_of = 0

    def awaits(self) -> Awaited | None:
        return self.now

    def let_go(self, awaited: Awaited) -> None:
        assert awaited is not None
        self.let_go_of += 1


def test_what_changes_between_two_looks_is_not_let_go_of(monkeypatch: pytest.MonkeyPatch):
    """Only what is found the same for its whole time counts; and it is not looked more often than needed."""
    now = [0]
    monkeypatch.setattr(connections, "stopwatch", lambda: now[0])
    patience = Patience(request_seconds=10, keep_alive_seconds=20)
    half, idle, ours, busy = (
        Connection(Awaited(is_unfinished=True, exchange="a")),
        Connection(Awaited(is_unfinished=False, exchange="b")),
        Connection(None),
        Connection(Awaited(is_unfinished=False, exchange=0)),
    )
    everyone = (half, idle, ours, busy)
    ended: dict[str, int] = {}
    for second in range(1, 26):
        now[0] = second * 1_000_000
        busy.now = Awaited(is_unfinished=second % 2 == 0, exchange=second // 2)
        patience.look(each for each in everyone if not each.let_go_of)
        for name, each in (("half", half), ("idle", idle), ("ours", ours), ("busy", busy)):
            if each.let_go_of:
                ended.setdefault(name, second)
    assert ended.keys() == {"half", "idle"}
    assert 10 <= ended["half"] <= 14
    assert 20 <= ended["idle"] <= 24


def test_the_settings_are_described(tmp_path: Path):
    """A server whose patience is no time at all does not start."""
    server = LiveServer(tmp_path / "data", options=("--request-seconds", "0"))
    with pytest.raises(AssertionError, match="REQUEST_SECONDS"):
        server.start()
