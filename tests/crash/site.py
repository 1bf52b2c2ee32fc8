"""What a crash round happens to: processes of the server, their database, their disk and their clock."""

from __future__ import annotations

import base64
import os
import subprocess
from contextlib import suppress
from pathlib import Path

from tests.crash.own_postgres import OwnPostgres
from tests.crash.wall_clock import WallClock
from tests.fixtures.server import LiveServer
from thumbturn.storage.databases import parse_url

#: Enough for a world of ten rounds, and filled up in no time.
DISK_MEGABYTES = 48
#: The same for PostgreSQL, which has a log beside its tables.
POSTGRES_DISK_MEGABYTES = 256
BALLAST = "ballast"
#: For how many seconds a process acts for its cells after it was last heard of.
LEASE = 2


class CannotMount(Exception):
    """This machine lets nobody here have a file system of his own."""


class SmallDisk:
    """A file system in memory that can be full. Raises ``CannotMount``."""

    def __init__(self, folder: Path, megabytes: int = DISK_MEGABYTES) -> None:
        folder.mkdir()
        options = ("-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "thumbturn-test")
        command = ["mount", *options, str(folder)]
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
        if mounted.returncode:
            folder.rmdir()
            raise CannotMount(mounted.stderr.strip())
        self.folder = folder

    def fill(self) -> None:
        """Leave nothing free, whoever lets go of something meanwhile."""
        with suppress(OSError), (self.folder / BALLAST).open("ab", buffering=0) as file:
            while file.write(bytes(1 << 16)):
                pass

    def clear(self) -> None:
        """As much is free again as the server has left."""
        (self.folder / BALLAST).unlink(missing_ok=True)

    def unmount(self) -> None:
        """Let go of it, and of all that is on it."""
        subprocess.run(["umount", str(self.folder)], check=True)


class Site:
    """Some processes of the server on one database."""

    def __init__(
        self,
        folder: Path,
        *,
        processes: int = 1,
        postgres: OwnPostgres | None = None,
        disk: SmallDisk | None = None,
    ) -> None:
        """``disk`` is where the database is: the data folder, or that of ``postgres``."""
        self.folder = folder
        self.postgres = postgres
        self.disk = disk
        self.clock = WallClock(folder)
        #: Nothing of a process that is killed is counted as covered, so nobody pays for counting.
        variables = {"COVERAGE_PROCESS_START": "", "COVERAGE_PROCESS_CONFIG": "", **self.clock.variables}
        home = folder if disk is None or postgres is not None else disk.folder
        #: With what secrets are sealed, if nobody made that up himself.
        self.key: str | None = None
        self.worlds = home
        if processes > 1:
            self.key, self.worlds = base64.b64encode(os.urandom(32)).decode(), folder / "world"
            variables |= {
                "THUMBTURN_ENCRYPTION_KEY": self.key,
                "THUMBTURN_VIRTUAL_WORLD": str(self.worlds),
                "THUMBTURN_LEASE_SECONDS": str(LEASE),
            }
        self.servers = [
            LiveServer(
                home / f"data{number}",
                database_url=None if postgres is None else postgres.url,
                variables=variables,
            )
            for number in range(processes)
        ]

    @property
    def first(self) -> LiveServer:
        """The process that made the first workspace."""
        return self.servers[0]

    @property
    def url(self) -> str:
        """Where the database is, as SQLAlchemy has it."""
        file = self.first.data / "thumbturn.db"
        given = f"sqlite:///{file}" if self.postgres is None else self.postgres.url
        return parse_url(given).render_as_string(hide_password=False)

    def journals(self) -> list[Path]:
        """What the virtual devices wrote down that they did."""
        return sorted(self.worlds.rglob("virtual-world*.jsonl"))

    def start(self) -> None:
        """Start what does not run."""
        for server in self.servers:
            if not is_running(server):
                server.start()

    def stop(self) -> None:
        """End everything."""
        for server in self.servers:
            server.close()
        if self.postgres is not None:
            self.postgres.stop()
        if self.disk is not None:
            self.disk.unmount()


def is_running(server: LiveServer) -> bool:
    """True while its process is there."""
    return server._process is not None and server._process.poll() is None
