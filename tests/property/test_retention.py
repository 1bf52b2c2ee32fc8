"""Whatever there is and however old: what is open, young or owed is there afterwards, nothing else is."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.test_store_audit import problems, whole
from tests.contract.test_store_webhooks import a_webhook
from tests.fixtures.stores import NOON, an_attempt, an_event, furnish
from thumbturn.domain.attempt import Phase
from thumbturn.domain.retention import DAY, Ages
from thumbturn.domain.webhook import Delivery, DisabledBecause
from thumbturn.engine import purging
from thumbturn.engine.ports import Change, EventFilter, Store
from thumbturn.engine.purging import Purging
from thumbturn.engine.webhook_ports import Progress
from thumbturn.storage.open import open_store
from thumbturn.testing.clock import FakeClock
from thumbturn.testing.store import MemoryStore

AGES = Ages(attempts=20 * DAY, events=10 * DAY, deliveries=10 * DAY)
NOW = NOON + 100 * DAY
DAYS = st.integers(0, 40)
#: When it was accepted and when it ended, in days before now; the second is ``None`` if it is open.
ATTEMPTS = st.lists(st.tuples(DAYS, st.none() | DAYS), max_size=12)
#: Of one workspace each, how long ago its events were told.
EVENTS = st.lists(DAYS, max_size=12)
#: The cursor of a webhook, which of the events wait for another try, and whether it is enabled.
WEBHOOKS = st.lists(
    st.tuples(st.integers(0, 12), st.lists(st.integers(1, 12), max_size=3), st.booleans()), max_size=3
)


@asynccontextmanager
async def opened(template: Path | None) -> AsyncIterator[Store]:
    """A store with two workspaces, on a copy of this file or in memory; gone afterwards."""
    if template is None:
        memory = MemoryStore()
        await furnish(memory)
        yield memory
        return
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{shutil.copy(template, folder)}", readers=1)
        await furnish(store)
        yield store
        await store.close()


def still_there(told: list[int], hooks: list[tuple[int, list[int], bool]]) -> list[int]:
    """The places of the events that may not go: from the first on that is young, or owed to somebody."""
    owed = [
        place
        for cursor, waiting, is_enabled in hooks
        if is_enabled
        for place in (min(cursor, len(told)) + 1, *(each for each in waiting if each <= len(told)))
    ]
    for place, days in enumerate(told, start=1):
        if days * DAY <= AGES.events or place in owed:
            return list(range(place, len(told) + 1))
    return []


@given(ATTEMPTS, EVENTS, WEBHOOKS, st.integers(1, 5))
@settings(max_examples=100, deadline=None)
def test_what_may_not_go_stays_and_all_else_goes(tried, told, hooks, rows):
    """After a round there is exactly what is open, or younger than its age, or owed to an enabled webhook."""
    asyncio.run(_play(None, tried, told, hooks, rows))


@given(ATTEMPTS, EVENTS, WEBHOOKS, st.integers(1, 5))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_database_forgets_the_same(sqlite_template, tried, told, hooks, rows):
    """So it is on a database, where the audit trail reads and is whole as before."""
    asyncio.run(_play(sqlite_template, tried, told, hooks, rows))


async def _play(
    template: Path | None,
    tried: list[tuple[int, int | None]],
    told: list[int],
    hooks: list[tuple[int, list[int], bool]],
    rows: int,
) -> None:
    async with opened(template) as store:
        may_not_go = set()
        # Ids are made in the order of acceptance, as they are where the clock goes forward.
        for accepted, over in sorted(tried, key=lambda each: -each[0]):
            settled = None if over is None else min(over, accepted)
            phase = Phase.SENT if settled is None else Phase.SUCCEEDED
            at = None if settled is None else NOW - settled * DAY
            attempt = an_attempt(at=NOW - accepted * DAY, phase=phase, settled_at=at)
            await store.accept(attempt)
            if settled is None or settled * DAY <= AGES.attempts:
                may_not_go.add(attempt.id)
        for number in range(len(hooks)):
            await store.webhooks.add(a_webhook(f"h{number}"))
        events = [an_event(created_at=NOW - days * DAY) for days in told]
        await store.apply(Change(events=tuple(events)))
        for number, (cursor, waiting, _) in enumerate(hooks):
            id = f"h{number}"
            await store.webhooks.record(Progress(cursors={id: min(cursor, len(told))}))
            due = [
                Delivery(id, events[each - 1].event_id, each, 1, NOW)
                for each in {*waiting}
                if each <= len(told)
            ]
            await store.webhooks.resend(due)
        for number, (_, _, is_enabled) in enumerate(hooks):
            if not is_enabled:
                other = an_event("w2", created_at=NOW)
                await store.webhooks.disable(f"h{number}", NOW, DisabledBecause.GONE, other)
        before = await whole(store)
        with patch.object(purging, "ROWS", rows):
            loop = Purging(store, FakeClock(NOW), AGES)
            while await loop.bite():
                pass
        assert {each.id for each in await store.attempts("w1", limit=99)} == may_not_go
        there = [each.sequence for each in await store.events("w1", EventFilter(), limit=99)]
        assert there == still_there(told, hooks)
        assert await whole(store) == before
        assert await problems(store) == []
