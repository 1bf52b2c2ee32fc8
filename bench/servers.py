"""The three servers under load, each started on a free loopback port and gone when its block ends."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psutil

from bench.options import ROOT, Options
from bench.rows import BenchError

PEER = ROOT / "bench" / "peer"
PEER_SERVER = PEER / "node_modules" / "@seamapi" / "fake-seam-connect" / "dist" / "server.js"
#: From the peer's own seed data.
PEER_KEY = "seam_apikey1_token"
PEER_LOCKS = ["august_device_1", "august_device_2", "schlage_device_id"]

READY_WITHIN = 60.0
STOPPED_WITHIN = 10.0
#: A call of the sandbox endpoint adds at most so many devices.
DEVICES_A_CALL = 10_000


@dataclass(slots=True)
class Server:
    """A running server, and what one needs to know to talk to it."""

    side: str
    port: int
    process: subprocess.Popen[bytes]
    #: From the start of the process to the first 200 of `GET /health`.
    ready_seconds: float
    token: str
    device_ids: list[str]
    #: Where ours keeps its files; the others keep nothing.
    data: Path | None = None
    #: The database, where that is none of these files.
    database_url: str | None = None
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)
    _is_killed: bool = False

    @property
    def endpoint(self) -> str:
        """The base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def records(self) -> Path | str | None:
        """Where ours keeps its attempts (``database.Where``); the others do not."""
        return self.database_url or self.data

    def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON answered to a POST; raises BenchError unless the status is 200."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        self._connection.request("POST", path, json.dumps(body), headers)
        reply = self._connection.getresponse()
        text = reply.read()
        if reply.status != 200:
            raise BenchError(f"{self.side} answered {reply.status} to {path}: {text[:300]!r}")
        answer: dict[str, Any] = json.loads(text)
        return answer

    def add_devices(self, count: int, kind: str = "lock") -> None:
        """Give our sandbox so many more virtual devices that take no time, and talk to these from now on."""
        added: list[str] = []
        while len(added) < count:
            some = min(DEVICES_A_CALL, count - len(added))
            ask = {"count": some, "kind": kind, "travel_milliseconds": 0}
            added += self.call("/thumbturn/sandbox/add_devices", ask)["device_ids"]
        self.device_ids = added

    def unlock_some(self, count: int) -> list[str]:
        """Unlock so many times, one after another; the ids of the attempts."""
        ids = []
        for number in range(count):
            device_id = self.device_ids[number % len(self.device_ids)]
            answer = self.call("/locks/unlock_door", {"device_id": device_id})
            ids.append(answer["action_attempt"]["action_attempt_id"])
        return ids

    def hang_up(self) -> None:
        """Close the connection of ``call``; the next call makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def megabytes(self) -> float:
        """Resident memory of the process and its children, in MB of 10⁶ bytes."""
        family = [psutil.Process(self.process.pid)]
        family += family[0].children(recursive=True)
        return sum(int(member.memory_info().rss) for member in family) / 1e6

    def kill(self) -> None:
        """End it at once, as a crash does."""
        self._is_killed = True
        self.process.kill()

    def stop(self) -> None:
        """Ask it to end, and insist after a while; says so when ours did not end well."""
        self.hang_up()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        if self.side == "ours" and code != 0 and not self._is_killed:
            print(f"warning: our server ended with code {code} after SIGTERM", file=sys.stderr)


@contextmanager
def ours(
    options: Options,
    data: Path,
    device_ids: Sequence[str] = (),
    *,
    database_url: str | None = None,
    flags: Sequence[str] = (),
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Server]:
    """Our server on this data directory, which may be new, speaking to these devices.

    With a ``database_url`` it keeps its attempts there, on PostgreSQL. ``flags`` and ``variables`` of the
    environment are further ones of its own.
    """
    port = _free_port()
    command = [options.command, "serve", "--host", "127.0.0.1", "--port", str(port), "--data", str(data)]
    command += ["--world", "sandbox", *flags]
    if database_url is not None:
        command += ["--database-url", database_url]
    with _running("ours", port, command, options.work, variables) as server:
        credentials = json.loads((data / "credentials.json").read_text())
        # One of several on a database has not made its first workspace.
        server.token = credentials.get("api_key", "")
        server.data, server.device_ids, server.database_url = data, list(device_ids), database_url
        yield server


@contextmanager
def fresh(side: str, options: Options, devices: int | None = None) -> Iterator[Server]:
    """A server of this side that has never served anybody, with its devices; leaves nothing behind."""
    if side == "peer":
        with peer(options) as server:
            yield server
    elif side == "bare":
        with bare(options) as server:
            yield server
    else:
        with directory(options) as data, ours(options, data) as server:
            server.add_devices(options.devices if devices is None else devices)
            yield server


@contextmanager
def peer(options: Options) -> Iterator[Server]:
    """The peer with its own seed data."""
    if not PEER_SERVER.exists():
        subprocess.run(["npm", "ci"], cwd=PEER, check=True, stdout=subprocess.DEVNULL)
    port = _free_port()
    command = ["node", "--require", str(PEER / "loopback.cjs"), str(PEER_SERVER), "--seed"]
    with _running("peer", port, command, options.work) as server:
        server.token, server.device_ids = PEER_KEY, PEER_LOCKS
        yield server


@contextmanager
def bare(options: Options) -> Iterator[Server]:
    """The ceiling: the bare app, on uvicorn as we run it."""
    port = _free_port()
    flags = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "bench.bare_app:app", "--host", "127.0.0.1"]
    with _running("bare", port, [*command, "--port", str(port), *flags], options.work) as server:
        server.device_ids = PEER_LOCKS
        yield server


@contextmanager
def directory(options: Options) -> Iterator[Path]:
    """A new directory on the disk that the run measures; gone afterwards."""
    options.work.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="data-", dir=options.work))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def _running(
    side: str,
    port: int,
    command: list[str],
    work: Path,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Server]:
    """Start the command, wait until it is healthy, and end it with the block."""
    work.mkdir(parents=True, exist_ok=True)
    log = work / f"{side}.log"
    # The peer reads its port, and whom to ask for health, from here; the others do not care.
    environment = {**os.environ, "PORT": str(port), **variables}
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
    server = Server(side, port, process, 0.0, PEER_KEY, [])
    try:
        while not _healthy(port):
            if process.poll() is not None:
                raise BenchError(f"{side} did not start: {log.read_text()[-500:].strip()}")
            if time.perf_counter() - started > READY_WITHIN:
                raise BenchError(f"{side} was not ready within {READY_WITHIN:g} s")
            time.sleep(0.005)
        server.ready_seconds = time.perf_counter() - started
        yield server
    finally:
        server.stop()


def _healthy(port: int) -> bool:
    """True once `GET /health` answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health", headers={"authorization": f"Bearer {PEER_KEY}"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
