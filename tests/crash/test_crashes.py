"""Real processes, killed at random moments with other trouble around them, and every promise checked."""

from __future__ import annotations

import asyncio
import tempfile
from itertools import cycle, islice
from math import ceil
from pathlib import Path

import pytest

from tests.crash.own_postgres import OwnPostgres
from tests.crash.rounds import PromiseBroken, Rounds
from tests.crash.site import POSTGRES_DISK_MEGABYTES, CannotMount, Site, SmallDisk
from tests.crash.troubles import (
    CLOCK_BACK,
    CLOCK_FORWARD,
    DATABASE_PAUSED,
    DATABASE_PAUSED_FOR_LONG,
    DATABASE_RESTARTED,
    DISK_FULL,
    NO_DESCRIPTORS,
    PAUSED,
    PAUSED_FOR_LONG,
)
from tests.simulation.mutants import MUTANTS, copy_with

#: After so many a server begins anew, with nothing on record: the promises are checked over all that is.
ROUNDS_OF_A_WORLD = 10
PROCESSES = 3
#: Milliseconds: so that some are under way whenever the server dies.
SLOW_MOTORS = (400,)
MOST_ROUNDS_WITH_A_BUG = 8


def pytest_generate_tests(metafunc):
    """A world is a test of its own: what breaks in one does not keep the others from being lived through."""
    if "world" in metafunc.fixturenames:
        rounds = metafunc.config.getoption("--crash-rounds")
        metafunc.parametrize("world", range(ceil(rounds / 2 / ROUNDS_OF_A_WORLD)))


def test_every_promise_holds_on_sqlite(receiver, world, tmp_path):
    """Killed while it is paused, while its disk is full, its clock wrong, its descriptors used up."""
    left_out: set[str] = set()
    try:
        disk = SmallDisk(tmp_path / "disk")
    except CannotMount as problem:
        disk = None
        left_out.add(f"{DISK_FULL.name}: {problem}")
    troubles = [None, PAUSED, *([DISK_FULL] if disk else []), NO_DESCRIPTORS]
    _play(Site(tmp_path, disk=disk), receiver, f"sqlite-{world}", troubles, left_out)
    _say(left_out)


def test_every_promise_holds_on_postgresql(receiver, world, tmp_path):
    """Three processes, of which one is killed or paused, with a database that goes away, stands still, or has
    no room left.
    """
    left_out: set[str] = set()
    troubles = [None, DATABASE_RESTARTED, PAUSED_FOR_LONG, NO_DESCRIPTORS, DATABASE_PAUSED, PAUSED]
    if world:
        # The first world is that of `make test`, which has no time for that.
        troubles.append(DATABASE_PAUSED_FOR_LONG)
    # Nobody but root may look into the folders of pytest, and PostgreSQL is somebody else.
    with tempfile.TemporaryDirectory(prefix="tt-disk-") as home:
        try:
            disk = SmallDisk(Path(home) / "disk", POSTGRES_DISK_MEGABYTES)
        except CannotMount as problem:
            disk, postgres = None, OwnPostgres()
            left_out.add(f"{DISK_FULL.name}: {problem}")
        else:
            Path(home).chmod(0o755)
            postgres = OwnPostgres(disk.folder)
            troubles.insert(1, DISK_FULL)
        site = Site(tmp_path, processes=PROCESSES, postgres=postgres, disk=disk)
        _play(site, receiver, f"postgresql-{world}", troubles, left_out)
    _say(left_out)


def test_a_bug_that_is_made_on_purpose_is_found(receiver, tmp_path):
    """A server that sends an unlock again after a crash does not get through the rounds."""
    [bug] = [mutant for mutant in MUTANTS if mutant.name == "an unlock is sent again after a crash"]
    site = Site(tmp_path)
    site.first.variables["PYTHONPATH"] = str(copy_with(bug, tmp_path / "src"))
    try:
        site.start()
        rounds = Rounds(site, receiver, "bug", workspaces=2, travels=SLOW_MOTORS)
        with pytest.raises(PromiseBroken, match="no_blind_repeat"):
            asyncio.run(_played(rounds, [None], MOST_ROUNDS_WITH_A_BUG))
    finally:
        site.stop()


def _play(site, receiver, seed, troubles, left_out):
    if site.clock.because is None:
        troubles = [*troubles, CLOCK_BACK, CLOCK_FORWARD]
    else:
        left_out.add(f"a clock that is set: {site.clock.because}")
    try:
        site.start()
        asyncio.run(_played(Rounds(site, receiver, seed, workspaces=2), troubles, ROUNDS_OF_A_WORLD))
    finally:
        site.stop()


async def _played(rounds, troubles, count):
    await rounds.prepare()
    for number, trouble in enumerate(islice(cycle(troubles), count)):
        print(f"{rounds.seed}, round {number}: {await rounds.play(number, trouble)}", flush=True)
    rounds.check_signatures()
    rounds.check_that_it_proves_something(count)


def _say(left_out):
    """What this machine has not got is said, although all else held."""
    if left_out:
        pytest.skip(f"all else held; left out was {'; '.join(sorted(left_out))}")
