"""Acts that are on record together with what they did, and acts that are recorded once more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.stores import NOON, a_device, a_key, a_session
from thumbturn.domain.asker import Asker
from thumbturn.domain.audit import RECORDING, Act, Recording
from thumbturn.domain.chain import Sealed
from thumbturn.domain.webhook import Webhook
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.ports import Seed, Store
from thumbturn.storage.store import SqlStore

ASKER = Asker("k2", "api_key", None, "r1")


def an_act(action: str = "act", **other: Any) -> Act:
    """Something that was done in ``w1``."""
    return Act("w1", NOON, action, ASKER, {}, {})._replace(**other)


async def entries(store: Store, workspace_id: str = "w1") -> tuple[Sealed, ...]:
    """The whole trail."""
    return (await store.trail(workspace_id, after=0, limit=100)).entries


#: What a call does, with the ids of what it makes, and the same when it cannot be done.
TOGETHER: dict[str, tuple[dict[str, str], Callable[[Store, str], Awaitable[Any]]]] = {
    "add_key": ({"key_id": "k1"}, lambda store, w: store.add_key(a_key("k1", workspace_id=w), most=1)),
    "revoke_key": ({}, lambda store, w: store.revoke_key(w, "k0", NOON)),
    "add_workspace": (
        {"workspace_id": "w9"},
        lambda store, w: store.add_workspace(
            Workspace(id="w9", name="", is_sandbox=True),
            user_id="u1",
            seed=Seed((), ()),
            keys=[],
            most=9 if w == "w1" else 1,
        ),
    ),
    "update_workspace": (
        {},
        lambda store, w: store.update_workspace(
            Workspace(id=w if w == "w1" else "nothing", name="new", is_sandbox=True)
        ),
    ),
    "update_device": (
        {},
        lambda store, w: store.update_device(replace(a_device("w1", 1, nickname="x"), workspace_id=w)),
    ),
    "client_sessions.add": (
        {"client_session_id": "s1"},
        # Whoever has a session is answered that, and nothing is done.
        lambda store, w: store.client_sessions.add(
            a_session(user_identifier_key="joe" if w == "w1" else "jane"), most=9
        ),
    ),
    "client_sessions.grant": ({}, lambda store, w: store.client_sessions.grant(w, "s0", ["a"])),
    "client_sessions.revoke": ({}, lambda store, w: store.client_sessions.revoke(w, "s0", NOON)),
    "client_sessions.remove": (
        {},
        lambda store, w: store.client_sessions.remove(w, "s0", a_session("s0").deleted(NOON)),
    ),
    "webhooks.add": ({"webhook_id": "h1"}, lambda store, w: store.webhooks.add(a_webhook("h1"))),
    "webhooks.choose_types": ({}, lambda store, w: store.webhooks.choose_types(w, "h0", ["*"])),
    "webhooks.rotate": ({}, lambda store, w: store.webhooks.rotate(w, "h0", "sealed", NOON)),
    "webhooks.enable": ({}, lambda store, w: store.webhooks.enable(w, "h0", NOON, skip_missed=True)),
    "webhooks.remove": ({}, lambda store, w: store.webhooks.remove(w, "h0")),
}


def a_webhook(id: str) -> Webhook:
    return Webhook(
        id=id, workspace_id="w1", url="https://a.test/", event_types=("*",), secret="s", created_at=NOON
    )


def begun(path: str) -> Recording:
    """The recording of a call in ``w1``."""
    recording = Recording(lambda made: an_act(action=path, ids=made))
    RECORDING.set(recording)
    return recording


@pytest.mark.parametrize("name", TOGETHER)
async def test_what_is_done_and_its_entry_are_one(sql_store: SqlStore, name: str):
    """Where a call is one operation, its entry is in the same transaction, once, with the new ids."""
    made, do = TOGETHER[name]
    await sql_store.add_key(a_key("k0"))
    await sql_store.client_sessions.add(a_session("s0", user_identifier_key="jane"), most=9)
    if name != "add_key":
        await sql_store.webhooks.add(a_webhook("h0"))
    else:
        await sql_store.revoke_key("w1", "k0", NOON)
    recording = begun(name)
    waves = sql_store.writing().meters.size.total
    await do(sql_store, "w1")
    assert sql_store.writing().meters.size.total == waves + 1
    assert recording.is_written
    RECORDING.set(None)
    [entry] = await entries(sql_store)
    assert entry.entry == an_act(action=name, ids=made).entry()


@pytest.mark.parametrize("name", [name for name in TOGETHER if name not in {"add_key", "webhooks.add"}])
async def test_what_was_not_done_leaves_no_entry(sql_store: SqlStore, name: str):
    """A thing of another workspace, and one too many: nothing is done, and nothing is in the trail."""
    await sql_store.add_key(a_key("k0"))
    await sql_store.client_sessions.add(a_session("s0", user_identifier_key="jane"), most=9)
    await sql_store.webhooks.add(a_webhook("h0"))
    recording = begun(name)
    await TOGETHER[name][1](sql_store, "w2")
    RECORDING.set(None)
    assert not recording.is_written
    assert [await entries(sql_store, each) for each in ("w1", "w2")] == [(), ()]


async def test_what_failed_leaves_no_entry(sql_store: SqlStore):
    """An operation that the database refuses takes its entry with it, and the next one is written."""
    await sql_store.add_key(a_key("k0"))
    recording = begun("again")
    with pytest.raises(Exception, match=r"(?i)unique"):
        await sql_store.add_key(a_key("k0"))
    assert not recording.is_written
    await sql_store.add_key(a_key("k1"))
    await sql_store.add_key(a_key("k2"))
    RECORDING.set(None)
    [entry] = await entries(sql_store)
    assert entry.entry["ids"] == {"key_id": "k1"}


@pytest.mark.parametrize("is_sealed", [False, True])
async def test_an_act_that_is_tried_again_is_there_once(store: Store, is_sealed: bool):
    """After a lost answer the act may be on record: it is looked for, in line and in the chain."""
    await store.record(an_act())
    if is_sealed:
        await entries(store)
    await store.record(an_act(), again=True)
    await store.record(an_act(at=NOON + 1), again=True)
    assert [each.entry["at"] for each in await entries(store)] == [NOON, NOON + 1]
