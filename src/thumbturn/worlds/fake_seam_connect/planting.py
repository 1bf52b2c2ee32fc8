"""Fills an unused database with that world, through the same operations that callers' requests use."""

from __future__ import annotations

from thumbturn.domain.audit import Act
from thumbturn.domain.client_session import GOOD_FOR, ClientSession
from thumbturn.domain.clock import Clock
from thumbturn.domain.connect_webview import ConnectWebview, Wishes
from thumbturn.domain.event import Event
from thumbturn.domain.keys import HINT_LENGTH, hash_token, new_webview_token
from thumbturn.domain.workspace import Key, KeyKind, Workspace
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Change, EventFilter, Store
from thumbturn.engine.secrets import sealed_for
from thumbturn.engine.webhook_ports import Seal
from thumbturn.worlds.fake_seam_connect.facts import HOME, PERSON, facts


async def plant(store: Store, engine: Engine, seal: Seal, clock: Clock) -> None:
    """Make of the database the world as it begins; nothing where that was done.

    A start that was cut off half-way is gone on with: the event comes last, and nobody can delete it.
    """
    known, now = facts(), clock.now()
    event = known["event"]
    if await store.event(HOME, EventFilter(event_ids=[event["id"]])) is not None:
        return
    for each in known["workspaces"]:
        if await store.workspace(each["id"]) is None:
            await _add_workspace(store, engine, each, now)
    await _add_webview(store, seal, now)
    await _add_session(store, seal, now)
    [account] = [each["account"] for each in known["devices"] if each["id"] == event["device"]]
    first = Event(
        event_id=event["id"],
        event_type=event["type"],
        workspace_id=HOME,
        occurred_at=now,
        created_at=now,
        device_id=event["device"],
        connected_account_id=account,
        payload={},
    )
    await store.apply(Change(events=(first,)))


async def _add_workspace(store: Store, engine: Engine, known: dict[str, object], now: int) -> None:
    workspace = Workspace(
        id=str(known["id"]),
        name=str(known["name"]),
        company_name=facts()["company_name"],
        is_sandbox=bool(known["is_sandbox"]),
        is_publishable_key_auth_enabled=True,
        created_at=now,
    )
    listed = known["keys"]
    assert isinstance(listed, list)
    keys = [_key(workspace, now=now, **each) for each in listed]
    user_id = None if known["user_id"] is None else str(known["user_id"])
    await engine.add_workspace(workspace, user_id=user_id, keys=keys)
    made = {"workspace_id": workspace.id, "key_ids": [key.id for key in keys]}
    asked = {"is_sandbox": workspace.is_sandbox}
    await store.record(Act(workspace.id, now, "/workspaces/create", None, made, asked))


def _key(workspace: Workspace, *, id: str, kind: str, name: str, token: str, now: int) -> Key:
    is_persons = kind == KeyKind.PERSONAL_ACCESS_TOKEN
    return Key(
        id=id,
        kind=KeyKind(kind),
        name=name,
        token_hash=hash_token(token),
        hint=token[:HINT_LENGTH],
        workspace_id=None if is_persons else workspace.id,
        user_id=PERSON if is_persons else None,
        created_at=now,
    )


async def _add_webview(store: Store, seal: Seal, now: int) -> None:
    known = facts()["connect_webview"]
    webview = ConnectWebview(
        id=known["id"],
        workspace_id=HOME,
        token=seal.seal(new_webview_token(), sealed_for("connect_webview", known["id"])),
        wishes=Wishes(accepted_providers=(known["provider"],)),
        status="authorized",
        selected_provider=known["provider"],
        connected_account_id=known["account"],
        created_at=now,
        authorized_at=now,
    )
    if await store.webviews.get(HOME, webview.id) is None:
        await store.webviews.add(webview, None, most=1)


async def _add_session(store: Store, seal: Seal, now: int) -> None:
    known, identity, webview = (
        facts()[name] for name in ("client_session", "user_identity", "connect_webview")
    )
    session = ClientSession(
        id=known["id"],
        workspace_id=HOME,
        token_hash=hash_token(known["token"]),
        token=seal.seal(known["token"], sealed_for("client_session", known["id"])),
        user_identifier_key=identity["key"],
        user_identity_id=identity["id"],
        connected_account_ids=(webview["account"],),
        connect_webview_ids=(webview["id"],),
        created_at=now,
        expires_at=now + GOOD_FOR,
    )
    await store.client_sessions.add(session, most=1)
