"""What goes wrong around a server that runs, and how it is put right again."""

from __future__ import annotations

import resource
import signal
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.crash.site import LEASE, Site
from tests.fixtures.server import LiveServer
from thumbturn.storage.line import SILENT_FOR

HOUR = 3_600


class Trouble(NamedTuple):
    """Something that goes wrong."""

    name: str
    begin: Callable[[Site, LiveServer, Random], None]
    #: What puts it right. The process may be dead by then.
    end: Callable[[Site, LiveServer], None]
    #: For how long, in seconds.
    lasts: tuple[float, float]


def _pause(site: Site, server: LiveServer, chance: Random) -> None:
    server.process.send_signal(signal.SIGSTOP)


def _wake(site: Site, server: LiveServer) -> None:
    server.process.send_signal(signal.SIGCONT)


def _fill_the_disk(site: Site, server: LiveServer, chance: Random) -> None:
    assert site.disk is not None
    site.disk.fill()


def _clear_the_disk(site: Site, server: LiveServer) -> None:
    assert site.disk is not None
    site.disk.clear()
    if site.postgres is not None:
        site.postgres.start_if_it_ended()


def _restart_the_database(site: Site, server: LiveServer, chance: Random) -> None:
    assert site.postgres is not None
    site.postgres.restart(chance.choice(("fast", "immediate")))


def _pause_the_database(site: Site, server: LiveServer, chance: Random) -> None:
    assert site.postgres is not None
    site.postgres.pause()


def _wake_the_database(site: Site, server: LiveServer) -> None:
    assert site.postgres is not None
    site.postgres.resume()


def _nothing(site: Site, server: LiveServer) -> None:
    """It is right by itself."""


def _set_forward(site: Site, server: LiveServer, chance: Random) -> None:
    site.clock.set_by(HOUR)


def _set_back(site: Site, server: LiveServer, chance: Random) -> None:
    site.clock.set_by(-HOUR)


def _set_right(site: Site, server: LiveServer) -> None:
    site.clock.set_by(HOUR)


def _take_descriptors(site: Site, server: LiveServer, chance: Random) -> None:
    pid = server.process.pid
    used = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + chance.randrange(-3, 3), most))


def _give_descriptors(site: Site, server: LiveServer) -> None:
    if server.process.poll() is None:
        _, most = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (most, most))


PAUSED = Trouble("paused", _pause, _wake, (0.3, 2.5))
#: Longer than a lease lasts: meanwhile another has become the owner of what it owned.
PAUSED_FOR_LONG = Trouble("paused for long", _pause, _wake, (LEASE + 1, LEASE + 4))
DISK_FULL = Trouble("disk full", _fill_the_disk, _clear_the_disk, (0.5, 2))
DATABASE_RESTARTED = Trouble("database restarted", _restart_the_database, _nothing, (0, 0.5))
DATABASE_PAUSED = Trouble("database paused", _pause_the_database, _wake_the_database, (0.5, 3))
#: Longer than anybody waits for an answer of it.
DATABASE_PAUSED_FOR_LONG = Trouble(
    "database paused for long", _pause_the_database, _wake_the_database, (SILENT_FOR + 1, SILENT_FOR + 3)
)
# What was put off to an hour that is not reached now is due when the clock is right.
CLOCK_BACK = Trouble("clock set back", _set_back, _set_right, (1.5, 2.5))
CLOCK_FORWARD = Trouble("clock set forward", _set_forward, _nothing, (1.5, 2.5))
NO_DESCRIPTORS = Trouble("no file descriptors", _take_descriptors, _give_descriptors, (0.5, 2))
