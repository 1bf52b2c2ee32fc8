"""What an attempt costs of processors and of the disk: the inputs of `tools/cost_of_scale.py`.

Measured at full load, where many attempts share a commit, and at 50 a second, where none does; on SQLite and
on PostgreSQL, one server process each. Whoever sends the load is not counted.
"""

import http.client
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

from bench import database
from bench.load import load
from bench.openloop import unlock_at_pace
from bench.options import Options
from bench.postgres import Postgres, postgres
from bench.rows import BenchError, Row
from bench.servers import Server, directory, fresh, ours
from bench.throughput import in_turn

COMMITS = "thumbturn_writer_commit_seconds_count"
WARM_UP_SECONDS = 1
#: Of waiting for the disk on PostgreSQL, from its own books.
_SYNCS = "select coalesce(sum(fsyncs), 0) from pg_stat_io where object = 'wal'"
_BYTES = "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"

#: What is counted, its unit, and by how much a count is multiplied for that unit.
KINDS = {
    "loop": ("µs", 1e6),
    "threads": ("µs", 1e6),
    "database": ("µs", 1e6),
    "commits": ("1", 1.0),
    "syncs": ("1", 1.0),
    "written": ("B", 1.0),
    "kept": ("B", 1.0),
}
WORDS = {
    "loop": "processor, event loop",
    "threads": "processor, other threads of the server",
    "database": "processor, PostgreSQL",
    "commits": "commits",
    "syncs": "waits for the disk (fsync)",
    "written": "bytes written to the disk",
    "kept": "bytes that the database has grown by",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """Sums since the processes began."""

    attempts: int
    sums: dict[str, float]


def costs(options: Options) -> Iterator[Row]:
    """Of each kind of database and load, each kind of cost per whole attempt."""
    rows: dict[str, Row] = {}
    if "ours" not in options.sides:
        return
    with postgres() as database_server:
        for number in range(options.rounds):
            for kind in in_turn(["sqlite", "postgres"], number):
                with ExitStack() as stack:
                    server = _server(stack, kind, database_server, options)
                    books = database_server if kind == "postgres" else None
                    load(server, "unlock", server.device_ids, WARM_UP_SECONDS)
                    for pace in ("full", "low"):
                        _measure(rows, kind, pace, server, books, options)
    for kind in ("sqlite", "postgres"):
        syncs, commits = (rows[f"cost_{kind}_low_{each}"].value("ours") for each in ("syncs", "commits"))
        if syncs is None or commits is None or not 0.9 < syncs / commits < 1.3:
            rows[f"cost_{kind}_low_syncs"].invalid.append(f"{syncs} waits for the disk in {commits} commits")
    yield from rows.values()


def _server(stack: ExitStack, kind: str, database_server: Postgres, options: Options) -> Server:
    if kind == "sqlite":
        return stack.enter_context(fresh("ours", options))
    url = stack.enter_context(database_server.database())
    server = stack.enter_context(ours(options, stack.enter_context(directory(options)), database_url=url))
    server.add_devices(options.devices)
    return server


def _measure(
    rows: dict[str, Row], kind: str, pace: str, server: Server, books: Postgres | None, options: Options
) -> None:
    assert server.records is not None
    database.wait_until_settled(server.records)
    if books is not None:
        books.checkpoint()
    before = _count(server, books)
    with ExitStack() as stack:
        # To look on costs time itself: only where there is plenty.
        traced = stack.enter_context(_Syncs(server.process.pid)) if pace == "low" and not books else None
        if pace == "full":
            load(server, "unlock", server.device_ids, options.seconds)
        else:
            unlock_at_pace(server, options.pace, options.pace_seconds // 2, until_final=False)
        database.wait_until_settled(server.records)
    after = _count(server, books)
    attempts = after.attempts - before.attempts
    for cost, (unit, times) in KINDS.items():
        spent = after.sums[cost] - before.sums[cost]
        if books is None and cost == "syncs":
            # At full load the strace would make what it looks at: there a commit is one, as at low load.
            spent = traced.seen if traced is not None else after.sums["commits"] - before.sums["commits"]
        name = f"cost_{kind}_{pace}_{cost}"
        at = "at full load" if pace == "full" else f"at {options.pace}/s"
        row = rows.setdefault(name, Row(name, f"{kind}, {at}: {WORDS[cost]}", unit))
        row.add("ours", spent * times / attempts)


def _count(server: Server, books: Postgres | None) -> Counted:
    assert server.records is not None
    process = psutil.Process(server.process.pid)
    threads = {each.id: each.user_time + each.system_time for each in process.threads()}
    loop = threads.pop(process.pid)
    sums = {"loop": loop, "threads": sum(threads.values()), "database": 0.0, "commits": _commits(server)}
    with database.asking(server.records) as ask:
        if books is None:
            sums |= {"syncs": 0.0, "written": float(process.io_counters().write_bytes)}
            sums["kept"] = float(
                ask("select page_count * page_size from pragma_page_count, pragma_page_size")[0][0]
            )
        else:
            family = psutil.Process(books.pid).children()
            # Whoever asks here is among them, and gone the next time.
            sums["database"] = sum(_spent(each) for each in family)
            sums |= {"syncs": float(ask(_SYNCS)[0][0]), "written": float(ask(_BYTES)[0][0])}
            sums["kept"] = float(ask("select pg_database_size(current_database())")[0][0])
        attempts = int(ask(f"select count(*) from {database.ATTEMPTS}")[0][0])
    return Counted(attempts, sums)


def _spent(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _commits(server: Server) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    for line in text.splitlines():
        if line.startswith(COMMITS):
            return float(line.split()[-1])
    raise BenchError(f"/metrics says nothing of {COMMITS}")


class _Syncs:
    """Counts how often a process waits for the disk while the block is entered, by strace."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.seen = 0.0

    def __enter__(self) -> Self:
        if shutil.which("strace") is None:
            raise BenchError("strace is missing: apt-get install strace")
        self._folder = tempfile.TemporaryDirectory()
        self._told = Path(self._folder.name) / "told"
        command = ["strace", "--follow-forks", "--trace=fsync,fdatasync", f"--output={self._told}"]
        self._strace = subprocess.Popen([*command, f"--attach={self._pid}"], stderr=subprocess.PIPE)
        assert self._strace.stderr is not None
        self._strace.stderr.readline()  # it is attached
        return self

    def __exit__(self, *_: object) -> None:
        self._strace.terminate()
        self._strace.communicate()
        lines = self._told.read_text().splitlines()
        self.seen = float(sum("sync(" in line for line in lines))
        self._folder.cleanup()
