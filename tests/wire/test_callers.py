"""Who may ask: tokens, workspaces, and how soon a revoked key opens nothing."""

from __future__ import annotations

import asyncio
import re

import pytest

from thumbturn.api.callers import REMEMBERED_FOR
from thumbturn.api.routes.thumbturn import keys
from thumbturn.domain.keys import mint_api_key, mint_personal_access_token
from thumbturn.domain.workspace import Workspace
from thumbturn.engine import engine

NOBODY = (401, "unauthorized", "No authentication methods succeeded")
UNKNOWN = (401, "unauthorized", "API Key not found")


async def told(wire, path="/workspaces/get", **how):
    refused = await wire.ask("POST", path, **how)
    return refused.status, refused.error["type"], refused.error["message"]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dTpw", "seam_test", "\xff\xfe"])
async def test_no_token(wire, header):
    """Without a bearer token nobody is let in."""
    assert await told(wire, token=None, headers={"authorization": header}) == NOBODY


@pytest.mark.parametrize("token", ["seam_testkey_x", "seam_at_x", "ey.x.y", "\xff", "x" * 10_000])
async def test_unknown_token(wire, token):
    """A token that nobody was given is told so."""
    assert await told(wire, token=token) == UNKNOWN


async def test_a_key_without_its_workspace(wire):
    """A key whose workspace is gone opens nothing."""
    key, token = mint_api_key(Workspace(id="gone", name="Gone", is_sandbox=False), "left over", 0)
    await wire.house.store.add_key(key)
    assert (await told(wire, token=token))[:2] == (401, "workspace_not_found")


async def test_scheme_in_any_letter_case(wire):
    """The word Bearer may be written in any letter case."""
    headers = {"authorization": f"bEARER {wire.api_key}"}
    assert (await wire.ask("POST", "/workspaces/get", token=None, headers=headers)).status == 200


async def test_access_token_needs_a_workspace(wire):
    """A personal access token opens a workspace of its person, which the header names."""
    assert await told(wire, token=wire.access_token) == NOBODY
    for foreign in ("w2", "nowhere", "\xff"):
        await wire.another_workspace() if foreign == "w2" else None
        refusal = await told(wire, token=wire.access_token, headers={"seam-workspace": foreign})
        assert refusal == (401, "workspace_not_found", "Workspace not found")
    headers = {"seam-workspace": "w1"}
    reply = await wire.ask("POST", "/workspaces/get", token=wire.access_token, headers=headers)
    assert reply.json["workspace"]["workspace_id"] == "w1"


async def test_api_key_ignores_the_workspace_header(wire):
    """An API key opens its own workspace, whatever the header says."""
    reply = await wire.ask("POST", "/workspaces/get", headers={"seam-workspace": "elsewhere"})
    assert reply.json["workspace"]["workspace_id"] == "w1"


async def test_workspaces_without_a_workspace(wire):
    """Listing and making workspaces needs no workspace; making one needs a person."""
    reply = await wire.ask("GET", "/workspaces/list", token=wire.access_token)
    assert [each["workspace_id"] for each in reply.json["workspaces"]] == ["w1"]
    made = await wire.ask("POST", "/workspaces/create", {"name": "New"}, token=wire.access_token)
    reply = await wire.ask("GET", "/workspaces/list", token=wire.access_token)
    assert made.json["workspace"] in reply.json["workspaces"]
    assert [each["workspace_id"] for each in (await wire.call("/workspaces/list"))["workspaces"]] == ["w1"]
    assert await told(wire, "/workspaces/create", body={"name": "New"}) == NOBODY


async def test_a_revoked_key_opens_nothing_at_once(wire):
    """Revoking takes effect at the very next request, though callers are remembered."""
    made = await wire.call("/thumbturn/keys/create", name="short-lived")
    assert re.fullmatch(r"seam_test(?!at|cst|pk)\w+", made["token"])
    assert (await wire.ask("POST", "/workspaces/get", token=made["token"])).status == 200
    revoked = await wire.call("/thumbturn/keys/revoke", key_id=made["key"]["key_id"])
    assert revoked["key"]["revoked_at"] is not None
    assert await told(wire, token=made["token"]) == UNKNOWN


async def test_another_process_learns_of_it_within_seconds(wire):
    """What another process revoked is forgotten here after five seconds."""
    key, token = mint_api_key(wire.house.workspace, "other process", 0)
    await wire.house.store.add_key(key)
    assert (await wire.ask("POST", "/workspaces/get", token=token)).status == 200
    await wire.house.store.revoke_key("w1", key.id, 1)
    assert (await wire.ask("POST", "/workspaces/get", token=token)).status == 200
    await wire.house.clock.advance(REMEMBERED_FOR)
    assert await told(wire, token=token) == UNKNOWN


async def test_a_key_revoked_while_it_is_looked_up_is_not_remembered(wire, monkeypatch):
    """A look-up that began before a revocation does not outlive it."""
    made = await wire.call("/thumbturn/keys/create")
    look_up = wire.house.store.workspace

    async def slow(workspace_id):
        monkeypatch.setattr(wire.house.store, "workspace", look_up)
        await wire.call("/thumbturn/keys/revoke", key_id=made["key"]["key_id"])
        return await look_up(workspace_id)

    await wire.call("/workspaces/get")
    monkeypatch.setattr(wire.house.store, "workspace", slow)
    await wire.ask("POST", "/workspaces/get", token=made["token"])
    assert await told(wire, token=made["token"]) == UNKNOWN


