"""What ``tools/coverage_of_contract.py`` says is so, and says why."""

from __future__ import annotations

import json

from tests.lint.source import ROOT
from thumbturn.api.table import endpoints
from tools.coverage_of_contract import REASONS, contract_paths, reason_of, report

PATHS = contract_paths()
OPEN = [path for path in PATHS if path not in endpoints()]


def test_every_open_path_has_its_reason():
    """Whatever of the contract is not served, it is written why."""
    assert [path for path in OPEN if reason_of(path) is None] == []


def test_no_reason_is_left_behind():
    """A reason under which nothing is open any more is taken out."""
    assert REASONS.keys() == {reason_of(path) for path in OPEN}


def test_the_report_lists_what_is_not_served_and_nothing_else():
    """A path stands in the report if, and only if, the server has no endpoint there."""
    lines = report(PATHS, endpoints())
    assert sorted(line.strip() for line in lines if line.startswith("  ")) == OPEN
    served = len(PATHS) - len(OPEN)
    assert lines[-1] == f"{served} of the 201 paths of the contract are served, {len(OPEN)} are open."


def test_a_path_that_is_served_no_longer_is_listed():
    """The report follows the table: take an endpoint away, and its path is among what is open."""
    lines = report(["/instant_keys/get", "/locks/get"], {"/locks/get"})
    assert lines == [
        f"{REASONS['/instant_keys/']}:",
        "  /instant_keys/get",
        "",
        "1 of the 2 paths of the contract are served, 1 are open.",
    ]


def test_the_facts_are_of_paths_that_the_contract_has():
    """What endpoints are held against is the same contract, and there is a fact for each that is served."""
    facts = json.loads((ROOT / "tests" / "data" / "contract_facts.json").read_text())["endpoints"]
    assert facts.keys() - set(PATHS) == set()
    assert {path for path in PATHS if path in endpoints()} - facts.keys() == set()
