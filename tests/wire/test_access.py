"""Who may call which endpoint: every route there is, with every kind of token there is.

What the contract has is held against its facts, what is our own against the list here. A new route that is
in neither fails.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.fixtures.sessions import guest, own_account
from tests.fixtures.wire import Wire
from thumbturn.api.access import ALSO_OPEN_TO
from thumbturn.api.table import endpoints

FACTS = json.loads((Path(__file__).parents[1] / "data" / "contract_facts.json").read_text())["endpoints"]

KEYS = {"api_key", "pat_with_workspace"}
ANYBODY = {*KEYS, "pat_without_workspace", "client_session", "publishable_key", "nobody"}

#: Our own endpoints: what a person may see and do of the devices that his session reaches, is open to it.
OWN: dict[str, set[str]] = {
    "/health": ANYBODY,
    "/thumbturn/access_codes/sync": KEYS,
    "/thumbturn/attempts/batch": {*KEYS, "client_session"},
    "/thumbturn/attempts/batch/get": {*KEYS, "client_session"},
    "/thumbturn/attempts/cancel": {*KEYS, "client_session"},
    "/thumbturn/attempts/explain": {*KEYS, "client_session"},
    "/thumbturn/attempts/search": {*KEYS, "client_session"},
    "/thumbturn/attempts/timeline": {*KEYS, "client_session"},
    "/thumbturn/audit/list": KEYS,
    "/thumbturn/hubs/link": KEYS,
    "/thumbturn/hubs/list_providers": KEYS,
    "/thumbturn/keys/create": KEYS,
    "/thumbturn/keys/list": KEYS,
    "/thumbturn/keys/revoke": KEYS,
    "/thumbturn/ready": ANYBODY,
    "/thumbturn/recordings/begin_scene": KEYS,
    "/thumbturn/recordings/start": KEYS,
    "/thumbturn/recordings/stop": KEYS,
    "/thumbturn/sandbox/add_acs_user": KEYS,
    "/thumbturn/sandbox/add_devices": KEYS,
    "/thumbturn/sandbox/add_recorded_device": KEYS,
    "/thumbturn/sandbox/clear_faults": KEYS,
    "/thumbturn/sandbox/inject_fault": KEYS,
    "/thumbturn/sandbox/make_noise": KEYS,
    "/thumbturn/sandbox/swing_door": KEYS,
    "/thumbturn/sandbox/touch_code": KEYS,
    "/thumbturn/stream": {*KEYS, "client_session"},
    "/thumbturn/webhooks/deliveries/list": KEYS,
    "/thumbturn/webhooks/enable": KEYS,
    "/thumbturn/webhooks/resend": KEYS,
    "/thumbturn/webhooks/rotate_secret": KEYS,
    "/thumbturn/webhooks/state": KEYS,
    "/thumbturn/webhooks/test": KEYS,
    "/thumbturn/workspaces/get": KEYS,
    "/thumbturn/workspaces/update": KEYS,
}
ROUTES = sorted(endpoints())


def admitted(path: str) -> set[str]:
    """The kinds of tokens that a route is open to, by the contract or by the list."""
    return OWN[path] if path in OWN else set(FACTS[path]["auth"])


async def shown(wire: Wire) -> dict[str, dict[str, str]]:
    """Good headers of each kind of caller."""
    held = await guest(wire, await own_account(wire))
    await wire.call("/workspaces/update", is_publishable_key_auth_enabled=True)
    made = await wire.call("/thumbturn/keys/create", kind="publishable_key")
    person = f"Bearer {wire.access_token}"
    return {
        "api_key": {"authorization": f"Bearer {wire.api_key}"},
        "pat_with_workspace": {"authorization": person, "seam-workspace": "w1"},
        "pat_without_workspace": {"authorization": person},
        "client_session": {"authorization": f"Bearer {held.token}", "client-session-token": held.token},
        "publishable_key": {"seam-publishable-key": made["token"], "seam-user-identifier-key": "jane"},
        "nobody": {},
    }


async def test_every_route_is_open_to_whom_it_should_be(wire: Wire):
    """Each route refuses each kind of token that it is not open to with 401, and no other kind."""
    assert sorted({*OWN, *FACTS}) == ROUTES
    for kind, headers in (await shown(wire)).items():
        let_in = set()
        for path in ROUTES:
            # A method that none has: who is not let in hears that before anything is looked at or done.
            reply = await wire.ask("TRACE", path, token=None, headers=headers)
            assert reply.status in (401, 405), (kind, path)
            if reply.status == 405:
                let_in.add(path)
            else:
                assert reply.error["type"] == "unauthorized", (kind, path)
        expected = {path for path in ROUTES if kind in admitted(path)}
        # A person who names his workspace is still the person who may make another.
        if kind == "pat_with_workspace":
            expected.add("/workspaces/create")
        assert let_in == expected, kind


def test_table_names_routes_that_are_there():
    """The table of who may call what names no path that is gone."""
    assert set(ALSO_OPEN_TO) <= set(ROUTES)