async def test_one_look_up_for_all_who_ask_meanwhile(wire, monkeypatch):
    """When a key has to be looked up again, a hundred calls with it ask the store once."""
    looked_up = []
    look_up = wire.house.store.key

    async def counted(token_hash):
        looked_up.append(token_hash)
        return await look_up(token_hash)

    monkeypatch.setattr(wire.house.store, "key", counted)
    replies = await asyncio.gather(*(wire.ask("POST", "/workspaces/get") for _ in range(100)))
    assert {reply.status for reply in replies} == {200}
    assert len(looked_up) == 1


async def test_long_headers_are_not_remembered(wire):
    """A header that is mostly space opens what it opens, and does not stay in memory."""
    headers = {"authorization": f"Bearer {wire.api_key}{' ' * 1_000}"}
    assert (await wire.ask("POST", "/workspaces/get", token=None, headers=headers)).status == 200
    assert wire.app._callers._known == {}


async def test_keys_belong_to_their_workspace(wire):
    """A key of another workspace cannot be revoked, exactly as one that is unknown."""
    _, token = await wire.another_workspace()
    own = (await wire.call("/thumbturn/keys/list"))["keys"][0]["key_id"]
    for key_id in (own, "nobody's"):
        refused = await wire.ask("POST", "/thumbturn/keys/revoke", {"key_id": key_id}, token=token)
        assert (refused.status, refused.error["type"]) == (404, "key_not_found")


async def test_a_persons_tokens_are_his_own_affair(wire):
    """An API key, or another member of the workspace, neither sees nor revokes a person's access token."""
    in_w1 = {"seam-workspace": "w1"}
    wire.house.store._members["u2"].append("w1")
    other, other_token = mint_personal_access_token("u2", "other's", 5)
    await wire.house.store.add_key(other)
    for token, seen in (
        ("", ["first"]),
        (wire.access_token, ["first", "mine"]),
        (other_token, ["first", "other's"]),
    ):
        reply = await wire.ask("GET", "/thumbturn/keys/list", token=token, headers=in_w1)
        assert [key["name"] for key in reply.json["keys"]] == seen
    for token in ("", wire.access_token):
        refused = await wire.ask(
            "POST", "/thumbturn/keys/revoke", {"key_id": other.id}, token=token, headers=in_w1
        )
        assert (refused.status, refused.error["type"]) == (404, "key_not_found")
    own = await wire.ask(
        "POST", "/thumbturn/keys/revoke", {"key_id": other.id}, token=other_token, headers=in_w1
    )
    assert own.status == 200
    assert await told(wire, token=other_token) == UNKNOWN


async def test_an_access_token_is_made_by_a_person(wire):
    """A personal access token is given to the person who asks with one, and to no API key."""
    refused = await wire.ask("POST", "/thumbturn/keys/create", {"kind": "personal_access_token"})
    assert (refused.status, refused.error["type"]) == (400, "personal_access_token_needed")
    made = await wire.ask(
        "POST",
        "/thumbturn/keys/create",
        {"kind": "personal_access_token", "name": "second"},
        token=wire.access_token,
        headers={"seam-workspace": "w1"},
    )
    token = made.json["token"]
    assert token.startswith("seam_at")
    assert (await wire.ask("GET", "/workspaces/list", token=token)).status == 200


async def test_lists_of_keys_show_no_token(wire):
    """A key is listed by its name and how it begins; the token is shown once, when it is made."""
    made = await wire.call("/thumbturn/keys/create", name="listed")
    reply = await wire.ask("GET", "/thumbturn/keys/list")
    assert made["token"] not in reply.content.decode()
    assert made["key"] in reply.json["keys"]
    assert made["token"].startswith(made["key"]["hint"])


async def test_a_crowd_of_callers_is_forgotten(wire, monkeypatch):
    """What is remembered of callers has a bound."""
    monkeypatch.setattr("thumbturn.api.callers._MOST_REMEMBERED", 2)
    for number in range(5):
        await wire.ask("POST", "/workspaces/get", headers={"seam-workspace": str(number)})
    assert len(wire.app._callers._known) <= 2


async def test_keys_have_an_end(wire, monkeypatch):
    """One key too many is refused with what to do, and can be made when another is revoked."""
    monkeypatch.setattr(keys, "MOST_KEYS", 2)  # it has one
    made = (await wire.call("/thumbturn/keys/create", name="x" * 255))["key"]
    for kind in ("api_key", "publishable_key"):
        refused = await wire.ask("POST", "/thumbturn/keys/create", {"kind": kind})
        assert (refused.status, refused.error["type"]) == (400, "too_many_keys")
    assert len((await wire.call("/thumbturn/keys/list"))["keys"]) == 2
    await wire.call("/thumbturn/keys/revoke", key_id=made["key_id"])
    assert (await wire.call("/thumbturn/keys/create"))["key"]["name"] == "key"


async def test_a_key_s_name_has_an_end(wire):
    """A name of more than 255 characters is refused as that."""
    refused = await wire.ask("POST", "/thumbturn/keys/create", {"name": "x" * 256})
    assert (refused.status, refused.error["type"]) == (400, "invalid_input")
    assert "255" in str(refused.json)


async def test_a_person_s_workspaces_have_an_end(wire, monkeypatch):
    """One workspace too many is refused, and is not made."""
    monkeypatch.setattr(engine, "MOST_WORKSPACES", 2)  # he has one
    for status, error in ((200, None), (400, "too_many_workspaces")):
        reply = await wire.ask("POST", "/workspaces/create", {"name": "New"}, token=wire.access_token)
        assert (reply.status, error and reply.error["type"]) == (status, error)
    assert len(await wire.house.store.workspaces_of_user("u1")) == 2
