"""Access codes, on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from thumbturn.domain.clock import seconds
from thumbturn.engine.ports import EventFilter

C = "/access_codes/"
START, END = "2025-02-01T15:00:00.000Z", "2025-02-02T11:00:00.000Z"


async def lock(wire: Any, name: str = "Front Door") -> str:
    """A lock that takes codes."""
    id: str = (await wire.call("/devices/get", name=name))["device"]["device_id"]
    return id


async def refused(wire: Any, path: str, **ask: Any) -> tuple[int, str]:
    """How it was refused."""
    reply = await wire.ask("POST", path, ask)
    return reply.status, reply.error["type"]


async def test_a_code(wire):
    """A code as it is made, found, listed, changed and deleted, with the attempt of each."""
    device_id = await lock(wire)
    made = await wire.call(C + "create", device_id=device_id, code="4711", name="Jane", sync=True)
    code = made["access_code"]
    id = {"access_code_id": code["access_code_id"]}
    assert code == {
        **id,
        "device_id": device_id,
        "workspace_id": "w1",
        "name": "Jane",
        "code": "4711",
        "common_code_key": None,
        "type": "ongoing",
        "status": "set",
        "created_at": "2025-01-01T00:00:00.000Z",
        "errors": [],
        "warnings": [],
        "pending_mutations": [],
        "is_managed": True,
        "is_backup": False,
        "is_backup_access_code_available": False,
        "is_external_modification_allowed": False,
        "is_offline_access_code": False,
        "is_one_time_use": False,
        "is_scheduled_on_device": False,
        "is_waiting_for_code_assignment": False,
        "pulled_backup_access_code_id": None,
    }
    attempt = made["action_attempt"]
    assert (attempt["action_type"], attempt["status"]) == ("CREATE_ACCESS_CODE", "success")
    result = attempt["result"]["access_code"]
    assert (result["access_code_id"], result["status"], result["code"]) == (
        code["access_code_id"],
        "set",
        None,
    )
    assert (await wire.call(C + "get", **id))["access_code"] == code
    assert (await wire.call(C + "get", device_id=device_id, code="4711"))["access_code"] == code
    listed = await wire.call(C + "list", device_id=device_id)
    assert (listed["access_codes"], listed["pagination"]["has_next_page"]) == ([code], False)
    changed = await wire.ask("PATCH", C + "update", {**id, "code": "0815", "sync": True})
    assert changed.json["action_attempt"]["action_type"] == "UPDATE_ACCESS_CODE"
    assert (await wire.call(C + "get", **id))["access_code"] == code | {"code": "0815"}
    gone = await wire.ask("DELETE", f"{C}delete?access_code_id={code['access_code_id']}&sync=true")
    assert (gone.json["action_attempt"]["result"], gone.json["ok"]) == ({}, True)
    assert await refused(wire, C + "get", **id) == (404, "access_code_not_found")


async def test_a_code_with_times(wire):
    """It waits for its time, says what is pending, and shows its times only if it has some."""
    device_id = await lock(wire)
    made = await wire.call(C + "create", device_id=device_id, code="4711", starts_at=START, ends_at=END)
    code = made["access_code"]
    assert (code["type"], code["status"], code["starts_at"], code["ends_at"]) == (
        "time_bound",
        "unset",
        START,
        END,
    )
    [pending] = code["pending_mutations"]
    assert (pending["mutation_code"], pending["scheduled_at"]) == (
        "deferring_creation",
        "2025-02-01T14:00:00.000Z",
    )
    assert made["action_attempt"]["status"] == "pending"
    await wire.call(C + "update", access_code_id=code["access_code_id"], type="ongoing", sync=True)
    found = (await wire.call(C + "get", access_code_id=code["access_code_id"]))["access_code"]
    assert (found["type"], found["status"], "ends_at" in found) == ("ongoing", "set", False)


async def test_what_cannot_be(wire):
    """Each refusal has its own type, and none repeats the PIN."""
    device_id = await lock(wire)
    await wire.call(C + "create", device_id=device_id, code="4711")
    create = {"device_id": device_id}
    for ask, expected in (
        ({"code": "4711"}, (409, "duplicate_access_code")),
        ({"code": "123456789"}, (400, "invalid_access_code")),
        ({"code": "47a1"}, (400, "invalid_input")),
        ({"code": "471"}, (400, "invalid_input")),
        ({"starts_at": START}, (400, "invalid_access_code_times")),
        ({"starts_at": END, "ends_at": START}, (400, "invalid_access_code_times")),
        ({"starts_at": "2024-01-01", "ends_at": "2024-01-02"}, (400, "invalid_access_code_times")),
        ({"is_one_time_use": True}, (400, "device_type_not_supported")),
        ({"is_offline_access_code": True}, (400, "device_type_not_supported")),
        ({"preferred_code_length": 12}, (400, "invalid_access_code")),
    ):
        assert await refused(wire, C + "create", **create, **ask) == expected, ask
    plain = {"device_id": await lock(wire, "Storage Room")}
    assert await refused(wire, C + "create", **plain, code="4711") == (400, "device_type_not_supported")
    await wire.call("/devices/simulate/disconnect", device_id=device_id)
    waits_not = {"code": "1111", "attempt_for_offline_device": False}
    assert await refused(wire, C + "create", **create, **waits_not) == (400, "device_offline")
    reply = await wire.ask("POST", C + "create", {**create, "code": "4711"})
    assert "4711" not in reply.content.decode()


async def test_an_offline_lock_is_among_the_errors_of_its_codes(wire):
    """What is wrong with the lock is wrong with its codes, and what waits is said."""
    device_id = await lock(wire)
    await wire.call("/devices/simulate/disconnect", device_id=device_id)
    made = (await wire.call(C + "create", device_id=device_id, code="4711"))["access_code"]
    assert made["status"] == "setting"
    assert [each["mutation_code"] for each in made["pending_mutations"]] == ["creating"]
    assert [each["error_code"] for each in made["errors"]] == ["device_disconnected"]
    await wire.house.clock.advance(seconds(301))
    found = (await wire.call(C + "get", access_code_id=made["access_code_id"]))["access_code"]
    assert [each["warning_code"] for each in found["warnings"]] == ["delay_in_setting_on_device"]


async def test_events_have_the_pin_and_the_record_has_not(wire):
    """Whoever is told of a code may know its PIN; in the store it is sealed."""
    device_id = await lock(wire)
    made = await wire.call(C + "create", device_id=device_id, code="4711", sync=True)
    id = made["access_code"]["access_code_id"]
    await wire.call(C + "update", access_code_id=id, code="0815", sync=True)
    told = (await wire.call("/events/list", access_code_id=id))["events"]
    by_type = {each["event_type"].removeprefix("access_code."): each for each in told}
    assert by_type["set_on_device"]["code"] == "0815"
    assert (by_type["code_changed"]["from"], by_type["code_changed"]["to"]) == (
        {"code": "4711"},
        {"code": "0815"},
    )
    [change] = by_type["changed"]["changed_properties"]
    assert change == {"property": "code", "from": "4711", "to": "0815"}
    events = await wire.house.store.events_after("w1", 0, limit=100)
    assert [event for _, event in events if "4711" in str(event) or "0815" in str(event)] == []
    assert (await wire.call("/events/list", access_code_id="unknown"))["events"] == []


async def test_a_code_is_made_up(wire):
    """With a PIN that the lock takes; asking for one creates nothing."""
    device_id = await lock(wire, "Back Door")
    await wire.call(C + "report_device_constraints", device_id=device_id, supported_code_lengths=[6])
    shown = (await wire.call(C + "generate_code", device_id=device_id))["generated_code"]
    assert (len(shown["code"]), shown["status"]) == (6, "unset")
    assert (await wire.call(C + "list"))["access_codes"] == []
    made = (await wire.call(C + "create", device_id=device_id))["access_code"]
    assert len(made["code"]) == 6
    assert await refused(wire, C + "report_device_constraints", device_id=device_id) == (400, "invalid_input")


async def test_codes_come_in_pages(wire):
    """Oldest first, none twice and none left out, and the search looks at names."""
    device_id = await lock(wire)
    for number in range(5):
        await wire.call(C + "create", device_id=device_id, code=f"900{number}", name=f"Guest {number}")
    pins, cursor = [], None
    for _ in range(3):
        page = await wire.call(C + "list", device_id=device_id, limit=2, page_cursor=cursor)
        pins += [each["code"] for each in page["access_codes"]]
        cursor = page["pagination"]["next_page_cursor"]
    assert (pins, cursor) == ([f"900{number}" for number in range(5)], None)
    found = await wire.call(C + "list", search="gUEST 3")
    assert [each["code"] for each in found["access_codes"]] == ["9003"]
    assert (await wire.call(C + "list", customer_key="anybody"))["access_codes"] == []


async def test_a_code_that_somebody_set(wire):
    """It is listed apart, and becomes like any other by being converted."""
    device_id = await lock(wire)
    ask = {"device_id": device_id, "code": "2468", "name": "Cleaner"}
    made = (await wire.call(C + "simulate/create_unmanaged_access_code", **ask))["access_code"]
    assert made == {
        "access_code_id": made["access_code_id"],
        **ask,
        "workspace_id": "w1",
        "type": "ongoing",
        "status": "set",
        "created_at": "2025-01-01T00:00:00.000Z",
        "errors": [],
        "warnings": [],
        "is_managed": False,
    }
    assert (await wire.call(C + "unmanaged/list", device_id=device_id))["access_codes"] == [made]
    id = {"access_code_id": made["access_code_id"]}
    assert (await wire.call(C + "unmanaged/get", **id))["access_code"] == made
    assert await refused(wire, C + "simulate/create_unmanaged_access_code", **ask) == (
        409,
        "duplicate_access_code",
    )
    reply = await wire.ask("PATCH", C + "unmanaged/convert_to_managed", {**id, "sync": True})
    assert (reply.status, reply.json) == (200, {"ok": True})
    assert (await wire.call(C + "get", **id))["access_code"]["status"] == "set"
    assert await refused(wire, C + "unmanaged/get", **id) == (404, "access_code_not_found")


@pytest.mark.parametrize("is_shared", [True, False])
async def test_several_codes(wire, is_shared):
    """One PIN for several locks; by the key of one that was made up they are changed together."""
    ids = [await lock(wire), await lock(wire, "Back Door")]
    chosen = {} if is_shared else {"code": "4711"}
    codes = (await wire.call(C + "create_multiple", device_ids=ids, name="Guests", **chosen))["access_codes"]
    assert [code["device_id"] for code in codes] == ids
    assert len({code["code"] for code in codes}) == 1
    [key] = {code["common_code_key"] for code in codes}
    assert (key is not None) is is_shared
    if is_shared:
        await wire.call(C + "update_multiple", common_code_key=key, name="Others")
        found = (await wire.call(C + "list"))["access_codes"]
        assert {code["name"] for code in found} == {"Others"}


async def test_a_backup(wire):
    """It stands ready once somebody asked for it, and both keys of the answer have it."""
    device_id = await lock(wire)
    ask = {"device_id": device_id, "starts_at": "2025-01-01T00:00:00Z", "ends_at": END}
    made = await wire.call(C + "create", **ask, use_backup_access_code_pool=True, sync=True)
    await wire.house.clock.settle()
    id = made["access_code"]["access_code_id"]
    assert (await wire.call(C + "get", access_code_id=id))["access_code"]["is_backup_access_code_available"]
    device = (await wire.call("/devices/get", device_id=device_id))["device"]
    assert device["properties"]["backup_access_code_pool_enabled"] is True
    pulled = await wire.call(C + "pull_backup_access_code", access_code_id=id)
    assert pulled["access_code"] == pulled["backup_access_code"]
    assert (pulled["access_code"]["is_backup"], pulled["access_code"]["ends_at"]) == (True, END)
    code = (await wire.call(C + "get", access_code_id=id))["access_code"]
    assert code["pulled_backup_access_code_id"] == pulled["access_code"]["access_code_id"]
    assert [each["warning_code"] for each in code["warnings"]] == ["using_backup_access_code"]
    ongoing = (await wire.call(C + "create", device_id=device_id, code="4711"))["access_code"]
    refusal = await refused(wire, C + "pull_backup_access_code", access_code_id=ongoing["access_code_id"])
    assert refusal == (400, "access_code_not_time_bound")


async def test_a_lock_is_read_on_demand(wire):
    """What was done behind everybody's back is found by asking for it."""
    device_id = await lock(wire)
    made = await wire.call(C + "create", device_id=device_id, code="4711", sync=True)
    id = made["access_code"]["access_code_id"]
    wire.house.driver._things[device_id].codes.put("set_code", id, None)
    synced = await wire.call("/thumbturn/access_codes/sync", device_id=device_id, sync=True)
    assert (synced["action_attempt"]["status"], synced["action_attempt"]["result"]) == ("success", {})
    told = (await wire.call("/events/list", access_code_id=id))["events"]
    assert "access_code.deleted_external_to_seam" in [each["event_type"] for each in told]
    await wire.call("/thumbturn/sandbox/touch_code", access_code_id=id, code="9999")
    found = (await wire.call(C + "get", access_code_id=id))["access_code"]
    assert found["code"] == "4711"


