"""Making connect webviews, finding them, and what comes of them."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fixtures.connecting import Person, person
from tests.fixtures.sessions import guest, own_account
from tests.fixtures.wire import Wire
from thumbturn.domain.clock import to_wire
from thumbturn.engine import connect_webviews
from thumbturn.engine.ports import EventFilter

CREATE, GET, LIST = "/connect_webviews/create", "/connect_webviews/get", "/connect_webviews/list"
DELETE = "/connect_webviews/delete"
NOT_FOUND = (404, "connect_webview_not_found")
COTTAGE = ["Cottage Door", "Cottage Gate", "Cottage Thermostat", "Cottage Noise Sensor"]


async def refused(wire: Wire, path: str, **ask: Any) -> tuple[int, str]:
    """Status and type of the refusal."""
    reply = await wire.ask("POST", path, ask)
    return reply.status, reply.error["type"]


async def get(wire: Wire, webview: Any) -> Any:
    """The webview as it is now."""
    return (await wire.call(GET, connect_webview_id=webview["connect_webview_id"]))["connect_webview"]


async def told(wire: Wire) -> list[Any]:
    """What the workspace was told."""
    return await wire.house.store.events("w1", EventFilter(), limit=999)


async def names(wire: Wire, path: str = "/devices/list", **ask: Any) -> list[str]:
    """The names of the devices of a list."""
    return [each["properties"]["name"] for each in (await wire.call(path, **ask))["devices"]]


async def test_a_new_webview_is_shown_whole(wire: Wire):
    """It is pending, says what it accepts, and has an address that nobody guesses."""
    made = (await wire.call(CREATE, custom_metadata={"flat": "7"}, customer_key="c1"))["connect_webview"]
    id = made["connect_webview_id"]
    assert made == await get(wire, made)
    address = urlsplit(made.pop("url"))
    assert (address.netloc, address.path) == ("thumbturn.test", "/connect_webviews/view")
    query = parse_qs(address.query)
    assert query["connect_webview_id"] == [id]
    assert re.fullmatch(r"\w{40,}", query["auth_token"][0])
    assert made == {
        "connect_webview_id": id,
        "workspace_id": "w1",
        "status": "pending",
        "login_successful": False,
        "selected_provider": None,
        "connected_account_id": None,
        "accepted_providers": ["virtual"],
        "any_provider_allowed": True,
        "accepted_capabilities": [],
        "accepted_devices": [],
        "any_device_allowed": True,
        "automatically_manage_new_devices": True,
        "wait_for_device_creation": False,
        "device_selection_mode": "none",
        "custom_redirect_url": None,
        "custom_redirect_failure_url": None,
        "custom_metadata": {"flat": "7"},
        "customer_key": "c1",
        "created_at": to_wire(wire.house.clock.now()),
        "authorized_at": None,
    }


async def test_what_was_connected_is_there_after_a_crash(wire: Wire):
    """The next process speaks to the devices, and the page shows what came of it."""
    jane, webview = await person(wire)
    await jane.connect()
    await wire.house.revive()
    wire.speak_for(wire.house.engine)
    assert (await get(wire, webview))["status"] == "authorized"
    assert await jane.sees(*COTTAGE)
    gate = (await wire.call("/devices/get", name="Cottage Gate"))["device"]["device_id"]
    attempt = (await wire.call("/locks/unlock_door", device_id=gate, sync=True))["action_attempt"]
    assert attempt["status"] == "success"


async def test_only_the_accepted_kinds_are_taken(wire: Wire):
    """Devices of other kinds are not offered and not taken; those taken are managed as was wished."""
    jane, webview = await person(
        wire, accepted_capabilities=["thermostat"], automatically_manage_new_devices=False
    )
    await jane.sign_in()
    assert "Cottage Door" not in await jane.text()
    await jane.step("finish")
    id = (await get(wire, webview))["connected_account_id"]
    assert await names(wire, connected_account_id=id) == []
    unmanaged = await names(wire, "/devices/unmanaged/list", connected_account_id=id)
    assert unmanaged == ["Cottage Thermostat"]


async def test_signing_in_again_lets_the_server_in_again(wire: Wire):
    """Who signs in to an account that is there connects that one again, with the devices that it has."""
    jane, webview = await person(wire)
    await jane.connect()
    id = (await get(wire, webview))["connected_account_id"]
    await wire.call("/connected_accounts/simulate/disconnect", connected_account_id=id)
    before = await wire.house.store.last_sequence("w1")
    again, second = await person(wire)
    await again.connect("JANE@example.com")
    assert (await get(wire, second))["connected_account_id"] == id
    account = (await wire.call("/connected_accounts/get", connected_account_id=id))["connected_account"]
    assert account["errors"] == []
    assert await names(wire, connected_account_id=id) == COTTAGE
    of_it = await wire.call("/events/list", connect_webview_id=second["connect_webview_id"])
    assert [event["event_type"] for event in of_it["events"]][:2] == [
        "connect_webview.login_succeeded",
        "connected_account.connected",
    ]
    events = [event.event_type for event in (await told(wire))[before:]]
    assert events == [
        "connect_webview.login_succeeded",
        "connected_account.connected",
        "connected_account.successful_login",
        "connected_account.completed_first_sync_after_reconnection",
        *["device.connected"] * 4,
    ]


async def test_a_system_comes_with_its_doors(wire: Wire):
    """Where access control is accepted, a system comes with an entrance at each door that has a keypad; each
    is told, goes with the account that lets nobody in, and comes back with it.
    """
    jane, webview = await person(wire, accepted_capabilities=["access_control"], customer_key="c1")
    await jane.connect()
    account = (await get(wire, webview))["connected_account_id"]
    ask = {"connected_account_id": account}
    assert await names(wire, **ask) == ["Cottage Door"]
    [system] = (await wire.call("/acs/systems/list", **ask))["acs_systems"]
    [entrance] = (await wire.call("/acs/entrances/list", **ask))["acs_entrances"]
    assert entrance["acs_system_id"] == system["acs_system_id"]
    assert entrance["display_name"] == "Cottage Door"
    assert (await wire.call("/acs/entrances/list", customer_key="c1"))["acs_entrances"] == [entrance]
    of_system = {"acs_system_id": system["acs_system_id"]}
    key = await wire.call("/acs/users/create", full_name="Jane", **of_system)
    ask = {"acs_user_id": key["acs_user"]["acs_user_id"]}
    at = {"acs_entrance_id": entrance["acs_entrance_id"]}
    await wire.call("/acs/entrances/grant_access", **ask, **at)
    made = await wire.call("/acs/credentials/create", access_method="cloud_key", **ask)
    unlock = {"acs_credential_id": made["acs_credential"]["acs_credential_id"], **at, "sync": True}
    attempt = (await wire.call("/acs/entrances/unlock", **unlock))["action_attempt"]
    await wire.house.clock.advance(5_000_000)
    attempt = (await wire.call("/action_attempts/get", action_attempt_id=attempt["action_attempt_id"]))[
        "action_attempt"
    ]
    assert attempt["status"] == "success"
    await wire.call("/connected_accounts/simulate/disconnect", connected_account_id=account)
    again, _ = await person(wire, accepted_capabilities=["access_control"])
    await again.connect()
    assert (await wire.call("/acs/systems/list", connected_account_id=account))["acs_systems"] == [system]
    assert (await wire.call("/acs/entrances/list", connected_account_id=account))["acs_entrances"] == [
        entrance
    ]
    words = [event.event_type for event in await told(wire)]
    assert [word for word in words if word.startswith(("acs_system.", "acs_entrance."))] == [
        "acs_system.added",
        "acs_entrance.added",
        "acs_system.disconnected",
        "acs_system.connected",
    ]


async def test_events_are_found_by_their_webview(wire: Wire):
    """What became of a webview, and of the account that came of it, is found by the webview."""
    jane, webview = await person(wire)
    await jane.connect()
    ask = {"connect_webview_id": webview["connect_webview_id"]}
    found = [each["event_type"] for each in (await wire.call("/events/list", **ask))["events"]]
    assert found == [
        "connect_webview.login_succeeded",
        "connected_account.created",
        "connected_account.connected",
        "connected_account.successful_login",
    ]
    assert (await wire.call("/events/list", connect_webview_id="another"))["events"] == []


async def test_a_session_reaches_what_comes_of_its_webviews(wire: Wire):
    """What a session makes, or was made for, it sees; and once a person is through, the devices too."""
    jane = await guest(wire, user_identifier_key="jane")
    made = (await jane.call(CREATE))["connect_webview"]
    other, webview = await person(wire)
    id = webview["connect_webview_id"]
    assert await jane.refusal(GET, connect_webview_id=id) == NOT_FOUND
    john = await guest(wire, connect_webview_ids=[id])
    listed = (await jane.call(LIST))["connect_webviews"]
    assert [each["connect_webview_id"] for each in listed] == [made["connect_webview_id"]]
    by_user = (await wire.call(LIST, user_identifier_key="jane"))["connect_webviews"]
    assert by_user == listed
    assert (await wire.call(LIST, user_identifier_key="nobody"))["connect_webviews"] == []
    assert (await john.call("/devices/list"))["devices"] == []
    await other.connect()
    assert len((await john.call("/devices/list"))["devices"]) == 4
    assert (await jane.call("/devices/list"))["devices"] == []
    shown = (await john.call("/client_sessions/get"))["client_session"]
    assert shown["connect_webview_ids"] == [id]
    assert shown["connected_account_ids"] == [(await get(wire, webview))["connected_account_id"]]
    late = await guest(wire)
    await wire.call("/client_sessions/grant_access", client_session_id=late.id, connect_webview_ids=[id])
    assert len((await late.call("/devices/list"))["devices"]) == 4
    found = (await wire.call("/client_sessions/list", connect_webview_id=id))["client_sessions"]
    assert {each["client_session_id"] for each in found} == {john.id, late.id}
    await Person(wire, made["url"]).connect("mine@example.com")
    assert len((await jane.call("/devices/list"))["devices"]) == 4
    assert await refused(wire, "/client_sessions/create", connect_webview_ids=["unknown"]) == NOT_FOUND


async def test_webviews_are_listed_by_what_is_known_of_them(wire: Wire):
    """In order of age and in pages; by customer, words and metadata."""
    ids = []
    for ask in ({"customer_key": "c1"}, {"custom_metadata": {"x": True}}, {"accepted_providers": ["august"]}):
        ids.append((await person(wire, **ask))[1]["connect_webview_id"])
        await wire.house.clock.advance(1)

    async def found(**ask: Any) -> list[str]:
        listed = await wire.call(LIST, **ask)
        return [each["connect_webview_id"] for each in listed["connect_webviews"]]

    assert await found() == ids
    assert await found(customer_key="c1") == ids[:1]
    assert await found(custom_metadata_has={"x": True}) == ids[1:2]
    assert await found(search="AUGUST") == ids[2:]
    assert await found(search=ids[0]) == ids[:1]
    first = await wire.call(LIST, limit=2)
    assert await found(limit=2, page_cursor=first["pagination"]["next_page_cursor"]) == ids[2:]


async def test_a_deleted_webview_has_no_page(wire: Wire):
    """Its address leads nowhere, sessions do not name it, and an account that came of it stays."""
    jane, webview = await person(wire)
    id = webview["connect_webview_id"]
    john = await guest(wire, connect_webview_ids=[id])
    await jane.connect()
    await wire.call(DELETE, connect_webview_id=id)
    assert (await jane.look()).status == 404
    assert await refused(wire, GET, connect_webview_id=id) == NOT_FOUND
    assert await refused(wire, DELETE, connect_webview_id=id) == NOT_FOUND
    shown = (await john.call("/client_sessions/get"))["client_session"]
    assert shown["connect_webview_ids"] == []
    assert len((await john.call("/devices/list"))["devices"]) == 4


@pytest.mark.parametrize(
    "ask",
    [
        {"accepted_providers": ["nobody"]},
        {"provider_category": "cameras"},
        {"excluded_providers": ["virtual"]},
        {"device_selection_mode": "some"},
        {"custom_redirect_url": "javascript://x/%0aalert(1)"},
        {"custom_redirect_url": "data:text/html,x"},
        {"custom_redirect_url": "/back"},
        {"custom_redirect_url": "https://"},
        {"custom_redirect_url": "https://a b"},
        {"custom_redirect_failure_url": "JAVASCRIPT:alert(1)"},
        {"custom_redirect_failure_url": "https://x/" + "y" * 2_000},
        {"custom_metadata": {str(number): "x" for number in range(51)}},
    ],
)
async def test_what_cannot_be_wished_is_refused(wire: Wire, ask):
    """Nothing to choose from, nowhere to be sent to, and addresses that a browser would run."""
    assert await refused(wire, CREATE, **ask) == (400, "invalid_input")
    assert (await wire.call(LIST))["connect_webviews"] == []


async def test_a_workspace_has_so_many_webviews(wire: Wire, monkeypatch):
    """One too many is refused, and says what to do."""
    monkeypatch.setattr(connect_webviews, "MOST_IN_A_WORKSPACE", 2)
    for _ in range(2):
        await person(wire)
    assert await refused(wire, CREATE) == (400, "too_many_connect_webviews")


async def test_a_reset_leaves_no_half_of_what_was_connected(wire: Wire):
    """Accounts that persons connected go with a reset, with their devices."""
    jane, _ = await person(wire)
    await jane.connect()
    await wire.call("/workspaces/reset_sandbox")
    await wire.house.clock.settle()
    listed = (await wire.call("/connected_accounts/list"))["connected_accounts"]
    assert [each["connected_account_id"] for each in listed] == [await own_account(wire)]
    assert not set(COTTAGE) & set(await names(wire))
