"""Wakes many readers together, so that what follows closely goes out to each of them at once.

A command tells four stages of its attempt and two events within some milliseconds. Were every reader
woken for each, a hundred readers would take six times the work; so a *pulse* waits a moment after the
first thing. The more readers there are the longer it waits: that is what keeps them from taking the
server's time away from the commands.
"""

from __future__ import annotations

import asyncio

from thumbturn.domain.clock import MILLISECOND, Clock

#: A pulse waits so long at least, and so much longer for each reader, up to the most.
LEAST, EACH, MOST = 5 * MILLISECOND, MILLISECOND // 4, 50 * MILLISECOND


class Pulse:
    """Sets the events of its readers a moment after it was set itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._readers: set[asyncio.Event] = set()
        self._beating: asyncio.Task[None] | None = None

    def join(self, reader: asyncio.Event) -> None:
        """Set this with the others from now on."""
        self._readers.add(reader)

    def leave(self, reader: asyncio.Event) -> None:
        """Set it no more."""
        self._readers.discard(reader)

    @property
    def has_readers(self) -> bool:
        """True while there is anybody to wake."""
        return bool(self._readers)

    def set(self) -> None:
        """There is something to read."""
        if self._beating is None:
            self._beating = asyncio.get_running_loop().create_task(self._beat())

    def stop(self) -> None:
        """Set nobody any more."""
        if self._beating is not None:
            self._beating.cancel()

    async def _beat(self) -> None:
        await self._clock.sleep(min(MOST, LEAST + EACH * len(self._readers)))
        self._beating = None
        for reader in self._readers:
            reader.set()