async def test_a_code_is_handed_over_and_taken_back(wire):
    """`is_managed: false` puts it among those that are not managed, without touching it at its lock."""
    made = (await wire.call(C + "create", device_id=await lock(wire), code="4711", sync=True))["access_code"]
    id = {"access_code_id": made["access_code_id"]}
    attempt = (await wire.call(C + "update", **id, is_managed=False, sync=True))["action_attempt"]
    assert (attempt["action_type"], attempt["status"]) == ("UPDATE_ACCESS_CODE", "success")
    assert await refused(wire, C + "get", **id) == (404, "access_code_not_found")
    shown = (await wire.call(C + "unmanaged/get", **id))["access_code"]
    assert (shown["is_managed"], shown["status"], shown["code"]) == (False, "set", "4711")
    await wire.call(C + "unmanaged/convert_to_managed", **id)
    assert (await wire.call(C + "get", **id))["access_code"]["status"] == "set"


async def test_codes_are_found_by_their_customer_and_by_who_reaches_them(wire):
    """Those at the locks of a customer's accounts, and of the accounts that a user's session reaches."""
    device_id = await lock(wire)
    account = (await wire.call("/devices/get", device_id=device_id))["device"]["connected_account_id"]
    await wire.call("/connected_accounts/update", connected_account_id=account, customer_key="c1")
    made = (await wire.call(C + "create", device_id=device_id, code="4711", sync=True))["access_code"]
    granted = {"user_identifier_key": "jane", "connected_account_ids": [account]}
    await wire.call("/client_sessions/create", **granted)
    await wire.call("/client_sessions/create", user_identifier_key="joe")
    for wanted, found in (
        ({"customer_key": "c1"}, [made]),
        ({"customer_key": "c2"}, []),
        ({"user_identifier_key": "jane"}, [made]),
        ({"user_identifier_key": "joe"}, []),
        ({"user_identifier_key": "jane", "customer_key": "c2"}, []),
        ({"user_identifier_key": "nobody"}, []),
        ({"access_grant_id": "g1"}, []),
    ):
        assert (await wire.call(C + "list", **wanted))["access_codes"] == found, wanted
    manual = {"device_id": device_id, "name": "Cleaner", "code": "2468"}
    by_hand = (await wire.call(C + "simulate/create_unmanaged_access_code", **manual))["access_code"]
    for user, found in (("jane", [by_hand]), ("joe", [])):
        asked = {"device_id": device_id, "user_identifier_key": user}
        assert (await wire.call(C + "unmanaged/list", **asked))["access_codes"] == found


