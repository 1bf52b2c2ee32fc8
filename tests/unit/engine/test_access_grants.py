"""Access grants in the engine: what they make, what becomes of it, and what is told."""

from __future__ import annotations

import pytest

from tests.fixtures.codes import ME
from tests.fixtures.grants import DAY, HOUR, NATIVE, PLAIN
from thumbturn.domain.access import UserIdentity
from thumbturn.domain.access_grant import GrantedMethod
from thumbturn.domain.access_grant_refusals import AccessGrantKeyTaken
from thumbturn.domain.access_refusals import (
    AccessMethodNotSupported,
    CodeOfNoCode,
    InvalidAccessTimes,
    UserIdentityKeyTaken,
)
from thumbturn.domain.clock import seconds
from thumbturn.domain.ids import new_id
from thumbturn.domain.new_grant import WantedMethod
from thumbturn.domain.refusals import DeviceNotFound
from thumbturn.domain.space import Members

MADE = ["access_grant.created", "access_method.created"]
ISSUED = [*MADE, "access_method.issued", "access_grant.access_granted_to_all_doors"]
GONE = ["access_method.revoked", "access_method.deleted", "access_grant.deleted"]


async def test_one_pin_is_at_every_lock(grants):
    """A code for two locks is one method with one PIN, which both hold; each fact is told once."""
    grant = await grants.create("code", locks=(PLAIN, NATIVE))
    method = await grants.method(grant)
    assert (method.issued_at is not None, method.failure, len(method.at_device_ids)) == (True, None, 2)
    assert await grants.at_lock(PLAIN) == await grants.at_lock(NATIVE) == [grants.pin(method)]
    assert await grants.told() == ISSUED


async def test_a_lock_that_cannot_have_the_pin_gets_another(grants):
    """The PIN that was asked for is at the locks that take it; another lock has a method of its own."""
    first = await grants.create(WantedMethod(mode="code", code="4711"), locks=(PLAIN,))
    second = await grants.create(WantedMethod(mode="code", code="4711"), locks=(PLAIN, NATIVE))
    shared, own = sorted(await grants.methods(second), key=lambda each: grants.pin(each) != "4711")
    assert grants.pin(await grants.method(first)) == grants.pin(shared) == "4711"
    assert await grants.at_lock(NATIVE) == ["4711"]
    assert sorted(await grants.at_lock(PLAIN)) == sorted(["4711", grants.pin(own)])
    assert grants.pin(own) != "4711"


async def test_the_times_of_a_grant_are_kept(grants):
    """A code is set ahead of its time and issued then; when the time is over it is revoked, and told so."""
    now = grants.house.clock.now()
    grant = await grants.create("code", locks=(PLAIN,), starts_at=now + DAY, ends_at=now + 2 * DAY)
    assert (await grants.method(grant)).issued_at is None
    assert await grants.told() == MADE
    await grants.house.clock.advance(DAY)
    assert (await grants.method(grant)).issued_at is not None
    assert await grants.told() == ISSUED
    await grants.house.clock.advance(DAY + HOUR)
    assert await grants.at_lock(PLAIN) == []
    assert (await grants.method(grant)).issued_at is None
    assert await grants.told() == [*ISSUED, "access_method.revoked"]


async def test_a_grant_without_end_begins_at_its_start(grants):
    """A lock knows no code that begins later and never ends: it is set when it begins, and not before."""
    grant = await grants.create("code", locks=(PLAIN,), starts_at=grants.house.clock.now() + DAY)
    await grants.house.clock.advance(DAY - HOUR)
    assert await grants.at_lock(PLAIN) == []
    await grants.house.clock.advance(HOUR + seconds(1))
    assert await grants.at_lock(PLAIN) == [grants.pin(await grants.method(grant))]


async def test_changed_times_are_carried_to_the_locks(grants):
    """Codes and credentials get the new times; while a lock is away that is pending."""
    now = grants.house.clock.now()
    grant = await grants.create("code", locks=(NATIVE,), doors=(PLAIN,), ends_at=now + DAY)
    lock = await grants.house.device(NATIVE)
    await grants.house.engine.sandbox.disconnect(grants.house.workspace, lock.id)
    await grants.all.change("w1", grant.id, {"ends_at": now + 3 * DAY})
    await grants.house.clock.settle()
    assert (await grants.stands(grant)).old_ends_at == now + DAY
    assert (await grants.method(grant)).is_behind
    await grants.house.engine.sandbox.connect(grants.house.workspace, lock.id)
    await grants.house.clock.advance(seconds(70))
    assert (await grants.stands(grant)).times_changed_at is None
    method = await grants.method(grant)
    assert not method.is_behind
    code = await grants.code(method, NATIVE)
    assert code.facts.held.ends_at == now + 3 * DAY
    assert [each.ends_at for each in await grants.credentials()] == [now + 3 * DAY]
    assert (await grants.told()).count("access_grant.access_times_changed") == 1


