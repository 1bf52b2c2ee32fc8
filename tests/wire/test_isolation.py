"""Nobody sees another workspace's anything: each route has rows that say how somebody else's id is tried.

The rows are held against the server's own table of routes. A new route without a row fails, and so does a
row whose route is gone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fixtures import isolation_of_access, isolation_of_grants, isolation_of_spaces
from tests.fixtures.isolation import Filter, NoWorkspace, Own, Streams
from tests.fixtures.isolation_rows import (
    ITS_OWN,
    ITS_OWN_NOISE_SENSOR,
    ITS_OWN_SESSION,
    ITS_OWN_THERMOSTAT,
    ITS_OWN_THRESHOLD,
    NEVER,
    NOWHERE,
    PIN,
    PIN_BY_HAND,
    PRESET,
    ROWS,
)
from tests.fixtures.server import Caller, LiveServer, caller_in_new_sandbox
from thumbturn.api.table import endpoints
from thumbturn.domain.workspace import KeyKind

UNKNOWN = "01890000-0000-7000-8000-000000000000"
TRIED = [
    (path, row) for path, rows in ROWS.items() for row in rows if not isinstance(row, NoWorkspace | Streams)
]
OPEN_TO_SESSIONS = {path for path, each in endpoints().items() if KeyKind.CLIENT_SESSION in each.open_to}
TAKES_AWAY = {
    *isolation_of_access.TAKES_AWAY,
    *isolation_of_grants.TAKES_AWAY,
    *isolation_of_spaces.TAKES_AWAY,
    "/access_codes/pull_backup_access_code",
    "/thumbturn/sandbox/touch_code",
    "/access_codes/delete",
    "/access_codes/unmanaged/convert_to_managed",
    "/access_codes/unmanaged/delete",
    "/client_sessions/delete",
    "/connect_webviews/delete",
    "/connected_accounts/delete",
    "/connected_accounts/simulate/disconnect",
    "/devices/simulate/disconnect_from_hub",
    "/devices/simulate/remove",
    "/noise_sensors/noise_thresholds/delete",
    "/thermostats/daily_programs/delete",
    "/thermostats/schedules/delete",
    "/thumbturn/keys/revoke",
    "/webhooks/delete",
}
#: What the owner may try without taking the thing away from the other rows.
SERVED = [(path, row) for path, row in TRIED if not isinstance(row, Own) and path not in TAKES_AWAY]


#: What of a virtual thermostat changes while nobody does anything: its room grows warm or cold.
OF_THE_ROOM = (
    "temperature_celsius",
    "temperature_fahrenheit",
    "is_heating",
    "is_cooling",
    "is_fan_running",
)


class Party:
    """A workspace with an API key of its own and one thing of each kind."""

    def __init__(self, server: LiveServer, name: str) -> None:
        owner = caller_in_new_sandbox(server, name)
        made = owner.call("/thumbturn/keys/create", name=name)
        self.caller = Caller(server, server.client(made["token"]), owner.workspace_id)
        door = self.caller.locks()[0]
        webhook = self.caller.call("/webhooks/create", url=NOWHERE, event_types=NEVER[:1])["webhook"]
        self.caller.call("/devices/update", device_id=door["device_id"], name=f"The door of {name}")
        attempt = self.caller.call("/locks/unlock_door", device_id=door["device_id"], sync=True)
        in_a_week = (datetime.now(UTC) + timedelta(days=7)).isoformat()
        later = self.caller.call("/locks/unlock_door", device_id=door["device_id"], not_before=in_a_week)
        ask = {"device_id": door["device_id"], "not_before": in_a_week}
        command = {"path": "/locks/lock_door", "parameters": ask}
        batch = self.caller.call("/thumbturn/attempts/batch", commands=[command])
        event = self.caller.call("/events/list", device_id=door["device_id"])["events"][0]
        ask = {
            "user_identifier_key": f"user of {name}",
            "connected_account_ids": [door["connected_account_id"]],
        }
        session = self.caller.call("/client_sessions/create", **ask)["client_session"]
        thermostat = self.caller.call("/thermostats/list")["thermostats"][0]["device_id"]
        ask = {"device_id": thermostat, "climate_preset_key": "to be deleted"}
        self.caller.call("/thermostats/create_climate_preset", **ask)
        scheduled = {"device_id": thermostat, "starts_at": "2100-02-01", "ends_at": "2100-02-02"}
        schedule = self.caller.call("/thermostats/schedules/create", **scheduled, **PRESET)
        program = self.caller.call(
            "/thermostats/daily_programs/create", device_id=thermostat, name="Any", periods=[]
        )
        sensor = self.caller.call("/noise_sensors/list")["noise_sensors"][0]["device_id"]
        held = self.caller.call("/noise_sensors/noise_thresholds/list", device_id=sensor)["noise_thresholds"]
        at_door = {"device_id": door["device_id"]}
        code = self.caller.call("/access_codes/create", **at_door, code=PIN, name=name, sync=True)
        together = self.caller.call("/access_codes/create_multiple", device_ids=[door["device_id"]])
        by_hand = self.caller.call(
            "/access_codes/simulate/create_unmanaged_access_code", **at_door, code=PIN_BY_HAND, name=name
        )
        [unmanaged] = [
            each["device_id"]
            for each in self.caller.call("/devices/list", search="hallway")["devices"]
            if each["display_name"] == "Hallway Sensor"
        ]
        self.caller.call("/devices/update", device_id=unmanaged, is_managed=False)
        self.things = self._of_access(name) | {
            "code": code["access_code"]["access_code_id"],
            "common_code": together["access_codes"][0]["common_code_key"],
            "unmanaged_code": by_hand["access_code"]["access_code_id"],
            "noise_sensor": sensor,
            "noise_threshold": held[0]["noise_threshold_id"],
            "schedule": schedule["thermostat_schedule"]["thermostat_schedule_id"],
            "daily_program": program["thermostat_daily_program"]["thermostat_daily_program_id"],
            "workspace": owner.workspace_id,
            "door": door["device_id"],
            "unmanaged": unmanaged,
            "webview": self.caller.call("/connect_webviews/create")["connect_webview"]["connect_webview_id"],
            "thermostat": thermostat,
            "door_name": f"The door of {name}",
            "account": door["connected_account_id"],
            "attempt": attempt["action_attempt"]["action_attempt_id"],
            "later": later["action_attempt"]["action_attempt_id"],
            "batch": batch["batch"]["batch_id"],
            "event": event["event_id"],
            "key": made["key"]["key_id"],
            "webhook": webhook["webhook_id"],
            "session": session["client_session_id"],
            "user": f"user of {name}",
        }
        self.things |= self._spaces(name)
        self.things |= self._grants(name)

    def _spaces(self, name: str) -> dict[str, str]:
        """A space with a door, an entrance and an account in it, and the one around it."""
        outer = self.caller.call("/spaces/create", name="House")["space"]["space_id"]
        ask = {
            "device_ids": [self.things["door"]],
            "acs_entrance_ids": [self.things["acs_entrance"]],
            "connected_account_ids": [self.things["account"]],
        }
        key = f"space of {name}"
        made = self.caller.call("/spaces/create", name="Room", space_key=key, **ask)["space"]["space_id"]
        self.caller.call("/spaces/update", space_id=made, parent_space_id=outer)
        return {"space": made, "space_key": key, "outer_space": outer}

    def _grants(self, name: str) -> dict[str, str]:
        """A grant in years, of which nothing is done meanwhile, and one whose methods are used from here."""
        call = self.caller.call
        ask = {
            "user_identity_id": self.things["user_identity"],
            "access_grant_key": f"grant of {name}",
            "reservation_key": f"stay of {name}",
            "device_ids": [self.things["door"]],
            "acs_entrance_ids": [self.things["acs_entrance"]],
            "space_ids": [self.things["space"]],
            "requested_access_methods": [{"mode": "code"}],
        }
        ask |= {"starts_at": "2100-01-01", "ends_at": "2100-01-02"}
        made = call("/access_grants/create", **ask)["access_grant"]
        [code] = call("/access_codes/list", access_grant_id=made["access_grant_id"])["access_codes"]
        ask |= {"access_grant_key": f"keys of {name}", "starts_at": "2020-01-01", "device_ids": []}
        ask |= {"space_ids": [], "requested_access_methods": [{"mode": "card"}, {"mode": "cloud_key"}]}
        used = call("/access_grants/create", **ask)["access_grant"]["requested_access_methods"]
        [card], [key] = (each["created_access_method_ids"] for each in used)
        return {
            "grant": made["access_grant_id"],
            "grant_key": made["access_grant_key"],
            "reservation_key": made["reservation_key"],
            "granted_code": code["access_code_id"],
            "code_method": made["access_method_ids"][0],
            "card_method": card,
            "key_method": key,
        }

    def _of_access(self, name: str) -> dict[str, Any]:
        """The ids of things of access control, which go together."""
        call = self.caller.call
        system = call("/acs/systems/list")["acs_systems"][0]["acs_system_id"]
        group = call("/acs/access_groups/list")["acs_access_groups"][0]["acs_access_group_id"]
        entrance = call("/acs/entrances/list")["acs_entrances"][0]["acs_entrance_id"]
        key = f"identity of {name}"
        identity = call("/user_identities/create", user_identity_key=key)["user_identity"]["user_identity_id"]
        call("/client_sessions/create", user_identity_id=identity)
        ask = {"acs_system_id": system, "user_identity_id": identity, "acs_access_group_ids": [group]}
        user = call("/acs/users/create", full_name=name, **ask)["acs_user"]["acs_user_id"]
        made = call("/acs/credentials/create", acs_user_id=user, access_method="cloud_key")
        by_hand = call("/thumbturn/sandbox/add_acs_user", acs_system_id=system, full_name=name)["acs_user"]
        phone = call("/phones/simulate/create_sandbox_phone", user_identity_id=identity)["phone"]
        return {
            "phone": phone["device_id"],
            "found_identity": by_hand["user_identity_id"],
            "acs_system": system,
            "acs_access_group": group,
            "acs_encoder": call("/acs/encoders/list")["acs_encoders"][0]["acs_encoder_id"],
            "acs_entrance": entrance,
            "acs_user": user,
            "acs_credential": made["acs_credential"]["acs_credential_id"],
            "user_identity": identity,
            "user_identity_key": key,
        }

    def furnished(self, more: dict[str, Any]) -> dict[str, Any]:
        """The further parameters of a row, with this workspace's own things where such are asked for."""
        own = {ITS_OWN: self.things["webhook"], ITS_OWN_SESSION: self.things["session"]}
        own[ITS_OWN_THERMOSTAT] = self.things["thermostat"]
        own[ITS_OWN_NOISE_SENSOR] = self.things["noise_sensor"]
        own[ITS_OWN_THRESHOLD] = self.things["noise_threshold"]
        for rows in (isolation_of_access, isolation_of_spaces, isolation_of_grants):
            words = rows.OWN_THINGS
            own |= {word: self.things[noun] for word, noun in words.items()}

        def furnish(given: Any) -> Any:
            if isinstance(given, list):
                return [furnish(each) for each in given]
            return own.get(given, given) if isinstance(given, str) else given

        return {name: furnish(given) for name, given in more.items()}

    def sees(self) -> dict[str, Any]:
        """Everything that the workspace holds, as its own key reads it, but what a room does by itself."""
        call = self.caller.call
        devices = call("/devices/list")["devices"]
        for each in devices:
            for name in OF_THE_ROOM:
                each["properties"].pop(name, None)
        events = call("/events/list", since="2000-01-01T00:00:00Z")["events"]
        return {
            "workspace": call("/workspaces/get"),
            "devices": devices,
            "unmanaged": call("/devices/unmanaged/list"),
            "attempts": call("/action_attempts/list"),
            "events": [
                each for each in events if not each["event_type"].startswith("thermostat.temperature_")
            ],
            "codes": call("/access_codes/list"),
            "keys": call("/thumbturn/keys/list"),
            "sessions": call("/client_sessions/list"),
            "webviews": call("/connect_webviews/list"),
            "webhooks": call("/webhooks/list"),
            "access": [
                call(f"/{path}/list")
                for path in ("phones", "user_identities", "acs/users", "acs/access_groups", "acs/credentials")
            ],
            "spaces": call("/spaces/list"),
            "grants": [call("/access_grants/list"), call("/access_methods/list")],
            "deliveries": call("/thumbturn/webhooks/deliveries/list", webhook_id=self.things["webhook"]),
        }


