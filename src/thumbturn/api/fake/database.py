"""What is on record, in one answer, for tests that look behind the wire.

Whoever reaches the server may ask for this without a token. So nothing is in it that is a secret in spite of
the world that it is in: no PIN, no secret of a webhook, of its URL no more than what stands before the
query, no address of a webview's page, and of tokens only those that everybody knows because the seed has
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from thumbturn.actions.noise_thresholds import threshold_json
from thumbturn.api.fake.world import FakeFacts
from thumbturn.api.wire.access import system_json, user_identity_json
from thumbturn.api.wire.access_code import access_code_json
from thumbturn.api.wire.attempt import attempt_json
from thumbturn.api.wire.client_session import client_session_json
from thumbturn.api.wire.connect_webview import connect_webview_json
from thumbturn.api.wire.connected_account import connected_account_json
from thumbturn.api.wire.device import device_json
from thumbturn.api.wire.event import event_json
from thumbturn.api.wire.key import key_json
from thumbturn.api.wire.workspace import workspace_json
from thumbturn.domain.access import AcsSystem, UserIdentity
from thumbturn.domain.clock import Clock
from thumbturn.domain.keys import hash_token
from thumbturn.domain.noise import thresholds_of
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.access_code_ports import CodeFilter
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.engine.client_sessions import ClientSessions
from thumbturn.engine.connect_webviews import ConnectWebviews
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import DeviceFilter, EventFilter, Store
from thumbturn.engine.webview_ports import WebviewFilter

#: Of each kind, in each workspace.
MOST = 10_000
#: Names under which there may be a PIN, in whatever kind of row.
_MAY_HOLD_PINS = frozenset({"code", "changed_properties", "requested_mutations", "pending_mutations"})

Row = dict[str, Any]
State = dict[str, list[Row]]


class Database:
    """Reads what is on record."""

    def __init__(
        self,
        facts: FakeFacts,
        *,
        store: Store,
        engine: Engine,
        sessions: ClientSessions,
        webviews: ConnectWebviews,
        clock: Clock,
    ) -> None:
        self._known = {hash_token(token): token for token in facts.seed.values()}
        self._store = store
        self._engine = engine
        self._sessions = sessions
        self._webviews = webviews
        self._clock = clock

    async def state(self, workspaces: Sequence[Workspace], origin: str) -> Mapping[str, list[Row]]:
        """The rows of these workspaces by the names that the fake has for their kinds, oldest first."""
        whole: State = {}
        for workspace in workspaces:
            of_it: State = {
                "workspaces": [dict(workspace_json(workspace))],
                "api_keys": await self._keys(workspace.id),
                **await self._devices(workspace),
                **await self._accounts(workspace.id, origin),
                **await self._happened(workspace.id),
            }
            for kind, rows in of_it.items():
                whole.setdefault(kind, []).extend({"workspace_id": workspace.id, **row} for row in rows)
        return {kind: [_without_pins(row) for row in rows] for kind, rows in whole.items()}

    async def _keys(self, workspace_id: str) -> list[Row]:
        keys = await self._store.keys(workspace_id)
        return [{**key_json(key), "token": self._known.get(key.token_hash)} for key in keys]

    async def _devices(self, workspace: Workspace) -> State:
        devices = await self._store.devices(workspace.id, DeviceFilter(), limit=MOST)
        codes = await self._store.access_codes.listed(workspace.id, CodeFilter(), limit=MOST)
        by_id, now, pins = (
            {device.id: device for device in devices},
            self._clock.now(),
            self._engine.access_codes.pins,
        )
        return {
            "devices": [dict(device_json(each, is_sandbox=workspace.is_sandbox)) for each in devices],
            "noise_thresholds": [
                dict(threshold_json(device.id, id, held))
                for device in devices
                for id, held in thresholds_of(device).items()
            ],
            "access_codes": [
                dict(access_code_json(each, by_id.get(each.device_id), pins, now)) for each in codes
            ],
        }

    async def _accounts(self, workspace_id: str, origin: str) -> State:
        store = self._store
        accounts = await store.accounts.listed(workspace_id, AccountFilter(), limit=MOST)
        webviews = await store.webviews.listed(workspace_id, WebviewFilter(), limit=MOST)
        sessions = await store.client_sessions.listed(workspace_id, ClientSessionFilter(), limit=MOST)
        systems = await store.access.find(AcsSystem, workspace_id, Wanted(), limit=MOST)
        identities = await store.access.find(UserIdentity, workspace_id, Wanted(), limit=MOST)
        pages = [dict(connect_webview_json(self._webviews.shown(each), origin)) for each in webviews]
        return {
            "connected_accounts": [dict(connected_account_json(each)) for each in accounts],
            "connect_webviews": [{**each, "url": None} for each in pages],
            "client_sessions": [
                {**client_session_json(seen), "token": self._known.get(seen.session.token_hash)}
                for seen in await self._sessions.seen(sessions)
            ],
            "acs_systems": [dict(system_json(each)) for each in systems],
            "user_identities": [dict(user_identity_json(each, [])) for each in identities],
        }

    async def _happened(self, workspace_id: str) -> State:
        attempts = await self._store.attempts(workspace_id, limit=MOST)
        events = await self._store.events(workspace_id, EventFilter(), limit=MOST)
        webhooks = await self._store.webhooks.of_workspace(workspace_id)
        pins = self._engine.access_codes.pins
        return {
            "action_attempts": [{**attempt_json(each), "device_id": each.device_id} for each in attempts],
            "events": [dict(event_json(each, pins)) for each in events],
            "webhooks": [
                {
                    "webhook_id": each.id,
                    "url": each.url.partition("?")[0],
                    "event_types": list(each.event_types),
                }
                for each in webhooks
            ],
        }


def _without_pins(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: None if name in _MAY_HOLD_PINS else _without_pins(each) for name, each in value.items()}
    return [_without_pins(each) for each in value] if isinstance(value, list) else value
