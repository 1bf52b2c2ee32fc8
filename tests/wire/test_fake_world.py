"""The world of Seam's own fake: what is there, and what its ``/_fake`` endpoints do."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.fixtures.fake_world import API_KEY, API_KEY_2, fake, fake_caller
from thumbturn.api.fake.endpoints import fake_endpoints
from thumbturn.api.openapi import openapi
from thumbturn.api.table import endpoints

DOOR = "august_device_1"
PIN = "739154"


@pytest.fixture
def caller(fake_server):
    return fake_caller(fake_server)


def unlocked(caller, device_id=DOOR):
    """The id of an attempt to unlock, once it has ended."""
    answer = caller.http.post(
        "/locks/unlock_door", json={"device_id": device_id}, headers={"prefer": "wait=10"}
    )
    attempt = answer.json()["action_attempt"]
    assert attempt["status"] == "success"
    return attempt["action_attempt_id"]


def attempt(caller, id):
    return caller.call("/action_attempts/get", action_attempt_id=id)["action_attempt"]


# where they are ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(fake_endpoints()))
def test_other_worlds_have_no_such_path(path, server):
    """What is below /_fake is nowhere but in that world, whatever token and method is shown."""
    for method in fake_endpoints()[path].methods:
        body = None if method == "GET" else {}
        assert server.client().request(method, path, json=body).status_code == 404


def test_the_table_and_the_description_know_no_fake_paths():
    """Neither the table of all endpoints nor the API's description names a path below /_fake."""
    assert not [path for path in endpoints() if path.startswith("/_fake")]
    assert "/_fake" not in json.dumps(openapi(endpoints()))


def test_every_fake_path_is_below_fake_and_asks_for_no_token():
    """The endpoints of that world are all below /_fake, and nobody has to show a token for them."""
    for path, each in fake_endpoints().items():
        assert path.startswith("/_fake/")
        assert each.access is None


# what is there -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_seed_can_be_asked_for(method, fake_server):
    """The default seed names everything by the names that its users know."""
    answer = fake(fake_server, "default_seed", method).json()
    assert answer["august_device_1"] == DOOR
    assert answer["schlage_device_1"] == "schlage_device_id"
    assert answer["seam_apikey1_token"] == API_KEY
    assert answer["seam_at1_token"] == "seam_at1_longtoken"
    assert answer.pop("ok") is True
    assert len(answer) == 22


def test_each_token_of_the_seed_opens_what_it_is_for(fake_server):
    """API keys, the access token with a workspace, the client session and the publishable key all work."""

    def names(token, **headers):
        answer = fake_server.client(token).post("/devices/list", json={}, headers=headers)
        return [each["device_id"] for each in answer.json()["devices"]]

    everything = [DOOR, "august_device_2", "ecobee_device_1", "minut_device_1", "schlage_device_id"]
    assert names(API_KEY) == everything
    assert names(API_KEY_2) == []
    assert names("seam_at1_longtoken", **{"seam-workspace": "seed_workspace_1"}) == everything
    assert names("seam_cst1_token") == everything[:-1]
    session = httpx.post(
        f"{fake_server.endpoint}/client_sessions/get_or_create",
        json={"user_identifier_key": "john_user_identifier_key"},
        headers={"seam-publishable-key": "seam_pk1_token"},
    ).json()["client_session"]
    assert (session["client_session_id"], session["token"]) == ("cst1", "seam_cst1_token")
    assert session["connected_account_ids"] == ["john_connected_account_id"]


def test_request_ids_begin_as_those_of_the_fake(caller):
    """Answers and refusals alike have an id that begins with ``request``: some tests go by that."""
    answer = caller.http.post("/devices/get", json={"device_id": "nobodys"})
    assert answer.json()["error"]["request_id"] == answer.headers["seam-request-id"]
    assert answer.headers["seam-request-id"].startswith("request")


