"""The cells that one of many processes owns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

from thumbturn.domain.clock import SECOND, Clock
from thumbturn.engine.cell_engines import Engines, Listeners, Told
from thumbturn.engine.cells import CELLS, Cell, CellListener, cell_of
from thumbturn.engine.claims import Claims, Owning
from thumbturn.engine.engine import Engine
from thumbturn.engine.lease_ports import Kind, LeaseStore, Process
from thumbturn.engine.meters import AttemptMeters, RecordMeters
from thumbturn.engine.supervised import supervised
from thumbturn.engine.tenure import Tenure

#: µs between two looks for what other processes accepted: so long it waits if nobody says so.
LOOK_FOR_ARRIVALS = SECOND


class OwnedCells:
    """Implements ``Cells`` for one of many processes on a PostgreSQL database."""

    count = CELLS

    def __init__(
        self,
        *,
        process: Process,
        leases: LeaseStore,
        make: Callable[[Tenure], Cell],
        arrived: Callable[[], Awaitable[Collection[int]]],
        upkeep: Owning,
        meters: AttemptMeters,
        records: RecordMeters,
        clock: Clock,
        uptime: Callable[[], int],
    ) -> None:
        """``make`` makes what a cell needs, not started yet; ``arrived`` says for which cells something was
        accepted elsewhere. ``upkeep`` is what one process does for all.
        """
        self.process_id = process.id
        self.meters, self.records = meters, records
        self.is_running = False
        self._arrived = arrived
        self._clock = clock
        self._listeners = Listeners()
        self._engines = Engines(make, self._listeners)
        self._looking: asyncio.Task[None] | None = None
        owning: dict[Kind, Owning] = {}
        if "engine" in process.roles:
            owning |= {"engine": self._engines, "upkeep": upkeep}
        if "webhooks" in process.roles:
            owning["webhooks"] = Told("webhooks", self._listeners)
        self._claims = Claims(
            store=leases,
            process=process,
            kinds={"engine": CELLS, "webhooks": CELLS, "upkeep": 1},
            owning=owning,
            clock=clock,
            uptime=uptime,
        )

    async def start(self, predecessor: str | None = None) -> None:
        """Take what is free; returns when the engines of that have begun. As ``Claims.start``."""
        await self._claims.start(predecessor)
        self.is_running = True
        self._looking = asyncio.get_running_loop().create_task(self._look_now_and_then())

    async def stop(self) -> None:
        """Give everything back, in peace, and leave."""
        self.is_running = False
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._claims.stop()

    @property
    def is_heard(self) -> bool:
        return self._claims.is_heard

    @property
    def processes(self) -> int:
        return self._claims.neighbours.others + 1

    @property
    def is_alone(self) -> bool:
        return self._claims.neighbours.others == 0

    def cell_of(self, workspace_id: str) -> int:
        return cell_of(workspace_id, CELLS)

    def of(self, workspace_id: str) -> Cell | None:
        return self._engines.of(cell_of(workspace_id, CELLS))

    def engine_of(self, workspace_id: str) -> Engine | None:
        cell = self.of(workspace_id)
        return None if cell is None else cell.engine

    def here(self) -> Collection[Cell]:
        return [cell for _, cell in sorted(self._engines.begun.items())]

    def mine(self, kind: Kind) -> frozenset[int]:
        return self._claims.mine(kind)

    def tenure(self, kind: Kind, cell: int) -> Tenure | None:
        return self._claims.tenure(kind, cell)

    def is_alive(self, process_id: str) -> bool:
        return self._claims.neighbours.is_alive(process_id)

    def owner_of(self, kind: Kind, cell: int) -> str | None:
        return self._claims.neighbours.owners(kind).get(cell)

    def on_taken(self, kind: Kind, listener: CellListener) -> None:
        self._listeners.add(kind, listener, taken=True)

    def on_lost(self, kind: Kind, listener: CellListener) -> None:
        self._listeners.add(kind, listener, taken=False)

    async def look_for_arrivals(self, cells: Collection[int]) -> None:
        await self._engines.take_arrivals(cells)

    async def _look_now_and_then(self) -> None:
        while True:
            with supervised("arrivals_not_looked_for"):
                await self._engines.take_arrivals(await self._arrived())
            await self._clock.sleep(LOOK_FOR_ARRIVALS)
