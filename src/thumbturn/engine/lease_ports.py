"""What is on record of the processes that share a database, and of what each of them owns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

#: What a process does. ``api`` answers callers, ``engine`` commands devices, ``webhooks`` delivers.
Role = Literal["api", "engine", "webhooks"]
ROLES: frozenset[Role] = frozenset({"api", "engine", "webhooks"})
#: What can be owned: a cell's devices, the deliveries of its webhooks; and the cleaning up, one for all.
Kind = Literal["engine", "webhooks", "upkeep"]
#: The role that a process must have to own this.
ROLE_FOR: Mapping[Kind, Role] = {"engine": "engine", "webhooks": "webhooks", "upkeep": "engine"}


class Process(NamedTuple):
    """A process as it was last heard of."""

    id: str
    roles: frozenset[Role]
    #: µs for which it acts after it last said that it is alive.
    lease: int
    #: Higher each time that it says so.
    beat: int = 0


class Fence(NamedTuple):
    """A right to act that may have come to an end: a write under it is made only while it has not."""

    kind: Kind
    cell: int
    #: Whoever owned the cell earlier had a lower one.
    epoch: int


class Lease(NamedTuple):
    """Who owns something now."""

    kind: Kind
    cell: int
    #: The process; ``None`` if it was given back.
    owner: str | None
    epoch: int


class Roll(NamedTuple):
    """All that is on record, of one moment."""

    processes: tuple[Process, ...]
    leases: tuple[Lease, ...]


class LeaseStore(Protocol):
    """Where leases are kept. Raises ``StorageUnavailable``; what was asked for may then have been done."""

    async def enlist(
        self, process: Process, kinds: Mapping[Kind, int], now: int, predecessor: str | None
    ) -> None:
        """Remember a process that begins, and that there are so many cells of each kind.

        ``predecessor`` is one that has ended for certain: what it owned is nobody's.
        """

    async def beat(self, process: Process, now: int) -> Roll:
        """Say that the process is alive, and hear of the others."""

    async def take(self, owner: str, wanted: Sequence[Lease], most: int) -> list[Lease]:
        """Make up to so many of these the owner's, each with a new epoch, if they are still as given here;
        those that it got. One under which somebody is writing now is left alone.
        """

    async def give_back(self, fence: Fence) -> None:
        """It is nobody's from now on, if it was still owned in this epoch."""

    async def retire(self, process_ids: Collection[str]) -> None:
        """Forget processes; what they own is nobody's."""

    async def close(self) -> None:
        """Let go of the database."""
