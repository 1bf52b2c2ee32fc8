"""Reading a device until it answers: at once when its hub was found, and later each time it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Protocol

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.hub import HubUnreachable

#: A device that does not answer is asked again after this, and then after twice as long each time, at most:
FIRST_WAIT: Final = seconds(2)
LONGEST_WAIT: Final = seconds(60)
#: As often at most a device that is heard, and does not answer, is asked because of that.
BETWEEN_WAKES: Final = seconds(1)


class Readable(Protocol):
    """A device that can be asked how it is."""

    async def read(self) -> Mapping[str, Any] | None:
        """What is so of it, as it says itself; ``None`` if it does not answer. Raises ``HubUnreachable``."""

    def found(self, changes: Mapping[str, Any]) -> None:
        """It can be reached, and this was read from it."""

    def lost(self, *, with_hub: bool) -> None:
        """It cannot be reached."""


class Reading:
    """The reading of one device."""

    def __init__(self, thing: Readable, at_once: asyncio.Semaphore, clock: Clock) -> None:
        self._thing = thing
        self._at_once = at_once
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._awake: asyncio.Future[None] | None = None
        self._next_wake = 0

    def begin(self, *, after_failure: bool = False) -> None:
        """Read it now; ``after_failure``: it was just found to be away, so a little later."""
        self.stop()
        self._task = asyncio.get_running_loop().create_task(self._read(after_failure=after_failure))

    def wake(self) -> None:
        """Something was heard of it: if it is waited for, the wait is over."""
        now = self._clock.now()
        if self._awake is not None and not self._awake.done() and now >= self._next_wake:
            self._next_wake = now + BETWEEN_WAKES
            self._awake.set_result(None)

    def stop(self) -> None:
        """Read it no more."""
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _read(self, *, after_failure: bool) -> None:
        wait = FIRST_WAIT
        if after_failure:
            await self._wait(wait)
        while not await self._once():
            self._thing.lost(with_hub=False)
            await self._wait(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    async def _once(self) -> bool:
        async with self._at_once:
            try:
                changes = await self._thing.read()
            except HubUnreachable:
                return True  # its hub is gone, and will have it read when it is back
        if changes is not None:
            self._thing.found(changes)
        return changes is not None

    async def _wait(self, microseconds: int) -> None:
        self._awake = asyncio.get_running_loop().create_future()
        await self._clock.wait(self._awake, microseconds)
        self._awake = None
