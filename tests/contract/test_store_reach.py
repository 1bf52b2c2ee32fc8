"""What somebody finds who reaches some accounts of a workspace, and not the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.stores import NOON, a_device, a_seed, an_attempt, an_event, sending, succeeding
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Failed, decide
from thumbturn.domain.client_session import Reach
from thumbturn.domain.event import Event
from thumbturn.engine.ports import AttemptFilter, Change, DeviceFilter, EventFilter, Seed, Store, Transition
from thumbturn.storage import events, search

MINE, ALL, NOTHING = frozenset({"mine"}), None, frozenset[str]()


async def furnish(store: Store) -> None:
    """Five doors of ``w1``: 1 and 4 are behind the account ``mine``, the others behind another."""
    account = a_seed("w1").accounts[0]
    devices = [a_device("w1", number, connected_account_id=owner(number)) for number in range(1, 6)]
    await store.reset_workspace("w1", Seed((account, replace(account, id="mine")), tuple(devices)), [])


def owner(number: int) -> str:
    return "mine" if number in (1, 4) else "w1_account"


def attempts(store: Store) -> list[Any]:
    """Twelve attempts, four at each of the doors 1, 2 and 4, a microsecond apart."""
    doors = [1, 2, 4] * 4
    return [
        an_attempt(
            id=f"a{n:02}",
            device=door,
            at=NOON + n,
            connected_account_id=owner(door),
            batch_id="b",
            asked_by=Asker("k1", "api_key", None, "r1", "alice") if n % 2 else None,
        )
        for n, door in enumerate(doors)
    ]


async def tell(store: Store) -> list[Event]:
    """Twelve events, four of each of these doors, a microsecond apart, and one of no account."""
    doors = [1, 2, 4] * 4
    told = [
        an_event(
            event_id=f"e{n:02}",
            device_id=f"w1_lock_{door}",
            connected_account_id=owner(door),
            created_at=NOON + n,
        )
        for n, door in enumerate(doors)
    ]
    told.append(
        an_event(event_id="of nobody", device_id=None, connected_account_id=None, created_at=NOON + 20)
    )
    await store.apply(Change(events=tuple(told)))
    return told


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"reach": ALL}, [1, 2, 3, 4, 5]),
        ({"reach": MINE}, [1, 4]),
        ({"reach": NOTHING}, []),
        ({"reach": frozenset({"mine", "w1_account", "w2_account"})}, [1, 2, 3, 4, 5]),
        ({"reach": frozenset({"w2_account"})}, []),
        ({"reach": MINE, "device_ids": ["w1_lock_1", "w1_lock_2"]}, [1]),
        ({"reach": MINE, "connected_account_ids": ["w1_account"]}, []),
        ({"reach": MINE, "search": "door"}, [1, 4]),
        ({"reach": MINE, "name": "Door 2"}, []),
    ],
)
async def test_devices_within_reach(store: Store, wanted: dict[str, Any], numbers: list[int]):
    """Devices of the accounts within reach are found, and full pages of them, whatever else is asked for."""
    await furnish(store)
    found = await store.devices("w1", DeviceFilter(**wanted), limit=99)
    assert [device.address for device in found] == [str(number) for number in numbers]
    page = await store.devices("w1", DeviceFilter(**wanted), limit=1)
    assert page == found[:1]


@pytest.mark.parametrize(("reach", "is_seen"), [(ALL, True), (MINE, True), (NOTHING, False)])
async def test_attempt_within_reach(store: Store, reach: Reach, is_seen: bool):
    """One attempt, its progress and its timeline are there for whoever reaches its device."""
    await furnish(store)
    mine, other = attempts(store)[:2]
    await store.accept(mine)
    await store.accept(other)
    for look in (store.attempt, store.progress, store.timeline):
        assert (await look("w1", mine.id, reach) is not None) is is_seen
        assert (await look("w1", other.id, reach) is not None) is (reach is ALL)
        assert await look("w2", mine.id, reach) is None


async def test_batch_within_reach(store: Store):
    """Of a batch somebody sees the attempts within his reach."""
    await furnish(store)
    await store.accept_all(attempts(store))
    seen = await store.batch("w1", "b", MINE)
    assert [each.id for each in seen] == [
        each.id for each in attempts(store) if each.device_id != "w1_lock_2"
    ]
    assert await store.batch("w1", "b", NOTHING) == []
    assert len(await store.batch("w1", "b")) == 12


SEARCHES: list[dict[str, Any]] = [
    {},
    {"status": "pending"},
    {"status": "success"},
    {"action_type": "UNLOCK_DOOR"},
    {"device_id": "w1_lock_1"},
    {"device_id": "w1_lock_2"},
    {"since": NOON + 3, "before": NOON + 9},
    {"status": "error"},
    {"cause": "lock_jammed", "actor": "alice"},
    {"actor": "alice"},
]


@pytest.mark.parametrize("few", [0, 50])
@pytest.mark.parametrize("wanted", SEARCHES)
async def test_search_within_reach(
    store: Store, wanted: dict[str, Any], few: int, monkeypatch: pytest.MonkeyPatch
):
    """A search finds what fits and is within reach, newest first, in full pages; with few doors or many."""
    monkeypatch.setattr(search, "_FEW_DEVICES", few)
    await furnish(store)
    for attempt in attempts(store):
        await store.accept(attempt)
        if attempt.id in ("a00", "a01", "a05"):
            sent, change = sending(attempt)
            await store.apply(change)
            await store.apply(succeeding(sent)[1])
        elif attempt.id in ("a03", "a04", "a09", "a10"):
            decision = decide(attempt, Failed("lock_jammed", "Jammed."), NOON + 50)
            assert decision is not None
            await store.apply(Change((Transition(decision.attempt, attempt.phase),)))
    whole = await store.search_attempts("w1", AttemptFilter(**wanted), limit=99)
    for reach in (MINE, NOTHING):
        expected = [each.id for each in whole if reach and each.connected_account_id in reach]
        seen, after = [], None
        while page := await store.search_attempts(
            "w1", AttemptFilter(**wanted, reach=reach), after=after, limit=2
        ):
            seen += [each.id for each in page]
            after = (page[-1].accepted_at, page[-1].id)
            assert len(page) == 2 or len(seen) == len(expected)
        assert seen == expected


EVENTS: list[dict[str, Any]] = [
    {},
    {"event_types": ["device.connected"]},
    {"event_types": ["lock.locked"]},
    {"device_ids": ["w1_lock_1"]},
    {"device_ids": ["w1_lock_1", "w1_lock_2"]},
    {"device_ids": ["w1_lock_2"]},
    {"connected_account_id": "mine"},
    {"connected_account_id": "w1_account"},
    {"event_ids": ["e00", "e01", "of nobody"]},
    {"after": NOON + 2},
    {"after": NOON + 2, "before": NOON + 8, "device_ids": ["w1_lock_1", "w1_lock_2"]},
]


@pytest.mark.parametrize(("few", "as_many"), [(0, 1), (1_000, 1), (1_000, 100)])
@pytest.mark.parametrize("wanted", EVENTS)
async def test_events_within_reach(
    store: Store, wanted: dict[str, Any], few: int, as_many: int, monkeypatch: pytest.MonkeyPatch
):
    """Events within reach are found in order, in full pages, and the newest; none that is of no account."""
    monkeypatch.setattr(events, "_FEW_DEVICES", few)
    monkeypatch.setattr(events, "_AS_MANY", as_many)
    await furnish(store)
    await tell(store)
    whole = await store.events("w1", EventFilter(**wanted), limit=99)
    for reach in (MINE, NOTHING):
        narrowed = EventFilter(**wanted, reach=reach)
        expected = [each for each in whole if each.connected_account_id in reach]
        assert await store.events("w1", narrowed, limit=99) == expected
        pages = [await store.events("w1", narrowed, limit=2, offset=offset) for offset in range(0, 10, 2)]
        assert [event for page in pages for event in page] == expected
        assert await store.event("w1", narrowed) == (expected[-1] if expected else None)


async def test_events_that_came_late_are_cut_in_order_of_time(sql_store: Store):
    """Where a time is asked for, pages are cut in the order of time, also for somebody with a reach."""
    await furnish(sql_store)
    times = [NOON + 5, NOON + 1, NOON + 4, NOON + 2, NOON + 3]
    told = tuple(an_event(connected_account_id="mine", created_at=at) for at in times)
    await sql_store.apply(Change(events=told))
    for reach in (ALL, MINE):
        wanted = EventFilter(after=NOON, reach=reach)
        pages = [await sql_store.events("w1", wanted, limit=2, offset=offset) for offset in (0, 2, 4)]
        assert [sorted(event.created_at - NOON for event in page) for page in pages] == [[1, 2], [3, 4], [5]]
