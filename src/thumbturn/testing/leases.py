"""Leases that are forgotten when the process ends: for tests of many engines, and for simulations."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence

from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.lease_ports import Fence, Kind, Lease, Process, Roll


class MemoryLeases:
    """Implements ``engine.lease_ports.LeaseStore``; all who share one see the same."""

    def __init__(self) -> None:
        #: Those who ask are refused while it is true.
        self.is_away = False
        self._processes: dict[str, Process] = {}
        self._leases: dict[tuple[Kind, int], Lease] = {}

    def stands(self, fence: Fence) -> bool:
        """True while nobody has a later epoch."""
        return self._leases[fence.kind, fence.cell].epoch == fence.epoch

    async def enlist(
        self, process: Process, kinds: Mapping[Kind, int], now: int, predecessor: str | None
    ) -> None:
        await self._answer()
        for kind, count in kinds.items():
            for cell in range(count):
                self._leases.setdefault((kind, cell), Lease(kind, cell, None, 0))
        if predecessor is not None:
            self._forget([predecessor])
        self._say(process)

    async def beat(self, process: Process, now: int) -> Roll:
        await self._answer()
        self._say(process)
        return Roll(tuple(self._processes.values()), tuple(self._leases.values()))

    async def take(self, owner: str, wanted: Sequence[Lease], most: int) -> list[Lease]:
        await self._answer()
        free = [each for each in wanted if self._leases[each.kind, each.cell].epoch == each.epoch]
        taken = [Lease(each.kind, each.cell, owner, each.epoch + 1) for each in free[:most]]
        self._leases.update({(each.kind, each.cell): each for each in taken})
        return taken

    async def give_back(self, fence: Fence) -> None:
        await self._answer()
        if self.stands(fence):
            self._leases[fence.kind, fence.cell] = Lease(*fence[:2], None, fence.epoch)

    async def retire(self, process_ids: Collection[str]) -> None:
        await self._answer()
        self._forget(process_ids)

    async def close(self) -> None:
        """Nothing: others may use it."""

    async def _answer(self) -> None:
        await asyncio.sleep(0)
        if self.is_away:
            raise StorageUnavailable(headers={"Retry-After": "1"})

    def _say(self, process: Process) -> None:
        beat = self._processes[process.id].beat + 1 if process.id in self._processes else 1
        self._processes[process.id] = process._replace(beat=beat)

    def _forget(self, process_ids: Collection[str]) -> None:
        for key, lease in self._leases.items():
            if lease.owner in process_ids:
                self._leases[key] = lease._replace(owner=None)
        for id in process_ids:
            self._processes.pop(id, None)
