"""Turn measured costs into machines and money: what so many attempts a second take.

    python -m tools.cost_of_scale [--rate 1000]… [--measured FILE] [--core 20] [--workdays …]

What an attempt costs comes from a run of the benchmark (``docs/scaling-measured.json``). Whatever else is
needed is an *estimate*: it has a flag and a default here, and stands in the answer as one.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parent.parent / "docs" / "scaling-measured.json"
RATES = (10, 1_000, 100_000)
DAY = 86_400
MONTH_DAYS = 30
#: Below so many attempts a second, one process hardly ever finds two to commit together.
ALONE_BELOW = 50


@dataclass(frozen=True, slots=True)
class Costs:
    """What one attempt costs, as it was measured."""

    #: µs of a processor: of the server, of which one thing can be done at a time, and of the database.
    server: float
    database: float
    #: Waits for the disk.
    syncs: float
    #: Bytes: written, and kept.
    written: float
    kept: float


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of a process that has begun, of a device and of an open attempt, as they were measured."""

    process: float
    device: float
    open_attempt: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """What nobody measured here. Each is a flag of the command."""

    #: Of what a processor or a disk can do, so much is planned to be used.
    use: float = 0.5
    #: Processors of the largest database server that one wants to look after.
    database_cores: int = 16
    #: Bytes a second that its log can take, and waits for its disk.
    log_bytes: float = 300e6
    log_syncs: float = 5_000
    #: Bytes that one database shall hold, to be backed up and brought back within a night.
    database_bytes: float = 10e12
    #: Days for which attempts and events are kept.
    days: float = 180
    #: Commands a day to one device, and seconds for which one is open (a bolt that moves).
    commands_a_day: float = 20
    open_seconds: float = 2
    #: Money a month, for a processor, and for a GB of memory and of disk (with its copy and its backup).
    core: float = 20
    memory_gb: float = 3
    disk_gb: float = 0.2


@dataclass(frozen=True, slots=True)
class Plan:
    """What so many attempts a second take."""

    rate: float
    processes: int
    server_cores: int
    databases: int
    database_cores: int
    syncs: float
    log_bytes: float
    disk_bytes: float
    devices: float
    memory_bytes: float
    money: float
    #: By what would be full first with one of each: the rate at which it is.
    ceilings: Mapping[str, float]

    @property
    def next_bottleneck(self) -> tuple[str, float] | None:
        """What is full first when the rate grows beyond this one, with one of each, and at which rate."""
        beyond = [(at, what) for what, at in self.ceilings.items() if at > self.rate]
        return (min(beyond)[1], min(beyond)[0]) if beyond else None


def plan(rate: float, costs: Costs, memory: Memory, guess: Estimates) -> Plan:
    """The least that carries this rate, with the reserve that the estimates ask for."""
    ceilings = {
        "one server process": guess.use * 1e6 / costs.server,
        "the database's processors": guess.use * guess.database_cores * 1e6 / costs.database,
        "the database's log, bytes": guess.use * guess.log_bytes / costs.written,
        "the database's log, waits": guess.use * guess.log_syncs / costs.syncs,
        "what one database shall hold": guess.database_bytes / (costs.kept * DAY * guess.days),
    }
    processes = math.ceil(rate / ceilings["one server process"])
    databases = math.ceil(rate / min(at for what, at in ceilings.items() if what != "one server process"))
    # A cell is a database with processes of its own.
    processes = max(processes, databases)
    database_cores = max(databases, math.ceil(rate * costs.database / 1e6 / guess.use))
    disk = rate * DAY * guess.days * costs.kept
    devices = rate * DAY / guess.commands_a_day
    held = processes * memory.process + devices * memory.device
    held += rate * guess.open_seconds * memory.open_attempt
    money = (processes + database_cores) * guess.core
    money += held / 1e9 * guess.memory_gb + disk / 1e9 * guess.disk_gb
    return Plan(
        rate=rate,
        processes=processes,
        server_cores=processes,
        databases=databases,
        database_cores=database_cores,
        syncs=rate * costs.syncs,
        log_bytes=rate * costs.written,
        disk_bytes=disk,
        devices=devices,
        memory_bytes=held,
        money=money,
        ceilings=ceilings,
    )


def read_costs(run: Mapping[str, Any], rate: float) -> Costs:
    """What an attempt costs on PostgreSQL at such a rate, from a run of the benchmark.

    Below ``ALONE_BELOW`` that of an attempt that shares its commits with nobody. Raises ``KeyError`` if the
    run has not measured it.
    """
    pace = "low" if rate <= ALONE_BELOW else "full"
    found = {name: _median(run, f"cost_postgres_{pace}_{name}") for name in _COSTS}
    server = found["loop"] + found["threads"]
    return Costs(server, found["database"], found["syncs"], found["written"], found["kept"])


_COSTS = ("loop", "threads", "database", "syncs", "written", "kept")


