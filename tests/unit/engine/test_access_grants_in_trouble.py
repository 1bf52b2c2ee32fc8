"""Access grants when something is in their way: locks that fail or are away, PINs that are taken, crashes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from tests.fixtures.codes import ME
from tests.fixtures.grants import DAY, NATIVE, PLAIN
from thumbturn.domain.access import AcsCredential
from thumbturn.domain.clock import seconds
from thumbturn.domain.new_grant import WantedMethod
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.access import Whom
from thumbturn.engine.access_codes import NewCode
from thumbturn.engine.pace import Pace

MADE = ["access_grant.created", "access_method.created"]
ISSUED = [*MADE, "access_method.issued", "access_grant.access_granted_to_all_doors"]
GONE = ["access_method.revoked", "access_method.deleted", "access_grant.deleted"]


async def test_a_lock_that_is_away_keeps_a_deleted_grant(grants):
    """As long as a lock may still hold its code, a grant is being deleted, and not gone."""
    grant = await grants.create("code", locks=(PLAIN,))
    lock = await grants.house.device(PLAIN)
    await grants.house.engine.sandbox.disconnect(grants.house.workspace, lock.id)
    await grants.all.delete("w1", grant.id)
    await grants.house.clock.settle()
    assert (await grants.stands(grant)).removed_at is not None
    assert await grants.told() == ISSUED
    await grants.house.engine.sandbox.connect(grants.house.workspace, lock.id)
    await grants.house.clock.advance(seconds(120))
    assert await grants.is_gone(grant)
    assert await grants.told() == [*ISSUED, *GONE]


async def test_what_fails_at_a_lock_is_said_and_put_right(grants):
    """A lock that refuses is a failure of the method, told once; when the lock takes the code it is over."""
    lock = await grants.house.device(PLAIN)
    await grants.house.fault(lock, "refuse", times=1)
    grant = await grants.create("code", locks=(PLAIN, NATIVE))
    method = await grants.method(grant)
    assert method.failure is not None
    assert method.issued_at is None
    assert await grants.told() == [*MADE, "access_method.failed_to_issue"]
    await grants.house.clock.advance(seconds(180))
    assert (await grants.method(grant)).failure is None
    assert await grants.told() == [
        *MADE,
        "access_method.failed_to_issue",
        "access_method.issued",
        "access_grant.access_granted_to_all_doors",
    ]


async def test_a_code_that_is_late_is_said_to_be(grants):
    """Five minutes after its time, a method whose lock is away is late, and told so once."""
    lock = await grants.house.device(PLAIN)
    await grants.house.engine.sandbox.disconnect(grants.house.workspace, lock.id)
    grant = await grants.create("code", locks=(PLAIN,))
    await grants.house.clock.advance(seconds(600))
    assert (await grants.method(grant)).delayed_at is not None
    assert await grants.told() == [*MADE, "access_method.delay_in_issuing"]


async def test_a_grant_goes_on_after_a_crash(grants):
    """What was asked for and not made yet is made by the next process; nothing is told twice."""
    house = grants.house
    lock = await house.device(PLAIN)
    await house.fault(lock, "slow", ms=60_000)
    grant = await grants.create("code", "cloud_key", locks=(PLAIN, NATIVE), doors=(PLAIN,))
    assert (await grants.methods(grant))[0].issued_at is None
    await house.revive()
    await house.clock.advance(seconds(180))
    methods = await grants.methods(grant)
    assert all(method.issued_at is not None for method in methods)
    assert len(await grants.at_lock(PLAIN)) == 1
    told = await grants.told()
    assert sorted(told) == sorted(
        [
            "access_grant.created",
            "access_grant.access_granted_to_door",
            "access_grant.access_granted_to_all_doors",
            *["access_method.created", "access_method.issued"] * 2,
        ]
    )


async def test_a_grant_that_was_never_made_is_made_after_a_crash(grants):
    """The process may die before anything rests on the grant: its record alone is enough."""
    house = grants.house
    keeper = house.engine._granting.keeper
    keeper._see_to = _never
    grant = await grants.create("code", locks=(PLAIN,))
    assert await grants.methods(grant) == []
    await house.revive()
    await house.clock.advance(seconds(5))
    assert await grants.at_lock(PLAIN) == [grants.pin(await grants.method(grant))]


async def _never(which: tuple[str, str]) -> None:
    """A look that ends before it does anything."""


async def test_a_pin_is_another_where_a_system_has_it_by_then(grants, monkeypatch):
    """Two who are let in at the same moment with the same PIN: the second gets another in that system."""
    credentials = grants.house.credentials
    look, looks = credentials.codes_in, 0

    async def late(*what, **how):
        nonlocal looks
        looks += 1
        return await look(*what, **how) if looks > 3 else set()

    await grants.create(WantedMethod(mode="code", code="4711"), doors=(PLAIN,))
    monkeypatch.setattr(credentials, "codes_in", late)
    grant = await grants.create(WantedMethod(mode="code", code="4711"), doors=(PLAIN, NATIVE))
    await grants.house.clock.advance(seconds(70))
    method = await grants.method(grant)
    assert (method.issued_at is not None, method.failure, grants.pin(method) != "4711") == (True, None, True)
    assert len(await grants.credentials()) == 2


async def test_a_card_is_assigned_after_a_crash(grants):
    """The process may die while it assigns a card: the next one does it again, which is doing it once."""
    house = grants.house
    method = await grants.method(await grants.create("card", doors=(NATIVE, PLAIN)))
    [system] = method.credentials
    card = AcsCredential(
        id="a-card",
        workspace_id="w1",
        created_at=1,
        acs_system_id=system,
        connected_account_id=(await grants.entrance(PLAIN)).connected_account_id,
        access_method="card",
        card_number="0815",
        issued_at=1,
    )
    await house.store.access.add(card)
    house.engine._granting._credentials.user_of = _hang
    attempt = await house.begin("ASSIGN_CREDENTIAL", access_method_id=method.id, card_number="0815")
    await house.clock.settle()
    assert (await house.stored(attempt)).phase == "sent"
    await house.revive()
    await house.clock.advance(seconds(2))
    ended = await house.stored(attempt)
    assert (ended.status, [mark.stage for mark in ended.marks].count("resent")) == ("success", 1)
    after = await grants.all.method("w1", method.id)
    assert (after.issued_at is not None, after.is_encoding_required) == (True, False)
    assert [each.id for each in await grants.credentials()] == ["a-card"]
    assert (await grants.told()).count("access_method.issued") == 1


async def test_a_card_that_is_gone_after_a_crash_is_told_as_such(grants):
    """Assigning is a record: after a restart it is known whether it was made, and why it was not."""
    house = grants.house
    method = await grants.method(await grants.create("card", doors=(PLAIN,)))
    find = house.store.access.find
    house.store.access.find = _hang
    attempt = await house.begin("ASSIGN_CREDENTIAL", access_method_id=method.id, card_number="0815")
    await house.clock.settle()
    assert (await house.stored(attempt)).phase == "sent"
    house.store.access.find = find
    await house.revive()
    await house.clock.advance(seconds(2))
    failure = (await house.stored(attempt)).failure
    assert failure is not None
    assert failure[0] == "credential_not_found"


async def _hang(*_: object, **__: object) -> None:
    await asyncio.Event().wait()


async def test_a_lock_that_is_handed_over_and_back_has_its_code(grants):
    """While a lock is not managed nothing is done there; back again it gets what changed meanwhile."""
    house, lock = grants.house, await grants.house.device(PLAIN)
    grant = await grants.create("code", locks=(PLAIN,))
    await house.engine.change_device("w1", lock.id, lambda device: replace(device, is_managed=False))
    await grants.all.change("w1", grant.id, {"name": "Suite"})
    await house.clock.advance(seconds(5))
    method = await grants.method(grant)
    assert (await grants.code(method, PLAIN)).name == "Access Grant"
    await house.engine.change_device("w1", lock.id, lambda device: replace(device, is_managed=True))
    await house.clock.advance(seconds(5))
    assert (await grants.code(method, PLAIN)).facts.held.name == "Suite"


async def test_a_pin_that_somebody_else_has_by_then_is_another(grants):
    """Between planning and making it, a PIN may be taken at a lock: that one lock gets another."""
    codes, now = grants.house.engine.access_codes, grants.house.clock.now()
    wanted = WantedMethod(mode="code", code="4711")
    grant = await grants.create(wanted, locks=(PLAIN, NATIVE), doors=(PLAIN,), starts_at=now + DAY)
    lock = await grants.house.device(PLAIN)
    await codes.create("w1", lock.id, NewCode(pin="4711"), ME)
    await grants.house.clock.advance(DAY + seconds(5))
    shared, own = sorted(await grants.methods(grant), key=lambda each: grants.pin(each) != "4711")
    assert await grants.at_lock(NATIVE) == [grants.pin(shared)] == ["4711"]
    assert sorted(await grants.at_lock(PLAIN)) == sorted(["4711", grants.pin(own)])
    assert all(each.issued_at is not None and each.failure is None for each in (shared, own))
    assert (await grants.stands(grant)).is_told_all


async def test_a_pin_that_is_taken_everywhere_is_given_up(grants):
    """If none of its doors can have it, its method goes, and the one with another PIN stays."""
    codes, now = grants.house.engine.access_codes, grants.house.clock.now()
    grant = await grants.create(WantedMethod(mode="code", code="4711"), locks=(PLAIN,), starts_at=now + DAY)
    lock = await grants.house.device(PLAIN)
    await codes.create("w1", lock.id, NewCode(pin="4711"), ME)
    await grants.house.clock.advance(DAY + seconds(5))
    method = await grants.method(grant)
    assert sorted(await grants.at_lock(PLAIN)) == sorted(["4711", grants.pin(method)])
    assert (await grants.told()).count("access_method.deleted") == 1


async def test_a_lock_that_is_asked_too_often_gets_its_code_later(grants):
    """That it has to wait for its turn is no failure; it is set when its turn comes."""
    house = grants.house
    house.pace = Pace({"CREATE_ACCESS_CODE": 1}, (), house.clock)
    await house.revive()
    first = await grants.create("code", locks=(PLAIN,))
    second = await grants.create("code", locks=(PLAIN,))
    waiting = await grants.method(second)
    assert (waiting.issued_at, waiting.failure) == (None, None)
    await house.clock.advance(seconds(130))
    for grant in (first, second):
        assert (await grants.method(grant)).issued_at is not None
    assert "access_method.failed_to_issue" not in await grants.told()


async def test_a_grant_is_looked_at_again_when_the_database_is_back(grants, monkeypatch):
    """What could not be put on record is made again, from what is on record, and told once."""
    access = grants.house.store.access
    settle, refused = access.settle, 0

    async def away(workspace_id, **what):
        nonlocal refused
        if refused < 2 and "new" in what and not what.get("told", ())[0].event_type.endswith("grant.created"):
            refused += 1
            raise StorageUnavailable
        return await settle(workspace_id, **what)

    monkeypatch.setattr(access, "settle", away)
    grant = await grants.create("code", locks=(PLAIN,))
    assert await grants.methods(grant) == []
    await grants.house.clock.advance(seconds(200))
    assert refused == 2
    assert (await grants.method(grant)).issued_at is not None
    assert await grants.told() == ISSUED


async def test_whose_user_is_suspended_is_let_in_nowhere(grants):
    """Neither key nor card is issued meanwhile, and it is said why; a card need not be written again."""
    grant = await grants.create("cloud_key", "card", doors=(PLAIN,))
    await grants.encode(next(each for each in await grants.methods(grant) if each.mode == "card"))
    users, [user] = grants.users_at_desk(), await grants.users()
    whom = Whom(acs_user_id=user.id)
    before = await grants.told()
    await users.suspend("w1", whom, is_suspended=True)
    await grants.house.clock.settle()
    for method in await grants.methods(grant):
        assert (method.issued_at, method.opened_entrance_ids) == (None, ())
        assert method.failure == "Its user in the access control system is suspended."
        assert not method.is_encoding_required
    await users.suspend("w1", whom, is_suspended=False)
    await grants.house.clock.settle()
    for method in await grants.methods(grant):
        assert (method.issued_at is not None, method.failure) == (True, None)
    assert sorted((await grants.told())[len(before) :]) == sorted(
        [
            *["access_method.failed_to_issue", "access_method.revoked", "access_method.reissued"] * 2,
            *["access_grant.access_to_door_lost", "access_grant.access_granted_to_door"],
            "access_grant.access_granted_to_all_doors",
        ]
    )


async def test_who_is_out_of_his_schedule_is_let_in_nowhere(grants):
    """A key is issued while its user gets through, and no longer; ahead of its grant, if he will then."""
    now = grants.house.clock.now()
    grant = await grants.create("cloud_key", doors=(PLAIN,), starts_at=now + DAY)
    [user] = await grants.users()

    async def schedule(**times: int | None) -> None:
        await grants.users_at_desk().change("w1", Whom(acs_user_id=user.id), times)
        await grants.house.clock.settle()

    async def stands() -> tuple[bool, str | None]:
        method = await grants.method(grant)
        return method.issued_at is not None, method.failure

    out = (False, "Its user in the access control system is out of his access_schedule.")
    await schedule(starts_at=now + DAY, ends_at=now + 3 * DAY)
    assert await stands() == (True, None)
    await schedule(starts_at=now + 2 * DAY)
    assert await stands() == out
    await grants.house.clock.advance(2 * DAY + seconds(1))
    assert await stands() == (True, None)
    await grants.house.clock.advance(DAY)
    assert await stands() == out
