"""Connect webviews on record: how far somebody has come, and what is true at once when he is through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.stores import NOON, a_device, a_seed, a_session
from thumbturn.domain.connect_webview import ConnectWebview, Wishes
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.engine.ports import DeviceFilter, EventFilter, Store
from thumbturn.engine.webview_ports import WebviewFilter

PENDING = ConnectWebview(
    id="v1",
    workspace_id="w1",
    token="sealed",
    wishes=Wishes(
        accepted_providers=("august", "virtual"),
        accepted_capabilities=("lock",),
        redirect_url="https://app.example/?ä",
        failure_url="myapp://sorry",
        manages_new_devices=False,
        waits_for_devices=True,
        selection_mode="multiple",
    ),
    custom_metadata={"flat": "7", "pet": True},
    customer_key="c1",
    created_at=NOON,
)
SIGNED_IN = replace(PENDING, selected_provider="august", signed_in_as="Jäne@example.com", wrong_tries=2)
ACCOUNT = ConnectedAccount(id="new", workspace_id="w1", driver="virtual", name="Jane", created_at=NOON)
DONE = replace(SIGNED_IN, status="authorized", connected_account_id="new", authorized_at=NOON + 5)
DEVICE = a_device("w1", 9, connected_account_id="new")


def told() -> list[Any]:
    """What the workspace is told of it."""
    return [DONE.told("login_succeeded", NOON, "new")]


async def ids(store: Store, workspace_id: str = "w1", **wanted: Any) -> list[str]:
    """The webviews that fit, in the order in which they come."""
    page = {"after": wanted.pop("after", None), "limit": wanted.pop("limit", 9)}
    found = await store.webviews.listed(workspace_id, WebviewFilter(**wanted), **page)
    return [webview.id for webview in found]


async def events(store: Store) -> list[str]:
    """The types of what the workspace was told."""
    return [event.event_type for event in await store.events("w1", EventFilter(), limit=9)]


async def test_webview_reads_back_equal(store: Store):
    """Every field is read back as it was, in its own workspace; a visitor needs none."""
    assert await store.webviews.add(PENDING, None, most=1) is True
    assert await store.webviews.add(replace(PENDING, id="v2"), None, most=1) is False
    assert await store.webviews.get("w1", "v1") == PENDING
    assert await store.webviews.visited("v1") == PENDING
    assert await store.webviews.get("w2", "v1") is None
    for nothing in ("v2", "v\0"):
        assert await store.webviews.get("w1", nothing) is None
        assert await store.webviews.visited(nothing) is None


async def test_webviews_are_listed_by_what_is_asked_for(store: Store):
    """In order of age; by ids, customer, words in any letter case, and metadata with its types."""
    plain = ConnectWebview(id="v0", workspace_id="w1", token="x", created_at=NOON + 1)
    for webview in (plain, SIGNED_IN, replace(plain, id="other", workspace_id="w2")):
        await store.webviews.add(webview, None, most=9)
    assert await ids(store) == ["v1", "v0"]
    assert await ids(store, limit=1) == ["v1"]
    assert await ids(store, after=(NOON, "v1")) == ["v0"]
    assert await ids(store, workspace_id="w2") == ["other"]
    assert await ids(store, ids=["v0", "other", "\0"]) == ["v0"]
    assert await ids(store, customer_key="c1") == ["v1"]
    assert await ids(store, customer_key="\0") == []
    assert await ids(store, search="JÄNE") == ["v1"]
    assert await ids(store, search="AUG") == ["v1"]
    assert await ids(store, search="V") == ["v1", "v0"]
    assert await ids(store, custom_metadata_has={"pet": True}) == ["v1"]
    assert await ids(store, custom_metadata_has={"pet": "true"}) == []


async def test_steps_are_taken_while_it_is_pending(store: Store):
    """How far somebody has come is stored; what has ended does not move, and tells nothing."""
    await store.webviews.add(PENDING, None, most=9)
    assert await store.webviews.change(replace(SIGNED_IN, workspace_id="w2"), []) is False
    assert await store.webviews.change(SIGNED_IN, []) is True
    assert await store.webviews.get("w1", "v1") == SIGNED_IN
    failed = replace(SIGNED_IN, status="failed")
    assert await store.webviews.change(failed, [failed.told("login_failed", NOON)]) is True
    assert await store.webviews.change(SIGNED_IN, [failed.told("login_failed", NOON)]) is False
    assert await store.webviews.finish(DONE, ACCOUNT, [DEVICE], told()) is None
    assert await store.webviews.get("w1", "v1") == failed
    assert await store.accounts.get("w1", "new") is None
    assert await store.device("w1", DEVICE.id) is None
    assert await events(store) == ["connect_webview.login_failed"]


async def test_what_comes_of_it_is_there_at_once(store: Store):
    """The account, its devices, the reach of the webview's sessions and the events, once."""
    sessions = store.client_sessions
    for name, webviews in (("a", ("v1",)), ("b", ("v11",)), ("c", ())):
        session = a_session(id=name, token_hash=name, connect_webview_ids=webviews)
        await sessions.add(session, most=9)
    await store.webviews.add(PENDING, "c", most=9)
    granted = await store.webviews.finish(DONE, ACCOUNT, [DEVICE], told())
    assert granted == frozenset({"a", "c"})
    assert await store.webviews.finish(DONE, ACCOUNT, [], told()) is None
    assert await store.webviews.get("w1", "v1") == DONE
    assert await store.accounts.get("w1", "new") == ACCOUNT
    found = await store.devices("w1", DeviceFilter(connected_account_ids=["new"]), limit=9)
    assert found == [DEVICE]
    reach = {}
    for name in "abc":
        session = await sessions.get("w1", name)
        assert session is not None
        reach[name] = session.connected_account_ids
    assert reach == {"a": ("w1_account", "new"), "b": ("w1_account",), "c": ("w1_account", "new")}
    assert await events(store) == ["connect_webview.login_succeeded"]


async def test_signing_in_again_lets_in_and_changes_nothing_else(store: Store):
    """An account that is there keeps what was set about it, and is no longer disconnected."""
    [hub] = a_seed("w1").accounts
    await store.accounts.disconnect("w1", hub.id, NOON, [])
    await store.webviews.add(PENDING, None, most=9)
    again = replace(hub, name="Another name")
    done = replace(DONE, connected_account_id=hub.id)
    assert await store.webviews.finish(done, again, [], told()) == frozenset()
    assert await store.accounts.listed("w1", AccountFilter(), limit=9) == [hub]


@pytest.mark.parametrize("is_done", [False, True])
async def test_removed_webview_is_named_nowhere(store: Store, is_done: bool):
    """With it goes its name in sessions; its account and what they reach of it stay."""
    await store.webviews.add(PENDING, None, most=9)
    session = a_session(connect_webview_ids=("v0", "v1"))
    await store.client_sessions.add(session, most=9)
    if is_done:
        await store.webviews.finish(DONE, ACCOUNT, [DEVICE], told())
    assert await store.webviews.remove("w2", "v1") is False
    assert await store.webviews.remove("w1", "v1") is True
    assert await store.webviews.remove("w1", "v1") is False
    assert await store.webviews.visited("v1") is None
    left = await store.client_sessions.get("w1", "s1")
    assert left is not None
    assert left.connect_webview_ids == ("v0",)
    assert left.connected_account_ids == (("w1_account", "new") if is_done else ("w1_account",))
