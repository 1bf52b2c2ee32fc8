"""Rows are filed by device many at a time, and nobody who asks for a device can tell."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from tests.fixtures.stores import NOON, an_attempt, an_event
from thumbturn.engine.ports import Change, EventFilter
from thumbturn.storage import filing
from thumbturn.storage import store as store_module
from thumbturn.storage.store import SqlStore


@pytest.fixture(autouse=True)
def _file_every_seven_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filing, "AT_ONCE", 7)
    monkeypatch.setattr(store_module, "AT_ONCE", 7)


async def unfiled(store: SqlStore) -> tuple[int, int]:
    """How many attempts and events are not filed yet."""
    counts = [
        await store._read(
            lambda connection, table=table: connection.execute(
                text(f"select count(*) from {table} where filed = 0")
            ).scalar()
        )
        for table in ("attempts", "events")
    ]
    return counts[0], counts[1]


async def test_a_device_is_shown_all_of_its_rows_once_whatever_is_filed(sql_store: SqlStore):
    """Before, during and after filing the pages of a device hold the same, in the same order."""
    expected: dict[str, list[str]] = {f"w1_lock_{device}": [] for device in (1, 2, 3)}
    for n in range(60):
        device = n % 3 + 1
        attempt = an_attempt(device=device, at=NOON + n)
        expected[f"w1_lock_{device}"].append(attempt.id)
        told = an_event(device_id=f"w1_lock_{device}", created_at=NOON + n)
        await asyncio.gather(sql_store.accept(attempt), sql_store.apply(Change(events=(told,))))
        for device_id, ids in expected.items():
            found = await sql_store.attempts("w1", device_id=device_id, limit=100)
            assert [each.id for each in found] == ids
            sequences = [
                each.sequence
                for each in await sql_store.events("w1", EventFilter(device_ids=[device_id]), limit=100)
            ]
            assert len(sequences) == len(ids)
            assert sequences == sorted(set(sequences))
            newest = await sql_store.event("w1", EventFilter(device_ids=[device_id]))
            assert (newest.sequence if newest else None) == (sequences[-1] if sequences else None)


async def test_pages_of_a_device_join_where_the_filed_rows_end(sql_store: SqlStore):
    """A cursor or an offset may fall anywhere between what is filed and what is not."""
    attempts = [an_attempt(device=1, at=NOON + n) for n in range(20)]
    for attempt in attempts:
        await sql_store.accept(attempt)
        await sql_store.apply(Change(events=(an_event(device_id="w1_lock_1"),)))
    for size in (1, 3, 7, 20):
        found, after = [], None
        while page := await sql_store.attempts("w1", device_id="w1_lock_1", after=after, limit=size):
            found += page
            after = (page[-1].accepted_at, page[-1].id)
        assert [each.id for each in found] == [each.id for each in attempts]
        wanted = EventFilter(device_ids=["w1_lock_1"])
        told = []
        while page := await sql_store.events("w1", wanted, limit=size, offset=len(told)):
            told += [each.sequence for each in page]
        assert told == list(range(1, 21))


async def test_few_rows_are_unfiled_at_any_time(sql_store: SqlStore):
    """Filing keeps up; on PostgreSQL nothing is ever unfiled."""
    for n in range(100):
        await sql_store.accept(an_attempt(device=n % 3 + 1, at=NOON + n))
        await sql_store.apply(Change(events=(an_event(device_id="w1_lock_1"),)))
    await sql_store.accept(an_attempt(at=NOON + 1000))
    at_most = 0 if sql_store._reader._engine.dialect.name == "postgresql" else 14
    assert max(await unfiled(sql_store)) <= at_most
