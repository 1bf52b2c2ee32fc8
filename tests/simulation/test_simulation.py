"""Whole lives of the server, with trouble at every seam, and every promise checked after each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.__main__ import run_some
from tests.simulation.run import run, run_seed
from tests.simulation.scenario import (
    KINDS,
    KINDS_OF_SEVERAL,
    Scenario,
    Step,
    Trouble,
    scenario,
    scenario_of_several,
    smaller,
)

SEEDS = 300
SEEDS_ON_SQLITE = 20
SEEDS_OF_SEVERAL = 100
AT_ONCE = 25


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_every_promise_holds_whatever_happens(first):
    """Crashes, lost and doubled messages, lying devices, an ill database: no promise is broken."""
    done = run_some(range(first, first + AT_ONCE))
    again = [f"python -m tests.simulation --seed {seed}: {why}" for seed, why in done.broken.items()]
    assert not again, "\n".join(again)


@pytest.mark.parametrize("first", range(10_000, 10_000 + SEEDS_ON_SQLITE, 10))
def test_every_promise_holds_on_a_real_database(first):
    """The same with the real store on a real SQLite in memory, whose connections die with the server."""
    done = run_some(range(first, first + 10), on="sqlite")
    again = [
        f"python -m tests.simulation --on sqlite --seed {seed}: {why}" for seed, why in done.broken.items()
    ]
    assert not again, "\n".join(again)


def test_the_runs_have_what_they_are_to_have():
    """Among the seeds are crashes at every seam, every fault, and every end; calm runs, too."""
    planned = [scenario(seed) for seed in range(SEEDS)]
    troubles = {(each.seam, each.kind) for one in planned for each in one.troubles}
    assert troubles == {(seam, kind) for seam, kinds in KINDS.items() for kind in kinds}
    assert any(not one.troubles for one in planned)
    shared = [scenario_of_several(seed) for seed in range(SEEDS_OF_SEVERAL)]
    of_several = {(each.seam, each.kind) for one in shared for each in one.troubles}
    kinds_of_several = KINDS | KINDS_OF_SEVERAL
    assert of_several == {(seam, kind) for seam, kinds in kinds_of_several.items() for kind in kinds}
    ends, lives = set(), 0
    for seed in range(60):
        ran = run_seed(seed)
        lives += len(ran.history.of("start"))
        ends |= {each.how["failure"] and each.how["failure"][0] for each in ran.history.of("told")}
    assert lives > 2 * 60
    assert {None, "outcome_unknown", "lock_jammed", "command_refused", "device_offline"} <= ends


def test_a_run_leaves_nothing_open():
    """However often the server dies in them, a hundred thousand runs fit into one process."""
    files = Path("/proc/self/fd")
    before = len(list(files.iterdir()))
    assert sum(len(run_seed(seed).history.of("start")) for seed in range(12)) > 24
    assert len(list(files.iterdir())) == before


def test_the_same_seed_is_the_same_run_to_the_byte():
    """A failing seed can be looked at again: in another process, with other hashes, it does the same."""
    program = (
        "import sys; from tests.simulation.run import run_seed; "
        "sys.stdout.buffer.write(run_seed(3).history.log())"
    )
    logs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert logs[0] == logs[1] == run_seed(3).history.log()
    assert logs[0].count(b"\n") > 20


def test_a_run_is_made_as_small_as_it_can_be():
    """What is not needed for a scenario to break is left out of it; what is needed stays."""
    whole = Scenario(
        1,
        tuple(Step(number, "heal", {"door": number % 2}) for number in range(13)),
        (Trouble("write", 3, "crash before"), Trouble("send", 1, "crash after")),
    )

    def breaks(what):
        doors = [step.at for step in what.steps if step.how["door"] == 1]
        return {3, 9} <= set(doors) and any(trouble.seam == "send" for trouble in what.troubles)

    least = smaller(whole, breaks)
    assert [step.at for step in least.steps] == [3, 9]
    assert [trouble.seam for trouble in least.troubles] == ["send"]


def test_a_calm_run_ends_as_a_person_would_expect():
    """One door, one command, nothing wrong: it is sent once, succeeds, and is told of."""
    how = {"door": 0, "type": "UNLOCK_DOOR", "ask": {}, "name": "somebody", "key": None, "twice": False}
    how |= {"later": 0, "deadline": None, "waits": 5_000_000}
    ran = run(Scenario(1, (Step(1_000_000, "command", how),), ()))
    assert ran.broken == []
    assert [entry.what for entry in ran.history.entries][:6] == [
        "start",
        "ready",
        "sent",
        "replied",
        "answered",
        "heard",
    ]
    [told] = ran.history.of("told")
    assert told.how["result"] == {"was_confirmed_by_device": True}
