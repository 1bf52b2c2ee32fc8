"""What happened in a run, in order: what was asked and answered, written, sent, heard and told."""

from __future__ import annotations

import json
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """One thing that happened."""

    #: µs of the server's clock, and of time that nobody sets.
    at: int
    true_at: int
    #: Which life of the server it was in, from 1.
    life: int
    what: str
    how: dict[str, Any]


class History:
    """All of it. The same seed gives the same bytes."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def of(self, *what: str) -> list[Entry]:
        """The entries of these kinds."""
        return [entry for entry in self.entries if entry.what in what]

    def log(self) -> bytes:
        """As lines of JSON."""
        return b"".join(
            json.dumps([*entry[:4], entry.how], sort_keys=True, default=str).encode() + b"\n"
            for entry in self.entries
        )
