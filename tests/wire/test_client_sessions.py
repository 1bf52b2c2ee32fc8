"""Making client sessions, looking at them, and ending them."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from tests.fixtures.sessions import guest, own_account, second_account
from tests.fixtures.wire import Wire
from thumbturn.domain.client_session import GOOD_FOR
from thumbturn.domain.clock import SECOND, to_wire
from thumbturn.engine import client_sessions
from thumbturn.engine.ports import DeviceFilter, EventFilter

CREATE, GET, LIST = "/client_sessions/create", "/client_sessions/get", "/client_sessions/list"
GRANT, ANEW = "/client_sessions/grant_access", "/client_sessions/get_or_create"
NOT_FOUND = (404, "client_session_not_found")


async def refused(wire: Wire, path: str, method: str = "POST", **ask: Any) -> tuple[int, str]:
    """Status and type of the refusal."""
    reply = await wire.ask(method, path, ask)
    return reply.status, reply.error["type"]


async def create(wire: Wire, **ask: Any) -> Any:
    """A new session."""
    return (await wire.call(CREATE, **ask))["client_session"]


async def test_new_session_is_shown_whole(wire: Wire):
    """A new session has its token, its user, what it reaches, how many devices that are, and its end."""
    account = await own_account(wire)
    made = await create(
        wire, connected_account_ids=[account, account], user_identifier_key="jane", customer_key="hotel"
    )
    now = wire.house.clock.now()
    devices = await wire.house.store.devices("w1", DeviceFilter(is_managed=True), limit=99)
    assert re.fullmatch(r"seam_cst_\w{40}", made.pop("token"))
    assert made == {
        "client_session_id": made["client_session_id"],
        "workspace_id": "w1",
        "user_identifier_key": "jane",
        "customer_key": "hotel",
        "connected_account_ids": [account],
        "connect_webview_ids": [],
        "user_identity_ids": [],
        "device_count": len(devices),
        "created_at": to_wire(now),
        "expires_at": to_wire(now + GOOD_FOR),
    }


async def test_devices_are_counted_as_they_are_now(wire: Wire):
    """The number of devices is that of the accounts' managed ones, whenever one looks."""
    other = await second_account(wire, "Front Door", "Back Door")
    session = await create(wire, connected_account_ids=[other])
    assert session["device_count"] == 2
    await wire.call("/devices/update", device_id=await wire.door(), is_managed=False)
    found = (await wire.call(GET, client_session_id=session["client_session_id"]))["client_session"]
    assert found["device_count"] == 1
    assert (await create(wire))["device_count"] == 0


async def test_every_look_shows_the_same(wire: Wire):
    """By id, by user, both, and in the list a session is as it was when it was made, its token included."""
    made = await create(wire, user_identifier_key="jane")
    id = made["client_session_id"]
    for ask in (
        {"client_session_id": id},
        {"user_identifier_key": "jane"},
        {"client_session_id": id, "user_identifier_key": "jane"},
    ):
        assert (await wire.call(GET, **ask))["client_session"] == made
    assert (await wire.call(LIST))["client_sessions"] == [made]
    assert "customer_key" not in made


async def test_what_is_not_found(wire: Wire):
    """An unknown id, another workspace's and a user who has none are 404; nothing at all is 400."""
    made = await create(wire, user_identifier_key="jane")
    _, token = await wire.another_workspace()
    foreign = await wire.ask("POST", GET, {"client_session_id": made["client_session_id"]}, token=token)
    assert (foreign.status, foreign.error["type"]) == NOT_FOUND
    assert await refused(wire, GET, client_session_id="nobody") == NOT_FOUND
    assert await refused(wire, GET, user_identifier_key="joe") == NOT_FOUND
    both = {"client_session_id": made["client_session_id"], "user_identifier_key": "joe"}
    assert await refused(wire, GET, **both) == NOT_FOUND
    assert await refused(wire, GET) == (400, "invalid_input")
    assert await refused(wire, GRANT, connected_account_ids=[]) == (400, "invalid_input")
    for path in ("/client_sessions/revoke", "/client_sessions/delete", GRANT):
        assert await refused(wire, path, client_session_id="nobody") == NOT_FOUND


