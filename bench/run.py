"""`make bench`: run the cases, print the table, write the JSON.

    python -m bench.run [--only CASE]… [--quick] [--json PATH] [--sides ours,peer,bare]

Ends with 0 when every bound was kept, 1 when one was missed, 2 when a number is invalid. A quick run misses
no bound: it is too short to tell.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from bench import machine, report
from bench.asked_twice import asked_twice
from bench.codes import codes
from bench.complete import complete, processes
from bench.costs import costs
from bench.labs import lab_cases
from bench.libraries import peers
from bench.load import ensure_wrk
from bench.nouns import lists, thermostats
from bench.options import ROOT, SIDES, Options, quick
from bench.past import past
from bench.purge import purge
from bench.rows import BenchError, Row
from bench.standing import standing
from bench.steady import low_load, memory, time_to_ready
from bench.stream import stream
from bench.takeover import takeover
from bench.throughput import finished_attempts, fresh_servers, held_attempts
from bench.told import told
from bench.waiting import waiting

CASES: dict[str, Callable[[Options], Iterator[Row]]] = {
    "fresh": fresh_servers,
    "held": held_attempts,
    "million": finished_attempts,
    "low_load": low_load,
    "memory": memory,
    "ready": time_to_ready,
    "told": told,
    "asked_twice": asked_twice,
    "waiting": waiting,
    "stream": stream,
    "codes": codes,
    "lists": lists,
    "thermostats": thermostats,
    "complete": complete,
    "processes": processes,
    "takeover": takeover,
    "open": standing,
    "costs": costs,
    "purge": purge,
}
#: Only when asked for: one makes environments of their own for others' libraries, which takes a minute; one
#: fills two databases with ten million attempts, which takes some and forty gigabytes; the others bring up
#: real hubs.
ON_REQUEST: dict[str, Callable[[Options], Iterator[Row]]] = {"peers": peers, "past": past, **lab_cases()}


def main() -> int:
    """Run what the command line asks for; the exit code."""
    asked = _command_line()
    options = _options(asked)
    try:
        ensure_wrk()
    except BenchError as error:
        print(error, file=sys.stderr)
        return 2
    measured_on = machine.facts(options.work)
    rows: list[Row] = []
    for name in asked.only or CASES:
        print(f"{name} …", file=sys.stderr, flush=True)
        try:
            rows += (CASES | ON_REQUEST)[name](options)
        except BenchError as error:
            rows.append(Row(name, f"case {name}", "", invalid=[str(error)]))
        # After each case, so that an interrupted run leaves what it has found.
        report.write(asked.json, report.as_json(rows, options, measured_on, asked.quick))
    report.show(rows, measured_on, asked.quick)
    verdicts = {row.verdict for row in rows}
    if "invalid" in verdicts:
        return 2
    return 1 if "fail" in verdicts and not asked.quick else 0


def _command_line() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.run", description="Measure thumbturn beside the peer."
    )
    parser.add_argument(
        "--only", action="append", choices=[*CASES, *ON_REQUEST], help="this case only; may be repeated"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a few short rounds: proves that all works, measures nothing"
    )
    parser.add_argument("--rounds", type=int, help="rounds per case")
    parser.add_argument("--past", type=int, help="finished attempts in the case `past`")
    parser.add_argument("--lab-commands", type=int, help="commands with faults to each real hub")
    parser.add_argument("--seconds", type=int, help="length of one round of load")
    parser.add_argument("--sides", default=",".join(SIDES), help="whom to measure (default: %(default)s)")
    parser.add_argument(
        "--json", type=Path, default=ROOT / "bench" / "results" / "latest.json", help="where the JSON goes"
    )
    parser.add_argument(
        "--work", type=Path, default=ROOT / "build" / "bench", help="where data directories are made"
    )
    parser.add_argument(
        "--thumbturn",
        default=str(Path(sys.executable).with_name("thumbturn")),
        help="the command of our server",
    )
    return parser.parse_args()


def _options(asked: argparse.Namespace) -> Options:
    """The plan of the run."""
    sides = tuple(side for side in SIDES if side in asked.sides.split(","))
    if asked.quick:
        options = quick(asked.thumbturn, asked.work, sides)
    else:
        options = Options(command=asked.thumbturn, work=asked.work, sides=sides)
    numbers = ("rounds", "seconds", "past", "lab_commands")
    chosen = {name: value for name in numbers if (value := getattr(asked, name)) is not None}
    return replace(options, **chosen)


if __name__ == "__main__":
    sys.exit(main())