def test_the_devices_stand_as_the_seed_has_them(caller):
    """Locks are locked, the thermostat cools, and the noise sensor triggers its threshold."""
    found = {each["device_id"]: each for each in caller.call("/devices/list")["devices"]}
    assert found["august_device_2"]["properties"]["locked"] is True
    assert found["august_device_2"]["properties"]["appearance"] == {"name": "Back Door"}
    climate = found["ecobee_device_1"]["properties"]["current_climate_setting"]
    assert (climate["hvac_mode_setting"], climate["cooling_set_point_celsius"]) == ("cool", 24)
    noise = found["minut_device_1"]["properties"]
    assert noise["noise_level_decibels"] == 70
    assert noise["currently_triggering_noise_threshold_ids"] == ["noise_threshold1"]
    [threshold] = caller.call("/noise_sensors/noise_thresholds/list", device_id="minut_device_1")[
        "noise_thresholds"
    ]
    assert threshold["noise_threshold_id"] == "noise_threshold1"
    [system] = caller.call("/acs/systems/list")["acs_systems"]
    assert system["acs_system_id"] == "visionline_acs_system_1"


def test_commands_really_run(fresh_fake):
    """Behind every device is one that acts: it unlocks, is set, is programmed, and is reset to the seed."""
    unlocked(fresh_fake, "schlage_device_id")
    fresh_fake.call("/thermostats/heat", device_id="ecobee_device_1", heating_set_point_celsius=21, sync=True)
    fresh_fake.call("/access_codes/create", device_id=DOOR, code=PIN, sync=True)
    found = {each["device_id"]: each["properties"] for each in fresh_fake.call("/devices/list")["devices"]}
    assert found["schlage_device_id"]["locked"] is False
    assert found["ecobee_device_1"]["current_climate_setting"]["hvac_mode_setting"] == "heat"
    [code] = fresh_fake.call("/access_codes/list", device_id=DOOR)["access_codes"]
    assert (code["status"], code["code"]) == ("set", PIN)
    fresh_fake.http.post("/workspaces/reset_sandbox", json={}, headers={"prefer": "wait=10"})
    again = {each["device_id"]: each["properties"] for each in fresh_fake.call("/devices/list")["devices"]}
    assert again.keys() == found.keys()
    assert again["schlage_device_id"]["locked"] is True
    identities = fresh_fake.call("/user_identities/list")["user_identities"]
    assert [each["user_identity_id"] for each in identities] == ["john_user_identity_id"]


def test_more_devices_are_in_the_first_account(fresh_fake):
    """Virtual devices can be added to this world too."""
    [added] = fresh_fake.call("/thumbturn/sandbox/add_devices", count=1)["device_ids"]
    device = fresh_fake.call("/devices/get", device_id=added)["device"]
    assert device["connected_account_id"] == "john_connected_account_id"


# overruling attempts -------------------------------------------------------------------------------


def test_a_final_attempt_is_overruled_and_its_timeline_says_so(caller):
    """A success can be made an error; what really came of it stays in the timeline, and no event is told."""
    id = unlocked(caller)
    since = {"since": "2020-01-01T00:00:00Z", "event_types": ["action_attempt.unlock_door.failed"]}
    before = caller.call("/events/list", **since)["events"]
    error = {"type": "device_tampered", "message": "As a test has it."}
    asked = {"action_attempt_id": id, "status": "error", "error": error}
    assert fake(caller.server, "update_action_attempt", "PATCH", **asked).json() == {"ok": True}
    shown = attempt(caller, id)
    assert (shown["status"], shown["result"], shown["error"]) == ("error", None, error)
    stages = caller.call("/thumbturn/attempts/timeline", action_attempt_id=id)["timeline"]["stages"]
    assert [(each["stage"], each["note"]) for each in stages[-2:]] == [
        ("settled", "success"),
        ("overruled", "success was overruled by a test: error"),
    ]
    assert caller.call("/events/list", **since)["events"] == before
    explained = caller.call("/thumbturn/attempts/explain", action_attempt_id=id)["explanation"]
    assert explained["cause"] == "As a test has it."


def test_an_attempt_is_pending_until_it_is_overruled_again(caller):
    """What is made pending stays so until a test says what became of it, with or without a result."""
    id = unlocked(caller)
    fake(caller.server, "update_action_attempt", action_attempt_id=id, status="pending")
    shown = attempt(caller, id)
    assert (shown["status"], shown["result"], shown["error"]) == ("pending", None, None)
    fake(caller.server, "update_action_attempt", action_attempt_id=id, status="success")
    shown = attempt(caller, id)
    assert (shown["status"], shown["result"], shown["error"]) == ("success", {}, None)
    asked = {"action_attempt_id": id, "status": "success", "result": {"was_confirmed_by_device": False}}
    fake(caller.server, "update_action_attempt", **asked)
    assert attempt(caller, id)["result"] == {"was_confirmed_by_device": False}


