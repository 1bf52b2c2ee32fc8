"""The newest of a numbered series, in memory, for any number of readers.

Nobody has a queue: a reader keeps nothing but the number that he read last, and takes what is behind
it whenever he likes. So a slow reader costs nothing and holds nobody up; what he was too slow for is
gone from the ring, and he is told so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")

#: How many are kept, at least.
SIZE = 1_000


class Wakes(Protocol):
    """What a reader waits for: an ``asyncio.Event``, or whatever sets one in the end."""

    def set(self) -> None:
        """There is something to read."""


class Ring(Generic[T]):
    """Holds the newest of a series, numbered without a gap."""

    def __init__(self, last: int = 0, size: int = SIZE) -> None:
        #: The number of the newest.
        self.last = last
        self._size = size
        self._held: list[T] = []
        #: Several may share what wakes them: it is set once, and counted.
        self._readers: Counter[Wakes] = Counter()

    @property
    def first(self) -> int:
        """The number of the oldest that is still held; one above ``last`` if none is."""
        return self.last - len(self._held) + 1

    @property
    def readers(self) -> int:
        """How many read."""
        return self._readers.total()

    def wake(self, reader: Wakes) -> None:
        """Set this from now on whenever something was added."""
        self._readers[reader] += 1

    def let_go(self, reader: Wakes) -> bool:
        """Set it no more, for one of those who asked for it; true if nobody reads then."""
        self._readers[reader] -= 1
        if not self._readers[reader]:
            del self._readers[reader]
        return not self._readers

    def add(self, new: Iterable[T]) -> None:
        """Add the next ones and wake all readers."""
        before = len(self._held)
        self._held += new
        self.last += len(self._held) - before
        # Not each time: what is taken from the head of a list moves all the rest.
        if len(self._held) > 2 * self._size:
            del self._held[: -self._size]
        self.rouse()

    def rouse(self) -> None:
        """Wake all readers."""
        for reader in self._readers:
            reader.set()

    def behind(self, number: int, limit: int) -> list[T] | None:
        """Up to so many behind this number, in order; ``None`` if the next one is not held any more."""
        if number >= self.last:
            return []
        place = number + 1 - self.first
        return None if place < 0 else self._held[place : place + limit]
