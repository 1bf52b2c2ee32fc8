"""What followers of the event log ask a store."""

from __future__ import annotations

import asyncio

import pytest

from tests.fixtures.stores import NOON, a_device, a_seed, an_attempt, an_event, furnish, sending, succeeding
from thumbturn.domain.event import Recorded
from thumbturn.engine.ports import Change, EventFilter, Store
from thumbturn.storage.open import open_store


async def tell(store: Store, workspace_id: str = "w1", count: int = 1) -> None:
    for _ in range(count):
        assert await store.apply(Change(events=(an_event(workspace_id),)))


async def test_events_behind_a_place(store: Store):
    """What is behind a place comes in order with its number, as much as is wanted, of this workspace only."""
    await tell(store, "w1", 5)
    await tell(store, "w2", 2)
    all_of_them = [
        Recorded(event.sequence, event) for event in await store.events("w1", EventFilter(), limit=9)
    ]
    assert [each.sequence for each in all_of_them] == [1, 2, 3, 4, 5]
    assert await store.events_after("w1", 0, limit=9) == all_of_them
    assert await store.events_after("w1", 2, limit=2) == all_of_them[2:4]
    assert await store.events_after("w1", 5, limit=9) == []
    assert await store.events_after("w1", 1 << 60, limit=9) == []
    assert await store.events_after("nowhere", 0, limit=9) == []


async def test_the_last_place(store: Store):
    """The last place is the newest event's, and 0 where nothing was ever told."""
    assert await store.last_sequence("w1") == 0
    await tell(store, "w1", 3)
    assert await store.last_sequence("w1") == 3
    assert await store.last_sequence("w2") == 0
    assert await store.last_sequence("nowhere") == 0


async def test_listeners_hear_of_commits_that_told_something(store: Store):
    """After a commit with events its workspaces are named, on the event loop; they can be read then."""
    heard: list[frozenset[str]] = []
    news = asyncio.Event()

    def listen(workspaces: frozenset[str]) -> None:
        asyncio.get_running_loop()
        heard.append(workspaces)
        news.set()

    store.on_events(listen)
    sent, send = sending(queued := an_attempt())
    await store.accept(queued)
    assert await store.apply(send)
    await store.apply(Change(devices=(a_device("w1", 1),)))
    assert heard == [], "nothing was told yet"
    assert await store.apply(succeeding(sent)[1])
    await asyncio.wait_for(news.wait(), 5)
    assert heard == [{"w1"}]
    assert await store.last_sequence("w1") == 1


@pytest.mark.parametrize("how", ["add", "reset"])
async def test_listeners_hear_of_every_kind_of_write(store: Store, how: str):
    """Devices that are added and workspaces that are reset tell events too."""
    heard: list[frozenset[str]] = []
    store.on_events(heard.append)
    told = [an_event("w2", "device.added")]
    if how == "add":
        await store.add_devices([a_device("w2", 9)], told)
    else:
        await store.reset_workspace("w2", a_seed("w2"), told)
    await asyncio.sleep(0)
    assert heard == [{"w2"}]


async def test_a_wave_calls_once(database_url: str):
    """Many changes at once are one commit and one call, with all of their workspaces."""
    store = open_store(database_url)
    await furnish(store)
    heard: list[frozenset[str]] = []
    store.on_events(heard.append)
    changes = [Change(events=(an_event(f"w{1 + number % 2}"),)) for number in range(40)]
    assert await asyncio.gather(*[store.apply(change) for change in changes]) == [True] * 40
    assert heard == [{"w1", "w2"}]
    await store.close()


async def test_what_failed_tells_nobody(database_url: str):
    """Of a wave with an operation that cannot be done, only what was committed is told."""
    store = open_store(database_url)
    await furnish(store)
    heard: list[frozenset[str]] = []
    store.on_events(heard.append)
    answers = await asyncio.gather(
        store.apply(Change(events=(an_event("nowhere"),))),
        store.apply(Change(events=(an_event("w1", created_at=NOON + 1),))),
        return_exceptions=True,
    )
    assert isinstance(answers[0], Exception)
    assert answers[1] is True
    assert heard == [{"w1"}]
    await store.close()
