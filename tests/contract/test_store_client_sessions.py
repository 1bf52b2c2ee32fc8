"""Client sessions on record: whose, for whom, what they reach and when they end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.stores import NOON, a_device, a_seed, a_session
from thumbturn.domain.client_session import ClientSession
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.engine.ports import EventFilter, Seed, Store
from thumbturn.storage.writer import UnknownWorkspace


async def add(store: Store, session: ClientSession, most: int = 100) -> ClientSession | None:
    """Remember it; what is there then."""
    return await store.client_sessions.add(session, most=most)


async def test_session_reads_back_equal(store: Store):
    """Every field of a session is read back as it was, by each way to find it; also the longest word."""
    user = 'Jäne "x"' + "𝄞" * 492
    session = a_session(
        user_identifier_key=user,
        customer_key="c'1",
        connected_account_ids=("b", "a"),
        revoked_at=NOON + 1,
    )
    assert await add(store, session) == session
    sessions = store.client_sessions
    assert await sessions.get("w1", "s1") == session
    assert await sessions.with_token("hash of s1") == session
    assert await sessions.of_user("w1", user) == session
    assert await sessions.listed("w1", ClientSessionFilter(), limit=9) == [session]


async def test_sessions_are_found_in_their_workspace_only(store: Store):
    """To another workspace a session is unknown, whatever is done with it."""
    session = a_session(user_identifier_key="jane")
    await add(store, session)
    sessions = store.client_sessions
    told = session.deleted(NOON)
    assert await sessions.get("w2", "s1") is None
    assert await sessions.of_user("w2", "jane") is None
    assert await sessions.listed("w2", ClientSessionFilter(), limit=9) == []
    assert await sessions.grant("w2", "s1", ["w2_account"]) is None
    assert await sessions.revoke("w2", "s1", NOON) is None
    assert await sessions.remove("w2", "s1", told) is False
    assert await sessions.get("w1", "s1") == session
    assert await store.events("w1", EventFilter(), limit=9) == []


async def test_session_of_no_workspace_is_refused(sql_store: Store):
    """A session cannot be made in a workspace that is not there."""
    with pytest.raises(UnknownWorkspace):
        await add(sql_store, a_session(workspace_id="nowhere"))


async def test_user_has_one_good_session(store: Store):
    """Where a user has a good session it is answered and none added; each workspace has its own users."""
    jane = a_session(user_identifier_key="jane")
    await add(store, jane)
    again = a_session("s2", user_identifier_key="jane", created_at=NOON + 1)
    assert await add(store, again) == jane
    elsewhere = replace(again, id="s3", token_hash="other", workspace_id="w2")
    assert await add(store, elsewhere) == elsewhere
    for id in ("s4", "s5"):
        nobodys = a_session(id)
        assert await add(store, nobodys) == nobodys


@pytest.mark.parametrize("ended", [{"revoked_at": NOON + 5}, {"expires_at": NOON + 10}])
async def test_user_whose_session_has_ended_gets_another(store: Store, ended: dict[str, int]):
    """A session that was revoked or has expired is in nobody's way, and the newest is the user's."""
    await add(store, a_session(user_identifier_key="jane", **ended))
    new = a_session("s2", user_identifier_key="jane", created_at=NOON + 10)
    assert await add(store, new) == new
    assert await store.client_sessions.of_user("w1", "jane") == new


async def test_calls_at_once_make_one_session(store: Store):
    """Of many calls at once for one user one makes a session, and all are answered that."""
    wanted = [a_session(f"s{number}", user_identifier_key="jane") for number in range(20)]
    there = await asyncio.gather(*[add(store, each) for each in wanted])
    assert len({each.id for each in there if each is not None}) == 1
    assert len(await store.client_sessions.listed("w1", ClientSessionFilter(), limit=99)) == 1


async def test_sessions_of_a_workspace_have_a_bound(store: Store):
    """No more are added than there may be; who has one gets it all the same, and room can be made."""
    jane = a_session(user_identifier_key="jane")
    await add(store, jane, most=2)
    await add(store, a_session("s2"), most=2)
    assert await add(store, a_session("s3"), most=2) is None
    assert await add(store, a_session("s4", user_identifier_key="jane"), most=2) == jane
    elsewhere = a_session("s5", workspace_id="w2")
    assert await add(store, elsewhere, most=2) == elsewhere
    await store.client_sessions.remove("w1", "s2", jane.deleted(NOON))
    assert await add(store, a_session("s3"), most=2) == a_session("s3")


SESSIONS = [
    a_session("s1", user_identifier_key="jane"),
    a_session("s2", user_identifier_key="joe", created_at=NOON + 1),
    a_session("s3", created_at=NOON + 2),
    a_session("s0", created_at=NOON + 2),
]


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({}, ["s1", "s2", "s0", "s3"]),
        ({"id": "s2"}, ["s2"]),
        ({"id": "s9"}, []),
        ({"user_identifier_key": "joe"}, ["s2"]),
        ({"user_identifier_key": "nobody"}, []),
        ({"user_identifier_key": "\ud800"}, []),
        ({"id": "s1", "user_identifier_key": "joe"}, []),
        ({"without_user_identifier_key": True}, ["s0", "s3"]),
        ({"without_user_identifier_key": True, "user_identifier_key": "joe"}, []),
    ],
)
async def test_session_filters(store: Store, wanted: dict[str, Any], ids: list[str]):
    """Each filter finds exactly the sessions that fit, oldest first, and pages follow each other."""
    for session in SESSIONS:
        await add(store, session)
    seen: list[str] = []
    after = None
    while page := await store.client_sessions.listed(
        "w1", ClientSessionFilter(**wanted), after=after, limit=2
    ):
        assert len(page) <= 2
        seen += [each.id for each in page]
        after = (page[-1].created_at, page[-1].id)
    assert seen == ids


async def test_user_that_no_database_can_hold_has_no_session(store: Store):
    """Half a character finds nothing, and breaks nothing."""
    assert await store.client_sessions.of_user("w1", "\ud800") is None


async def test_granting_adds(store: Store):
    """What is granted comes to what was there, each account once, in order; also of grants at once."""
    await add(store, a_session())
    granted = await store.client_sessions.grant("w1", "s1", ["b", "w1_account", "a"])
    assert granted is not None
    assert granted.connected_account_ids == ("w1_account", "b", "a")
    assert await store.client_sessions.get("w1", "s1") == granted
    assert await store.client_sessions.grant("w1", "nobody", ["a"]) is None
    more = [str(number) for number in range(20)]
    await asyncio.gather(*[store.client_sessions.grant("w1", "s1", [each]) for each in more])
    after = await store.client_sessions.get("w1", "s1")
    assert after is not None
    assert set(after.connected_account_ids) == {"w1_account", "b", "a", *more}


async def test_revoking_keeps_the_first_time(store: Store):
    """A revoked session stays on record, with the moment at which it was revoked first."""
    await add(store, a_session())
    for at in (NOON + 5, NOON + 9):
        revoked = await store.client_sessions.revoke("w1", "s1", at)
        assert revoked == a_session(revoked_at=NOON + 5)
    assert await store.client_sessions.revoke("w1", "nobody", NOON) is None


async def test_removing_is_told(store: Store):
    """A session that is removed is gone, and the workspace is told once, by an event of its own."""
    session = a_session()
    await add(store, session)
    assert await store.client_sessions.remove("w1", "s1", session.deleted(NOON + 7)) is True
    assert await store.client_sessions.with_token("hash of s1") is None
    assert await store.client_sessions.remove("w1", "s1", session.deleted(NOON + 8)) is False
    [told] = await store.events("w1", EventFilter(), limit=9)
    assert (told.event_type, told.occurred_at, told.payload) == (
        "client_session.deleted",
        NOON + 7,
        {"client_session_id": "s1"},
    )


async def test_accounts_of_the_workspace(store: Store):
    """Of some ids those are found that are accounts of the workspace."""
    asked = ["w1_account", "w2_account", "nobody", "\ud800"]
    assert await store.client_sessions.accounts("w1", asked) == {"w1_account"}
    assert await store.client_sessions.accounts("w1", []) == set()


async def test_devices_are_counted(store: Store):
    """Managed devices are counted by account, in the workspace only; accounts without any are left out."""
    accounts = a_seed("w1").accounts
    other = replace(accounts[0], id="w1_other")
    devices = (
        a_device("w1", 1),
        a_device("w1", 2, is_managed=False),
        a_device("w1", 3),
        a_device("w1", 4, connected_account_id="w1_other"),
    )
    await store.reset_workspace("w1", Seed((*accounts, other), devices), [])
    asked = ["w1_account", "w1_other", "w2_account", "nobody"]
    counts = await store.client_sessions.device_counts("w1", asked)
    assert dict(counts) == {"w1_account": 2, "w1_other": 1}