@pytest.fixture(scope="module")
def stranger(server: LiveServer) -> Party:
    return Party(server, "stranger")


@pytest.fixture(scope="module")
def victim(server: LiveServer) -> Party:
    return Party(server, "victim")


@pytest.fixture(scope="module")
def owner(server: LiveServer) -> Party:
    """Another like the victim, to which its own key may do things that go on by themselves."""
    return Party(server, "owner")


@pytest.fixture(scope="module")
def guest(server: LiveServer, victim: Party) -> httpx.Client:
    """Somebody with a client session of the victim's workspace that reaches nothing."""
    made = victim.caller.call("/client_sessions/create", user_identifier_key="guest")
    return server.client(made["client_session"]["token"])


def test_what_streams_is_tried_elsewhere():
    """The tests that a row names are there."""
    for row in [row for rows in ROWS.values() for row in rows if isinstance(row, Streams)]:
        for tried_in in (row.tried_in, row.with_sessions):
            module, _, test = tried_in.partition("::")
            assert f"def {test}(" in Path(__file__).with_name(module).read_text()


def test_every_route_has_its_row():
    """The rows name the routes of the server, all of them and no others."""
    assert sorted(ROWS) == sorted(endpoints())


@pytest.mark.parametrize(
    ("path", "row"), TRIED, ids=[f"{path}-{index}" for index, (path, _) in enumerate(TRIED)]
)
def test_a_foreign_id_is_an_unknown_id(path, row, stranger, victim):
    """With a key of another workspace a route answers as if the thing did not exist, and changes nothing."""
    before = victim.sees()
    post = stranger.caller.http.post
    if isinstance(row, Own):
        answer = post(path, json=row.ask)
        assert answer.status_code in {200, 401, row.refused_with}, answer.text
        assert [thing for thing in victim.things.values() if thing in answer.text] == []
    else:
        asks = [row.ask(stranger, each) for each in (victim.things[row.thing], UNKNOWN)]
        foreign, unknown = (post(path, json=ask) for ask in asks)
        if isinstance(row, Filter):
            assert foreign.json()[row.answers] == []
        else:
            assert foreign.status_code == row.refused_with, foreign.text
        assert told(foreign, victim.things[row.thing]) == told(unknown, UNKNOWN)
    assert victim.sees() == before


