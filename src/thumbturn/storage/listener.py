"""Hears what other processes say through PostgreSQL: ``LISTEN``, on a thread and a connection of its own.

The connection must be the database's own and not a pooler's that gives it to somebody else after each
transaction. When it is lost it is made anew; what was said meanwhile is not heard, and nobody relies on it.
"""

from __future__ import annotations

import asyncio
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress

import psycopg
import structlog
from sqlalchemy import URL

log = structlog.get_logger(__name__)

#: Seconds until a connection that was lost is tried again.
_AGAIN_AFTER = 0.5
#: Seconds that a connection may take.
_PATIENCE = 5


class Listener:
    """Calls ``told`` on the event loop with the text of each notification of a channel."""

    def __init__(self, url: URL, channel: str, told: Callable[[str], None]) -> None:
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._is_closed = threading.Event()
        # A byte in here ends the waiting for the next notification.
        self._ending, self._end = os.pipe()
        self._thread = threading.Thread(target=self._run, name="thumbturn-listener", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Listen no more."""
        self._is_closed.set()
        os.write(self._end, b".")
        await asyncio.to_thread(self._thread.join)
        os.close(self._ending)
        os.close(self._end)

    def _run(self) -> None:
        is_told = False
        while not self._is_closed.is_set():
            try:
                self._listen()
                is_told = False
            except psycopg.Error as reason:
                # Once: everybody else says already that the database is away.
                if not is_told:
                    log.warning("notices_are_not_heard", because=" ".join(str(reason).split()))
                is_told = True
                self._is_closed.wait(_AGAIN_AFTER)

    def _listen(self) -> None:
        with psycopg.connect(self._url, autocommit=True, connect_timeout=_PATIENCE) as connection:
            connection.execute(f"listen {self._channel}".encode())
            while not self._is_closed.is_set():
                ready, _, _ = select.select((connection.fileno(), self._ending), (), ())
                if self._ending in ready:
                    return
                for notification in connection.notifies(timeout=0):
                    # A loop that is closed has nobody left who could hear of it.
                    with suppress(RuntimeError):
                        self._loop.call_soon_threadsafe(self._told, notification.payload)