def test_a_command_that_still_runs_does_not_overrule_the_test(fresh_fake):
    """What comes of a command after its attempt was overruled is late truth, and changes nothing."""
    fresh_fake.call(
        "/thumbturn/sandbox/inject_fault", device_id=DOOR, fault="slow", times=1, milliseconds=4_000
    )
    id = fresh_fake.call("/locks/unlock_door", device_id=DOOR)["action_attempt"]["action_attempt_id"]
    error = {"type": "door_is_gone", "message": "It was here yesterday."}
    asked = {"action_attempt_id": id, "status": "error", "error": error}
    assert fake(fresh_fake.server, "update_action_attempt", **asked).status_code == 200
    assert attempt(fresh_fake, id)["error"] == error
    # The next command of the door begins when this one is over.
    unlocked(fresh_fake)
    assert attempt(fresh_fake, id)["error"] == error
    timeline = fresh_fake.call("/thumbturn/attempts/timeline", action_attempt_id=id)["timeline"]
    assert timeline["stages"][-1]["stage"] == "overruled"
    assert [each["note"] for each in timeline["late"] if "settled" in each["note"]] == ["settled: success"]


@pytest.mark.parametrize("result", ["1e999", '{"degrees": [-1e999]}', '{"degrees": NaN}'])
def test_a_result_that_json_cannot_say_is_refused(result, caller):
    """What could not be read by whoever asks for the attempt is not made its result."""
    id = unlocked(caller)
    before = attempt(caller, id)
    body = f'{{"action_attempt_id": "{id}", "status": "success", "result": {result}}}'
    answer = httpx.post(
        f"{caller.server.endpoint}/_fake/update_action_attempt",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_input")
    assert attempt(caller, id) == before


@pytest.mark.parametrize(
    ("asked", "status", "type"),
    [
        ({"action_attempt_id": "nobodys", "status": "success"}, 404, "action_attempt_not_found"),
        ({"action_attempt_id": "nobodys", "status": "error"}, 400, "invalid_input"),
        ({"action_attempt_id": "nobodys", "status": "maybe"}, 400, "invalid_input"),
        ({"status": "success"}, 400, "invalid_input"),
    ],
    ids=["unknown attempt", "error without error", "unknown status", "no attempt"],
)
def test_what_cannot_be_overruled_is_refused(asked, status, type, fake_server):
    """An attempt that there is not, and a status that says too little, are refused."""
    answer = fake(fake_server, "update_action_attempt", **asked)
    assert (answer.status_code, answer.json()["error"]["type"]) == (status, type)


# outages -------------------------------------------------------------------------------------------


def test_an_outage_is_for_its_workspace_and_its_paths(fake_server):
    """What is down answers a bare 503 to callers of that workspace; all else goes on; none ends it."""
    mine, theirs = fake_server.client(API_KEY), fake_server.client(API_KEY_2)
    asked = {"workspace_id": "seed_workspace_1", "routes": ["/locks/list", "/devices/get"]}
    assert fake(fake_server, "simulate_workspace_outage", **asked).status_code == 200
    try:
        down = mine.get("/locks/list", headers={"origin": "http://page.test"})
        assert (down.status_code, down.content) == (503, b"")
        assert down.headers["access-control-allow-origin"] == "http://page.test"
        assert mine.post("/devices/get", json={"device_id": DOOR}).status_code == 503
        assert mine.options("/locks/list").status_code == 200
        assert mine.get("/devices/list").status_code == 200
        assert theirs.get("/locks/list").status_code == 200
        assert httpx.get(f"{fake_server.endpoint}/locks/list").status_code == 401
    finally:
        fake(fake_server, "simulate_workspace_outage", workspace_id="seed_workspace_1", routes=[])
    assert mine.get("/locks/list").status_code == 200


def test_an_outage_of_no_workspace_is_refused(fake_server):
    """Only a workspace that is there can have an outage."""
    answer = fake(fake_server, "simulate_workspace_outage", workspace_id="nobodys", routes=[])
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "workspace_not_found")


# webviews ------------------------------------------------------------------------------------------


