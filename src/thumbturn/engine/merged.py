"""Looks at the same thing that are asked for while one is under way: they are made as one, after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Merged:
    """A look that is made once at a time, however often and by however many it is asked for."""

    def __init__(self, look: Callable[[], Awaitable[None]]) -> None:
        self._look = look
        self._looking = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._now: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Return when a look has ended that began after this was called; raises what that raised.

        It goes on for the others who wait for it if this is cancelled.
        """
        if self._next is None:
            self._next = asyncio.get_running_loop().create_task(self._take_turn())
        await asyncio.shield(self._next)

    async def _take_turn(self) -> None:
        async with self._looking:
            # The loop knows its tasks only weakly.
            self._now, self._next = self._next, None
            await self._look()
