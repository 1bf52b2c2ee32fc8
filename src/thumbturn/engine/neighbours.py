"""Who else works on this database, who of them lives, and what everybody's share is.

Whether another process lives is told by its beat: one that has not changed for so long, by the clock of
whoever looks, is dead. How long is what that process itself said of its leases, and a little more. No two
clocks are ever compared, and no step of one of them takes a cell away.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from thumbturn.engine.lease_ports import ROLE_FOR, Kind, Lease, Process, Roll

#: By what share of its lease others wait longer before they take a process for dead. No machine's clock runs
#: so much faster than another's.
SHARE_OF_MARGIN = 10


class Plan(NamedTuple):
    """What a process should do about a kind of thing."""

    #: To be taken, as many as there are at most.
    take: tuple[Lease, ...]
    most: int
    #: Cells to be given back.
    give: tuple[int, ...]
    #: On record as this process's own, which holds them no more and has its share without them.
    drop: tuple[Lease, ...] = ()


def patience_with(process: Process) -> int:
    """After how many µs without a beat this process has stopped to act, for certain."""
    return process.lease + process.lease // SHARE_OF_MARGIN


class Neighbours:
    """The processes on this database, as one of them sees them."""

    def __init__(self, me: str) -> None:
        """``me`` is the one who looks."""
        self._me = me
        #: By process: its last beat, and when it was first seen.
        self._beats: dict[str, tuple[int, int]] = {}
        self._alive: tuple[Process, ...] = ()
        self._leases: tuple[Lease, ...] = ()

    def see(self, roll: Roll, at: int) -> None:
        """Take in what is on record at this moment, µs by a clock that only goes forward."""
        beats: dict[str, tuple[int, int]] = {}
        for process in roll.processes:
            beat, since = self._beats.get(process.id, (None, at))
            beats[process.id] = (process.beat, since if beat == process.beat else at)
        self._beats = beats
        self._alive = tuple(each for each in roll.processes if at - beats[each.id][1] < patience_with(each))
        self._leases = roll.leases

    @property
    def others(self) -> int:
        """How many other processes live."""
        return sum(each.id != self._me for each in self._alive)

    def is_alive(self, process_id: str) -> bool:
        """True for one that has been seen alive lately."""
        return any(each.id == process_id for each in self._alive)

    def dead_for(self, longer: int, at: int) -> list[str]:
        """Those on record that have not been seen alive for so many µs."""
        return [id for id, (_, since) in self._beats.items() if at - since > longer and id != self._me]

    def owners(self, kind: Kind) -> Mapping[int, str]:
        """Who owns the cells of which somebody who lives is the owner."""
        return {
            each.cell: each.owner
            for each in self._leases
            if each.kind == kind and each.owner is not None and self.is_alive(each.owner)
        }

    def share(self, kind: Kind) -> int:
        """How many of these are this process's: as many as anybody's, or one more for the older ones."""
        able = sorted(each.id for each in self._alive if ROLE_FOR[kind] in each.roles)
        if self._me not in able:
            return 0
        each, left = divmod(sum(lease.kind == kind for lease in self._leases), len(able))
        return each + (able.index(self._me) < left)

    def plan(self, kind: Kind, held: Collection[int], leaving: Collection[int]) -> Plan:
        """What to do with ``held`` cells, of which those ``leaving`` are being given back."""
        share = self.share(kind)
        staying = sorted(set(held) - set(leaving))
        free = tuple(
            each
            for each in self._leases
            if each.kind == kind and each.cell not in held and self._is_free(each)
        )
        most = max(0, share - len(staying))
        # Nobody else may take what is on record as this process's own.
        drop = () if most else tuple(each for each in free if each.owner == self._me)
        return Plan(free, most, tuple(staying[share:]), drop)

    def _is_free(self, lease: Lease) -> bool:
        # One that is still on record as mine, and that I do not hold, ran out here first.
        return lease.owner in (None, self._me) or not self.is_alive(lease.owner or "")
