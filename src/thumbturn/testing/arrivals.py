"""Attempts that one process accepts for the engine of another, in the memory of a test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from thumbturn.domain.attempt import Attempt


class MemoryArrivals:
    """What waits for each cell's engine; nothing where nobody accepts for another."""

    def __init__(self) -> None:
        self._waiting: defaultdict[int, list[Attempt]] = defaultdict(list)

    def put(self, cell: int, attempt: Attempt) -> None:
        """The engine of this cell has not taken it yet."""
        self._waiting[cell].append(attempt)

    def cells(self) -> list[int]:
        """Those for which something waits."""
        return [cell for cell, waiting in self._waiting.items() if waiting]

    def of(self, cell: int) -> list[str]:
        """The ids of what waits for a cell, in order of acceptance."""
        waiting = sorted(self._waiting[cell], key=lambda each: (each.accepted_at, each.id))
        return [attempt.id for attempt in waiting]

    def drop(self, ids: Collection[str]) -> None:
        """These wait no more."""
        for cell, waiting in self._waiting.items():
            self._waiting[cell] = [attempt for attempt in waiting if attempt.id not in ids]
