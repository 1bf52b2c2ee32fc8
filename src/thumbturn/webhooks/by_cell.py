"""The deliveries of a process that owns those of some cells, and others tomorrow (docs/many-processes.md).

Each cell has its own, with a record of its own: they are begun when the cell was taken, from where they stand
on record, and ended before somebody else has it. What was on its way when an owner died is sent again by the
next: at least once, and not exactly once, as ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from thumbturn.domain.event import Event
from thumbturn.domain.refusals import OwnerMissing
from thumbturn.domain.webhook import Try, Webhook
from thumbturn.engine.meters import WebhookMeters
from thumbturn.engine.ports import Store
from thumbturn.engine.webhook_ports import Delivering
from thumbturn.webhooks.deliver import Deliveries
from thumbturn.webhooks.means import Means


class DeliveriesOfCells:
    """Implements ``engine.webhook_ports.Deliverer`` for the cells that this process owns now."""

    def __init__(
        self, means_with: Callable[[Store], Means], cell_of: Callable[[str], int], meters: WebhookMeters
    ) -> None:
        """``means_with`` makes what it takes to deliver with a store, ``cell_of`` says a workspace's cell."""
        self._means_with = means_with
        self._cell_of = cell_of
        self._meters = meters
        self._of: dict[int, Deliveries] = {}

    # cells that come and go ---------------------------------------------------------------------

    async def begin(self, cell: int, store: Store) -> None:
        """Deliver to this cell's webhooks. ``store`` writes while the cell is owned, and no longer."""
        deliveries = Deliveries(
            self._means_with(store),
            is_mine=lambda webhook: self._cell_of(webhook.workspace_id) == cell,
        )
        self._of[cell] = deliveries
        await deliveries.start()

    async def end(self, cell: int, patience: float) -> None:
        """Deliver to them no more; what is on its way has so many seconds to end, and to be recorded."""
        deliveries = self._of.pop(cell, None)
        if deliveries is not None:
            await deliveries.stop(patience)

    async def end_all(self, patience: float) -> None:
        """Deliver to nobody any more."""
        await asyncio.gather(*(self.end(cell, patience) for cell in list(self._of)))

    # webhooks -----------------------------------------------------------------------------------

    def follow(self, webhook: Webhook) -> None:
        if (deliveries := self._deliveries_of(webhook)) is not None:
            deliveries.follow(webhook)

    def delivering(self) -> Delivering:
        each = [deliveries.delivering() for deliveries in self._of.values()]
        return Delivering(sum(one.webhooks for one in each), sum(one.failing for one in each), self._meters)

    async def forget(self, webhook_id: str) -> None:
        for deliveries in list(self._of.values()):
            await deliveries.forget(webhook_id)

    def wake(self, webhook_id: str) -> None:
        for deliveries in self._of.values():
            deliveries.wake(webhook_id)

    async def written(self) -> None:
        await asyncio.gather(*(deliveries.written() for deliveries in self._of.values()))

    async def test(self, webhook: Webhook, event: Event) -> Try:
        deliveries = self._deliveries_of(webhook)
        if deliveries is None:
            raise OwnerMissing(headers={"Retry-After": "1"})
        return await deliveries.test(webhook, event)

    def _deliveries_of(self, webhook: Webhook) -> Deliveries | None:
        return self._of.get(self._cell_of(webhook.workspace_id))