@pytest.mark.parametrize(
    ("path", "row"), SERVED, ids=[f"{path}-{index}" for index, (path, _) in enumerate(SERVED)]
)
def test_the_owner_is_served(path, row, owner):
    """The same asks with the workspace's own key find the thing: the refusals above are not vacuous."""
    answer = owner.caller.http.post(path, json=row.ask(owner, owner.things[row.thing]))
    refused_anyhow = {**isolation_of_access.REFUSED_ANYHOW, **isolation_of_grants.REFUSED_ANYHOW}
    assert answer.status_code == refused_anyhow.get((path, row.parameter), 200), answer.text
    if isinstance(row, Filter):
        assert answer.json()[row.answers] != []


@pytest.mark.parametrize("path", sorted(ROWS.keys() - {"/health", "/thumbturn/ready"}))
def test_no_route_is_open_to_nobody(server, path):
    """Without a token, and with one that was made up, every route but the two about health is 401."""
    for headers in ({}, {"authorization": "Bearer seam_test_made_up"}):
        answer = httpx.post(server.endpoint + path, json={}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("path", "row"), TRIED, ids=[f"{path}-{index}" for index, (path, _) in enumerate(TRIED)]
)
def test_a_session_without_the_account_sees_nothing(path, row, guest, victim):
    """To a client session of the same workspace that reaches nothing, whatever is of an account is unknown;
    what is no affair of sessions is closed to it.
    """
    before = victim.sees()
    if path not in OPEN_TO_SESSIONS:
        ask = row.ask if isinstance(row, Own) else row.ask(victim, victim.things[row.thing])
        refused = guest.post(path, json=ask)
        assert (refused.status_code, refused.json()["error"]["type"]) == (401, "unauthorized")
    elif isinstance(row, Own):
        answer = guest.post(path, json=row.ask)
        assert answer.status_code == 200, answer.text
        things = {thing for name, thing in victim.things.items() if name != "workspace"}
        assert [thing for thing in things if thing in answer.text] == []
    else:
        asks = [row.ask(victim, each) for each in (victim.things[row.thing], UNKNOWN)]
        beyond, unknown = (guest.post(path, json=ask) for ask in asks)
        if isinstance(row, Filter):
            assert beyond.json()[row.answers] == []
        else:
            # A session gets itself, and may not even ask for another.
            assert beyond.status_code == (400 if path == "/client_sessions/get" else row.refused_with)
        assert told(beyond, victim.things[row.thing]) == told(unknown, UNKNOWN)
    after = victim.sees()
    for added in row.adds_to if isinstance(row, Own) else ():
        del before[added], after[added]
    assert after == before


def test_workspace_header_opens_nothing(server, stranger, victim):
    """An API key opens its own workspace, whatever workspace the header names."""
    token = stranger.caller.http.headers["authorization"].removeprefix("Bearer ")
    answer = server.client(token, victim.things["workspace"]).post("/workspaces/get", json={})
    assert answer.json()["workspace"]["workspace_id"] == stranger.things["workspace"]


def test_access_token_opens_its_own_workspaces_only(server, new_server):
    """A personal access token with the workspace of somebody else, or with an unknown one, is 401."""
    other = new_server()
    for workspace_id in (other.credentials["workspace_id"], UNKNOWN):
        client = server.client(server.credentials["personal_access_token"], workspace_id)
        answer = client.post("/devices/list", json={})
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "workspace_not_found")


def told(answer: httpx.Response, asked: str) -> tuple[int, Any]:
    """Status and body, without the request's own id and the id that was asked for."""
    body = answer.json()
    if "error" in body:
        body["error"].pop("request_id")
    return answer.status_code, str(body).replace(asked, "…")
