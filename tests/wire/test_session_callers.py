"""Who is let in with a client session's token or a publishable key, and in what words others are refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.sessions import Guest, guest, own_account
from tests.fixtures.wire import Wire
from thumbturn.api.callers import REMEMBERED_FOR
from thumbturn.domain.clock import SECOND, to_wire
from thumbturn.domain.keys import mint_publishable_key

GET, CREATE, ANEW = "/client_sessions/get", "/client_sessions/create", "/client_sessions/get_or_create"
REVOKED = (401, "client_session_revoked")
EXPIRED = (401, "client_session_expired")
UNKNOWN = (401, "client_session_not_found")


async def told(
    wire: Wire, path: str, ask: Any = None, method: str = "POST", **headers: str
) -> tuple[int, str]:
    """Status and type of the refusal of a request with these headers and no other token."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    reply = await wire.ask(method, path, {} if ask is None else ask, token=None, headers=given)
    return reply.status, reply.error["type"]


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer {token}"},
        {"authorization": "Bearer {token}", "client-session-token": "{token}"},
        {"client-session-token": "{token}"},
        {"seam-client-session-token": "{token}"},
        {"client-session-token": "{token}", "authorization": "Bearer {api_key}"},
        {"seam-client-session-token": "{token}", "client-session-token": "seam_cst_other"},
    ],
)
async def test_where_the_token_may_stand(wire: Wire, headers: dict[str, str]):
    """A session's token is taken from each of its headers, which count before any other; it gets itself."""
    held = await guest(wire, await own_account(wire), user_identifier_key="jane")
    filled = {name: value.format(token=held.token, api_key=wire.api_key) for name, value in headers.items()}
    for method in ("GET", "POST"):
        reply = await wire.ask(method, GET, token=None, headers=filled)
        assert reply.json["client_session"] == held.session


@pytest.mark.parametrize("header", ["client_session_token", "seam_client_session_token"])
@pytest.mark.parametrize("token", ["seam_testkey_1", "seam_at1", "x", "ey.a.b"])
async def test_header_with_another_token(wire: Wire, header: str, token: str):
    """A token of another kind in a session's header is 400, whatever else was sent."""
    refusal = await told(wire, GET, authorization=f"Bearer {wire.api_key}", **{header: token})
    assert refusal == (400, "invalid_client_session_token")


async def test_unknown_token(wire: Wire):
    """A token that no session has, or has any more, is told so."""
    assert await told(wire, GET, authorization="Bearer seam_cst_unknown") == UNKNOWN
    held = await guest(wire)
    await held.call(GET)
    await wire.call("/client_sessions/delete", client_session_id=held.id)
    assert await held.refusal(GET) == UNKNOWN


async def test_revoked_token_opens_nothing_at_once(wire: Wire):
    """Revoking takes effect at the very next request, though callers are remembered."""
    held = await guest(wire)
    await held.call(GET)
    await wire.call("/client_sessions/revoke", client_session_id=held.id)
    assert await held.refusal(GET) == REVOKED


async def test_another_process_learns_of_it_within_seconds(wire: Wire):
    """What another process revoked or granted is known here after five seconds."""
    account = await own_account(wire)
    held = await guest(wire)
    await held.call(GET)
    await wire.house.store.client_sessions.grant("w1", held.id, [account])
    await wire.house.store.client_sessions.revoke("w1", held.id, wire.house.clock.now())
    await held.call(GET)
    await wire.house.clock.advance(REMEMBERED_FOR)
    assert await held.refusal(GET) == REVOKED


async def test_token_ends_at_its_moment(wire: Wire):
    """A session is good to the microsecond before its end and no longer, though callers are remembered."""
    ends_at = wire.house.clock.now() + 60 * SECOND
    held = await guest(wire, expires_at=to_wire(ends_at))
    await wire.house.clock.advance(60 * SECOND - 1)
    await held.call(GET)
    await wire.house.clock.advance(1)
    assert await held.refusal(GET) == EXPIRED


async def test_what_came_first_ended_it(wire: Wire):
    """A session that was revoked after it had expired has expired; one that was before was revoked."""
    ends_at = to_wire(wire.house.clock.now() + 60 * SECOND)
    revoked_first, expired_first = (
        await guest(wire, expires_at=ends_at),
        await guest(wire, expires_at=ends_at),
    )
    await wire.call("/client_sessions/revoke", client_session_id=revoked_first.id)
    await wire.house.clock.advance(90 * SECOND)
    await wire.call("/client_sessions/revoke", client_session_id=expired_first.id)
    assert await revoked_first.refusal(GET) == REVOKED
    assert await expired_first.refusal(GET) == EXPIRED


