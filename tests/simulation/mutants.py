"""Bugs that are made on purpose, to see that the simulation finds them.

``python -m tests.simulation.mutants`` hunts for all of them.
Each is a piece of the server's source and what stands there instead. It is put into a copy, and seeds are run
against that until a promise is broken.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

if TYPE_CHECKING:
    from tests.simulation.run import On

SOURCE = Path(__file__).parents[2] / "src"
#: A bug that this many seeds do not find is not found.
SEEDS = 2_000


class Mutant(NamedTuple):
    """A bug."""

    name: str
    module: str
    right: str
    wrong: str
    #: Which runs find it (``run.On``).
    on: str = "model"


MUTANTS = (
    Mutant(
        "a device is commanded before its attempt is on record",
        "engine/acceptance.py",
        "        answer.add_done_callback(partial(self._stored, runs, accepted))\n",
        "        answer.add_done_callback(partial(self._stored, runs, accepted))\n"
        "        for run in runs:\n            self._dispatch.durable(run)\n",
    ),
    Mutant(
        "an unlock is sent again after a crash",
        "actions/unlock_door.py",
        "    after_crash=AfterCrash.ASK_DEVICE,\n    when_offline=WhenOffline.FAIL,\n    recover=find_out,\n",
        "    after_crash=AfterCrash.RESEND,\n    when_offline=WhenOffline.FAIL,\n",
    ),
    Mutant(
        "the deadline is not looked at before a command is sent",
        "engine/dispatch.py",
        "        if run.time_left() <= 0:\n",
        "        if False:\n",
    ),
    Mutant(
        "a command whose time ran out says that it was never sent",
        "domain/attempt.py",
        "    if attempt.phase is Phase.QUEUED:\n        return Failed(ActionAttemptExpired.type",
        "    if True:\n        return Failed(ActionAttemptExpired.type",
    ),
    Mutant(
        "two commands at a time are sent to a device",
        "engine/lanes.py",
        "        if lane.running is not None or lane.lent is not None or not lane.waiting:\n",
        "        if lane.lent is not None or not lane.waiting:\n",
    ),
    Mutant(
        "a key that is taken begins a second attempt",
        "engine/acceptance.py",
        "        is_taken = error is None and answer.result() is False\n",
        "        is_taken = False\n",
    ),
    Mutant(
        "success is told although the radio alone had the command",
        "actions/door.py",
        '    return Outcome({"was_confirmed_by_device": evidence.confirms}, evidence)\n',
        '    return Outcome({"was_confirmed_by_device": True}, evidence)\n',
    ),
    Mutant(
        "what was refused and written all the same is carried out",
        "engine/acceptance.py",
        "                if not is_sure and (void := run.void()) is not None:\n",
        "                if False and not is_sure and (void := run.void()) is not None:\n",
    ),
    Mutant(
        "the events of an end that could not be written are dropped",
        "engine/ledger.py",
        "            return await self._store.apply(storable(self._as_now(change)))\n",
        "            return await self._store.apply(storable(self._as_now(replace(change, events=()))))\n",
    ),
    Mutant(
        "an owner whose lease is over goes on commanding devices",
        "engine/tenure.py",
        "        return not self._is_over and self._uptime() < self._until\n",
        "        return True\n",
        on="several",
    ),
    # Hard to find: several things have to happen at once.
    Mutant(
        "an event whose commit was not answered is written again",
        "engine/ledger.py",
        "        if change.events and not change.transitions:\n",
        "        if False:\n",
    ),
    Mutant(
        "what was reported before the command counts as its outcome",
        "engine/run.py",
        "        if not (self.is_at_work or self.may_have_acted):\n            return False",
        "        if False:\n            return False",
    ),
    Mutant(
        "a failure after a restart says that nothing was done before it",
        "engine/dispatch.py",
        "        return run.may_have_acted and not failure.may_have_acted and not is_so\n",
        "        return False\n",
    ),
)


def caught_by(mutant: Mutant, seeds: int = SEEDS) -> tuple[int, str] | None:
    """The first seed that finds the bug, and the promise that it breaks; ``None`` if none does."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copy_with(mutant, Path(folder) / "src")
        root = str(Path(__file__).parents[2])
        run = subprocess.run(
            [sys.executable, "-m", "tests.simulation.mutants", "--hunt", str(seeds), mutant.on],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(copy), root])},
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    seed, _, promise = run.stdout.strip().partition(" ")
    return (int(seed), promise) if seed else None


def copy_with(mutant: Mutant, copy: Path) -> Path:
    """A copy of the server's source that has the bug."""
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    module = copy / "thumbturn" / mutant.module
    right = module.read_text()
    assert right.count(mutant.right) == 1, f"{mutant.module} has changed: {mutant.name} fits no more"
    module.write_text(right.replace(mutant.right, mutant.wrong))
    return copy


def hunt(seeds: int, on: On) -> None:
    """Print the first seed that breaks a promise, and which."""
    from tests.simulation.run import run_seed

    for seed in range(seeds):
        try:
            broken = run_seed(seed, on).broken
        except Exception as problem:  # noqa: BLE001 - a run that cannot even end is found, too
            broken = [f"ended by {problem!r}"]
        if broken:
            print(seed, broken[0][:200])
            return


def main() -> int:
    """Hunt for every bug; 1 if one was not found."""
    if sys.argv[1:2] == ["--hunt"]:
        hunt(int(sys.argv[2]), cast("On", sys.argv[3]))
        return 0
    missed = 0
    for mutant in MUTANTS:
        found = caught_by(mutant)
        missed += found is None
        print(
            f"{mutant.name}: {'NOT FOUND' if found is None else f'seed {found[0]}, {found[1]}'}", flush=True
        )
    return missed


if __name__ == "__main__":
    sys.exit(main())
