"""Runs scenarios, and makes those smaller that break a promise."""

from __future__ import annotations

import tempfile
from logging import CRITICAL
from pathlib import Path
from typing import NamedTuple

import structlog

from tests.simulation.history import History
from tests.simulation.promises import Promises
from tests.simulation.scenario import Scenario, scenario, smaller
from tests.simulation.universe import Universe
from thumbturn.domain.ids import seeded_ids


class Ran(NamedTuple):
    """What came of a run."""

    scenario: Scenario
    broken: list[str]
    history: History
    #: Seconds of virtual time.
    lasted: float


def run(what: Scenario) -> Ran:
    """Run a scenario."""
    with tempfile.TemporaryDirectory() as folder, seeded_ids(what.seed), quiet():
        universe = Universe(what, Path(folder))
        lasted = universe.run()
        return Ran(what, Promises(universe.record()).broken(), universe.history, lasted)


def run_seed(seed: int) -> Ran:
    """Run the scenario of a seed."""
    return run(scenario(seed))


def smallest(ran: Ran) -> Ran:
    """The smallest run that still breaks the first promise that this one broke."""
    promise = ran.broken[0].partition(":")[0]

    def breaks(what: Scenario) -> bool:
        return any(each.startswith(promise) for each in run(what).broken)

    return run(smaller(ran.scenario, breaks))


class quiet:  # noqa: N801 - reads as a word in a ``with``
    """The server's own log is not of interest here: what it does is in the history."""

    def __enter__(self) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(CRITICAL))

    def __exit__(self, *_: object) -> None:
        structlog.reset_defaults()
