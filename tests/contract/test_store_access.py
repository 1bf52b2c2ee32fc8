"""Access control: what every store keeps of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from tests.fixtures.stores import NOON, a_seed
from thumbturn.domain.access import (
    AcsAccessGroup,
    AcsCredential,
    AcsEntrance,
    AcsSystem,
    AcsUser,
    UnmanagedIdentity,
    UserIdentity,
    told,
)
from thumbturn.domain.access_code_news import forgotten
from thumbturn.domain.ids import new_id
from thumbturn.domain.phone import Phone
from thumbturn.domain.space import told_of_loss
from thumbturn.engine.access_ports import KeyIsTaken, Wanted
from thumbturn.engine.ports import EventFilter, Store


def of_system(number: int = 0, **other: Any) -> dict[str, Any]:
    """What every thing of a system has."""
    return {
        "id": new_id(),
        "workspace_id": "w1",
        "created_at": NOON + number,
        "acs_system_id": "s1",
        "connected_account_id": "w1_account",
        **other,
    }


def an_identity(number: int = 0, workspace_id: str = "w1", **other: Any) -> UserIdentity:
    return UserIdentity(id=new_id(), workspace_id=workspace_id, created_at=NOON + number, **other)


WHOLE = [
    an_identity(
        user_identity_key='the "key"',
        full_name="Grün",
        email_address="a@b.c",
        phone_number="+1",
        device_ids=("d2", "d1"),
    ),
    an_identity(),
    UnmanagedIdentity(**of_system(full_name="Found", email_address="f@b.c", phone_number="+3")),
    Phone(
        id=new_id(),
        workspace_id="w1",
        created_at=NOON,
        user_identity_id="i1",
        operating_system="ios",
        manufacturer="Apple",
        model="iPhone",
        installation_id="x",
        endpoint_id="y",
    ),
    AcsSystem(
        id=new_id(),
        workspace_id="w1",
        created_at=NOON,
        connected_account_id="w1_account",
        name="House",
        time_zone="Etc/UTC",
    ),
    AcsEntrance(**of_system(name="Door", device_id="w1_lock_1")),
    AcsAccessGroup(**of_system(name="All", acs_entrance_ids=("e1", "e2"))),
    AcsUser(
        **of_system(full_name="Jane", user_identity_id="i1", acs_access_group_ids=("g1",)),
        email_address="j@b.c",
        phone_number="+2",
        starts_at=1,
        ends_at=2,
        is_suspended=True,
        acs_entrance_ids=("e1",),
    ),
    AcsUser(**of_system(full_name="Nobody's")),
    AcsCredential(
        **of_system(access_method="code", acs_user_id="u1", code="sealed"),
        starts_at=1,
        ends_at=2,
        acs_entrance_ids=(),
        issued_at=3,
    ),
    AcsCredential(**of_system(access_method="card", card_number="0815")),
    AcsCredential(**of_system(access_method="code", code="sealed", code_key="k0")),
]


async def issued(store: Store, workspace_id: str = "w1") -> list[str]:
    """What was told, in order."""
    return [each.event_type for each in await store.events(workspace_id, EventFilter(), limit=100)]


@pytest.mark.parametrize("thing", WHOLE, ids=lambda thing: type(thing).__name__)
async def test_a_thing_is_kept_whole(store: Store, thing: Any):
    """Everything of it comes back; in another workspace, or as another kind, it is not found."""
    assert await store.access.add(thing)
    assert await store.access.get(type(thing), "w1", thing.id) == thing
    assert await store.access.get(type(thing), "w2", thing.id) is None
    other = AcsUser if type(thing) is not AcsUser else AcsSystem
    assert await store.access.get(other, "w1", thing.id) is None
    assert await store.access.get(type(thing), "w1", "no\0body") is None


async def test_things_are_found_by_what_they_are_asked_for(store: Store):
    """Each part of a wish narrows what is found, oldest first."""
    one = AcsUser(**of_system(1, full_name="One", user_identity_id="i1"))
    two = AcsUser(**of_system(2, full_name="Two", acs_system_id="s2"))
    three = AcsUser(
        **of_system(3, full_name="Three", user_identity_id="i1", connected_account_id="other")
        | {"acs_system_id": "s3"}
    )
    elsewhere = AcsUser(**of_system(4, full_name="Four", workspace_id="w2"))
    for each in (three, one, elsewhere, two):
        await store.access.add(each)
    for wanted, found in (
        (Wanted(), [one, two, three]),
        (Wanted(ids=[two.id, elsewhere.id, "no\0body"]), [two]),
        (Wanted(ids=[]), []),
        (Wanted(acs_system_ids=["s2"]), [two]),
        (Wanted(connected_account_ids=["other"]), [three]),
        (Wanted(holder_ids=["i1"]), [one, three]),
        (Wanted(created_before=NOON + 3), [one, two]),
        (Wanted(reach=frozenset({"w1_account"})), [one, two]),
        (Wanted(reach=frozenset()), []),
        (Wanted(holder_ids=["i1"], reach=frozenset({"other"})), [three]),
    ):
        assert await store.access.find(AcsUser, "w1", wanted) == found, wanted
    place = (one.created_at, one.id)
    assert await store.access.find(AcsUser, "w1", Wanted(), after=place, limit=1) == [two]
    card = AcsCredential(**of_system(access_method="card", card_number="0815"))
    await store.access.add(card)
    assert await store.access.find(AcsCredential, "w1", Wanted(key="0815")) == [card]
    assert await store.access.find(AcsCredential, "w1", Wanted(key="08\0")) == []
    assert await store.access.find(AcsSystem, "w1", Wanted(acs_system_ids=["s1"])) == []


async def test_a_system_is_of_itself(store: Store):
    """A system is found by its own id as the system of other things is."""
    system = AcsSystem(
        id="s1", workspace_id="w1", created_at=NOON, connected_account_id="w1_account", name="House"
    )
    await store.access.add(system)
    assert await store.access.find(AcsSystem, "w1", Wanted(acs_system_ids=["s1"])) == [system]


async def test_a_code_is_of_one_credential_of_a_system(store: Store):
    """Of several with the same code at once one is kept, and none is changed to it; others have none."""

    def coded(key: str) -> AcsCredential:
        return AcsCredential(**of_system(access_method="code", code="sealed", code_key=key))

    made = [coded("k1") for _ in range(4)]
    kept = await asyncio.gather(*[store.access.add(each) for each in made])
    assert sorted(kept) == [False, False, False, True]
    [there] = await store.access.find(AcsCredential, "w1", Wanted(key="k1"))
    assert (there.code_key, there.card_number) == ("k1", None)
    second = coded("k2")
    assert await store.access.add(second)
    with pytest.raises(KeyIsTaken):
        await store.access.change(AcsCredential, "w1", second.id, lambda known: replace(known, code_key="k1"))
    renewed = await store.access.change(
        AcsCredential, "w1", there.id, lambda known: replace(known, ends_at=NOON)
    )
    assert renewed is not None
    assert renewed.ends_at == NOON
    for _ in range(2):
        assert await store.access.add(AcsCredential(**of_system(access_method="card", card_number="1")))


async def test_a_key_is_of_one_identity(store: Store):
    """Of several that want a key at once one is kept; in another workspace it is free."""
    made = [an_identity(user_identity_key="jane") for _ in range(4)]
    kept = await asyncio.gather(*[store.access.add(each) for each in made])
    assert sorted(kept) == [False, False, False, True]
    assert await store.access.add(an_identity(workspace_id="w2", user_identity_key="jane"))
    other = an_identity()
    await store.access.add(other)
    with pytest.raises(KeyIsTaken):
        await store.access.change(
            UserIdentity, "w1", other.id, lambda known: replace(known, user_identity_key="jane")
        )
    assert await store.access.get(UserIdentity, "w1", other.id) == other


async def test_an_identity_has_one_user_in_a_system(store: Store):
    """Of several that are made at once one is kept; in other systems and workspaces it may have others."""
    made = [AcsUser(**of_system(number, full_name="Jane", user_identity_id="i1")) for number in range(4)]
    kept = await asyncio.gather(*[store.access.add(each) for each in made])
    assert sorted(kept) == [False, False, False, True]
    [jane] = await store.access.find(AcsUser, "w1", Wanted())
    with pytest.raises(KeyIsTaken):
        await store.access.settle("w1", new=(replace(jane, id=new_id()),))
    other = replace(jane, id=new_id(), user_identity_id=None)
    for free in (other, replace(other, id=new_id()), replace(jane, id=new_id(), acs_system_id="s2")):
        assert await store.access.add(free)
    assert await store.access.add(replace(jane, id=new_id(), workspace_id="w2"))
    with pytest.raises(KeyIsTaken):
        await store.access.change(
            AcsUser, "w1", other.id, lambda known: replace(known, user_identity_id="i1")
        )
    renamed = await store.access.change(
        AcsUser, "w1", jane.id, lambda known: replace(known, full_name="Mary")
    )
    assert renamed == replace(jane, full_name="Mary")


async def test_a_change_is_told_if_it_is_one(store: Store):
    """What changes is stored and told, together; what stays is not told, what is not there not made."""
    user = AcsUser(**of_system(full_name="Jane"))
    event = told("acs_user.created", user, NOON)
    await store.access.add(user, (event,))

    def rename(known: AcsUser) -> AcsUser:
        return replace(known, full_name="Joan")

    def refuse(known: AcsUser) -> AcsUser:
        raise ValueError(known.full_name)

    changed = await store.access.change(AcsUser, "w1", user.id, rename, (told("acs_user.deleted", user, 1),))
    assert changed == replace(user, full_name="Joan")
    assert await store.access.get(AcsUser, "w1", user.id) == changed
    await store.access.change(AcsUser, "w1", user.id, rename, (told("acs_user.created", user, 2),))
    for id, workspace_id in ((user.id, "w2"), ("nobody", "w1")):
        assert await store.access.change(AcsUser, workspace_id, id, rename) is None
    with pytest.raises(ValueError, match="Joan"):
        await store.access.change(AcsUser, "w1", user.id, refuse, (told("acs_user.created", user, 3),))
    assert await issued(store) == ["acs_user.created", "acs_user.deleted"]


async def test_what_is_made_of_a_thing_may_be_of_another_kind(store: Store):
    """An unmanaged identity that is taken over is found as a managed one, and no more as what it was; not if
    somebody has its key.
    """
    found = UnmanagedIdentity(**of_system(full_name="Jane"))
    managed = UserIdentity(
        id=found.id, workspace_id="w1", created_at=NOON, user_identity_key="jane", full_name="Jane"
    )
    other = an_identity(user_identity_key="jane")
    for each in (found, other):
        await store.access.add(each)
    kind: type[UserIdentity] = UnmanagedIdentity
    with pytest.raises(KeyIsTaken):
        await store.access.change(kind, "w1", found.id, lambda _: managed)
    assert await store.access.get(UnmanagedIdentity, "w1", found.id) == found
    await store.access.remove("w1", {other.id: None})
    assert await store.access.change(kind, "w1", found.id, lambda _: managed) == managed
    assert await store.access.get(UnmanagedIdentity, "w1", found.id) is None
    assert await store.access.find(UserIdentity, "w1", Wanted(key="jane")) == [managed]
    assert await store.access.change(kind, "w1", found.id, lambda _: managed) is None


async def test_changes_of_one_thing_do_not_undo_each_other(store: Store):
    """Of many changes at once each finds what the one before it left."""
    identity = an_identity()
    await store.access.add(identity)

    def granting(device_id: str) -> Any:
        return lambda known: replace(known, device_ids=(*known.device_ids, device_id))

    names = [f"d{number}" for number in range(12)]
    await asyncio.gather(
        *[store.access.change(UserIdentity, "w1", identity.id, granting(name)) for name in names]
    )
    found = await store.access.get(UserIdentity, "w1", identity.id)
    assert found is not None
    assert sorted(found.device_ids) == sorted(names)


async def test_what_goes_is_told_once(store: Store):
    """What was there is forgotten and told; another workspace's stays, and what is gone is not told again."""
    mine, theirs = (AcsUser(**of_system(full_name="Jane", workspace_id=each)) for each in ("w1", "w2"))
    for each in (mine, theirs):
        await store.access.add(each)
    gone = {each.id: told("acs_user.deleted", mine, NOON) for each in (mine, theirs)}
    assert await store.access.remove("w1", gone) == {mine.id}
    assert await store.access.remove("w1", gone) == frozenset()
    assert await store.access.get(AcsUser, "w2", theirs.id) == theirs
    assert await issued(store) == ["acs_user.deleted"]


async def test_a_reset_begins_anew(store: Store):
    """A reset forgets what a workspace had of access control, and has the seed's; others keep theirs."""
    old, theirs, first = (
        AcsUser(**of_system(full_name="Jane", workspace_id=each, connected_account_id=f"{each}_account"))
        for each in ("w1", "w2", "w1")
    )
    for each in (old, theirs):
        await store.access.add(each)
    await store.reset_workspace("w1", a_seed("w1")._replace(access=(first,)), ())
    assert await store.access.find(AcsUser, "w1", Wanted()) == [first]
    assert await store.access.find(AcsUser, "w2", Wanted()) == [theirs]


async def test_what_is_of_an_account_goes_with_it(store: Store):
    """With an account go the things of its systems; identities, which are of none, stay."""
    user, identity = AcsUser(**of_system(full_name="Jane")), an_identity()
    for each in (user, identity):
        await store.access.add(each)
    assert await store.accounts.remove(
        "w1", "w1_account", (), partial(forgotten, now=NOON), partial(told_of_loss, now=NOON)
    )
    assert await store.access.find(AcsUser, "w1", Wanted()) == []
    assert await store.access.get(UserIdentity, "w1", identity.id) == identity
