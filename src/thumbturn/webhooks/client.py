"""The HTTP client of all webhooks, brought when there is a webhook to post to.

Loading it takes a fifth of a second, which no start need wait for; and it is loaded beside the loop, so
that no door does either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from thumbturn.domain.clock import Clock
from thumbturn.webhooks.targets import Targets

if TYPE_CHECKING:
    from thumbturn.webhooks.post import Posted, Poster


class Client:
    """Posts as ``Poster`` does, and is loaded when it is told to be, or by the first post. ``close`` it."""

    def __init__(self, targets: Targets, clock: Clock) -> None:
        self._targets = targets
        self._clock = clock
        self._poster: Poster | None = None
        self._loading = asyncio.Lock()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Posted:
        """Post it, and say what came of it."""
        poster = self._poster or await self.load()
        return await poster.post(url, headers, body)

    async def close(self) -> None:
        """Close every connection."""
        if self._poster is not None:
            await self._poster.close()

    async def load(self) -> Poster:
        """Return when it is ready to post at once."""
        async with self._loading:
            if self._poster is None:
                kind = await asyncio.to_thread(_load)
                self._poster = kind(self._targets, self._clock)
            return self._poster


def _load() -> type[Poster]:
    from thumbturn.webhooks.post import Poster

    return Poster
