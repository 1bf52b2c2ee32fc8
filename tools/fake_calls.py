"""What is asked of Seam's fake and of this server in the same world, to compare what they answer.

In this order, in a world that nobody has used: what one call changes, those behind it see. ``$name`` in a
parameter is what the answer with that ``keep`` had.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

KEY, OTHER_KEY, SESSION = "seam_apikey1_token", "seam_apikey2_token", "seam_cst1_token"
PERSON, STRANGER, NOBODY = "seam_at1_longtoken", "seam_unknown_token", ""
DOOR, OTHER_DOOR, THERMOSTAT, SENSOR = (
    "august_device_1",
    "august_device_2",
    "ecobee_device_1",
    "minut_device_1",
)
JOHN = "john_connected_account_id"
#: Long enough ago.
SINCE = "2020-01-01T00:00:00.000Z"
#: The fake ignores it; here a command takes its time.
WAIT = {"prefer": "wait=10"}


@dataclass(frozen=True, slots=True)
class FakeCall:
    """One call."""

    name: str
    path: str
    ask: Mapping[str, Any] | None = None
    token: str = KEY
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Under what name to keep the value at this place of the answer.
    keep: tuple[str, tuple[str, ...]] | None = None


CALLS = (
    FakeCall("health", "/health", method="GET", token=NOBODY),
    FakeCall("the seed", "/_fake/default_seed", method="GET", token=NOBODY),
    # Who asks.
    FakeCall("without a token", "/devices/list", {}, token=NOBODY),
    FakeCall("with an unknown key", "/devices/list", {}, token=STRANGER),
    FakeCall("a person without a workspace", "/workspaces/list", {}, token=PERSON),
    FakeCall(
        "a person in a workspace",
        "/locks/list",
        {},
        token=PERSON,
        headers={"seam-workspace": "seed_workspace_1"},
    ),
    FakeCall(
        "a person in another workspace",
        "/locks/list",
        {},
        token=PERSON,
        headers={"seam-workspace": "nobodys"},
    ),
    FakeCall("a client session", "/devices/list", {}, token=SESSION),
    FakeCall("a client session's device", "/devices/get", {"device_id": DOOR}, token=SESSION),
    FakeCall(
        "a device beyond a client session", "/devices/get", {"device_id": "schlage_device_id"}, token=SESSION
    ),
    FakeCall("a client session where it may not", "/webhooks/list", {}, token=SESSION),
    FakeCall("an empty workspace", "/devices/list", {}, token=OTHER_KEY),
    # How it is asked.
    FakeCall("a path that is not there", "/devices/nothing", {}),
    FakeCall("a wrong method", "/locks/unlock_door", method="GET"),
    FakeCall("a missing parameter", "/locks/unlock_door", {}),
    FakeCall("a number for a string", "/locks/unlock_door", {"device_id": 5}),
    FakeCall("a limit of nothing", "/devices/list", {"limit": 0}),
    FakeCall("a limit in letters", "/devices/list?limit=many", method="GET"),
    FakeCall("no JSON", "/devices/get", None, headers={"content-type": "text/plain"}),
    # What is there.
    FakeCall("the workspace", "/workspaces/get", {}),
    FakeCall("all devices", "/devices/list", {}),
    FakeCall("devices by a query", f"/devices/list?device_ids={DOOR}&device_ids={SENSOR}", method="GET"),
    FakeCall("devices of a type", "/devices/list", {"device_type": "august_lock"}),
    FakeCall("devices of types", "/devices/list", {"device_types": ["schlage_lock", "minut_sensor"]}),
    FakeCall("devices of an unknown type", "/devices/list", {"device_type": "teapot"}),
    FakeCall("devices of a maker", "/devices/list", {"manufacturer": "august"}),
    FakeCall("devices of an account", "/devices/list", {"connected_account_id": JOHN}),
    FakeCall(
        "a page of devices", "/devices/list", {"limit": 2}, keep=("page", ("pagination", "next_page_cursor"))
    ),
    FakeCall("the next page", "/devices/list", {"limit": 2, "page_cursor": "$page"}),
    FakeCall("the next page of another list", "/devices/list", {"limit": 3, "page_cursor": "$page"}),
    FakeCall("a device", "/devices/get", {"device_id": DOOR}),
    FakeCall("a device by its name", "/devices/get", {"name": "Fake August Lock 2"}),
    FakeCall("a device that is not there", "/devices/get", {"device_id": "nobodys"}),
    FakeCall("no device at all", "/devices/get", {}),
    FakeCall("unmanaged devices", "/devices/unmanaged/list", {}),
    FakeCall("all locks", "/locks/list", {}),
    FakeCall("a lock", "/locks/get", {"device_id": OTHER_DOOR}),
    FakeCall("a lock that is a thermostat", "/locks/get", {"device_id": THERMOSTAT}),
    FakeCall("all thermostats", "/thermostats/list", {}),
    FakeCall("noise thresholds", "/noise_sensors/noise_thresholds/list", {"device_id": SENSOR}),
    FakeCall("connected accounts", "/connected_accounts/list", {}),
    FakeCall("a connected account", "/connected_accounts/get", {"connected_account_id": JOHN}),
    FakeCall("an account that is not there", "/connected_accounts/get", {"connected_account_id": "nobodys"}),
    FakeCall("webviews", "/connect_webviews/list", {}),
    FakeCall("access control systems", "/acs/systems/list", {}),
    FakeCall("events", "/events/list", {"since": SINCE}),
    FakeCall("events of a type", "/events/list", {"since": SINCE, "event_type": "lock.locked"}),
    FakeCall("an event", "/events/get", {"event_id": "event1"}),
    # What is done.
    FakeCall(
        "unlocking",
        "/locks/unlock_door",
        {"device_id": DOOR},
        keep=("unlocking", ("action_attempt", "action_attempt_id")),
    ),
    FakeCall(
        "the attempt to unlock", "/action_attempts/get", {"action_attempt_id": "$unlocking"}, headers=WAIT
    ),
    FakeCall("attempts by id", "/action_attempts/list", {"action_attempt_ids": ["$unlocking"]}),
    FakeCall("the unlocked door", "/locks/get", {"device_id": DOOR}),
    FakeCall("locking", "/locks/lock_door", {"device_id": DOOR, "sync": True}),
    FakeCall("unlocking nothing", "/locks/unlock_door", {"device_id": "nobodys"}),
    FakeCall("an attempt that is not there", "/action_attempts/get", {"action_attempt_id": "nobodys"}),
    FakeCall(
        "overruling",
        "/_fake/update_action_attempt",
        {"action_attempt_id": "$unlocking", "status": "error", "error": {"type": "foo", "message": "Failed"}},
        token=NOBODY,
    ),
    FakeCall("the overruled attempt", "/action_attempts/get", {"action_attempt_id": "$unlocking"}),
    FakeCall(
        "overruling nothing",
        "/_fake/update_action_attempt",
        {"action_attempt_id": "nobodys", "status": "pending"},
        token=NOBODY,
    ),
    FakeCall("a new name", "/devices/update", {"device_id": DOOR, "name": "My Door"}),
    FakeCall("the device with the new name", "/devices/get", {"device_id": DOOR}),
    FakeCall(
        "heating",
        "/thermostats/heat",
        {"device_id": THERMOSTAT, "heating_set_point_celsius": 20, "sync": True},
    ),
    FakeCall(
        "a fan",
        "/thermostats/set_fan_mode",
        {"device_id": THERMOSTAT, "fan_mode_setting": "on", "sync": True},
    ),
    FakeCall(
        "a new code",
        "/access_codes/create",
        {"device_id": DOOR, "name": "Guest", "code": "739154"},
        headers=WAIT,
        keep=("code", ("access_code", "access_code_id")),
    ),
    FakeCall("the code", "/access_codes/get", {"access_code_id": "$code"}),
    FakeCall("codes", "/access_codes/list", {"device_id": DOOR}),
    FakeCall("a code on nothing", "/access_codes/create", {"device_id": "nobodys", "code": "739155"}),
    FakeCall("deleting the code", "/access_codes/delete", {"access_code_id": "$code", "sync": True}),
    FakeCall("no codes", "/access_codes/list", {"device_id": DOOR}),
    FakeCall("a code that is too short", "/access_codes/create", {"device_id": DOOR, "code": "1"}),
    FakeCall(
        "a new webview",
        "/connect_webviews/create",
        {"accepted_providers": ["august"]},
        keep=("webview", ("connect_webview", "connect_webview_id")),
    ),
    FakeCall(
        "completing the webview",
        "/_fake/complete_connect_webview",
        {"connect_webview_id": "$webview"},
        token=NOBODY,
    ),
    FakeCall("the completed webview", "/connect_webviews/get", {"connect_webview_id": "$webview"}),
    FakeCall(
        "a client session's user",
        "/client_sessions/create",
        {"user_identifier_key": "john_user_identifier_key"},
        method="PUT",
    ),
    FakeCall(
        "a webhook",
        "/webhooks/create",
        {"url": "https://example.com/hook"},
        keep=("webhook", ("webhook", "webhook_id")),
    ),
    FakeCall("webhooks", "/webhooks/list", {}),
    FakeCall("no webhook any more", "/webhooks/delete", {"webhook_id": "$webhook"}),
    FakeCall(
        "an outage",
        "/_fake/simulate_workspace_outage",
        {"workspace_id": "seed_workspace_1", "routes": ["/locks/list"]},
        token=NOBODY,
    ),
    FakeCall("what is down", "/locks/list", {}),
    FakeCall("what is down for others", "/locks/list", {}, token=OTHER_KEY),
    FakeCall(
        "the end of the outage",
        "/_fake/simulate_workspace_outage",
        {"workspace_id": "seed_workspace_1", "routes": []},
        token=NOBODY,
    ),
    FakeCall("what was down", "/locks/list", {}),
)


def ask_all(endpoint: str) -> dict[str, Any]:
    """What a server at this endpoint answers, by the names of the calls: its status and its body."""
    kept: dict[str, str] = {}
    answers: dict[str, Any] = {}
    with httpx.Client(base_url=endpoint, timeout=30) as client:
        for call in CALLS:
            headers = dict(call.headers)
            if call.token:
                headers["authorization"] = f"Bearer {call.token}"
            body = None if call.ask is None else _filled(call.ask, kept)
            answer = client.request(call.method, call.path, json=body, headers=headers)
            is_json = answer.headers.get("content-type", "").startswith("application/json")
            answers[call.name] = {
                "status": answer.status_code,
                "body": answer.json() if is_json and answer.content else answer.text,
            }
            if call.keep is not None:
                kept[call.keep[0]] = _at(answers[call.name]["body"], call.keep[1])
    return answers


def _filled(ask: Any, kept: Mapping[str, str]) -> Any:
    if isinstance(ask, Mapping):
        return {name: _filled(value, kept) for name, value in ask.items()}
    if isinstance(ask, list):
        return [_filled(value, kept) for value in ask]
    return kept[ask[1:]] if isinstance(ask, str) and re.match(r"\$[a-z]", ask) else ask


def _at(body: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        body = body[name]
    return body
