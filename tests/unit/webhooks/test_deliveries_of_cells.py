"""Of cells that come and go, a process delivers to the webhooks of those that it owns now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.stores import an_event
from tests.fixtures.webhooks import URL, Hooks
from thumbturn.domain.clock import seconds
from thumbturn.domain.refusals import OwnerMissing, StorageUnavailable
from thumbturn.domain.webhook import EVERY_TYPE
from thumbturn.engine.cell_engines import Listeners, Told
from thumbturn.engine.claims import LEFT_ALONE, Claims
from thumbturn.engine.lease_ports import Process
from thumbturn.engine.meters import WebhookMeters
from thumbturn.engine.ports import Change, Store
from thumbturn.engine.webhooks import Webhooks
from thumbturn.testing.endpoints import FakeEndpoints
from thumbturn.testing.leases import MemoryLeases
from thumbturn.webhooks.by_cell import DeliveriesOfCells
from thumbturn.webhooks.means import Means
from thumbturn.webhooks.record import Record

OTHER = "https://other.test/hook"


class Owner(Webhooks):
    """A process that may own the deliveries of cell 1 (``w1``) and cell 2 (``w2``)."""

    def __init__(self, hooks: Hooks) -> None:
        self.hooks, self.meters = hooks, WebhookMeters()
        self.deliveries = DeliveriesOfCells(self._means, {"w1": 1, "w2": 2}.__getitem__, self.meters)
        super().__init__(
            store=hooks.store,
            deliverer=self.deliveries,
            seal=hooks.seal,
            targets=hooks.webhooks._targets,
            clock=hooks.clock,
        )

    def _means(self, store: Store) -> Means:
        record = Record(store.webhooks, self.hooks.clock, self.meters)
        return replace(self.hooks.means, store=store, record=record, meters=self.meters)


@pytest.fixture
async def owner(hooks: Hooks) -> AsyncIterator[Owner]:
    """A process that owns nothing yet, beside no other one."""
    await hooks.die()
    it = Owner(hooks)
    yield it
    await it.deliveries.end_all(0)
    hooks.deliveries._tasks.clear()


async def told(owner: Owner, workspace_id: str) -> str:
    """The id of a new event of a workspace, and a moment for what follows."""
    event = an_event(workspace_id, created_at=owner.hooks.clock.now())
    await owner.hooks.store.apply(Change(events=(event,)))
    await owner.hooks.clock.advance(seconds(1))
    return event.event_id


def received(endpoints: FakeEndpoints, url: str) -> list[str]:
    """The ids of the events that an endpoint got."""
    return [each.event["event_id"] for each in endpoints.received[url]]


async def test_only_webhooks_of_owned_cells_are_told(owner: Owner):
    """A webhook is told once its cell was begun with, also if it was made before, and others are not."""
    here = await owner.create("w1", URL, (EVERY_TYPE,))
    await owner.create("w2", OTHER, (EVERY_TYPE,))
    missed = await told(owner, "w1"), await told(owner, "w2")
    assert owner.hooks.endpoints.received == {}
    await owner.deliveries.begin(1, owner.hooks.store)
    new = await told(owner, "w1"), await told(owner, "w2")
    assert received(owner.hooks.endpoints, URL) == [missed[0], new[0]]
    assert received(owner.hooks.endpoints, OTHER) == []
    assert owner.delivering().webhooks == 1
    await owner.delete("w1", here.id)
    await told(owner, "w1")
    assert len(received(owner.hooks.endpoints, URL)) == 2


async def test_who_gives_a_cell_back_tells_nothing_more_and_the_next_goes_on_from_there(owner: Owner):
    """What happens after the end of an owner is told by the next one, and nothing is told twice."""
    await owner.create("w1", URL, (EVERY_TYPE,))
    await owner.deliveries.begin(1, owner.hooks.store)
    first = await told(owner, "w1")
    await owner.deliveries.end(1, 0.5)
    second = await told(owner, "w1")
    assert received(owner.hooks.endpoints, URL) == [first]
    following = Owner(owner.hooks)
    await following.deliveries.begin(1, owner.hooks.store)
    await owner.hooks.clock.advance(seconds(1))
    assert received(owner.hooks.endpoints, URL) == [first, second]
    await following.deliveries.end_all(0)


async def test_a_webhook_of_nobody_is_not_tried_out(owner: Owner):
    """A test of a webhook whose cell was lost meanwhile is refused: its owner would send it."""
    webhook = await owner.create("w1", URL, (EVERY_TYPE,))
    with pytest.raises(OwnerMissing):
        await owner.test(webhook)
    await owner.deliveries.begin(1, owner.hooks.store)
    assert (await owner.test(webhook)).error is None


async def test_a_cell_that_could_not_be_begun_with_is_begun_anew(owner: Owner, monkeypatch: Any):
    """A database that is away when a cell is taken delays what its webhooks are told, and no more."""
    hooks = owner.hooks
    await owner.create("w1", URL, (EVERY_TYPE,))
    enabled, refusals = hooks.store.webhooks.enabled, [StorageUnavailable() for _ in range(3)]

    async def refused_at_first() -> Any:
        if refusals:
            raise refusals.pop()
        return await enabled()

    monkeypatch.setattr(hooks.store.webhooks, "enabled", refused_at_first)
    listeners = Listeners()
    listeners.add("webhooks", lambda cell: owner.deliveries.begin(cell, hooks.store), taken=True)
    listeners.add("webhooks", lambda cell: owner.deliveries.end(cell, 0), taken=False)
    claims = Claims(
        store=MemoryLeases(),
        process=Process("a", frozenset({"webhooks"}), seconds(5)),
        kinds={"webhooks": 3},
        owning={"webhooks": Told("webhooks", listeners)},
        clock=hooks.clock,
        uptime=hooks.clock.now,
    )
    await claims.start()
    event = await told(owner, "w1")
    assert not refusals
    await hooks.clock.advance(LEFT_ALONE + seconds(3))
    assert received(hooks.endpoints, URL) == [event]
    stopping = asyncio.ensure_future(claims.stop())
    await hooks.clock.advance(seconds(1))
    await stopping
