"""Very many runs (``python -m tests.simulation --seeds 100000``), or one of them again (``--seed 17``)."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple, get_args

from tests.simulation.run import On, Ran, run_seed, smallest

#: Runs that one process does before it reports.
AT_ONCE = 50


class Done(NamedTuple):
    """What came of some seeds."""

    seeds: range
    #: Seconds of virtual time.
    lasted: float
    #: The first promise that each bad seed broke.
    broken: dict[int, str]


def main() -> int:
    """Run what was asked for; 1 if a promise was broken."""
    asked = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    asked.add_argument("--seed", type=int, help="run this one, and tell all that happens in it")
    asked.add_argument("--seeds", type=int, default=1_000, help="run so many")
    asked.add_argument("--first", type=int, default=0, help="begin with this one")
    asked.add_argument(
        "--on",
        choices=get_args(On),
        default="model",
        help="the model of the store, a real SQLite, or several processes on one record",
    )
    options = asked.parse_args()
    if options.seed is not None:
        return _tell(run_seed(options.seed, options.on))
    return _run_many(range(options.first, options.first + options.seeds), options.on)


def _tell(ran: Ran) -> int:
    if ran.broken:
        print(f"seed {ran.scenario.seed} breaks: {ran.broken}\nmade smaller:", file=sys.stderr)
        ran = smallest(ran)
    for part in (*ran.scenario.steps, *ran.scenario.troubles):
        print(part)
    sys.stdout.write(ran.history.log().decode())
    for promise in ran.broken:
        print(f"BROKEN {promise}")
    return bool(ran.broken)


def _run_many(seeds: range, on: On) -> int:
    began, lasted, bad, how = time.monotonic(), 0.0, 0, "" if on == "model" else f" --on {on}"
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done in pool.map(partial(run_some, on=on), _parts(seeds)):
            lasted += done.lasted
            for seed, promise in done.broken.items():
                bad += 1
                print(f"seed {seed} breaks {promise}\n  again: python -m tests.simulation --seed {seed}{how}")
    took = time.monotonic() - began
    print(
        f"{len(seeds)} runs in {took:.0f} s: {len(seeds) / took:.0f} a second, {bad} broke a promise;"
        f" {lasted / 3_600:.0f} hours of virtual time, {lasted / took:.0f} times as fast as the real one"
    )
    return bool(bad)


def run_some(seeds: range, on: On = "model") -> Done:
    """Run these seeds, one after the other."""
    lasted, broken = 0.0, {}
    for seed in seeds:
        ran = run_seed(seed, on)
        lasted += ran.lasted
        if ran.broken:
            broken[seed] = ran.broken[0]
    return Done(seeds, lasted, broken)


def _parts(seeds: range) -> Iterator[range]:
    for start in range(0, len(seeds), AT_ONCE):
        yield seeds[start : start + AT_ONCE]


if __name__ == "__main__":
    sys.exit(main())
