"""What a store answers whose process shares it with nobody."""

from __future__ import annotations

from thumbturn.domain.attempt import Attempt


class Alone:
    """The part of ``engine.ports.Store`` that other processes are about."""

    async def arrived(self) -> list[int]:
        """None: nobody else accepts anything."""
        return []

    async def take_arrivals(self, cell: int) -> list[Attempt]:
        """None, likewise."""
        return []
