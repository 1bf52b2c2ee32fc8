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

from thumbturn.storage.databases import CONNECTED

log = structlog.get_logger(__name__)

#: Seconds until a connection that was lost is tried again.
_AGAIN_AFTER = 0.5


class Listener:
    """Calls ``told`` on the event loop with the text of each notification of a channel.

    Those that begin with ``own`` are this process's own, of which the loop hears nothing.
    """

    def __init__(self, url: URL, channel: str, own: str, told: Callable[[str], None]) -> None:
        self._url = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._own = own
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
            except Exception as reason:
                # Once: everybody else says already that the database is away.
                if not is_told:
                    is_bug = not isinstance(reason, psycopg.Error)
                    log.warning(
                        "notices_are_not_heard", because=" ".join(str(reason).split()), exc_info=is_bug
                    )
                is_told = True
                self._is_closed.wait(_AGAIN_AFTER)

    def _listen(self) -> None:
        with psycopg.connect(self._url, autocommit=True, **CONNECTED) as connection:
            connection.execute(f"listen {self._channel}".encode())
            waited_for = select.poll()  # unlike ``select.select`` for descriptors of any number
            waited_for.register(connection.fileno(), select.POLLIN)
            waited_for.register(self._ending, select.POLLIN)
            while not self._is_closed.is_set():
                if any(ready == self._ending for ready, _ in waited_for.poll()):
                    return
                for notification in connection.notifies(timeout=0):
                    if notification.payload.startswith(self._own):
                        continue
                    # A loop that is closed has nobody left who could hear of it.
                    with suppress(RuntimeError):
                        self._loop.call_soon_threadsafe(self._told, notification.payload)