async def test_a_grant_that_is_put_off_is_issued_again(grants):
    """Begins it later after all, its code leaves the lock, and is set again ahead of the new start."""
    now = grants.house.clock.now()
    grant = await grants.create("code", locks=(PLAIN,), ends_at=now + DAY)
    await grants.all.change("w1", grant.id, {"starts_at": now + 2 * DAY, "ends_at": now + 3 * DAY})
    await grants.house.clock.advance(seconds(5))
    assert await grants.at_lock(PLAIN) == []
    assert (await grants.method(grant)).issued_at is None
    await grants.house.clock.advance(2 * DAY)
    assert await grants.at_lock(PLAIN) == [grants.pin(await grants.method(grant))]
    told = [each for each in await grants.told() if each.startswith("access_method.")]
    assert told == [f"access_method.{word}" for word in ("created", "issued", "revoked", "reissued")]


async def test_a_space_that_gets_a_lock_revokes_nothing(grants):
    """What opens one door goes on doing so while another is added that is away."""
    spaces = grants.house.engine.spaces
    first, second = await grants.house.device(PLAIN), await grants.house.device(NATIVE)
    room = await spaces.create("w1", {"name": "Room"}, Members(device_ids=(first.id,)))
    grant = await grants.create("code", space_ids=[room.id])
    await grants.house.engine.sandbox.disconnect(grants.house.workspace, second.id)
    await spaces.put("w1", room.id, Members(device_ids=(second.id,)))
    await grants.house.clock.advance(seconds(5))
    method = await grants.method(grant)
    assert (method.issued_at is not None, method.at_device_ids) == (True, (first.id,))
    assert "access_method.revoked" not in await grants.told()
    assert not (await grants.stands(grant)).is_told_all


async def test_a_deleted_grant_leaves_nothing_behind(grants):
    """Its codes leave the locks, its credentials and itself the record; what is told is told once."""
    grant = await grants.create("code", "cloud_key", locks=(PLAIN,), doors=(NATIVE,))
    before = await grants.told()
    await grants.all.delete("w1", grant.id)
    await grants.house.clock.settle()
    assert await grants.is_gone(grant)
    assert await grants.at_lock(PLAIN) == []
    assert await grants.credentials() == []
    after = (await grants.told())[len(before) :]
    assert sorted(after) == sorted([*GONE[:2], *GONE, "access_grant.access_to_door_lost"])
    assert after[-1] == "access_grant.deleted"


async def test_a_card_is_issued_when_it_is_encoded(grants):
    """A card waits for its encoding; with other times it has to be encoded again, and is reissued."""
    now = grants.house.clock.now()
    grant = await grants.create("card", doors=(PLAIN, NATIVE), ends_at=now + DAY)
    method = await grants.method(grant)
    assert (method.issued_at, method.is_encoding_required) == (None, True)
    assert await grants.told() == [*MADE, "access_method.card_encoding_required"]
    assert (await grants.encode(method)).status == "success"
    method = await grants.method(grant)
    assert (method.issued_at is not None, method.is_encoding_required) == (True, False)
    assert len((await grants.stands(grant)).opened_entrance_ids) == 2
    await grants.all.change("w1", grant.id, {"ends_at": now + 2 * DAY})
    method = await grants.method(grant)
    assert (method.is_encoding_required, method.is_behind) == (True, True)
    await grants.encode(method)
    method = await grants.method(grant)
    assert (method.is_encoding_required, method.is_behind) == (False, False)
    assert [each for each in await grants.told() if each.startswith("access_method.")] == [
        "access_method.created",
        "access_method.card_encoding_required",
        "access_method.issued",
        "access_method.card_encoding_required",
        "access_method.reissued",
    ]