async def test_post_refuses_and_put_returns_the_session_of_a_known_user(wire: Wire):
    """POST for a user who has a session is refused; PUT and get_or_create answer that session, as it is."""
    made = await create(wire, user_identifier_key="jane")
    ask = {"user_identifier_key": "jane", "connected_account_ids": [await own_account(wire)]}
    assert await refused(wire, CREATE, **ask) == (400, "client_session_token_already_exists")
    put = await wire.ask("PUT", CREATE, ask)
    assert put.json["client_session"] == made
    assert (await wire.call(ANEW, **ask))["client_session"] == made
    assert made["connected_account_ids"] == []


async def test_put_and_get_or_create_make_one_where_there_is_none(wire: Wire):
    """For a new user, and for nobody in particular, PUT and get_or_create make a session each time."""
    account = await own_account(wire)
    put = await wire.ask("PUT", CREATE, {"user_identifier_key": "jane", "connected_account_ids": [account]})
    assert put.json["client_session"]["connected_account_ids"] == [account]
    for ask in ({"user_identifier_key": "joe"}, {}, {}):
        await wire.call(ANEW, **ask)
    assert len((await wire.call(LIST))["client_sessions"]) == 4


@pytest.mark.parametrize("ending", ["/client_sessions/revoke", None])
async def test_user_whose_session_has_ended_gets_a_new_one(wire: Wire, ending: str | None):
    """When a user's session was revoked or has expired, the next call makes another."""
    now = wire.house.clock.now()
    made = await create(wire, user_identifier_key="jane", expires_at=to_wire(now + 60 * SECOND))
    if ending is None:
        await wire.house.clock.advance(60 * SECOND)
    else:
        await wire.call(ending, client_session_id=made["client_session_id"])
    again = (await wire.call(ANEW, user_identifier_key="jane"))["client_session"]
    assert again["client_session_id"] != made["client_session_id"]
    assert again["token"] != made["token"]
    assert (await wire.call(GET, user_identifier_key="jane"))["client_session"] == again


async def test_calls_at_once_for_one_user(wire: Wire):
    """Twenty calls at once for one user answer one session."""
    asks = [wire.call(ANEW, user_identifier_key="jane") for _ in range(20)]
    assert len({each["client_session"]["token"] for each in await asyncio.gather(*asks)}) == 1


@pytest.mark.parametrize("path", [CREATE, ANEW, GRANT])
@pytest.mark.parametrize(
    ("ask", "type", "data"),
    [
        (
            {"connected_account_ids": ["nobody's", "unknown"]},
            "connected_account_not_found",
            {"connected_account_ids": ["nobody's", "unknown"]},
        ),
        ({"connect_webview_ids": ["w"]}, "connect_webview_not_found", {"connect_webview_ids": ["w"]}),
        ({"user_identity_id": "u"}, "user_identity_not_found", {"user_identity_ids": ["u"]}),
        ({"user_identity_ids": ["u"]}, "user_identity_not_found", {"user_identity_ids": ["u"]}),
    ],
)
async def test_things_that_are_not_there(wire: Wire, path: str, ask: Any, type: str, data: Any):
    """An account, webview or user identity that is not the workspace's is 404, and nothing is made."""
    user = {"user_identifier_key": "jane"}
    if path == GRANT:
        await create(wire, **user)
    before = await wire.call(LIST)
    reply = await wire.ask("POST", path, ask | user)
    assert (reply.status, reply.error["type"], reply.error["data"]) == (404, type, data)
    assert await wire.call(LIST) == before


