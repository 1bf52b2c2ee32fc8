"""Access codes: what every store keeps of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from tests.fixtures.stores import NOON, a_seed, an_event
from thumbturn.domain.access_code import AccessCode, Facts, Slot
from thumbturn.domain.access_code_news import tell
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id
from thumbturn.engine.access_code_ports import CodeFacts, CodeFilter, CodeStored
from thumbturn.engine.ports import Change, Store

SLOT = Slot(pin="sealed", pin_key="k", name="Jane", starts_at=NOON, ends_at=NOON + 5)


def a_code(number: int = 0, workspace_id: str = "w1", **other: Any) -> AccessCode:
    """A code of the workspace's first lock."""
    id = new_id()
    code = AccessCode(
        id=id,
        workspace_id=workspace_id,
        device_id=f"{workspace_id}_lock_1",
        connected_account_id="a1",
        name=f"Guest {number}",
        pin="sealed",
        pin_key=f"key of {number}",
        place=id,
        created_at=NOON + number,
        changed_at=NOON,
    )
    return replace(code, **other)


async def listed(store: Store, workspace_id: str = "w1", **wanted: Any) -> list[str]:
    """The ids of the codes that fit."""
    found = await store.access_codes.listed(workspace_id, CodeFilter(**wanted), limit=100)
    return [each.id for each in found]


async def test_a_code_is_kept_whole(store: Store):
    """Everything of it comes back."""
    made = a_code(
        starts_at=NOON,
        ends_at=NOON + 10,
        common_code_key="c1",
        is_external_modification_allowed=True,
        is_native=True,
        uses_backup_pool=True,
        is_backup=True,
        pulled_backup_id="b1",
        stands_in_for="o1",
        removed_at=NOON + 3,
        due_at=NOON + 4,
        facts=Facts(
            held=SLOT,
            is_uncertain=True,
            is_told_set=True,
            failures=3,
            failed_at=NOON,
            retry_at=NOON + 1,
            resets=2,
            reset_at=NOON,
            left_alone_at=NOON,
            errors={"failed_to_set_on_device": ('so "it" is', NOON)},
            warnings={"delay_in_setting_on_device": ("späť", NOON)},
        ),
    )
    assert await store.access_codes.add((made,), ()) is CodeStored.DONE
    assert await store.access_codes.get(made.id) == made
    assert await store.access_codes.of_device(made.device_id) == [made]


async def test_a_pin_is_taken_once_at_a_lock(store: Store):
    """Of several that are made at once one is kept; all of a call, or none; at another lock it is free."""
    made = [a_code() for _ in range(5)]
    stored = await asyncio.gather(*[store.access_codes.add((each,), ()) for each in made])
    assert sorted(each.value for each in stored) == ["done", "taken", "taken", "taken", "taken"]
    other, again = a_code(1), a_code(0)
    assert await store.access_codes.add((other, again), ()) is CodeStored.TAKEN
    assert len(await listed(store)) == 1
    elsewhere = a_code(device_id="w1_lock_2")
    assert await store.access_codes.add((elsewhere, other), ()) is CodeStored.DONE
    assert await store.access_codes.change((replace(other, pin_key="key of 0"),), ()) is CodeStored.TAKEN


async def test_a_code_needs_its_lock(store: Store):
    """For a lock that is not there, or is another workspace's, none is kept."""
    assert await store.access_codes.add((a_code(device_id="nobody"),), ()) is CodeStored.MISSING
    assert await store.access_codes.add((a_code(device_id="w2_lock_1"),), ()) is CodeStored.MISSING
    assert await store.access_codes.change((a_code(),), ()) is CodeStored.MISSING


async def test_wish_and_facts_do_not_undo_each_other(store: Store):
    """What callers change leaves what is known, and what becomes known leaves what callers changed."""
    made = a_code()
    await store.access_codes.add((made,), (tell(made, "created", NOON),))
    known = made.but(held=SLOT, is_told_set=True)
    await store.apply(Change(codes=(CodeFacts(replace(known, due_at=NOON + 7)),)))
    assert (
        await store.access_codes.change((replace(made, name="New", due_at=NOON + 9),), ()) is CodeStored.DONE
    )
    await store.access_codes.note((CodeFacts(known.but(failures=1)),), (tell(made, "set_on_device", NOON),))
    found = await store.access_codes.get(made.id)
    assert found is not None
    assert (found.name, found.facts.held, found.facts.failures, found.due_at) == ("New", SLOT, 1, None)
    told = [event.event_type for _, event in await store.events_after("w1", 0, limit=10)]
    assert told == ["access_code.created", "access_code.set_on_device"]


async def test_code_comes_and_goes_with_what_its_lock_holds(store: Store):
    """One that was found is kept once, and one that is gone is forgotten."""
    found = a_code(is_managed=False)
    await store.apply(Change(codes=(CodeFacts(found, is_new=True),)))
    await store.apply(Change(codes=(CodeFacts(found, is_new=True), CodeFacts(a_code(), is_new=True))))
    assert await listed(store, is_managed=False) == [found.id]
    await store.apply(Change(codes=(CodeFacts(replace(found, is_managed=True)),)))
    assert await listed(store, is_managed=True) == [found.id]
    await store.access_codes.note((CodeFacts(found, is_gone=True),), ())
    assert await store.access_codes.get(found.id) is None


