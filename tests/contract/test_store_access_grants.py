"""Access grants and their methods: what every store keeps of them, and how it keeps them together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.fixtures.stores import NOON
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod, RequestedMethod
from thumbturn.domain.access_grant_news import of_grant
from thumbturn.domain.ids import new_id
from thumbturn.engine.access_ports import KeyIsTaken, Wanted
from thumbturn.engine.ports import EventFilter, Store
from thumbturn.storage.tables import access_things


def a_grant(**other: Any) -> AccessGrant:
    given = {
        "id": new_id(),
        "workspace_id": "w1",
        "created_at": NOON,
        "user_identity_id": "i1",
        "starts_at": 1,
    }
    return AccessGrant(**{**given, **other})


def a_method(grant: AccessGrant, **other: Any) -> GrantedMethod:
    given = {"id": new_id(), "workspace_id": grant.workspace_id, "created_at": NOON, "mode": "code"}
    return GrantedMethod(**{**given, "access_grant_id": grant.id, **other})


async def told(store: Store) -> list[str]:
    """What was told, in order."""
    return [each.event_type for each in await store.events("w1", EventFilter(), limit=100)]


WHOLE = [
    a_grant(
        name='the "grant"',
        ends_at=2,
        access_grant_key="k",
        reservation_key="r",
        device_ids=("d2", "d1"),
        acs_entrance_ids=("e1",),
        space_ids=("s1",),
        requested=(
            RequestedMethod(
                mode="code", created_at=1, code="sealed", access_method_ids=("m1", "m2"), denied_ids=("d3",)
            ),
            RequestedMethod(mode="card", created_at=2),
        ),
        planned_device_ids=("d1",),
        planned_entrance_ids=("e1",),
        doors_changed_at=2,
        missing_device_ids=("d2",),
        problem="Grün",
        problem_at=3,
        codeless_device_ids=("d2",),
        opened_entrance_ids=("e1",),
        is_told_all=True,
        old_starts_at=1,
        old_ends_at=2,
        times_changed_at=3,
        removed_at=4,
    ),
    a_grant(),
    GrantedMethod(
        id=new_id(),
        workspace_id="w1",
        created_at=NOON,
        access_grant_id="g1",
        mode="code",
        code="sealed",
        device_ids=("d1",),
        acs_entrance_ids=("e1",),
        leaving_device_ids=("d2",),
        credentials={"s1": "c1"},
        issued_at=1,
        was_issued=True,
        at_device_ids=("d1",),
        opened_entrance_ids=("e1",),
        is_behind=True,
        is_encoding_required=True,
        can_be_encoded=True,
        failure="no",
        failed_at=2,
        delayed_at=3,
        stuck={"d2": "no"},
        removed_at=4,
    ),
]


@pytest.mark.parametrize("thing", WHOLE, ids=lambda thing: type(thing).__name__)
async def test_a_grant_and_a_method_are_kept_whole(store: Store, thing: Any):
    """Everything of them comes back, in their own workspace alone."""
    assert await store.access.settle("w1", new=(thing,))
    assert await store.access.get(type(thing), "w1", thing.id) == thing
    assert await store.access.get(type(thing), "w2", thing.id) is None
    assert await store.access.everywhere(type(thing)) == [("w1", thing.id)]


async def test_what_belongs_together_is_settled_together(store: Store):
    """What is new, changed and gone is so at once, with what is told; both are found by whose they are."""
    grant = a_grant()
    first, second = a_method(grant), a_method(grant)
    assert await store.access.settle("w1", new=(grant, first), told=(of_grant(grant, "created", NOON),))
    renamed = replace(grant, name="Suite")
    assert await store.access.settle("w1", new=(second,), changed=(renamed,), gone=(first.id,))
    assert await store.access.find(AccessGrant, "w1", Wanted(holder_ids=("i1",))) == [renamed]
    assert await store.access.find(GrantedMethod, "w1", Wanted(holder_ids=(grant.id,))) == [second]
    assert await told(store) == ["access_grant.created"]


@pytest.mark.parametrize("what", ["changed", "gone"])
async def test_if_one_is_gone_nothing_is_settled(store: Store, what: str):
    """One that another workspace has is not there either; nothing is written and nothing told."""
    here, gone, elsewhere = a_grant(), a_grant(), a_grant(workspace_id="w2")
    await store.access.settle("w1", new=(here,))
    await store.access.settle("w2", new=(elsewhere,))
    for missing in (gone, elsewhere):
        ask: dict[str, Any] = {"changed": [replace(here, name="Suite")], "gone": []}
        ask[what] = [*ask[what], missing.id if what == "gone" else replace(missing, workspace_id="w1")]
        event = of_grant(here, "deleted", NOON)
        assert not await store.access.settle("w1", new=(a_method(here),), told=(event,), **ask)
    assert await store.access.get(AccessGrant, "w1", here.id) == here
    assert await store.access.get(AccessGrant, "w2", elsewhere.id) == elsewhere
    assert await store.access.find(GrantedMethod, "w1", Wanted()) == []
    assert await told(store) == []


async def test_what_is_needed_has_to_be_there(store: Store):
    """Nothing is settled without what it needs, which another workspace does not have for it."""
    here, elsewhere, grant = a_grant(), a_grant(workspace_id="w2"), a_grant()
    await store.access.settle("w1", new=(here,))
    await store.access.settle("w2", new=(elsewhere,))
    for missing in (new_id(), elsewhere.id):
        assert not await store.access.settle("w1", new=(grant,), needs=(here.id, missing))
    assert await store.access.get(AccessGrant, "w1", grant.id) is None
    assert await store.access.settle("w1", new=(grant,), needs=(here.id,))


async def test_what_goes_by_a_thing_that_is_another_by_now_is_not_settled(store: Store):
    """Of two who saw the same thing one changes it; the other learns that it is another, and changes none."""
    seen, method = a_grant(), a_method(a_grant())
    await store.access.settle("w1", new=(seen,))
    wishes = [replace(seen, name=name) for name in ("Suite", "Room")]
    settled = [
        await store.access.settle(
            "w1", changed=(each,), new=(replace(method, id=new_id()),), as_known=(seen,)
        )
        for each in wishes
    ]
    assert settled == [True, False]
    assert await store.access.get(AccessGrant, "w1", seen.id) == wishes[0]
    assert len(await store.access.find(GrantedMethod, "w1", Wanted())) == 1
    gone = a_grant(workspace_id="w2")
    await store.access.settle("w2", new=(gone,))
    assert not await store.access.settle("w1", new=(method,), as_known=(gone,))


async def test_a_request_of_before_reads_back(sql_store: Any):
    """One that was put on record before anything could be denied to it denies nothing."""
    grant = a_grant(requested=(RequestedMethod(mode="code", created_at=1),))
    await sql_store.access.settle("w1", new=(grant,))

    def forget(connection: Any) -> None:
        facts = access_things.c.facts
        [kept] = connection.execute(select(facts)).scalars()
        text = kept if isinstance(kept, str) else bytes(kept).decode()
        assert '"denied_ids":[]' in text
        older = text.replace(',"denied_ids":[]', "")
        connection.execute(update(access_things).values(facts=older))

    await sql_store.access._act(forget, ())
    assert await sql_store.access.get(AccessGrant, "w1", grant.id) == grant


async def test_a_key_is_of_one_grant(store: Store):
    """No two grants of a workspace have the same key, made so or changed so."""
    first, second = a_grant(access_grant_key="k"), a_grant()
    await store.access.settle("w1", new=(first, second))
    await store.access.settle("w2", new=(a_grant(workspace_id="w2", access_grant_key="k"),))
    with pytest.raises(KeyIsTaken):
        await store.access.settle("w1", new=(a_grant(access_grant_key="k"),))
    with pytest.raises(KeyIsTaken):
        await store.access.settle("w1", changed=(replace(second, access_grant_key="k"),))
    assert await store.access.find(AccessGrant, "w1", Wanted(key="k")) == [first]
    assert await store.access.settle("w1", changed=(replace(first, name="Suite"),))
