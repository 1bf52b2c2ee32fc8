"""What the simulation is worth: bugs that are made on purpose are found by it."""

from __future__ import annotations

import pytest

from tests.simulation.mutants import MUTANTS, caught_by

#: Those that need more seeds than this are hunted for by ``make simulate``.
SEEDS = 400
HARD = 3


@pytest.mark.parametrize("mutant", MUTANTS[:-HARD], ids=lambda mutant: mutant.name)
def test_a_bug_is_found(mutant):
    """Each bug breaks a promise within some hundred seeds."""
    assert caught_by(mutant, SEEDS) is not None
