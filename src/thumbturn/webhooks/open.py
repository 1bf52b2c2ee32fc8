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
from thumbturn.webhooks.client import Client
from thumbturn.webhooks.deliver import Deliveries
from thumbturn.webhooks.means import Means
from thumbturn.webhooks.pace import Pace
from thumbturn.webhooks.record import Record
from thumbturn.webhooks.schedule import Schedule
from thumbturn.webhooks.targets import Targets

#: Seconds that requests on their way, and then the last record of them, may take at the end.
DELIVERIES_MAY_TAKE = 0.5


@asynccontextmanager
async def open_webhooks(
    *,
    store: Store,
    feed: Feed,
    clock: Clock,
    seal: Seal,
    targets: Targets,
    written: Callable[[Event], str],
    jitter: float,
    traceparent: Callable[[str], str | None] | None = None,
) -> AsyncIterator[Webhooks]:
    """The webhooks of all workspaces; inside the block they are told what happens.

    ``written`` is how an event is written, as JSON. ``jitter`` is the share of a pause by which the next try
    may come earlier or later. ``traceparent`` gives the W3C trace context of an attempt.
    """
    client = Client(targets, clock)
    meters = WebhookMeters()
    means = Means(
        store=store,
        feed=feed,
        clock=clock,
        seal=seal,
        post=client.post,
        prepare=client.load,
        written=written,
        schedule=Schedule(jitter),
        record=Record(store.webhooks, clock, meters),
        meters=meters,
        pace=Pace(clock),
        traceparent=traceparent,
    )
    deliveries = Deliveries(means)
    try:
        await deliveries.start()
        yield Webhooks(store=store, deliverer=deliveries, seal=seal, targets=targets, clock=clock)
    finally:
        await deliveries.stop(DELIVERIES_MAY_TAKE)
        await client.close()
