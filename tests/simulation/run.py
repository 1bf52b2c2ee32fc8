"""Runs scenarios, and makes those smaller that break a promise."""

from __future__ import annotations

import tempfile
from contextlib import closing
from logging import CRITICAL
from pathlib import Path
from typing import Literal, NamedTuple

import structlog

from tests.simulation.history import History
from tests.simulation.kept import InModel, InSqlite
from tests.simulation.promises import Promises
from tests.simulation.scenario import Scenario, scenario, scenario_of_several, smaller
from tests.simulation.several import Several
from tests.simulation.universe import Universe
from thumbturn.domain.ids import seeded_ids

#: A disk that is none, where the system has one; a run writes little, and often.
IN_MEMORY = next((each for each in ("/dev/shm",) if Path(each).is_dir()), None)

On = Literal["model", "sqlite", "several"]


class Ran(NamedTuple):
    """What came of a run."""

    scenario: Scenario
    broken: list[str]
    history: History
    #: Seconds of virtual time.
    lasted: float
    on: On = "model"


def run(what: Scenario, on: On = "model") -> Ran:
    """Run a scenario: on the model of the store, a real SQLite in memory, or as several processes."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder, seeded_ids(what.seed), quiet():
        kept = InSqlite(Path(folder)) if on == "sqlite" else InModel()
        with closing(kept):
            universe = (Several if on == "several" else Universe)(what, Path(folder), kept)
            lasted = universe.run()
            return Ran(what, Promises(universe.record()).broken(), universe.history, lasted, on)


def run_seed(seed: int, on: On = "model") -> Ran:
    """Run the scenario of a seed."""
    return run((scenario_of_several if on == "several" else scenario)(seed), on)


def smallest(ran: Ran) -> Ran:
    """The smallest run that still breaks the first promise that this one broke."""
    promise = ran.broken[0].partition(":")[0]

    def breaks(what: Scenario) -> bool:
        return any(each.startswith(promise) for each in run(what, ran.on).broken)

    return run(smaller(ran.scenario, breaks), ran.on)


class quiet:  # noqa: N801 - reads as a word in a ``with``
    """The server's own log is not of interest here: what it does is in the history."""

    def __enter__(self) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(CRITICAL))

    def __exit__(self, *_: object) -> None:
        structlog.reset_defaults()