async def test_session_gets_itself_and_no_other(wire: Wire):
    """A session that names a session, be it itself, or a user is refused."""
    held, other = await guest(wire, user_identifier_key="jane"), await guest(wire)
    for ask in (
        {"client_session_id": held.id},
        {"client_session_id": other.id},
        {"user_identifier_key": "jane"},
    ):
        assert await held.refusal(GET, **ask) == (400, "invalid_options")


async def test_closed_endpoint_says_so(wire: Wire):
    """A session that calls what is closed to sessions hears what to ask with."""
    held = await guest(wire)
    reply = await held.ask("/client_sessions/list")
    assert (reply.status, reply.error) == (
        401,
        {
            "type": "unauthorized",
            "message": "This endpoint is not open to client sessions: ask with an API key",
        },
    )


async def test_session_whose_workspace_is_gone(wire: Wire):
    """A session without its workspace opens nothing."""
    held = await guest(wire)
    del wire.house.store._workspaces["w1"]
    wire.app._callers.forget_workspace("w1")
    assert await held.refusal(GET) == (401, "workspace_not_found")


# publishable keys -----------------------------------------------------------------------------------


async def publishable(wire: Wire, *, allowed: bool = True) -> str:
    """A publishable key of the sandbox."""
    await wire.call("/workspaces/update", is_publishable_key_auth_enabled=allowed)
    return (await wire.call("/thumbturn/keys/create", kind="publishable_key", name="page"))["token"]


async def enter(wire: Wire, key: str, path: str = ANEW, method: str = "POST", **ask: Any) -> Any:
    """The session that one gets with a publishable key."""
    reply = await wire.ask(method, path, ask, token=None, headers={"seam-publishable-key": key})
    assert reply.status == 200, reply.content
    return reply.json["client_session"]


async def test_page_gets_a_session_of_its_user(wire: Wire):
    """With a publishable key one gets a session that reaches nothing, and the same when one comes back."""
    key = await publishable(wire)
    assert key.startswith("seam_pk_")
    session = await enter(wire, key, user_identifier_key="jane")
    assert (session["connected_account_ids"], session["device_count"]) == ([], 0)
    assert await enter(wire, key, user_identifier_key="jane") == session
    assert await enter(wire, key, CREATE, "PUT", user_identifier_key="jane") == session
    again = {"user_identifier_key": "jane"}
    refusal = await told(wire, CREATE, again, seam_publishable_key=key)
    assert refusal == (400, "client_session_token_already_exists")
    account = await own_account(wire)
    await wire.call(
        "/client_sessions/grant_access", user_identifier_key="jane", connected_account_ids=[account]
    )
    assert (await enter(wire, key, user_identifier_key="jane"))["connected_account_ids"] == [account]
    assert (await Guest(wire, session).call(GET))["client_session"]["connected_account_ids"] == [account]


@pytest.mark.parametrize(("path", "status"), [(CREATE, 401), (ANEW, 400)])
async def test_page_names_its_user(wire: Wire, path: str, status: int):
    """Without a user nobody gets a session, the statuses being the contract's; a header may name him."""
    key = await publishable(wire)
    for ask in ({}, {"user_identifier_key": "  "}):
        refusal = await told(wire, path, ask, seam_publishable_key=key)
        assert refusal == (status, "publishable_key_requires_user_identifier_key")
    headers = {"seam-publishable-key": key, "seam-user-identifier-key": "jane"}
    by_header = await wire.ask("POST", path, {}, token=None, headers=headers)
    assert by_header.json["client_session"]["user_identifier_key"] == "jane"
    joe = await wire.ask("POST", path, {"user_identifier_key": "joe"}, token=None, headers=headers)
    assert joe.json["client_session"]["user_identifier_key"] == "joe"


@pytest.mark.parametrize("path", [CREATE, ANEW])
@pytest.mark.parametrize(
    "ask",
    [
        {"connected_account_ids": []},
        {"connected_account_ids": ["a"]},
        {"connect_webview_ids": ["w"]},
        {"user_identity_id": "u"},
        {"user_identity_ids": ["u"]},
    ],
)
async def test_page_asks_for_nothing_more(wire: Wire, path: str, ask: dict[str, Any]):
    """Who has nothing but a publishable key cannot say what his session shall reach."""
    key = await publishable(wire)
    refusal = await told(wire, path, ask | {"user_identifier_key": "jane"}, seam_publishable_key=key)
    assert refusal == (403, "publishable_keys_must_create_empty_client_sessions")


