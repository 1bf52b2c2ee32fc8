"""Access grants of which two things are asked at the same moment: one is done, and the other says so."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.fixtures.grants import DAY, NATIVE, PLAIN
from thumbturn.domain.access import AcsCredential, AcsUser, UserIdentity
from thumbturn.domain.access_grant import AccessGrant
from thumbturn.domain.access_refusals import IdentityHasUserThere
from thumbturn.domain.clock import seconds
from thumbturn.domain.new_grant import NewGrant, WantedMethod
from thumbturn.domain.refusals import UserIdentityNotFound
from thumbturn.domain.space import Members
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.acs_users import AcsUsers

CARD_NUMBER = "0815"


async def a_card(grants) -> AcsCredential:
    """A card that lies there and is nobody's."""
    door = await grants.entrance(PLAIN)
    card = AcsCredential(
        id="a-card",
        workspace_id="w1",
        created_at=1,
        acs_system_id=door.acs_system_id,
        connected_account_id=door.connected_account_id,
        access_method="card",
        card_number=CARD_NUMBER,
        issued_at=1,
    )
    await grants.house.store.access.add(card)
    return card


async def an_identity(grants) -> str:
    """The id of a new identity."""
    made = UserIdentity(id="jane", workspace_id="w1", created_at=1, full_name="Jane")
    await grants.house.store.access.add(made)
    return made.id


async def test_a_card_is_given_to_one_of_two_methods(grants):
    """Both found it free and take it at the same moment: one has it, and it stays so when the other goes."""
    house, card = grants.house, await a_card(grants)
    made = [await grants.create("card", doors=(door,)) for door in (PLAIN, NATIVE)]
    desk = house.engine._granting.card_desk("w1")
    methods = [await grants.method(grant) for grant in made]
    found = [await desk.free_card(method, CARD_NUMBER) for method in methods]
    assert found == [card, card]
    assigned = await asyncio.gather(*(desk.assign(method, card) for method in methods))
    assert [each is not None for each in assigned].count(True) == 1
    won, other = made if assigned[0] is not None else made[::-1]
    assert (await grants.method(won)).issued_at is not None
    assert (await grants.method(other)).issued_at is None
    await grants.all.delete("w1", other.id)
    await house.clock.advance(DAY)
    [kept] = await grants.credentials()
    assert (kept.id, kept.access_method_id) == (card.id, (await grants.method(won)).id)


async def test_who_comes_too_late_for_a_card_is_told_so(grants, monkeypatch):
    """Somebody has it between the look for it and the taking: there is no such card to assign any more."""
    house, card = grants.house, await a_card(grants)
    method = await grants.method(await grants.create("card", doors=(PLAIN,)))
    access = house.store.access
    find = access.find

    async def taken_then(kind, workspace_id, wanted, **more):
        found = await find(kind, workspace_id, wanted, **more)
        if wanted.key == CARD_NUMBER:
            await access.change(
                AcsCredential, "w1", card.id, lambda known: replace(known, acs_user_id="somebody")
            )
        return found

    monkeypatch.setattr(access, "find", taken_then)
    attempt = await house.begin("ASSIGN_CREDENTIAL", access_method_id=method.id, card_number=CARD_NUMBER)
    await house.clock.advance(seconds(5))
    ended = await house.stored(attempt)
    assert ended.status == "error"
    assert ended.failure is not None
    assert ended.failure[0] == "credential_not_found"
    after = await access.get(AcsCredential, "w1", card.id)
    assert (after.acs_user_id, after.access_method_id) == ("somebody", None)


async def test_a_card_that_changes_meanwhile_is_still_assigned(grants, monkeypatch):
    """Something else becomes of the card while it is assigned: that stays, and the card is the method's."""
    house, card = grants.house, await a_card(grants)
    method = await grants.method(await grants.create("card", doors=(PLAIN,)))
    access = house.store.access
    settle, tries = access.settle, 0

    async def change_first(workspace_id, **what):
        nonlocal tries
        if what.get("as_known"):
            tries += 1
            if tries == 1:
                await access.change(AcsCredential, "w1", card.id, lambda known: replace(known, issued_at=2))
        return await settle(workspace_id, **what)

    monkeypatch.setattr(access, "settle", change_first)
    attempt = await house.begin("ASSIGN_CREDENTIAL", access_method_id=method.id, card_number=CARD_NUMBER)
    await house.clock.advance(seconds(5))
    assert ((await house.stored(attempt)).status, tries) == ("success", 2)
    after = await access.get(AcsCredential, "w1", card.id)
    assert (after.access_method_id, after.issued_at) == (method.id, 2)


