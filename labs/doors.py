"""The doors of a lab: what can go wrong with them, and what they did by their own account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol


class Did(NamedTuple):
    """Something that a lock did, in its own words."""

    #: µs since 1970, as exact as a millisecond: when it was told to. A motor takes its time after that.
    at: int
    door: str
    #: Its bolt went where ``locked`` says; false if it was told to and stayed.
    moved: bool
    locked: bool


class Doors(Protocol):
    """A hub with locks, as a lab brings it up: it runs, and every lock is sound."""

    #: The driver, and what a person fills in to link the hub.
    provider: str
    settings: Mapping[str, str]
    #: By the lab's own name of each lock how it is called at its hub.
    locks: Mapping[str, str]
    #: What can go wrong with a lock, and how often in a hundred commands. The rest are sound.
    faults: Mapping[str, int]

    def fault(self, door: str, kind: str | None) -> None:
        """From now on this is wrong with a lock; ``None``: nothing is."""

    def restart(self) -> None:
        """Kill the hub and start it again. The locks go on: they stand where they stood."""

    def did(self) -> list[Did]:
        """All that the locks have done, in order."""


def read_log(path: Path) -> list[Did]:
    """What locks wrote of themselves."""
    if not path.exists():
        return []
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        Did(line.get("asked", line["at"]), line["device"], line["moved"], line["locked"])
        for line in lines
        if "moved" in line
    ]