def read_memory(run: Mapping[str, Any]) -> Memory:
    """What a process, a device and an open attempt take of memory, from the same run."""
    begun, devices, full = (
        1e6 * _median(run, name) for name in ("open_memory_start", "open_memory_devices", "open_memory")
    )
    many = run["plan"]["memory_devices"]
    return Memory(begun, (devices - begun) / many, (full - devices) / run["plan"]["standing"])


def _median(run: Mapping[str, Any], name: str) -> float:
    row = next((row for row in run["rows"] if row["name"] == name), None)
    if row is None or row["invalid"]:
        raise KeyError(name)
    return float(row["medians"]["ours"])


def told(plans: list[Plan], run: Mapping[str, Any], guess: Estimates) -> str:
    """The plans as a table for people, with where they come from."""
    lines = [
        f"Measured: {_source(run)}. Estimated: "
        + ", ".join(f"{each.name} {getattr(guess, each.name):g}" for each in fields(guess))
        + ".",
        "",
        "| attempts a second | " + " | ".join(f"{each.rate:,.0f}" for each in plans) + " |",
        "|---|" + "---:|" * len(plans),
    ]
    for what, value in {
        "server processes, a core each": lambda each: f"{each.processes:,}",
        "cells (databases)": lambda each: f"{each.databases:,}",
        "their cores together": lambda each: f"{each.database_cores:,}",
        "log, MB/s": lambda each: f"{each.log_bytes / 1e6:,.2f}",
        "waits for the disk a second": lambda each: f"{each.syncs:,.0f}",
        "devices": lambda each: f"{each.devices:,.0f}",
        "memory of the processes, GB": lambda each: f"{each.memory_bytes / 1e9:,.1f}",
        "disk, TB": lambda each: f"{each.disk_bytes / 1e12:,.2f}",
        "money a month": lambda each: f"{each.money:,.0f}",
        "next bottleneck": _bottleneck,
    }.items():
        lines.append(f"| {what} | " + " | ".join(value(each) for each in plans) + " |")
    return "\n".join(lines)


def measured_table(run: Mapping[str, Any]) -> str:
    """What was measured, as a table for people: each kind of cost for each database and load."""
    columns = [(kind, pace) for kind in ("sqlite", "postgres") for pace in ("full", "low")]
    lines = [
        "| an attempt costs | SQLite, full load | SQLite, 50/s | PostgreSQL, full load | PostgreSQL, 50/s |",
        "|---|" + "---:|" * len(columns),
    ]
    for name, what in _WORDS.items():
        cells = [_median(run, f"cost_{kind}_{pace}_{name}") for kind, pace in columns]
        shown = [f"{cell:,.0f}" if cell >= 10 else f"{cell:.2f}" for cell in cells]
        lines.append(f"| {what} | " + " | ".join(shown) + " |")
    memory = read_memory(run)
    held = (
        f"{memory.process / 1e6:,.0f} MB when it has begun, {memory.device / 1e3:,.1f} KB for each virtual "
        f"device, {memory.open_attempt / 1e3:,.1f} KB for each open attempt"
    )
    return "\n".join([f"Measured: {_source(run)}.", "", *lines, "", f"Memory of a process: {held}."])


_WORDS = {
    "loop": "processor: event loop, µs",
    "threads": "processor: the server's other threads, µs",
    "database": "processor: PostgreSQL, µs",
    "commits": "commits",
    "syncs": "waits for the disk (fsync)",
    "written": "bytes written to the disk",
    "kept": "bytes kept",
}


def _source(run: Mapping[str, Any]) -> str:
    """When it was measured, and on what."""
    machine = run["machine"]
    where = f"{machine['cores']} cores of {machine['processor']}, fsync {machine['fsync_ms']} ms"
    return f"{machine['measured_at'][:10]}, {where}"


def _bottleneck(each: Plan) -> str:
    found = each.next_bottleneck
    return "all of them: more cells" if found is None else f"{found[0]}, at {found[1]:,.0f}/s"


def from_file(shown: Callable[[Mapping[str, Any]], str]) -> str:
    """What is shown of the run that the docs are about."""
    return shown(json.loads(MEASURED.read_text()))


def usual(run: Mapping[str, Any]) -> str:
    """The plans for the usual rates, with every estimate as it comes."""
    guess = Estimates()
    plans = [plan(rate, read_costs(run, rate), read_memory(run), guess) for rate in RATES]
    return told(plans, run, guess)


def main() -> None:
    """Answer what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tools.cost_of_scale", description=__doc__.split("\n")[0])
    parser.add_argument("--rate", type=float, action="append", help="attempts a second; may be repeated")
    parser.add_argument("--measured", type=Path, default=MEASURED, help="a run of the benchmark")
    for each in fields(Estimates):
        kind = type(each.default)
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=kind, default=each.default)
    asked = parser.parse_args()
    run = json.loads(asked.measured.read_text())
    guess = Estimates(**{each.name: getattr(asked, each.name) for each in fields(Estimates)})
    rates = asked.rate or RATES
    plans = [plan(rate, read_costs(run, rate), read_memory(run), guess) for rate in rates]
    print(told(plans, run, guess))


if __name__ == "__main__":
    main()
