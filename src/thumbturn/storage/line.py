"""A connection to the database that is made when it is needed, and cut when nothing comes through it.

A server that stands still (its machine is out of breath, somebody stopped it) keeps its connections and
answers nothing: who asks would wait until it goes on, for hours perhaps. The operating system sees nothing
wrong with that, so it is looked at here: whoever asks inside of a line's block is answered within
``SILENT_FOR`` seconds, or his connection is shut down under him, which is to him as if the server had gone.

What the server was told before that may still be done by it when it goes on. So the next connection of
this line ends the one before, and waits until it is gone, before anything is asked through it: who then
looks at what is on record sees all that will ever have come of it.
"""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from thumbturn.domain.clock import seconds

#: Seconds without an answer after which a connection is cut. A commit may wait for a slow disk, and is not to
#: be taken for lost then.
SILENT_FOR = 10.0
#: How often it is looked, seconds. Looks are counted, and not the time: whoever was stopped himself, and goes
#: on after a minute, has an answer waiting for him.
_LOOK_EVERY = 0.5
#: µs after which a failure has taken so long that all who wait behind it are told of it, too: none of them
#: shall have to wait for one of his own.
LONG = seconds(1)
#: Ends a session that the server still has, and waits for its end, for so many ms. Its number may be somebody
#: else's by now, but hardly that of anybody who has been there for as long.
_END = text(
    "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
    " where pid = :pid and backend_start < clock_timestamp() - make_interval(secs => :seconds)"
)


class Line:
    """One thread's connection of an engine. To be entered while the server is asked something through it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._is_watched = engine.dialect.name == "postgresql"
        self._lock = threading.Lock()
        #: Its descriptor, and which socket that is.
        self._socket: tuple[int, int] | None = None
        #: What the server calls it; 0 for what is not ours to end.
        self._session = 0
        #: How often it was looked since the server was asked; ``None`` while it is not.
        self._looks: int | None = None
        self._was_cut = False
        #: Sessions that were cut off, and may still be at work.
        self._left: list[int] = []

    def connection(self) -> Connection:
        """The connection; a new one if there is none. Raises as the driver does."""
        if self._connection is None:
            self._connection = self._engine.connect()
            if self._is_watched:
                self._begin(self._connection)
        return self._connection

    def let_go(self) -> None:
        """Close it. The next is another one."""
        connection, self._connection = self._connection, None
        with self._lock:
            self._socket = None
            if self._was_cut and self._session:
                self._left.append(self._session)
            self._was_cut = False
        if connection is not None:
            connection.close()

    def __enter__(self) -> None:
        """From now on until the end of the block the server is expected to answer."""
        if self._is_watched:
            with self._lock:
                self._looks = 0

    def __exit__(self, *_: object) -> None:
        if self._is_watched:
            with self._lock:
                self._looks = None

    def look(self) -> None:
        """Cut the connection if its server was asked too long ago. For the watching thread."""
        with self._lock:
            if self._looks is None or self._socket is None:
                return
            self._looks += 1
            if self._looks * _LOOK_EVERY < SILENT_FOR:
                return
            number, inode = self._socket
            self._socket = None
            with suppress(OSError):
                # The driver may have let go of it meanwhile, and the number be another's.
                if os.fstat(number).st_ino == inode:
                    self._was_cut = True
                    with socket.socket(fileno=os.dup(number)) as line:
                        line.shutdown(socket.SHUT_RDWR)

    def _begin(self, connection: Connection) -> None:
        driver: Any = connection.connection.driver_connection
        number = driver.fileno()
        with self._lock:
            self._socket = number, os.fstat(number).st_ino
            # A pooler's sessions are not ours to end.
            self._session = 0 if driver.prepare_threshold is None else driver.info.backend_pid
        _WATCH.over(self)
        while self._left:
            with self:
                _end(connection, self._left[-1])
            self._left.pop()


def _end(connection: Connection, session: int) -> None:
    """Return when the server has not got this session any more. Raises ``OperationalError``."""
    ended = connection.execute(_END, {"pid": session, "seconds": SILENT_FOR / 4}).scalar()
    if connection.in_transaction():
        connection.commit()
    if ended is False:
        raise OperationalError("the session before has not ended", None, TimeoutError())


class _Watch:
    """A thread that looks at all lines now and then, from the first on."""

    def __init__(self) -> None:
        self._lines: WeakSet[Line] = WeakSet()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def over(self, line: Line) -> None:
        with self._lock:
            self._lines.add(line)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="thumbturn-watch", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        pause = threading.Event()
        while True:
            pause.wait(_LOOK_EVERY)
            with self._lock:
                lines = list(self._lines)
            for line in lines:
                line.look()


_WATCH = _Watch()
