"""Spaces: what every store keeps of what is in them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.fixtures.stores import NOON, a_device, a_seed
from thumbturn.domain.access import AcsEntrance
from thumbturn.domain.access_code_news import forgotten
from thumbturn.domain.encoder import ENCODER_TYPE
from thumbturn.domain.ids import new_id
from thumbturn.domain.space import (
    Members,
    Space,
    SpaceInsideItself,
    SpaceNotFound,
    told_of_loss,
    told_of_space,
)
from thumbturn.engine.access_ports import KeyIsTaken, Wanted
from thumbturn.engine.ports import EventFilter, Store
from thumbturn.engine.space_ports import NotInWorkspace

LOCKS = ("w1_lock_1", "w1_lock_2")
NOBODY = Members()


def a_space(number: int = 0, workspace_id: str = "w1", **other: Any) -> Space:
    known = {"name": f"Room {number}", **other}
    return Space(id=new_id(), workspace_id=workspace_id, created_at=NOON + number, **known)


def an_entrance(account_id: str = "w1_account") -> AcsEntrance:
    return AcsEntrance(
        id=new_id(),
        workspace_id="w1",
        created_at=NOON,
        acs_system_id="s1",
        connected_account_id=account_id,
        name="Door",
        device_id="w1_lock_1",
    )


def created(workspace_id: str = "w1"):
    return told_of_space("created", workspace_id, NOON)


def moved(workspace_id: str = "w1"):
    return told_of_space("device_membership_changed", workspace_id, NOON)


def as_it_is(space: Space) -> Space:
    return space


async def put(store: Store, space: Space, more: Members) -> Space | None:
    """Put something in a space."""
    return await store.spaces.change(
        space.workspace_id,
        space.id,
        as_it_is,
        more,
        lambda inside: inside.with_all(more),
        moved(space.workspace_id),
    )


async def move(store: Store, space: Space, parent_id: str) -> Space | None:
    """Put a space in another."""
    return await store.spaces.change(
        space.workspace_id,
        space.id,
        lambda known: replace(known, parent_space_id=parent_id),
        NOBODY,
        lambda inside: inside,
        moved(space.workspace_id),
    )


async def told(store: Store, workspace_id: str = "w1") -> list[tuple[str, Any]]:
    """What was told, in order, and the devices that were named."""
    found = await store.events(workspace_id, EventFilter(), limit=100)
    return [(each.event_type, each.payload["device_ids"]) for each in found]


async def test_a_space_is_kept_whole(store: Store):
    """Everything of it comes back, and what is in it; in another workspace nothing is found."""
    entrance = an_entrance()
    await store.access.add(entrance)
    above = a_space()
    whole = a_space(
        space_key='the "key"',
        customer_key="c'1",
        customer_data={"address": "Grün 1", "time_zone": None},
        parent_space_id=above.id,
    )
    inside = Members(LOCKS, (entrance.id,), ("w1_account",))
    assert await store.spaces.add(above, NOBODY, created())
    assert await store.spaces.add(whole, inside, created())
    assert await store.access.get(Space, "w1", whole.id) == whole
    assert await store.access.find(Space, "w1", Wanted(holder_ids=(above.id,))) == [whole]
    assert await store.spaces.inside("w1", (whole.id, above.id)) == {whole.id: inside}
    assert await store.spaces.inside("w1", ()) == {}
    everything = [*LOCKS, entrance.id, "w1_account", "w1_lock_3", "no\0body"]
    assert await store.spaces.around("w1", everything) == {
        id: [whole.id] for id in (*LOCKS, entrance.id, "w1_account")
    }
    assert await store.spaces.around("w1", ()) == {}
    for workspace_id, ids in (("w2", (whole.id,)), ("w1", ("no\0body",))):
        assert await store.spaces.inside(workspace_id, ids) == {}
    assert await store.spaces.around("w2", everything) == {}
    [first, second] = await store.events("w1", EventFilter(), limit=9)
    assert first.payload == {"space_id": above.id, "device_ids": [], "acs_entrance_ids": []}
    assert second.payload == {
        "space_id": whole.id,
        "space_key": 'the "key"',
        "device_ids": list(LOCKS),
        "acs_entrance_ids": [entrance.id],
    }


async def test_what_a_workspace_has_not_is_in_none_of_its_spaces(store: Store):
    """Another workspace's things, unknown ones, and encoders, which are no devices to callers, are refused by
    name; nothing is written then, and nothing told.
    """
    encoder = a_device("w1", 9, device_type=ENCODER_TYPE)
    await store.add_devices([encoder], ())
    entrance = an_entrance()
    await store.access.add(entrance)
    space = a_space(space_key="kept")
    await store.spaces.add(space, NOBODY, created())
    foreign = Members(("w1_lock_1", "w2_lock_1", encoder.id), ("w1_lock_1", space.id), ("w2_account", "x"))
    unknown = Members(("w2_lock_1", encoder.id), ("w1_lock_1", space.id), ("w2_account", "x"))
    with pytest.raises(NotInWorkspace) as refused:
        await put(store, space, foreign)
    assert [set(part) for part in refused.value.missing] == [set(part) for part in unknown]
    with pytest.raises(NotInWorkspace):
        await store.spaces.add(a_space(), Members(("w2_lock_1",)), created())
    assert await store.spaces.inside("w1", (space.id,)) == {}
    assert await store.access.find(Space, "w1", Wanted()) == [space]
    assert await told(store) == [("space.created", [])]


async def test_a_key_is_of_one_space(store: Store):
    """Of several that want a key at once one is kept; in another workspace it is free."""
    made = [a_space(space_key="101") for _ in range(4)]
    kept = await asyncio.gather(*[store.spaces.add(each, NOBODY, created()) for each in made])
    assert sorted(kept) == [False, False, False, True]
    assert await store.spaces.add(a_space(workspace_id="w2", space_key="101"), NOBODY, created("w2"))
    other = a_space()
    await store.spaces.add(other, NOBODY, created())
    with pytest.raises(KeyIsTaken):
        await store.spaces.change(
            "w1",
            other.id,
            lambda space: replace(space, space_key="101"),
            Members(("w1_lock_1",)),
            lambda inside: Members(("w1_lock_1",)),
            moved(),
        )
    assert await store.spaces.inside("w1", (other.id,)) == {}
    assert [each for each, _ in await told(store)] == ["space.created", "space.created"]


async def test_who_comes_and_goes_is_told_once(store: Store):
    """Devices that are put in again are there once, and only what changes is told; of accounts nothing is."""
    space = a_space()
    await store.spaces.add(space, NOBODY, created())
    for more in (Members(LOCKS), Members(LOCKS[:1]), Members((), (), ("w1_account",))):
        assert await put(store, space, more) == space
    inside = Members(LOCKS, (), ("w1_account",))
    assert await store.spaces.inside("w1", (space.id,)) == {space.id: inside}
    gone = Members(LOCKS[:1])
    for _ in range(2):
        await store.spaces.change(
            "w1", space.id, as_it_is, gone, lambda inside: inside.without(gone), moved()
        )
    assert await told(store) == [
        ("space.created", []),
        ("space.device_membership_changed", list(LOCKS)),
        ("space.device_membership_changed", [LOCKS[1]]),
    ]
    assert await put(store, replace(space, workspace_id="w2"), Members(("w2_lock_1",))) is None
    assert await put(store, a_space(), Members(LOCKS)) is None


async def test_changes_of_a_space_do_not_undo_each_other(store: Store):
    """Of many that put something in a space at once each finds what the one before it left."""
    devices = [a_device("w1", number) for number in range(10, 20)]
    await store.add_devices(devices, ())
    space = a_space()
    await store.spaces.add(space, NOBODY, created())
    await asyncio.gather(*[put(store, space, Members((device.id,))) for device in devices])
    found = await store.spaces.inside("w1", (space.id,))
    assert sorted(found[space.id].device_ids) == sorted(device.id for device in devices)
    assert len((await told(store))[-1][1]) == len(devices)


async def test_of_moves_at_once_none_puts_a_space_in_itself(store: Store):
    """Of two that are put in each other at the same time one is, and a longer way round is refused too."""
    for round in range(8):
        one, other, third = [a_space(number) for number in range(round * 3, round * 3 + 3)]
        for each in (one, other, third):
            await store.spaces.add(each, NOBODY, created())
        await move(store, third, one.id)
        done = await asyncio.gather(
            move(store, one, other.id), move(store, other, third.id), return_exceptions=True
        )
        assert [type(each) for each in done].count(SpaceInsideItself) == 1, done
        assert [type(each) for each in done].count(Space) == 1, done


async def test_no_space_is_left_in_one_that_goes(store: Store):
    """Of a space that is put in another, or is made in it, while that goes, nothing is left in nothing."""
    for round in range(8):
        space, parent, new = a_space(round), a_space(round + 100), a_space(round + 200)
        for each in (space, parent):
            await store.spaces.add(each, NOBODY, created())
        new = replace(new, parent_space_id=parent.id)
        await asyncio.gather(
            move(store, space, parent.id),
            store.spaces.remove("w1", parent.id, told_of_space("deleted", "w1", NOON)),
            store.spaces.add(new, NOBODY, created()),
            return_exceptions=True,
        )
    assert await store.access.find(Space, "w1", Wanted(ids=(parent.id,))) == []
    assert {each.parent_space_id for each in await store.access.find(Space, "w1", Wanted())} == {None}


async def test_a_parent_is_of_the_workspace(store: Store):
    """One that is gone, or another workspace's, is refused by its id; one further up that is gone is not
    asked for.
    """
    space, theirs = a_space(), a_space(workspace_id="w2")
    lost = a_space(1, parent_space_id=new_id())
    await store.spaces.add(space, NOBODY, created())
    await store.spaces.add(theirs, NOBODY, created("w2"))
    await store.access.add(lost)
    for id in (new_id(), theirs.id, "no\0body"):
        for tried in (
            move(store, space, id),
            store.spaces.add(a_space(2, parent_space_id=id), NOBODY, created()),
        ):
            with pytest.raises(SpaceNotFound) as refused:
                await tried
            assert refused.value.data == {"space_id": id}
    assert await move(store, space, lost.id) == replace(space, parent_space_id=lost.id)


async def test_a_space_that_goes_leaves_what_was_in_it(store: Store):
    """Its devices are in it no more, spaces in it are in none, and it is told once with what was in it."""
    space = a_space(space_key="101")
    child = a_space(1, parent_space_id=space.id)
    for each, inside in ((space, Members(LOCKS)), (child, Members(LOCKS[:1]))):
        await store.spaces.add(each, inside, created())
    end = told_of_space("deleted", "w1", NOON)
    assert not await store.spaces.remove("w2", space.id, end)
    assert await store.spaces.remove("w1", space.id, end)
    assert not await store.spaces.remove("w1", space.id, end)
    assert await store.access.find(Space, "w1", Wanted()) == [replace(child, parent_space_id=None)]
    assert await store.spaces.around("w1", LOCKS) == {LOCKS[0]: [child.id]}
    assert (await told(store))[2:] == [("space.deleted", list(LOCKS))]
    assert await store.device("w1", LOCKS[0]) is not None
    assert await store.spaces.add(a_space(space_key="101"), NOBODY, created())


async def test_what_goes_with_its_account_is_in_no_space(store: Store):
    """Devices and entrances of an account that goes, and itself, are in no space any more; others stay. Each
    space that lost some is told of once, with what is left.
    """
    entrance, other = an_entrance(), an_entrance("another")
    for each in (entrance, other):
        await store.access.add(each)
    space, theirs = a_space(), a_space(workspace_id="w2")
    untouched, of_account = a_space(1), a_space(2)
    inside = Members(LOCKS, (entrance.id, other.id), ("w1_account",))
    await store.spaces.add(space, inside, created())
    await store.spaces.add(untouched, Members((), (other.id,)), created())
    await store.spaces.add(of_account, Members((), (), ("w1_account",)), created())
    before = await store.last_sequence("w1")
    await store.spaces.add(theirs, Members(("w2_lock_1",), (), ("w2_account",)), created("w2"))
    assert await store.accounts.remove(
        "w1", "w1_account", (), partial(forgotten, now=NOON), partial(told_of_loss, now=NOON)
    )
    assert await store.spaces.inside("w1", (space.id,)) == {space.id: Members((), (other.id,))}
    [(_, lost)] = await store.events_after("w1", before, limit=9)
    assert lost.payload == {"space_id": space.id, "device_ids": [], "acs_entrance_ids": [other.id]}
    assert await store.spaces.around("w2", ("w2_lock_1", "w2_account")) == {
        id: [theirs.id] for id in ("w2_lock_1", "w2_account")
    }


async def test_a_reset_has_no_spaces(store: Store):
    """A reset forgets the spaces of its workspace: devices that come back with their ids are in none."""
    space, theirs = a_space(), a_space(workspace_id="w2")
    await store.spaces.add(space, Members(LOCKS), created())
    await store.spaces.add(theirs, Members(("w2_lock_1",)), created("w2"))
    await store.reset_workspace("w1", a_seed("w1"), ())
    assert await store.access.find(Space, "w1", Wanted()) == []
    assert await store.spaces.around("w1", LOCKS) == {}
    assert await store.spaces.around("w2", ("w2_lock_1",)) == {"w2_lock_1": [theirs.id]}