async def test_a_card_that_is_written_over_is_revoked(grants):
    """A card holds one credential: whose is written over has to be encoded again."""
    first = await grants.create("card", doors=(PLAIN,))
    second = await grants.create("card", doors=(NATIVE,))
    await grants.encode(await grants.method(first))
    await grants.encode(await grants.method(second))
    lost = await grants.method(first)
    assert (lost.issued_at, lost.is_encoding_required) == (None, True)
    assert (await grants.stands(first)).opened_entrance_ids == ()
    assert (await grants.method(second)).issued_at is not None
    assert (await grants.told()).count("access_method.revoked") == 1


async def test_a_device_that_nothing_opens_is_said(grants):
    """What no way in that was asked for can open is an error of the grant, told once."""
    grant = await grants.create("card", locks=(PLAIN,), doors=(NATIVE,))
    lock = await grants.house.device(PLAIN)
    assert (grant.missing_device_ids, grant.problem is not None) == ((lock.id,), True)
    told = "access_grant.could_not_create_requested_access_methods"
    assert (await grants.told()).count(told) == 1
    await grants.all.request("w1", grant.id, [WantedMethod(mode="code")])
    assert (await grants.stands(grant)).problem is None
    assert (await grants.told()).count(told) == 1


async def test_what_a_grant_rests_on_is_put_back(grants):
    """A code of a grant that somebody deletes is made again: the grant is what says who is let in."""
    grant = await grants.create("code", locks=(PLAIN,))
    method = await grants.method(grant)
    code = await grants.code(method, PLAIN)
    await grants.house.engine.access_codes.delete("w1", code.id, ME)
    await grants.house.clock.advance(seconds(5))
    assert await grants.at_lock(PLAIN) == [grants.pin(method)]


async def test_a_deleted_method_is_not_made_again(grants):
    """Its code leaves the lock, and the grant stays with what else it has."""
    grant = await grants.create("code", "cloud_key", locks=(PLAIN,), doors=(PLAIN,))
    [code] = [each for each in await grants.methods(grant) if each.mode == "code"]
    await grants.all.delete_methods("w1", [code])
    await grants.house.clock.advance(HOUR)
    assert [each.mode for each in await grants.methods(grant)] == ["cloud_key"]
    assert await grants.at_lock(PLAIN) == []
    assert [each.access_method for each in await grants.credentials()] == ["cloud_key"]


async def test_the_door_of_a_deleted_method_is_not_opened_by_another(grants):
    """A grant has two PINs, as one lock could not have the first: without the first, its lock has none."""
    await grants.create(WantedMethod(mode="code", code="4711"), locks=(NATIVE,))
    grant = await grants.create(WantedMethod(mode="code", code="4711"), locks=(PLAIN, NATIVE))
    first, own = sorted(await grants.methods(grant), key=lambda each: grants.pin(each) != "4711")
    await grants.all.delete_methods("w1", [first])
    await grants.house.clock.advance(HOUR)
    assert [each.id for each in await grants.methods(grant)] == [own.id]
    assert await grants.at_lock(PLAIN) == []
    assert grants.pin(own) in await grants.at_lock(NATIVE)
    assert (await grants.stands(grant)).missing_device_ids == ()


async def test_the_entrance_of_a_deleted_method_is_not_opened_by_another(grants):
    """So it is in access control systems: the PIN that is left does not come to open the other's entrance."""
    await grants.create(WantedMethod(mode="code", code="4711"), locks=(PLAIN,))
    grant = await grants.create(WantedMethod(mode="code", code="4711"), locks=(PLAIN,), doors=(NATIVE,))
    first, own = sorted(await grants.methods(grant), key=lambda each: grants.pin(each) != "4711")
    assert (len(first.acs_entrance_ids), len(own.device_ids)) == (1, 1)
    await grants.all.delete_methods("w1", [first])
    await grants.house.clock.advance(HOUR)
    assert [each.id for each in await grants.methods(grant)] == [own.id]
    assert await grants.credentials() == []
    assert (await grants.stands(grant)).opened_entrance_ids == ()