async def test_nobody_knows_of_a_code_beyond_reach(wire):
    """While its account lets nobody in, or its lock was taken out of it, its status is unknown."""
    device_id = await lock(wire)
    made = (await wire.call(C + "create", device_id=device_id, code="4711", sync=True))["access_code"]
    account = (await wire.call("/devices/get", device_id=device_id))["device"]["connected_account_id"]
    await wire.call("/connected_accounts/simulate/disconnect", connected_account_id=account)
    shown = (await wire.call(C + "get", access_code_id=made["access_code_id"]))["access_code"]
    assert shown["status"] == "unknown"
    assert [error["error_code"] for error in shown["errors"]] == ["account_disconnected"]


async def test_who_let_himself_in_by_a_code_is_told(wire):
    """Events of the bolt have the code that was entered, its digits, and whether it is managed; on record the
    digits are sealed, and whoever entered none is told without.
    """
    device_id = await lock(wire)
    made = await wire.call(C + "create", device_id=device_id, code="4711", sync=True)
    ask = {"device_id": device_id, "code": "1357", "name": "Cleaner"}
    by_hand = await wire.call(C + "simulate/create_unmanaged_access_code", **ask)
    for pin in ("4711", "1357"):
        await wire.call("/locks/simulate/keypad_code_entry", device_id=device_id, code=pin)
        await wire.house.clock.advance(seconds(3))
        await wire.call("/locks/lock_door", device_id=device_id)
        await wire.house.clock.advance(seconds(3))
    names = ("access_code_id", "code", "access_code_is_managed")
    found = (await wire.call("/events/list", event_type="lock.unlocked"))["events"]
    assert [tuple(each[name] for name in names) for each in found] == [
        (made["access_code"]["access_code_id"], "4711", True),
        (by_hand["access_code"]["access_code_id"], "1357", False),
    ]
    events = await wire.house.store.events("w1", EventFilter(event_types=["lock.unlocked"]), limit=9)
    assert [each.payload["code"] in ("4711", "1357") for each in events] == [False, False]
    for each in (await wire.call("/events/list", event_type="lock.locked"))["events"]:
        assert set(names) & each.keys() == set()
