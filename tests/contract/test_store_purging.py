"""What ended long ago is found, whatever the store, and forgotten a few at a time; what is in force stays."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.test_store_webviews import PENDING
from tests.fixtures.stores import NOON, a_session
from thumbturn.domain.clock import seconds
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.domain.retention import Ages
from thumbturn.domain.schedule import Schedule
from thumbturn.engine import purging
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.engine.ports import EventFilter, Store
from thumbturn.engine.purging import Purging
from thumbturn.engine.webview_ports import WebviewFilter
from thumbturn.testing.clock import FakeClock
from thumbturn.testing.store import MemoryStore

DAY = seconds(86_400)
SCHEDULE = Schedule(
    id="in force",
    workspace_id="w1",
    device_id="w1_lock_1",
    climate_preset_key="home",
    starts_at=NOON,
    ends_at=NOON + 5,
    created_at=NOON,
)


@pytest.fixture
async def full(store: Store) -> Store:
    """A store with something of each kind that ended, some time ago or long ago, and that did not."""
    for id, ends_at, is_over in (("long ago", 5, True), ("late", 50, True), ("in force", 7, False)):
        moments = {"starts_at": NOON + ends_at * DAY - 1, "ends_at": NOON + ends_at * DAY}
        await store.schedules.add(replace(SCHEDULE, id=id, is_over=is_over, **moments))
    sessions = (
        a_session("expired", expires_at=NOON + 5 * DAY),
        a_session("revoked", expires_at=NOON + 500 * DAY, revoked_at=NOON + 6 * DAY),
        a_session("good", expires_at=NOON + 500 * DAY),
    )
    for session in sessions:
        await store.client_sessions.add(session, most=99)
    for id, made_at in (("old", 5), ("new", 50)):
        await store.webviews.add(replace(PENDING, id=id, created_at=NOON + made_at * DAY), "good", most=99)
    return store


async def test_what_has_ended_is_found_by_its_moment(full: Store):
    """Only what ended before the moment, and no more of it than is asked for."""
    assert [each.id for each in await full.schedules.over_before(NOON + 10 * DAY, 9)] == ["long ago"]
    assert {each.id for each in await full.client_sessions.ended_before(NOON + 10 * DAY, 9)} == {
        "expired",
        "revoked",
    }
    assert [each.id for each in await full.webviews.made_before(NOON + 10 * DAY, 9)] == ["old"]
    for found in (
        await full.schedules.over_before(NOON + 99 * DAY, 1),
        await full.client_sessions.ended_before(NOON + 99 * DAY, 1),
        await full.webviews.made_before(NOON + 99 * DAY, 1),
    ):
        assert len(found) == 1
    for none in (
        await full.schedules.over_before(NOON + 5 * DAY, 9),
        await full.client_sessions.ended_before(NOON + 5 * DAY, 9),
        await full.webviews.made_before(NOON + 5 * DAY, 9),
    ):
        assert none == []


async def test_what_ended_long_ago_is_forgotten(full: Store, monkeypatch):
    """Bite by bite, and told as if somebody had deleted it; nothing else is."""
    monkeypatch.setattr(purging, "BITE", 1)
    loop = Purging(full, FakeClock(NOON + 20 * DAY), Ages(ended=10 * DAY))
    while await loop.bite():
        pass
    left = [each.id for each in await full.schedules.of_device("w1", "w1_lock_1")]
    sessions = [each.id for each in await full.client_sessions.listed("w1", ClientSessionFilter(), limit=9)]
    webviews = [each.id for each in await full.webviews.listed("w1", WebviewFilter(), limit=9)]
    told = [each.event_type for each in await full.events("w1", EventFilter(), limit=9)]
    assert (sorted(left), sessions, webviews) == (["in force", "late"], ["good"], ["new"])
    assert told == ["client_session.deleted"] * 2
    good = await full.client_sessions.get("w1", "good")
    assert good is not None
    assert good.connect_webview_ids == ("new",)


@pytest.mark.parametrize(("keep", "kept"), [(0, 2), (10 * DAY, 1)])
async def test_it_is_looked_every_hour(keep, kept):
    """What grows old is forgotten within an hour, also after the database was away; without a time never."""
    clock, store = FakeClock(NOON), MemoryStore()
    for id, made_at in (("old", 0), ("new", 50 * DAY)):
        await store.webviews.add(replace(PENDING, id=id, created_at=NOON + made_at), None, most=9)
    loop, read = Purging(store, clock, Ages(ended=keep)), store.webviews.made_before
    fails = [RuntimeError, StorageUnavailable]

    async def ill(moment, most):
        if fails:
            raise fails.pop()
        return await read(moment, most)

    store.webviews.made_before = ill
    loop.start()
    await clock.advance(11 * DAY)
    await loop.stop()
    assert len(await store.webviews.listed("w1", WebviewFilter(), limit=9)) == kept
    assert bool(fails) is (keep == 0)
