"""The events of a workspace in a store that forgets when the process ends."""

from __future__ import annotations

from thumbturn.domain.event import Event


class MemoryLog(list[Event]):
    """Events that are on record, numbered from 1 without a gap; the first of them may be forgotten."""

    #: How many were forgotten.
    forgotten = 0

    @property
    def newest(self) -> int:
        """The number of the newest there ever was; 0 if there was none."""
        return self.forgotten + len(self)

    def tell(self, event: Event) -> None:
        """Put an event at the end, with the next number."""
        self.append(event._replace(sequence=self.newest + 1))

    def behind(self, sequence: int, limit: int) -> list[Event]:
        """Up to so many behind this number, in order."""
        first = max(0, sequence - self.forgotten)
        return self[first : first + limit]

    def forget(self, how_many: int) -> None:
        """Forget so many of the first."""
        self.forgotten += how_many
        del self[:how_many]