async def test_account_of_another_workspace_is_unknown(wire: Wire):
    """Another workspace's account can neither be reached nor told from an unknown one."""
    await wire.another_workspace()
    [foreign] = [each.id for each in await wire.house.store.every_account() if each.workspace_id == "w2"]
    reply = await wire.ask("POST", CREATE, {"connected_account_ids": [foreign]})
    assert (reply.status, reply.error["type"]) == (404, "connected_account_not_found")


async def test_customer_that_is_not_there(wire: Wire):
    """There are no customers, so a customer's id is unknown."""
    assert await refused(wire, CREATE, customer_id="c") == (404, "customer_not_found")


@pytest.mark.parametrize(
    ("ask", "name", "problem"),
    [
        ({"user_identifier_key": ""}, "user_identifier_key", "String must contain at least 1 character(s)"),
        (
            {"user_identifier_key": "x" * 501},
            "user_identifier_key",
            "String must contain at most 500 character(s)",
        ),
        ({"customer_key": ""}, "customer_key", "String must contain at least 1 character(s)"),
        ({"expires_at": "tomorrow"}, "expires_at", "Invalid datetime"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at", "Must be in the future"),
        ({"user_identity_ids": []}, "user_identity_ids", "Array must contain at least 1 element(s)"),
        ({"user_identity_ids": ["a", "b"]}, "user_identity_ids", "Array must contain at most 1 element(s)"),
        ({"connected_account_ids": "a"}, "connected_account_ids", "Expected array, received string"),
        ({"connected_account_ids": None}, "connected_account_ids", "Expected array, received null"),
    ],
)
async def test_bad_input(wire: Wire, ask: Any, name: str, problem: str):
    """What cannot be is refused with 400, at its place."""
    reply = await wire.ask("POST", CREATE, ask)
    assert (reply.status, reply.error["type"]) == (400, "invalid_input")
    assert reply.json["error"]["validation_errors"][name]["_errors"] == [problem]


async def test_words_of_500_characters_are_kept(wire: Wire):
    """The longest words that are accepted are found again, whatever alphabet they are of."""
    word = "𝄞" * 500
    made = await create(wire, user_identifier_key=word, customer_key=word)
    assert (await wire.call(GET, user_identifier_key=word))["client_session"] == made


async def test_list_filters_and_pages(wire: Wire):
    """The list is oldest first, takes its filters, and comes in pages if one asks for that."""
    jane = await create(wire, user_identifier_key="jane")
    nobody = await create(wire)
    for ask, found in (
        ({}, [jane, nobody]),
        ({"user_identifier_key": "jane"}, [jane]),
        ({"client_session_id": nobody["client_session_id"]}, [nobody]),
        ({"without_user_identifier_key": True}, [nobody]),
        ({"without_user_identifier_key": False}, [jane, nobody]),
        ({"connect_webview_id": "w"}, []),
        ({"user_identity_id": "u"}, []),
    ):
        answer = await wire.call(LIST, **ask)
        assert answer["client_sessions"] == found, ask
    first = await wire.call(LIST, limit=1)
    assert first["client_sessions"] == [jane]
    second = await wire.call(LIST, limit=1, page_cursor=first["pagination"]["next_page_cursor"])
    assert (second["client_sessions"], second["pagination"]["has_next_page"]) == ([nobody], False)


async def test_granting_access(wire: Wire):
    """What is granted, by id or by user, comes to what was there; the reply shows it."""
    own, other = await own_account(wire), await second_account(wire, "Front Door")
    made = await create(wire, user_identifier_key="jane", connected_account_ids=[other])
    by_id = await wire.call(GRANT, client_session_id=made["client_session_id"], connected_account_ids=[own])
    assert by_id["client_session"]["connected_account_ids"] == [other, own]
    assert by_id["client_session"]["device_count"] > made["device_count"] == 1
    patched = await wire.ask("PATCH", GRANT, {"user_identifier_key": "jane", "connected_account_ids": [own]})
    assert patched.json["client_session"] == by_id["client_session"]


async def test_revoked_session_stays_and_says_when_it_ended(wire: Wire):
    """A revoked session can be looked at and ended when it was revoked; a second time changes nothing."""
    made = await create(wire)
    await wire.house.clock.advance(90 * SECOND)
    ended = to_wire(wire.house.clock.now())
    for _ in range(2):
        assert await wire.call("/client_sessions/revoke", client_session_id=made["client_session_id"]) == {}
        await wire.house.clock.advance(SECOND)
    [listed] = (await wire.call(LIST))["client_sessions"]
    assert listed == made | {"expires_at": ended}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_deleted_session_is_gone_and_told(wire: Wire, method: str):
    """A deleted session is unknown, also to a second call, and the workspace is told once, with its id."""
    made = await create(wire)
    id = made["client_session_id"]
    gone = await wire.ask(method, f"/client_sessions/delete?client_session_id={id}")
    assert gone.json == {"ok": True}
    assert await refused(wire, GET, client_session_id=id) == NOT_FOUND
    assert (await wire.ask(method, f"/client_sessions/delete?client_session_id={id}")).status == 404
    told = await wire.call("/events/list", event_type="client_session.deleted")
    [event] = told["events"]
    assert event == {
        "event_id": event["event_id"],
        "event_type": "client_session.deleted",
        "workspace_id": "w1",
        "created_at": event["created_at"],
        "occurred_at": event["occurred_at"],
        "client_session_id": id,
    }


async def test_sessions_of_a_workspace_have_a_bound(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """With as many sessions as there may be, one more is refused, and the refusal says what to do."""
    monkeypatch.setattr(client_sessions, "MOST_IN_A_WORKSPACE", 1)
    await create(wire)
    reply = await wire.ask("POST", CREATE, {})
    assert (reply.status, reply.error["type"]) == (400, "too_many_client_sessions")
    assert "Delete some" in reply.error["message"]


async def test_what_is_done_to_sessions_is_on_the_trail(wire: Wire):
    """Making, granting, revoking and deleting are audited with the session's id, and without any token."""
    made = await create(wire, user_identifier_key="jane", connected_account_ids=[await own_account(wire)])
    id = made["client_session_id"]
    await wire.call(GRANT, client_session_id=id, connected_account_ids=[await own_account(wire)])
    await wire.call("/client_sessions/revoke", client_session_id=id)
    await wire.call("/client_sessions/delete", client_session_id=id)
    trail = await wire.ask("POST", "/thumbturn/audit/list", {})
    entries = [each["entry"] for each in trail.json["entries"]]
    assert [each["action"].rpartition("/")[2] for each in entries] == [
        "create",
        "grant_access",
        "revoke",
        "delete",
    ]
    assert {each["ids"]["client_session_id"] for each in entries} == {id}
    assert entries[0]["ids"]["connected_account_ids"] == [await own_account(wire)]
    assert made["token"] not in trail.content.decode()
    assert "jane" not in trail.content.decode()


async def test_token_is_kept_as_a_hash_and_sealed(wire: Wire):
    """What is on record of a session holds its token nowhere in clear."""
    held = await guest(wire, await own_account(wire))
    assert held.token not in repr(wire.house.store.client_sessions.every())
    events = await wire.house.store.events("w1", EventFilter(), limit=99)
    assert held.token not in repr(events)


async def test_repeated_call_makes_one_session(wire: Wire):
    """With an Idempotency-Key a call that is repeated is answered the same session, and makes no second."""
    headers = {"idempotency-key": "k"}
    replies = [await wire.ask("POST", CREATE, {}, headers=headers) for _ in range(2)]
    assert replies[0].json == replies[1].json
    assert replies[1].headers["idempotent-replayed"] == "true"
    assert len((await wire.call(LIST))["client_sessions"]) == 1
