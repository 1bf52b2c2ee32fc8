"""Webhooks, made ready and working for as long as the server runs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from thumbturn.domain.clock import Clock
from thumbturn.domain.event import Event
from thumbturn.engine.feed import Feed
from thumbturn.engine.meters import WebhookMeters
from thumbturn.engine.ports import Store
from thumbturn.engine.webhook_ports import Seal
from thumbturn.engine.webhooks import Webhooks
from thumbturn.webhooks.by_cell import DeliveriesOfCells
from thumbturn.webhooks.client import Client
from thumbturn.webhooks.deliver import Deliveries
from thumbturn.webhooks.means import Means
from thumbturn.webhooks.pace import Pace
from thumbturn.webhooks.record import Record
from thumbturn.webhooks.schedule import Schedule
from thumbturn.webhooks.shares import Shares
from thumbturn.webhooks.targets import Targets

#: Seconds that requests on their way, and then the last record of them, may take at the end.
DELIVERIES_MAY_TAKE = 0.5


class Delivery:
    """What it takes to deliver, but for the store that it is recorded in.

    ``written`` is how an event is written, as JSON. ``jitter`` is the share of a pause by which the next try
    may come earlier or later. ``traceparent`` gives the W3C trace context of an attempt.
    """

    def __init__(
        self,
        *,
        feed: Feed,
        clock: Clock,
        seal: Seal,
        targets: Targets,
        written: Callable[[Event], str],
        jitter: float,
        traceparent: Callable[[str], str | None] | None = None,
    ) -> None:
        self.clock = clock
        self.seal = seal
        self.targets = targets
        self.meters = WebhookMeters()
        #: What posts, for all webhooks.
        self.client = Client(targets, clock)
        self._feed = feed
        self._written = written
        self._schedule = Schedule(jitter)
        self._pace = Pace(clock)
        self._shares = Shares()
        self._traceparent = traceparent

    def with_store(self, store: Store) -> Means:
        """The means to deliver, and to record it there."""
        return Means(
            store=store,
            feed=self._feed,
            clock=self.clock,
            seal=self.seal,
            post=self.client.post,
            prepare=self.client.load,
            written=self._written,
            schedule=self._schedule,
            record=Record(store.webhooks, self.clock, self.meters),
            meters=self.meters,
            pace=self._pace,
            shares=self._shares,
            traceparent=self._traceparent,
        )


@asynccontextmanager
async def open_webhooks(store: Store, how: Delivery) -> AsyncIterator[Webhooks]:
    """The webhooks of all workspaces; inside the block they are told what happens."""
    deliveries = Deliveries(how.with_store(store))
    try:
        await deliveries.start()
        yield _webhooks(store, deliveries, how)
    finally:
        await deliveries.stop(DELIVERIES_MAY_TAKE)
        await how.client.close()


@asynccontextmanager
async def open_webhooks_of_cells(
    store: Store, how: Delivery, cell_of: Callable[[str], int]
) -> AsyncIterator[tuple[Webhooks, DeliveriesOfCells]]:
    """The webhooks of all workspaces; those of the cells that are begun with are told what happens."""
    deliveries = DeliveriesOfCells(how.with_store, cell_of, how.meters)
    try:
        yield _webhooks(store, deliveries, how), deliveries
    finally:
        await deliveries.end_all(DELIVERIES_MAY_TAKE)
        await how.client.close()


def _webhooks(store: Store, deliverer: Deliveries | DeliveriesOfCells, how: Delivery) -> Webhooks:
    return Webhooks(store=store, deliverer=deliverer, seal=how.seal, targets=how.targets, clock=how.clock)