async def test_a_lock_that_comes_back_into_a_space_keeps_its_pin(grants):
    """It was away when it left, so its code is still in it: back again it has that PIN, of that method."""
    house, spaces = grants.house, grants.house.engine.spaces
    locks = [await house.device(name) for name in (PLAIN, NATIVE)]
    room = await spaces.create("w1", {"name": "Room"}, Members(device_ids=tuple(each.id for each in locks)))
    await grants.create(WantedMethod(mode="code", code="4711"), locks=(NATIVE,))
    shared = await grants.create(WantedMethod(mode="code", code="4711"), space_ids=[room.id])
    before = {each.id: grants.pin(each) for each in await grants.methods(shared)}
    assert len(before) == 2
    for lock in locks:
        await house.engine.sandbox.disconnect(house.workspace, lock.id)
        left = Members(device_ids=(lock.id,))
        await spaces.take("w1", room.id, left)
        await house.clock.settle()
        await spaces.put("w1", room.id, left)
        await house.clock.settle()
        await house.engine.sandbox.connect(house.workspace, lock.id)
        await house.clock.advance(seconds(200))
    assert {each.id: grants.pin(each) for each in await grants.methods(shared)} == before
    assert await grants.at_lock(PLAIN) == ["4711"]
    assert sorted(await grants.at_lock(NATIVE)) == sorted(before.values())


async def test_with_its_account_go_the_doors_of_a_grant(grants):
    """Devices that are gone are missing; nothing of them is held against the grant's end."""
    grant = await grants.create("code", locks=(PLAIN,), doors=(NATIVE,))
    lock = await grants.house.device(PLAIN)
    await grants.house.engine.accounts.delete("w1", lock.connected_account_id)
    await grants.house.clock.settle()
    after = await grants.stands(grant)
    assert (after.missing_device_ids, after.opened_entrance_ids) == ((lock.id,), ())
    assert "access_grant.access_to_door_lost" in await grants.told()
    await grants.all.delete("w1", grant.id)
    await grants.house.clock.settle()
    assert await grants.is_gone(grant)


@pytest.mark.parametrize(
    ("requested", "more", "refusal"),
    [
        ("mobile_key", {}, AccessMethodNotSupported),
        (WantedMethod(mode="card", code="4711"), {}, CodeOfNoCode),
        ("code", {"starts_at": 2, "ends_at": 1}, InvalidAccessTimes),
        ("code", {"ends_at": 1}, InvalidAccessTimes),
    ],
)
async def test_what_cannot_be_is_refused(grants, requested, more, refusal):
    """And nothing of it is on record."""
    with pytest.raises(refusal):
        await grants.create(requested, locks=(PLAIN,), **more)
    assert await grants.told() == []


async def test_a_device_of_nobody_is_not_found(grants):
    """A grant is for devices of its workspace."""
    grants.house.device = _no_device
    with pytest.raises(DeviceNotFound):
        await grants.create("code", locks=("nowhere",))


async def _no_device(name: str) -> object:
    return type("Device", (), {"id": name})


async def test_a_grant_is_issued_when_the_database_said_what_nobody_expects(grants, monkeypatch):
    """It breaks while a new grant is seen to: the grant is seen to again, and its code is at the lock."""
    find = grants.house.store.access.find
    with monkeypatch.context() as ill:

        async def fail(kind, *which, **more):
            if kind is GrantedMethod:
                raise ZeroDivisionError
            return await find(kind, *which, **more)

        ill.setattr(grants.house.store.access, "find", fail)
        grant = await grants.create("code", locks=(PLAIN,))
        await grants.house.clock.settle()
    assert await grants.at_lock(PLAIN) == []
    await grants.house.clock.advance(seconds(120))
    assert await grants.at_lock(PLAIN) == [grants.pin(await grants.method(grant))]


async def test_a_key_that_somebody_was_faster_with_is_named(grants, monkeypatch):
    """Of a new grant for a new identity it is said which of both keys another has by then."""
    store = grants.house.store.access
    look = store.find

    async def and_then_it_is_taken(kind, workspace_id, wanted, **more):
        found = await look(kind, workspace_id, wanted, **more)
        if kind is UserIdentity and wanted.key == "jane" and not found:
            faster = UserIdentity(id=new_id(), workspace_id="w1", created_at=1, user_identity_key="jane")
            await store.add(faster)
        return found

    monkeypatch.setattr(store, "find", and_then_it_is_taken)
    jane = {"full_name": "Jane", "user_identity_key": "jane"}
    with pytest.raises(UserIdentityKeyTaken):
        await grants.create("code", locks=(PLAIN,), user_identity=jane, access_grant_key="g")
    await grants.create("code", locks=(PLAIN,), access_grant_key="g")
    with pytest.raises(AccessGrantKeyTaken):
        await grants.create(
            "code",
            locks=(PLAIN,),
            user_identity={"full_name": "Joe", "user_identity_key": "joe"},
            access_grant_key="g",
        )
