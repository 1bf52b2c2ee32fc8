"""The same work on job libraries, each in an environment of its own, in turn with ours.

What the work is stands in `bench/peers/__init__.py`, and with each script how that library does it.
"""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.options import ROOT, Options
from bench.postgres import Postgres, postgres
from bench.rows import BenchError, Bound, Row
from bench.throughput import in_turn

PEERS = ROOT / "bench" / "peers"
LIBRARIES = ("procrastinate", "celery", "dbos")
#: Ours, and where it keeps what it does.
OURS = ("ours", "ours_sqlite")
DEVICES, CALLERS = 200, 64
#: A round shall take some seconds, whoever runs it.
JOBS = dict.fromkeys(LIBRARIES, 2_000) | dict.fromkeys(OURS, 10_000)
#: Each is measured at what it is fastest with: for Celery more threads only wait for one another.
CELERY_CALLERS, CELERY_POOL = 16, ("threads", "8")
GIVE_UP_SECONDS = 300


def peers(options: Options) -> Iterator[Row]:
    """Jobs a second at the libraries' own doors, beside attempts a second at ours."""
    row = Row("peers", "jobs accepted, run and on record, without HTTP", "1/s", Bound(4, "best"))
    pythons = {library: _environment(library) for library in LIBRARIES}
    _ensure_redis()
    with postgres() as server:
        for number in range(options.rounds):
            best = 0.0
            for side in in_turn([*OURS, *LIBRARIES], number):
                rate = _measure(row, side, pythons.get(side, Path(sys.executable)), server, options)
                if side in LIBRARIES:
                    best = max(best, rate)
            row.add("best", best)
    for side in (*OURS, *LIBRARIES):
        row.notes.append(f"{side}: {row.value(side):,.0f}/s")
    yield row


def _measure(row: Row, side: str, python: Path, server: Postgres, options: Options) -> float:
    """One round of one side; jobs a second."""
    with _store(side, server, options) as place:
        command = [str(python), *_script(side), place, str(JOBS[side]), str(DEVICES)]
        command += [str(CELERY_CALLERS), *CELERY_POOL] if side == "celery" else [str(CALLERS)]
        try:
            run = subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=GIVE_UP_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise BenchError(f"{side} took longer than {GIVE_UP_SECONDS} s") from None
    found = [line for line in run.stdout.splitlines() if line.startswith("RESULT ")]
    if not found:
        raise BenchError(f"{side} gave no result: {(run.stderr or run.stdout)[-1_000:].strip()}")
    result = json.loads(found[0].removeprefix("RESULT "))
    if result["done"] != JOBS[side]:
        row.invalid.append(f"{side}: of {JOBS[side]} jobs {result['done']} are on record")
    rate = result["done"] / result["seconds"]
    row.add(side, rate)
    return float(rate)


def _script(side: str) -> list[str]:
    return ["-m", "bench.peers.ours_at_the_door"] if side in OURS else [str(PEERS / f"on_{side}.py")]


@contextmanager
def _store(side: str, server: Postgres, options: Options) -> Iterator[str]:
    """Where this side keeps its jobs: the same disk and the same durability for all."""
    if side == "celery":
        with _redis() as place:
            yield place
    elif side == "ours_sqlite":
        with tempfile.TemporaryDirectory(dir=options.work) as folder:
            yield f"sqlite:///{folder}/thumbturn.db"
    else:
        with server.database() as url:
            server.checkpoint()
            yield url


@contextmanager
def _redis() -> Iterator[str]:
    """The socket of a Redis that brings each write to the disk before it answers."""
    # The path of a unix socket must be short.
    with tempfile.TemporaryDirectory(prefix="tt-redis-") as folder:
        place = Path(folder) / "socket"
        flags = ["--port", "0", "--unixsocket", str(place), "--dir", folder, "--save", ""]
        flags += ["--appendonly", "yes", "--appendfsync", "always"]
        process = subprocess.Popen(["redis-server", *flags], stdout=subprocess.DEVNULL)
        try:
            _wait(place.exists, "Redis")
            yield str(place)
        finally:
            process.terminate()
            process.wait()


def _wait(ready: Callable[[], bool], what: str) -> None:
    began = time.perf_counter()
    while not ready():
        if time.perf_counter() - began > 10:
            raise BenchError(f"{what} did not start")
        time.sleep(0.02)


def _environment(library: str) -> Path:
    """The Python of the library's own environment, which is made if it is not what is wanted now."""
    wanted = PEERS / "requirements" / f"{library}.txt"
    place = ROOT / "build" / "peers" / library
    python, mark = place / "bin" / "python", place / wanted.name
    if not mark.exists() or mark.read_text() != wanted.read_text():
        shutil.rmtree(place, ignore_errors=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        try:
            subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
            subprocess.run([*install, "--require-hashes", "--requirement", str(wanted)], check=True)
        except subprocess.CalledProcessError as problem:
            raise BenchError(f"{library} could not be installed: {problem}") from None
        mark.write_text(wanted.read_text())
    return python


def _ensure_redis() -> None:
    installer = ROOT / "bench" / "install_redis.sh"
    if shutil.which("redis-server") is None and subprocess.run([installer], check=False).returncode != 0:
        raise BenchError("redis-server is missing and could not be installed")
