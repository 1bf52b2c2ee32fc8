"""Runs scenarios, and makes those smaller that break a promise."""

from __future__ import annotations

import tempfile
from contextlib import closing
from logging import CRITICAL
from pathlib import Path
from typing import NamedTuple

import structlog

from tests.simulation.history import History
from tests.simulation.kept import InModel, InSqlite
from tests.simulation.promises import Promises
from tests.simulation.scenario import Scenario, scenario, smaller
from tests.simulation.universe import Universe
from thumbturn.domain.ids import seeded_ids

#: A disk that is none, where the system has one; a run writes little, and often.
IN_MEMORY = next((each for each in ("/dev/shm",) if Path(each).is_dir()), None)


class Ran(NamedTuple):
    """What came of a run."""

    scenario: Scenario
    broken: list[str]
    history: History
    #: Seconds of virtual time.
    lasted: float
    on_sqlite: bool = False


def run(what: Scenario, *, on_sqlite: bool = False) -> Ran:
    """Run a scenario, on the model of the store or on a real SQLite in memory."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder, seeded_ids(what.seed), quiet():
        kept = InSqlite(Path(folder)) if on_sqlite else InModel()
        with closing(kept):
            universe = Universe(what, Path(folder), kept)
            lasted = universe.run()
            return Ran(what, Promises(universe.record()).broken(), universe.history, lasted, on_sqlite)


def run_seed(seed: int, *, on_sqlite: bool = False) -> Ran:
    """Run the scenario of a seed."""
    return run(scenario(seed), on_sqlite=on_sqlite)


def smallest(ran: Ran) -> Ran:
    """The smallest run that still breaks the first promise that this one broke."""
    promise = ran.broken[0].partition(":")[0]

    def breaks(what: Scenario) -> bool:
        return any(each.startswith(promise) for each in run(what, on_sqlite=ran.on_sqlite).broken)

    return run(smaller(ran.scenario, breaks), on_sqlite=ran.on_sqlite)


class quiet:  # noqa: N801 - reads as a word in a ``with``
    """The server's own log is not of interest here: what it does is in the history."""

    def __enter__(self) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(CRITICAL))

    def __exit__(self, *_: object) -> None:
        structlog.reset_defaults()
