"""The chain of the audit trail: each entry is sealed with a hash over itself and all before it.

The seal of an entry is the SHA-256 of the seal before it (64 hex digits) followed by the entry as
canonical JSON: keys in order, no blanks, UTF-8. So whoever changes, removes, adds or moves an entry
breaks every seal from there on; and whoever remembers the newest seal, the *head*, knows with it
everything that came before.

Pure, and known to both sides: the storage seals with it, and the command line checks with it what the
server says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic_core import to_json

#: What stands before the first entry.
NOTHING = "0" * 64


class Head(NamedTuple):
    """The newest entry of a chain: its number, counted from 1, and its seal."""

    number: int = 0
    seal: str = NOTHING


class Sealed(NamedTuple):
    """An entry with its place in the chain."""

    number: int
    seal: str
    #: ``None`` if what it tells of is gone or cannot be read.
    entry: Mapping[str, Any] | None


def in_order(value: Any) -> Any:
    """The same value with the keys of each object in order."""
    if isinstance(value, dict):
        return {key: in_order(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [in_order(each) for each in value]
    return value


def canonical(entry: Any) -> str:
    """The one way to write an entry as JSON."""
    return to_json(in_order(entry)).decode()


def seal(before: str, text: str) -> str:
    """The seal of an entry that reads so, behind this seal."""
    return hashlib.sha256(f"{before}{text}".encode()).hexdigest()


class Chain:
    """Reads a chain from its beginning and notes what is wrong with it."""

    def __init__(self) -> None:
        self.head = Head()
        #: Each a sentence.
        self.problems: list[str] = []

    def read(self, line: Sealed) -> None:
        """Take the next entry. Behind a broken one the reading goes on from the seal that it carries."""
        expected = self.head.number + 1
        if line.number != expected:
            found = "comes again or out of order" if line.number < expected else "follows"
            self.problems.append(f"Where entry {expected} should be, entry {line.number} {found}.")
        elif line.entry is None:
            self.problems.append(f"What entry {line.number} tells of is gone, or cannot be read.")
        elif seal(self.head.seal, canonical(line.entry)) != line.seal:
            self.problems.append(
                f"Entry {line.number} does not fit its seal: it was changed, or what stands before it."
            )
        self.head = Head(max(line.number, expected), line.seal)

    def end(self, head: Head) -> None:
        """Hold the end against the head that is kept apart from the entries."""
        if head != self.head:
            self.problems.append(
                f"The chain ends at entry {self.head.number}, and the workspace remembers another end: "
                f"entry {head.number}, {head.seal}."
            )