async def test_codes_are_chosen_and_come_in_pages(store: Store):
    """In order of their making, and never those of another workspace or out of reach."""
    made = [a_code(number) for number in range(4)]
    special = a_code(9, name="ÄRZTIN", common_code_key="c1", is_backup=True, connected_account_id="a2")
    await store.access_codes.add((*made, special), ())
    assert await listed(store) == [each.id for each in (*made, special)]
    assert await listed(store, "w2") == []
    assert await listed(store, ids=[made[1].id, "unknown"]) == [made[1].id]
    assert await listed(store, pin_key="key of 2", device_id="w1_lock_1") == [made[2].id]
    assert await listed(store, device_id="w1_lock_2") == []
    for wanted in ({"search": "ärz"}, {"common_code_key": "c1"}, {"is_backup": True}):
        assert await listed(store, **wanted) == [special.id]
    assert await listed(store, reach=frozenset({"a2"})) == [special.id]
    assert await listed(store, reach=frozenset()) == []
    after = (made[2].created_at, made[2].id)
    page = await store.access_codes.listed("w1", CodeFilter(), after=after, limit=1)
    assert [each.id for each in page] == [made[3].id]


async def test_what_is_due_is_found(store: Store):
    """The locks whose codes must be looked at in a span of time, each once, and the next moment after."""
    first, second = a_code(0, due_at=NOON + 1), a_code(1, due_at=NOON + 2)
    later = a_code(2, device_id="w1_lock_2", due_at=NOON + 5)
    await store.access_codes.add((first, second, later, a_code(3)), ())
    assert await store.access_codes.due(NOON, NOON + 2) == ["w1_lock_1"]
    assert await store.access_codes.due(NOON + 2, NOON + 4) == []
    assert [each.id for each in await store.access_codes.of_device("w1_lock_1", due_by=NOON + 1)] == [
        first.id
    ]
    assert await store.access_codes.next_due(NOON + 2) == NOON + 5
    assert await store.access_codes.next_due(NOON + 5) is None


async def test_codes_go_with_their_devices(store: Store):
    """A reset forgets those of its workspace and no others."""
    await store.access_codes.add((a_code(),), ())
    await store.access_codes.add((a_code(0, "w2"),), ())
    await store.reset_workspace("w1", a_seed("w1"), ())
    assert (await listed(store), len(await listed(store, "w2"))) == ([], 1)


async def test_a_key_is_kept_once(store: Store):
    """Whoever comes later gets the one that is there."""
    assert await store.access_codes.keep_key("pins", "first") == "first"
    assert await store.access_codes.keep_key("pins", "second") == "first"


async def test_codes_of_a_lock_that_is_not_managed_are_not(store: Store):
    """Whoever asks for those that are managed, or not, gets what holds together with their lock."""
    here, there = a_code(1), a_code(2, device_id="w1_lock_2")
    await store.access_codes.add((here, there), ())
    lock = await store.device("w1", "w1_lock_2")
    assert lock is not None
    await store.update_device(replace(lock, is_managed=False))
    assert await listed(store, is_managed=True) == [here.id]
    assert await listed(store, is_managed=False) == [there.id]
    assert await listed(store) == [here.id, there.id]


async def test_a_bolt_that_a_code_moved_is_told_with_that(store: Store):
    """The event has the digits that the lock holds, sealed as they are, and whether the code is managed: it
    is not, if its lock is not. What is not on record, or is no bolt, is told as it came; nothing is looked
    for unless it is said.
    """
    held = a_code(facts=Facts(held=SLOT), pin="what it shall be")
    wished, by_hand = a_code(1), a_code(2, is_managed=False)
    elsewhere = a_code(3, device_id="w1_lock_2")
    lock = await store.device("w1", "w1_lock_2")
    assert lock is not None
    await store.access_codes.add((held, wished, by_hand, elsewhere), ())
    await store.update_device(replace(lock, is_managed=False))

    def moved(id: str, event_type: str = "lock.unlocked") -> Event:
        return an_event(event_type=event_type, payload={"access_code_id": id, "method": "keycode"})

    told = (
        moved(held.id),
        moved(wished.id, "lock.locked"),
        moved(by_hand.id),
        moved(elsewhere.id),
        moved("nobody's"),
        an_event(event_type="lock.unlocked", payload={"method": "manual"}),
        moved(held.id, "access_code.created"),
    )
    assert await store.apply(Change(events=told, codes=(CodeFacts(by_hand, is_gone=True),), names_codes=True))
    assert await store.apply(Change(events=(moved(held.id)._replace(event_id="plain"),)))
    events = [event for _, event in await store.events_after("w1", 0, limit=10)]
    assert [(each.payload.get("code"), each.payload.get("access_code_is_managed")) for each in events] == [
        ("sealed", True),
        ("sealed", True),
        ("sealed", False),
        ("sealed", False),
        (None, None),
        (None, None),
        (None, None),
        (None, None),
    ]
    assert await store.access_codes.get(by_hand.id) is None
