"""Attempts that one process accepts for the engine of another, in the memory of a test."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

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

    def take(self, cell: int, is_gone: Callable[[str], bool]) -> list[str]:
        """The ids of what waits for a cell, in order; what is gone waits no more."""
        waiting = [attempt for attempt in self._waiting.pop(cell, []) if not is_gone(attempt.id)]
        if waiting:
            self._waiting[cell] = waiting
        return [attempt.id for attempt in sorted(waiting, key=lambda each: (each.accepted_at, each.id))]