async def test_two_grants_of_an_identity_share_a_user(grants):
    """Both are seen to at the same moment: the identity has one user in the system all the same."""
    identity_id, house = await an_identity(grants), grants.house
    doors = [(await grants.entrance(name)).id for name in (PLAIN, NATIVE)]
    wishes = [
        NewGrant(
            user_identity_id=identity_id,
            requested=[WantedMethod(mode="cloud_key")],
            acs_entrance_ids=[door],
        )
        for door in doors
    ]
    find, waiting = house.store.access.find, [asyncio.Event(), asyncio.Event()]

    async def slow(kind, workspace_id, wanted, **more):
        found = await find(kind, workspace_id, wanted, **more)
        if kind is AcsUser and not found and not all(each.is_set() for each in waiting):
            next(each for each in waiting if not each.is_set()).set()
            await asyncio.gather(*(each.wait() for each in waiting))
        return found

    house.store.access.find = slow
    made = await asyncio.gather(*(grants.all.create("w1", each) for each in wishes))
    await house.clock.advance(seconds(2))
    [user] = await grants.users()
    assert user.user_identity_id == identity_id
    for grant in made:
        assert (await grants.method(grant)).issued_at is not None
    assert {each.acs_user_id for each in await grants.credentials()} == {user.id}


async def test_an_identity_gets_no_second_user_at_the_same_moment(grants):
    """Two callers give it one in the same system: one does, the other is refused."""
    users = AcsUsers(grants.house.store.access, grants.house.clock)
    identity_id, system_id = await an_identity(grants), (await grants.entrance(PLAIN)).acs_system_id
    find, known = grants.house.store.access.find, {"full_name": "Jane", "user_identity_id": identity_id}

    async def late(kind, workspace_id, wanted, **more):
        return [] if kind is AcsUser else await find(kind, workspace_id, wanted, **more)

    await users.create("w1", system_id, known)
    grants.house.store.access.find = late
    with pytest.raises(IdentityHasUserThere):
        await users.create("w1", system_id, known)
    grants.house.store.access.find = find
    assert len(await grants.users()) == 1


async def test_no_grant_outlives_its_identity(grants, monkeypatch):
    """The identity goes while a grant for it is made: the grant is refused, and nothing of it is there."""
    identity_id, access = await an_identity(grants), grants.house.store.access
    settle = access.settle

    async def too_late(workspace_id, **what):
        await access.remove(workspace_id, {identity_id: None})
        return await settle(workspace_id, **what)

    monkeypatch.setattr(access, "settle", too_late)
    with pytest.raises(UserIdentityNotFound):
        await grants.create("code", locks=(PLAIN,), user_identity_id=identity_id)
    assert await access.find(AccessGrant, "w1", Wanted()) == []
    assert await grants.told() == []
    assert await grants.at_lock(PLAIN) == []


async def test_what_comes_into_a_space_during_the_first_look_is_opened(grants, monkeypatch):
    """The space is read, then gets another door, then the methods are made: that door is opened, too."""
    engine = grants.house.engine
    first, second = [(await grants.entrance(name)).id for name in (PLAIN, NATIVE)]
    room = await engine.spaces.create("w1", {"name": "Room"}, Members(acs_entrance_ids=(first,)))
    planning = engine._granting.keeper._planning
    plan, is_read = planning.plan, False

    async def read(*what):
        nonlocal is_read
        planned = await plan(*what)
        if not is_read:
            is_read = True
            await engine.spaces.put("w1", room.id, Members(acs_entrance_ids=(second,)))
        return planned

    monkeypatch.setattr(planning, "plan", read)
    grant = await grants.create("cloud_key", space_ids=[room.id])
    await grants.house.clock.advance(seconds(2))
    assert set((await grants.stands(grant)).opened_entrance_ids) == {first, second}
