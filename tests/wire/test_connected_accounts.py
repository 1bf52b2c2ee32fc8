"""Looking at connected accounts, changing them, and letting go of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.fixtures.sessions import OTHER, guest, own_account, second_account
from tests.fixtures.wire import Wire
from thumbturn.domain.clock import seconds, to_wire
from thumbturn.engine.ports import EventFilter

GET, LIST, UPDATE = "/connected_accounts/get", "/connected_accounts/list", "/connected_accounts/update"
DELETE, SYNC, LOCK_OUT = (
    "/connected_accounts/delete",
    "/connected_accounts/sync",
    "/connected_accounts/simulate/disconnect",
)
NOT_FOUND = (404, "connected_account_not_found")


async def refused(wire: Wire, path: str, **ask: Any) -> tuple[int, str]:
    """Status and type of the refusal."""
    reply = await wire.ask("POST", path, ask)
    return reply.status, reply.error["type"]


async def told(wire: Wire, *event_types: str) -> list[tuple[str, str | None]]:
    """The types of the events that the workspace was told, of these types, and which device each is about."""
    found = await wire.house.store.events("w1", EventFilter(event_types=event_types), limit=999)
    return [(event.event_type, event.device_id) for event in found]


async def ids_by(wire: Wire, **ask: Any) -> list[str]:
    """The accounts of a list."""
    listed = await wire.call(LIST, **ask)
    return [each["connected_account_id"] for each in listed["connected_accounts"]]


async def test_account_is_shown_whole(wire: Wire):
    """The account that a sandbox begins with has its name, its kind, and nothing wrong with it."""
    account = await own_account(wire)
    shown = (await wire.call(GET, connected_account_id=account))["connected_account"]
    assert shown == {
        "connected_account_id": account,
        "account_type": "virtual",
        "account_type_display_name": "Virtual Home",
        "display_name": "Virtual Home",
        "accepted_capabilities": [],
        "automatically_manage_new_devices": True,
        "custom_metadata": {},
        "errors": [],
        "warnings": [],
        "created_at": shown["created_at"],
    }
    assert await refused(wire, GET, connected_account_id="unknown\0") == NOT_FOUND
    assert await refused(wire, GET) == (400, "invalid_input")


async def test_account_is_found_by_the_address_of_who_signed_in(wire: Wire):
    """An address finds the account in any letter case, in its own workspace only."""
    account = await second_account(wire)
    accounts = wire.house.store._accounts
    accounts[OTHER] = replace(accounts[OTHER], user_identifier={"email": "Jane@Example.com"})
    shown = (await wire.call(GET, email="jane@example.com"))["connected_account"]
    assert shown["connected_account_id"] == account
    assert shown["user_identifier"] == {"email": "Jane@Example.com"}
    assert await refused(wire, GET, email="john@example.com") == NOT_FOUND
    _, token = await wire.another_workspace()
    reply = await wire.ask("POST", GET, {"email": "jane@example.com"}, token=token)
    assert (reply.status, reply.error["type"]) == NOT_FOUND


async def test_session_gets_its_own_accounts_only(wire: Wire):
    """To a client session an account that it does not reach is unknown, by its id and by its address."""
    own, other = await own_account(wire), await second_account(wire)
    jane = await guest(wire, own)
    assert (await jane.call(GET, connected_account_id=own))["connected_account"]["errors"] == []
    assert await jane.refusal(GET, connected_account_id=other) == NOT_FOUND
    assert await jane.refusal(LIST) == (401, "unauthorized")


async def test_accounts_are_listed_by_what_is_known_of_them(wire: Wire):
    """A list is in order of age, in pages, and can be chosen from by customer, words, metadata and user."""
    own, other = await own_account(wire), await second_account(wire)
    ask = {"display_name": "Jane's Flat", "customer_key": "c1", "custom_metadata": {"floor": "2", "x": True}}
    await wire.call(UPDATE, connected_account_id=own, **ask)
    assert sorted(await ids_by(wire)) == sorted([own, other])
    assert await ids_by(wire, customer_key="c1") == [own]
    assert await ids_by(wire, customer_key="c2\0") == []
    assert await ids_by(wire, search="jane") == [own]
    assert await ids_by(wire, search=other[:7]) == [other]
    assert await ids_by(wire, custom_metadata_has={"floor": "2"}) == [own]
    assert await ids_by(wire, custom_metadata_has={"x": "true"}) == []
    assert await ids_by(wire, space_id="any") == []
    await guest(wire, other, user_identifier_key="jane")
    assert await ids_by(wire, user_identifier_key="jane") == [other]
    assert await ids_by(wire, user_identifier_key="john") == []
    first = await wire.call(LIST, limit=1)
    cursor = first["pagination"]["next_page_cursor"]
    second = await wire.call(LIST, limit=1, page_cursor=cursor)
    pages = [each["connected_account_id"] for page in (first, second) for each in page["connected_accounts"]]
    assert sorted(pages) == sorted([own, other])
    assert second["pagination"]["has_next_page"] is False


async def test_customer_of_an_account_finds_its_devices(wire: Wire):
    """Devices are those of the customer whose account they are behind."""
    own = await own_account(wire)
    other = await second_account(wire, "Front Door")
    await wire.call(UPDATE, connected_account_id=other, customer_key="c1")
    listed = await wire.call("/devices/list", customer_key="c1")
    assert [each["display_name"] for each in listed["devices"]] == ["Front Door"]
    assert {each["connected_account_id"] for each in listed["devices"]} == {other} != {own}
    assert (await wire.call("/devices/list", customer_key="c2"))["devices"] == []


async def test_account_is_changed_in_what_is_given(wire: Wire):
    """What is given changes, null erases a key of the metadata, and what is not given stays."""
    account = await own_account(wire)
    ask = {"display_name": "Flat", "customer_key": "c1", "custom_metadata": {"a": "1", "b": True}}
    await wire.call(UPDATE, connected_account_id=account, **ask)
    more = {
        "accepted_capabilities": ["lock", "thermostat", "lock"],
        "automatically_manage_new_devices": False,
        "custom_metadata": {"a": None, "c": "3"},
    }
    changed = (await wire.call(UPDATE, connected_account_id=account, **more))["connected_account"]
    assert changed == (await wire.call(GET, connected_account_id=account))["connected_account"]
    assert changed["display_name"] == "Flat"
    assert changed["customer_key"] == "c1"
    assert changed["custom_metadata"] == {"b": True, "c": "3"}
    assert changed["accepted_capabilities"] == ["lock", "thermostat"]
    assert changed["automatically_manage_new_devices"] is False
    for wrong in (
        {"display_name": ""},
        {"display_name": "x" * 256},
        {"accepted_capabilities": ["door"]},
        {"custom_metadata": {str(number): "x" for number in range(51)}},
    ):
        assert await refused(wire, UPDATE, connected_account_id=account, **wrong) == (400, "invalid_input")
    assert (await wire.call(GET, connected_account_id=account))["connected_account"] == changed


async def test_what_is_found_later_is_managed_as_the_account_says(wire: Wire):
    """A device that comes to an account which does not manage new ones is not managed."""
    account = await own_account(wire)
    await wire.call(UPDATE, connected_account_id=account, automatically_manage_new_devices=False)
    [device] = await wire.house.engine.sandbox.add_devices(wire.house.workspace, 1, "lock", 0)
    stored = await wire.house.store.device("w1", device.id)
    assert stored.is_managed is False
    assert await refused(wire, "/locks/unlock_door", device_id=device.id) == (400, "device_unmanaged")


async def test_deleted_account_takes_its_devices_with_it(wire: Wire):
    """With an account go its devices and its place in client sessions; each is told once, the rest stays."""
    own, other = await own_account(wire), await second_account(wire, "Front Door", "Living Room")
    jane = await guest(wire, own, other)
    gone = {
        each["device_id"]
        for each in (await jane.call("/devices/list", connected_account_id=other))["devices"]
    }
    assert len(gone) == 2
    door = await wire.door("Front Door")
    code = (await wire.call("/access_codes/create", device_id=door, code="4711"))["access_code"]
    all_of_them = len((await wire.call("/devices/list"))["devices"])
    await wire.call(DELETE, connected_account_id=other, sync=True)
    deleted = await told(wire, "device.deleted", "connected_account.deleted")
    assert sorted(deleted[:-1]) == sorted(("device.deleted", each) for each in gone)
    assert deleted[-1] == ("connected_account.deleted", None)
    assert len((await wire.call("/devices/list"))["devices"]) == all_of_them - 2
    for device_id in gone:
        assert await refused(wire, "/locks/unlock_door", device_id=device_id) == (404, "device_not_found")
    shown = (await jane.call("/client_sessions/get"))["client_session"]
    assert shown["connected_account_ids"] == [own]
    assert await refused(wire, DELETE, connected_account_id=other) == NOT_FOUND
    assert len(await told(wire, "connected_account.deleted")) == 1
    of_codes = await wire.house.store.events("w1", EventFilter(event_types=["access_code.deleted"]), limit=9)
    assert [event.payload["access_code_id"] for event in of_codes] == [code["access_code_id"]]
    await wire.house.clock.advance(seconds(86_400))
    assert len(await wire.house.told("access_code.deleted")) == 1
    [event] = await wire.house.store.events(
        "w1", EventFilter(event_types=["connected_account.deleted"]), limit=9
    )
    assert (event.connected_account_id, dict(event.payload)) == (other, {"connected_account_type": "virtual"})


async def test_deleted_account_is_gone_after_a_crash(wire: Wire):
    """What was deleted does not come back with the next process, and no schedule of it goes on."""
    own = await own_account(wire)
    thermostat = (await wire.call("/thermostats/list"))["thermostats"][0]["device_id"]
    ask = {"starts_at": "2100-01-01", "ends_at": "2100-01-02", "climate_preset_key": "home"}
    await wire.call("/thermostats/schedules/create", device_id=thermostat, **ask)
    await wire.call(DELETE, connected_account_id=own)
    assert await wire.house.store.schedules.not_over() == []
    await wire.house.revive()
    wire.speak_for(wire.house.engine)
    assert (await wire.call("/devices/list"))["devices"] == []
    assert await ids_by(wire) == []


async def test_attempt_on_a_device_that_goes_ends(wire: Wire):
    """What was commanded of a device before its account was deleted ends, and says why."""
    own = await own_account(wire)
    door = await wire.door("Garage Side Door")
    sent = (await wire.call("/locks/unlock_door", device_id=door))["action_attempt"]
    waiting = (await wire.call("/locks/lock_door", device_id=door))["action_attempt"]
    await wire.house.clock.settle()
    await wire.call(DELETE, connected_account_id=own)
    ends = []
    for attempt in (sent, waiting):
        found = await wire.call("/action_attempts/get", action_attempt_id=attempt["action_attempt_id"])
        ends.append(found["action_attempt"]["error"])
    assert [each["type"] for each in ends] == ["outcome_unknown", "device_removed"]
    assert all(each["message"].endswith("Its account was deleted.") for each in ends)


async def test_sandbox_whose_home_was_deleted_begins_again_when_it_is_reset(wire: Wire):
    """Without its home a sandbox takes no new device; reset, it has the home and its devices again."""
    own = await own_account(wire)
    await wire.call(DELETE, connected_account_id=own)
    assert await refused(wire, "/thumbturn/sandbox/add_devices") == NOT_FOUND
    await wire.call("/workspaces/reset_sandbox")
    await wire.house.clock.settle()
    assert await ids_by(wire) == [own]
    before = len((await wire.call("/devices/list"))["devices"])
    await wire.call("/thumbturn/sandbox/add_devices")
    assert len((await wire.call("/devices/list"))["devices"]) == before + 1


async def test_reset_takes_accounts_that_are_gone_from_sessions(wire: Wire):
    """A sandbox that is reset forgets what was connected to it since, also in client sessions."""
    own, other = await own_account(wire), await second_account(wire, "Front Door")
    jane = await guest(wire, other, own)
    await wire.call("/workspaces/reset_sandbox")
    await wire.house.clock.settle()
    shown = (await jane.call("/client_sessions/get"))["client_session"]
    assert shown["connected_account_ids"] == [own]


async def test_disconnected_account_takes_its_devices_offline(wire: Wire):
    """An account that lets nobody in says since when; its devices are offline for that reason, each told
    once, and no command reaches them.
    """
    own, other = await own_account(wire), await second_account(wire, "Front Door")
    door = await wire.door()
    await wire.call(LOCK_OUT, connected_account_id=other)
    error = {
        "error_code": "account_disconnected",
        "message": "The account does not let this server in any more: sign in to it again.",
        "created_at": to_wire(wire.house.clock.now()),
        "is_connected_account_error": True,
    }
    account = (await wire.call(GET, connected_account_id=other))["connected_account"]
    assert account["errors"] == [error]
    device = (await wire.call("/devices/get", device_id=door))["device"]
    assert device["errors"] == [error]
    assert device["properties"]["online"] is False
    assert (await wire.call(GET, connected_account_id=own))["connected_account"]["errors"] == []
    [gone] = await wire.house.store.events("w1", EventFilter(event_types=["device.disconnected"]), limit=9)
    assert (gone.device_id, gone.payload["error_code"]) == (door, "account_disconnected")
    assert gone.payload["connected_account_errors"] == [error]
    attempt = (await wire.call("/locks/unlock_door", device_id=door, sync=True))["action_attempt"]
    assert attempt["error"]["type"] == "device_offline"
    await wire.house.clock.advance(seconds(5))
    await wire.call(LOCK_OUT, connected_account_id=other)
    await wire.call("/devices/simulate/connect", device_id=door)
    assert (await wire.call(GET, connected_account_id=other))["connected_account"]["errors"] == [error]
    assert await told(wire, "connected_account.disconnected", "device.disconnected", "device.connected") == [
        ("device.disconnected", door),
        ("connected_account.disconnected", None),
    ]


async def test_an_account_that_is_cut_off_cuts_off_its_systems(wire: Wire):
    """Its access control systems say so, and are told of; and that somebody has to sign in again is, once."""
    own = await own_account(wire)
    system = (await wire.call("/acs/systems/list"))["acs_systems"][0]
    assert system["errors"] == []
    await wire.call(LOCK_OUT, connected_account_id=own)
    account = (await wire.call(GET, connected_account_id=own))["connected_account"]
    [of_account] = account["errors"]
    error = {name: of_account[name] for name in ("error_code", "message", "created_at")}
    ask = {"acs_system_id": system["acs_system_id"]}
    assert (await wire.call("/acs/systems/get", **ask))["acs_system"] == {**system, "errors": [error]}
    await wire.call(LOCK_OUT, connected_account_id=own)
    [disconnected] = (await wire.call("/events/list", **ask))["events"]
    assert disconnected == {
        "event_id": disconnected["event_id"],
        "event_type": "acs_system.disconnected",
        "workspace_id": "w1",
        "created_at": of_account["created_at"],
        "occurred_at": of_account["created_at"],
        "connected_account_id": own,
        **ask,
        "acs_system_errors": [error],
        "acs_system_warnings": [],
        "connected_account_errors": [of_account],
        "connected_account_warnings": [],
    }
    ask = {"event_type": "connected_account.reauthorization_requested"}
    [wanted] = (await wire.call("/events/list", **ask))["events"]
    assert (wanted["connected_account_id"], wanted["connected_account_errors"]) == (own, [of_account])
    assert wanted["connected_account_warnings"] == []


async def test_disconnected_account_stays_so_after_a_crash(wire: Wire):
    """The next process finds the account and its devices as they were, and tells nothing again."""
    other = await second_account(wire, "Front Door")
    await wire.call(LOCK_OUT, connected_account_id=other)
    before = await wire.house.store.last_sequence("w1")
    await wire.house.revive()
    wire.speak_for(wire.house.engine)
    assert (await wire.house.device("Front Door")).online is False
    assert await wire.house.store.last_sequence("w1") == before


async def test_only_a_sandbox_can_disconnect(wire: Wire):
    """In a workspace that is no sandbox nothing is simulated."""
    _, token = await wire.another_workspace(is_sandbox=False)
    reply = await wire.ask("POST", LOCK_OUT, {"connected_account_id": "any"}, token=token)
    assert (reply.status, reply.error["type"]) == (400, "workspace_not_sandbox")


async def test_sync_has_the_devices_say_how_they_are(wire: Wire):
    """What a device had not told truly is on record after a sync of its account, and told once."""
    own = await own_account(wire)
    door = await wire.door("Storage Room")
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="lie", times=1)
    await wire.call("/locks/lock_door", device_id=door, sync=True)
    assert (await wire.house.device("Storage Room")).state["locked"] is True
    for _ in range(2):
        await wire.call(SYNC, connected_account_id=own)
        assert (await wire.house.device("Storage Room")).state["locked"] is False
    assert await told(wire, "lock.locked", "lock.unlocked") == [
        ("lock.locked", door),
        ("lock.unlocked", door),
    ]
    assert await refused(wire, SYNC, connected_account_id="unknown") == NOT_FOUND