async def test_page_is_nobodys_customer(wire: Wire):
    """Nor can he say whose customer he is; when it shall end he may."""
    key = await publishable(wire)
    for ask in ({"customer_key": "hotel"}, {"customer_id": "c"}):
        refusal = await told(wire, CREATE, ask | {"user_identifier_key": "jane"}, seam_publishable_key=key)
        assert refusal == (403, "publishable_keys_must_create_empty_client_sessions")
    ends = to_wire(wire.house.clock.now() + 60 * SECOND)
    assert (await enter(wire, key, user_identifier_key="jane", expires_at=ends))["expires_at"] == ends


async def test_keys_that_are_no_good(wire: Wire):
    """An unknown publishable key, a revoked one, and another kind of token in its place are 401."""
    key = await publishable(wire)
    await enter(wire, key, user_identifier_key="jane")
    [known] = [each for each in (await wire.call("/thumbturn/keys/list"))["keys"] if each["name"] == "page"]
    assert (known["kind"], key.startswith(known["hint"])) == ("publishable_key", True)
    await wire.call("/thumbturn/keys/revoke", key_id=known["key_id"])
    for each in (key, "seam_pk_unknown", wire.api_key, "x"):
        refusal = await told(wire, ANEW, {"user_identifier_key": "jane"}, seam_publishable_key=each)
        assert refusal == (401, "invalid_publishable_key")


async def test_workspace_decides_whether_publishable_keys_work(wire: Wire):
    """Where the workspace does not take them a publishable key is refused at once, with what to change."""
    key = await publishable(wire, allowed=False)
    headers = {"seam-publishable-key": key}
    ask = {"user_identifier_key": "jane"}
    reply = await wire.ask("POST", ANEW, ask, token=None, headers=headers)
    assert (reply.status, reply.error["type"]) == (401, "invalid_publishable_key")
    assert "is_publishable_key_auth_enabled" in reply.error["message"]
    for allowed, status in ((True, 200), (False, 401)):
        await wire.call("/workspaces/update", is_publishable_key_auth_enabled=allowed)
        assert (await wire.ask("POST", ANEW, ask, token=None, headers=headers)).status == status


async def test_publishable_key_opens_nothing_else(wire: Wire):
    """Elsewhere a publishable key is 401 and says where it is good, and it is no bearer token either."""
    key = await publishable(wire)
    reply = await wire.ask("POST", "/devices/list", {}, token=None, headers={"seam-publishable-key": key})
    assert (reply.status, reply.error["type"]) == (401, "unauthorized")
    assert "/client_sessions/get_or_create" in reply.error["message"]
    for path in ("/devices/list", ANEW):
        ask = {"user_identifier_key": "jane"}
        shown = {"authorization": f"Bearer {key}", "seam_workspace": "w1"}
        assert await told(wire, path, ask, **shown) == (401, "unauthorized")


async def test_bearer_token_counts_before_a_publishable_key(wire: Wire):
    """With both, the bearer token decides: with an API key a session may reach something at once."""
    key = await publishable(wire)
    ask = {"connected_account_ids": [await own_account(wire)]}
    reply = await wire.ask("POST", CREATE, ask, headers={"seam-publishable-key": key})
    assert reply.status == 200
    refusal = await told(wire, CREATE, ask, authorization="Bearer seam_x", seam_publishable_key=key)
    assert refusal == (401, "unauthorized")


async def test_publishable_key_of_another_workspace(wire: Wire):
    """A publishable key makes sessions in its own workspace."""
    workspace, _ = await wire.another_workspace(is_publishable_key_auth_enabled=True)
    key, token = mint_publishable_key(workspace, "other", 5)
    await wire.house.store.add_key(key)
    assert (await enter(wire, token, user_identifier_key="jane"))["workspace_id"] == "w2"
    assert (await wire.call("/client_sessions/list"))["client_sessions"] == []


async def test_users_of_one_key_do_not_share_answers(wire: Wire):
    """The same Idempotency-Key from two users of one publishable key is that of two calls."""
    key = await publishable(wire)
    tokens = set()
    for user in ("jane", "joe", "jane"):
        headers = {
            "seam-publishable-key": key,
            "seam-user-identifier-key": user,
            "idempotency-key": "k",
        }
        reply = await wire.ask("POST", ANEW, {}, token=None, headers=headers)
        assert reply.json["client_session"]["user_identifier_key"] == user
        tokens.add(reply.json["client_session"]["token"])
    assert len(tokens) == 2