def test_a_webview_can_be_completed(fresh_fake):
    """Somebody signs in: an account with a lock comes of it, which the first client session sees too."""
    asked = {"accepted_providers": ["august"], "device_selection_mode": "multiple"}
    webview = fresh_fake.call("/connect_webviews/create", **asked)["connect_webview"]
    ids = {"connect_webview_id": webview["connect_webview_id"]}
    session = fresh_fake.server.client("seam_cst1_token")
    assert len(session.get("/devices/list").json()["devices"]) == 4
    assert fake(fresh_fake.server, "complete_connect_webview", **ids).json() == {"ok": True}
    done = fresh_fake.call("/connect_webviews/get", **ids)["connect_webview"]
    assert (done["status"], done["login_successful"]) == ("authorized", True)
    account = {"connected_account_id": done["connected_account_id"]}
    [door] = fresh_fake.call("/locks/list", **account)["locks"]
    assert (door["device_type"], door["properties"]["locked"]) == ("august_lock", True)
    assert len(session.get("/devices/list").json()["devices"]) == 5
    unlocked(fresh_fake, door["device_id"])
    # Once more is no other account.
    assert fake(fresh_fake.server, "complete_connect_webview", **ids).status_code == 200
    assert len(fresh_fake.call("/connected_accounts/list")["connected_accounts"]) == 4


def test_a_webview_that_accepts_no_lock_cannot_be_completed(fresh_fake):
    """There is one lock to connect: where only thermostats are wanted, it is said that nothing came of it."""
    asked = {"accepted_capabilities": ["thermostat"]}
    webview = fresh_fake.call("/connect_webviews/create", **asked)["connect_webview"]
    ids = {"connect_webview_id": webview["connect_webview_id"]}
    answer = fake(fresh_fake.server, "complete_connect_webview", **ids)
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_input")
    stands = fresh_fake.call("/connect_webviews/get", **ids)["connect_webview"]
    assert (stands["status"], stands["connected_account_id"]) == ("pending", None)


def test_a_webview_that_is_not_there_cannot_be_completed(fake_server):
    """A webview that nobody made is not found."""
    answer = fake(fake_server, "complete_connect_webview", connect_webview_id="nobodys")
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "connect_webview_not_found")


# the database --------------------------------------------------------------------------------------


def test_the_database_shows_what_is_on_record(caller):
    """Devices, accounts, attempts and the rest stand in it by the fake's names, each with its workspace."""
    id = unlocked(caller)
    found = fake(caller.server, "database", "GET").json()
    assert {each["workspace_id"] for each in found["workspaces"]} >= {"seed_workspace_1", "seed_workspace_2"}
    assert found["devices"][0]["device_id"] == DOOR
    assert id in [each["action_attempt_id"] for each in found["action_attempts"]]
    assert found["events"][0]["event_id"] == "event1"
    assert {each["token"] for each in found["api_keys"]} >= {API_KEY, API_KEY_2}
    assert found["client_sessions"][0]["token"] == "seam_cst1_token"
    assert found["noise_thresholds"][0]["noise_threshold_id"] == "noise_threshold1"


def test_the_database_shows_no_secret(fresh_fake):
    """PINs, tokens that were made here, secrets of webhooks and addresses of webviews are not in it."""
    fresh_fake.call("/access_codes/create", device_id=DOOR, code=PIN, sync=True)
    code = fresh_fake.call("/access_codes/list", device_id=DOOR)["access_codes"][0]
    changed = {"access_code_id": code["access_code_id"], "code": "862497"}
    fresh_fake.call("/access_codes/update", **changed, sync=True)
    asked = {"url": "http://127.0.0.1:9/hook?token=of-its-receiver"}
    secret = fresh_fake.call("/webhooks/create", **asked)["webhook"]["secret"]
    token = fresh_fake.call("/client_sessions/create", user_identifier_key="jo")["client_session"]["token"]
    page = fresh_fake.call("/connect_webviews/create")["connect_webview"]["url"].partition("auth_token=")[2]
    answer = fake(fresh_fake.server, "database", "GET")
    rows = answer.json()
    assert len(rows["access_codes"]) == len(rows["webhooks"]) == 1
    assert [each for each in rows["events"] if each["event_type"] == "access_code.code_changed"]
    assert rows["webhooks"][0]["url"] == "http://127.0.0.1:9/hook"
    for hidden in (PIN, "862497", secret, token, page, "of-its-receiver"):
        assert hidden not in answer.text


def test_the_database_cannot_be_replaced(fake_server):
    """What the fake allows here and nothing could hold to be true is refused."""
    assert fake(fake_server, "database", "PUT").status_code == 405
