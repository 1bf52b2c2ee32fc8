"""Cells: the shares of the workspaces that processes own, and who owns them.

Many processes may work on one PostgreSQL database. A workspace belongs to a cell for ever, and a cell to
one process at a time, whose engine alone commands its devices. So a workspace's accounts, the codes that
its locks have in common, its limits and the order of its events stay together, whoever owns them. On
SQLite there is one cell, and one process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from hashlib import md5
from typing import Protocol

from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.acs_users import AcsUsers
from thumbturn.engine.connect_webviews import ConnectWebviews
from thumbturn.engine.engine import Engine
from thumbturn.engine.lease_ports import Kind
from thumbturn.engine.meters import AttemptMeters, RecordMeters
from thumbturn.engine.tenure import Tenure

#: Called when a cell became this process's own, or is it no longer.
CellListener = Callable[[int], Awaitable[None]]

#: How many cells a PostgreSQL database has. It is part of the schema (``workspaces.cell``).
CELLS = 16


def cell_of(workspace_id: str, count: int) -> int:
    """The cell of a workspace, among so many: the same for ever, in every process and in the database."""
    return md5(workspace_id.encode(), usedforsecurity=False).digest()[0] % count


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A cell that this process owns: its engine, and whatever must know that."""

    number: int
    engine: Engine
    acs_users: AcsUsers
    acs_credentials: AcsCredentials
    connect_webviews: ConnectWebviews


class Cells(Protocol):
    """Which cells are whose, as this process knows it now."""

    #: This process among those on the same database.
    process_id: str
    #: How many cells there are.
    count: int

    #: What ended, and could not be put on record at once, in all engines that run or ran here.
    meters: AttemptMeters
    records: RecordMeters

    @property
    def is_running(self) -> bool:
        """False before it has begun and once it stops."""

    @property
    def is_heard(self) -> bool:
        """False while the others may take this process for dead, because nothing is heard of it."""

    @property
    def processes(self) -> int:
        """How many live on this database, with this one."""

    @property
    def is_alone(self) -> bool:
        """True while no other process is known to work on this database."""

    def cell_of(self, workspace_id: str) -> int:
        """The cell of a workspace."""

    def of(self, workspace_id: str) -> Cell | None:
        """The workspace's cell, if its engine runs here and may act now."""

    def engine_of(self, workspace_id: str) -> Engine | None:
        """The engine of a workspace, if it runs here and may act now."""

    def here(self) -> Collection[Cell]:
        """Every cell whose engine runs here, by number."""

    def mine(self, kind: Kind) -> frozenset[int]:
        """The cells of which this process owns this."""

    def tenure(self, kind: Kind, cell: int) -> Tenure | None:
        """The right to act for a cell and to write under; ``None`` if it is not owned here, or need not."""

    def owner_of(self, kind: Kind, cell: int) -> str | None:
        """The process that owns a cell, as far as is known, if it lives."""

    def is_alive(self, process_id: str) -> bool:
        """False for a process that has stopped, or has not been seen alive for longer than a lease lasts."""

    def on_taken(self, kind: Kind, listener: CellListener) -> None:
        """From now on call this when a cell was taken; for those that are mine already it is not called."""

    def on_lost(self, kind: Kind, listener: CellListener) -> None:
        """From now on call this when a cell is given back, before somebody else has it, or was lost."""

    async def look_for_arrivals(self, cells: Collection[int]) -> None:
        """Run what other processes accepted for these cells, if they are mine."""


class OneCell:
    """Implements ``Cells`` for a process that has its database to itself."""

    count = processes = 1
    is_alone = is_heard = True

    def __init__(self, cell: Cell, process_id: str) -> None:
        self.process_id = process_id
        self.meters, self.records = cell.engine.meters, cell.engine.records
        self._cell = cell

    @property
    def is_running(self) -> bool:
        return self._cell.engine.is_running

    def cell_of(self, workspace_id: str) -> int:
        return 0

    def of(self, workspace_id: str) -> Cell | None:
        return self._cell

    def engine_of(self, workspace_id: str) -> Engine | None:
        return self._cell.engine

    def here(self) -> Collection[Cell]:
        return (self._cell,)

    def mine(self, kind: Kind) -> frozenset[int]:
        return frozenset((0,))

    def tenure(self, kind: Kind, cell: int) -> Tenure | None:
        return None

    def owner_of(self, kind: Kind, cell: int) -> str | None:
        return self.process_id

    def is_alive(self, process_id: str) -> bool:
        return process_id == self.process_id

    def on_taken(self, kind: Kind, listener: CellListener) -> None:
        """Nothing: it is taken from the beginning."""

    def on_lost(self, kind: Kind, listener: CellListener) -> None:
        """Nothing: it is never lost."""

    async def look_for_arrivals(self, cells: Collection[int]) -> None:
        """Nothing: nobody else accepts anything."""


def alone(cells: Cells) -> Cell:
    """The one cell of a process that has its database to itself."""
    [cell] = cells.here()
    return cell
