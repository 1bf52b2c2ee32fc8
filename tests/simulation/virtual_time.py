"""Time that passes only when nobody has anything to do: an event loop and a clock that skip all waiting.

A day of a server's life takes as long as the work that is done in it. The loop knows no files and no threads,
so that what happens in it, and in which order, follows from the program alone.
"""

from __future__ import annotations

import asyncio
from typing import Any

from thumbturn.domain.clock import SECOND
from thumbturn.testing.clock import NEW_YEAR_2025


class Stuck(Exception):
    """Everything waits for something that nothing will bring."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop whose time jumps to whatever comes next."""

    def __init__(self, began: float = 0.0) -> None:
        super().__init__()
        self._now = began
        # ``BaseEventLoop`` asks its selector to wait: this one lets the time pass instead.
        self._selector = self
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Seconds of virtual time."""
        return self._now

    def catch_up(self, now: float) -> None:
        """It stood still until now, and the time went on."""
        self._now = max(self._now, now)

    def select(self, timeout: float | None) -> list[Any]:
        """Stands where a selector waits for files, or for so long."""
        if timeout is None:
            raise Stuck
        self._now += timeout
        return []

    def _process_events(self, _events: list[Any]) -> None:
        """There are no files."""

    def _write_to_self(self) -> None:
        """Nobody waits in another thread."""


class VirtualClock:
    """Implements ``domain.clock.Clock`` on the running loop's time. Somebody may set it."""

    def __init__(self) -> None:
        #: By how much it was set, µs.
        self.set_by = 0

    def now(self) -> int:
        """The wall time in µs since 1970 UTC."""
        return NEW_YEAR_2025 + self.set_by + round(asyncio.get_running_loop().time() * SECOND)

    async def sleep(self, microseconds: int) -> None:
        """Return after this long, however the clock is set meanwhile."""
        await asyncio.sleep(max(0, microseconds) / SECOND)

    async def wait(self, future: asyncio.Future[Any], microseconds: int) -> bool:
        """True as soon as the future is done, False when this long has passed first."""
        if not future.done() and microseconds > 0:
            await asyncio.wait((future,), timeout=microseconds / SECOND)
        return future.done()
