"""Access grants on the wire: what is asked for and answered, refused, changed, found and told."""

from __future__ import annotations

import pytest

from tests.fixtures.access import entrances, identity, refused, system
from tests.fixtures.granted import BACK, FRONT, JANE, NOWHERE, G, M, granted, look, method, told
from thumbturn.domain.clock import seconds, to_wire


async def test_a_grant_and_its_method_look_as_documented(wire):
    """They have what was said of them and what was made; the PIN is the one that was asked for."""
    grant = await granted(
        wire,
        requested_access_methods=[{"mode": "code", "code": "4711"}],
        device_ids=[await wire.door(FRONT)],
        starts_at="2025-01-01T00:00:00.000Z",
        ends_at="2025-02-01T00:00:00.000Z",
        name="Room 101",
        access_grant_key="stay-1",
        reservation_key="booking-1",
    )
    [made] = grant["access_method_ids"]
    assert grant == {
        "access_grant_id": grant["access_grant_id"],
        "workspace_id": "w1",
        "user_identity_id": grant["user_identity_id"],
        "access_grant_key": "stay-1",
        "reservation_key": "booking-1",
        "name": "Room 101",
        "display_name": "Room 101",
        "starts_at": "2025-01-01T00:00:00.000Z",
        "ends_at": "2025-02-01T00:00:00.000Z",
        "space_ids": [],
        "location_ids": [],
        "requested_access_methods": [
            {
                "mode": "code",
                "display_name": "PIN Code",
                "code": "4711",
                "created_access_method_ids": [made],
                "created_at": "2025-01-01T00:00:00.000Z",
            }
        ],
        "access_method_ids": [made],
        "errors": [],
        "warnings": [],
        "pending_mutations": [],
        "created_at": "2025-01-01T00:00:00.000Z",
    }
    found = (await wire.call(f"{M}get", access_method_id=made))["access_method"]
    assert found == {
        "access_method_id": made,
        "workspace_id": "w1",
        "mode": "code",
        "display_name": "PIN Code",
        "code": "4711",
        "is_issued": True,
        "issued_at": found["issued_at"],
        "errors": [],
        "warnings": [],
        "pending_mutations": [],
        "created_at": "2025-01-01T00:00:00.000Z",
    }
    [code] = (await wire.call("/access_codes/list", access_method_id=made))["access_codes"]
    assert (code["code"], code["name"], code["status"]) == ("4711", "Room 101", "set")
    assert (code["starts_at"], code["ends_at"]) == (grant["starts_at"], grant["ends_at"])


async def test_what_is_told_names_the_grant(wire):
    """Each event has the keys of its type, and is found by the grant and by the method."""
    grant = await granted(wire, "code", device_ids=[await wire.door(FRONT)], access_grant_key="stay-1")
    id, [made] = grant["access_grant_id"], grant["access_method_ids"]
    events = await told(wire, access_grant_id=id)
    assert [each["event_type"] for each in events] == [
        "access_grant.created",
        "access_method.created",
        "access_method.issued",
        "access_grant.access_granted_to_all_doors",
    ]
    assert events == await told(wire, access_grant_ids=[id]) == await told(wire)
    issued = events[2]
    assert (issued["access_grant_ids"], issued["access_grant_keys"]) == ([id], ["stay-1"])
    assert (issued["code"], issued["is_backup_code"]) == ((await method(wire, grant))["code"], False)
    assert await told(wire, access_method_id=made) == events[1:3]
    assert await told(wire, access_method_ids=[NOWHERE]) == []


async def test_what_changes_of_a_grant_is_carried_on(wire):
    """By its id or its key; the codes have the new times and the new name; its key may be changed, too."""
    grant = await granted(wire, "code", device_ids=[await wire.door(FRONT)], access_grant_key="stay-1")
    ends = "2025-03-01T00:00:00.000Z"
    await wire.call(f"{G}update", access_grant_key="stay-1", name="Suite", ends_at=ends)
    await wire.house.clock.settle()
    after = await look(wire, grant["access_grant_id"])
    assert (after["name"], after["ends_at"], after["pending_mutations"]) == ("Suite", ends, [])
    [code] = (await wire.call("/access_codes/list", access_grant_key="stay-1"))["access_codes"]
    assert (code["name"], code["ends_at"], code["type"]) == ("Suite", ends, "time_bound")
    await wire.call(
        f"{G}update", access_grant_id=grant["access_grant_id"], access_grant_key="stay-2", ends_at=None
    )
    await wire.house.clock.settle()
    [code] = (await wire.call("/access_codes/list", access_grant_key="stay-2"))["access_codes"]
    assert (code["type"], code["status"]) == ("ongoing", "set")
    changed = [each for each in await told(wire) if each["event_type"] == "access_grant.access_times_changed"]
    assert [each.get("ends_at") for each in changed] == [ends, None]


async def test_a_change_that_a_lock_has_not_heard_of_is_pending(wire):
    """While its lock is away, grant and method say from which times to which they are changed."""
    door = await wire.door(BACK)
    grant = await granted(wire, "code", device_ids=[door], ends_at="2025-02-01T00:00:00Z")
    await wire.call("/devices/simulate/disconnect", device_id=door)
    await wire.call(f"{G}update", access_grant_id=grant["access_grant_id"], ends_at="2025-03-01T00:00:00Z")
    after = await look(wire, grant["access_grant_id"])
    [pending] = after["pending_mutations"]
    times = {"starts_at": grant["starts_at"], "ends_at": "2025-02-01T00:00:00.000Z"}
    assert (pending["mutation_code"], pending["from"]) == ("updating_access_times", times)
    assert pending["to"]["ends_at"] == "2025-03-01T00:00:00.000Z"
    assert pending["access_method_ids"] == after["access_method_ids"]
    assert [each["warning_code"] for each in after["warnings"]] == ["updating_access_times"]
    shown = await method(wire, grant)
    assert [each["mutation_code"] for each in shown["pending_mutations"]] == ["updating_access_times"]


async def test_a_grant_follows_its_spaces(wire):
    """What is put in a space is opened by the grants that are for it; what is taken out is so no more."""
    front, back = await wire.door(FRONT), await wire.door(BACK)
    made = await wire.call("/spaces/create", name="Room", space_key="101", device_ids=[front])
    space = {"space_id": made["space"]["space_id"]}
    grant = await granted(wire, "code", space_keys=["101"])
    assert grant["space_ids"] == grant["location_ids"] == [space["space_id"]]
    await wire.call("/spaces/add_devices", **space, device_ids=[back])
    await wire.house.clock.advance(seconds(2))
    ask = {"access_grant_id": grant["access_grant_id"]}
    codes = (await wire.call("/access_codes/list", **ask))["access_codes"]
    assert {each["device_id"]: each["status"] for each in codes} == {front: "set", back: "set"}
    assert len({each["code"] for each in codes}) == 1
    await wire.call("/spaces/remove_devices", **space, device_ids=[front])
    await wire.house.clock.advance(seconds(2))
    [left] = (await wire.call("/access_codes/list", **ask))["access_codes"]
    assert left["device_id"] == back
    related = (await wire.call("/spaces/get_related", space_keys=["101"]))["batch"]
    assert [each["access_method_id"] for each in related["access_methods"]] == grant["access_method_ids"]
    await wire.call("/spaces/delete", **space)
    await wire.house.clock.advance(seconds(2))
    assert (await look(wire, grant["access_grant_id"]))["space_ids"] == []
    assert (await wire.call("/access_codes/list", **ask))["access_codes"] == []


async def test_a_space_that_changes_is_pending_until_its_locks_know(wire):
    """While a lock is away that came into a space, the grant says which devices it opened and shall open."""
    front, back = await wire.door(FRONT), await wire.door(BACK)
    made = await wire.call("/spaces/create", name="Room", device_ids=[front])
    space = {"space_id": made["space"]["space_id"]}
    grant = await granted(wire, "code", space_ids=[space["space_id"]])
    assert grant["pending_mutations"] == []
    await wire.call("/devices/simulate/disconnect", device_id=back)
    await wire.call("/spaces/add_devices", **space, device_ids=[back])
    await wire.house.clock.settle()
    [pending] = (await look(wire, grant["access_grant_id"]))["pending_mutations"]
    assert (pending["mutation_code"], pending["from"], pending["to"]) == (
        "updating_spaces",
        {"device_ids": [front]},
        {"device_ids": sorted([front, back])},
    )
    await wire.call("/devices/simulate/connect", device_id=back)
    await wire.house.clock.advance(seconds(90))
    assert (await look(wire, grant["access_grant_id"]))["pending_mutations"] == []


async def test_what_a_lock_keeps_is_said_since_when_it_does(wire):
    """A lock that was taken out of a space and does not let go: since it was, and since it failed to."""
    door, other = await wire.door(FRONT), await wire.door(BACK)
    space = (await wire.call("/spaces/create", name="Flat", device_ids=[door, other]))["space"]["space_id"]
    grant = await granted(wire, "code", space_ids=[space], ends_at="2100-01-01T00:00:00Z")
    await wire.house.clock.advance(seconds(600))
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="refuse", times=50)
    taken_out = to_wire(wire.house.clock.now())
    await wire.call("/spaces/remove_devices", space_id=space, device_ids=[door])
    await wire.house.clock.advance(seconds(60))
    failed = to_wire(wire.house.clock.now())
    await wire.house.clock.advance(seconds(600))
    [warning] = (await look(wire, grant["access_grant_id"]))["warnings"]
    assert warning["warning_code"] == "overprovisioned_access"
    assert [each["device_id"] for each in warning["failed_devices"]] == [door]
    assert taken_out <= warning["created_at"] <= failed
    [pending] = (await method(wire, grant))["pending_mutations"]
    assert (pending["mutation_code"], pending["created_at"]) == ("revoking_access", taken_out)


async def test_a_lock_with_another_pin_is_a_warning(wire):
    """The PIN that was asked for is not free at one lock: it has a method of its own, as the grant says."""
    front, back = await wire.door(FRONT), await wire.door(BACK)
    await wire.call("/access_codes/create", device_id=front, code="4711")
    grant = await granted(
        wire, requested_access_methods=[{"mode": "code", "code": "4711"}], device_ids=[front, back]
    )
    [warning] = grant["warnings"]
    assert (warning["warning_code"], warning["device_id"]) == ("requested_code_unavailable", front)
    assert (warning["original_code"], warning["new_code"] == "4711") == ("4711", False)
    assert len(grant["access_method_ids"]) == 2


async def test_what_no_way_opens_is_an_error(wire):
    """A thermostat takes no code: that is a warning, and with nothing else an error."""
    [thermostat, *_] = (await wire.call("/thermostats/list"))["thermostats"]
    grant = await granted(wire, "code", device_ids=[thermostat["device_id"]])
    [error] = grant["errors"]
    assert error["error_code"] == "cannot_create_requested_access_methods"
    assert error["missing_device_ids"] == [thermostat["device_id"]]
    assert [each["warning_code"] for each in grant["warnings"]] == ["device_does_not_support_access_codes"]
    [event] = [each for each in await told(wire) if "could_not_create" in each["event_type"]]
    assert (event["error_message"], event["missing_device_ids"]) == (
        error["message"],
        error["missing_device_ids"],
    )


async def test_a_grant_is_deleted_when_its_lock_is_free(wire):
    """Until then it says that it is being deleted, and can be changed no more."""
    door = await wire.door(FRONT)
    grant = await granted(wire, "code", device_ids=[door])
    id = {"access_grant_id": grant["access_grant_id"]}
    await wire.call("/devices/simulate/disconnect", device_id=door)
    await wire.call(f"{G}delete", **id)
    assert [
        each["warning_code"] for each in (await look(wire, grant_id=grant["access_grant_id"]))["warnings"]
    ] == ["being_deleted"]
    shown = await method(wire, grant)
    assert [each["warning_code"] for each in shown["warnings"]] == ["being_deleted"]
    assert [each["mutation_code"] for each in shown["pending_mutations"]] == ["revoking_access"]
    over = (409, "access_grant_over")
    assert await refused(wire, f"{G}update", **id, name="Any") == over
    more = [{"mode": "code"}]
    assert await refused(wire, f"{G}request_access_methods", **id, requested_access_methods=more) == over
    await wire.call("/devices/simulate/connect", device_id=door)
    await wire.house.clock.advance(seconds(120))
    assert await refused(wire, f"{G}get", **id) == (404, "access_grant_not_found")


async def test_with_an_identity_go_its_grants(wire):
    """And all that rests on them."""
    jane = await identity(wire, full_name="Jane")
    at = await entrances(wire)
    ask = {"device_ids": [await wire.door(FRONT)], "acs_entrance_ids": [at[BACK]]}
    await granted(wire, "code", "cloud_key", user_identity_id=jane["user_identity_id"], **ask)
    await wire.call("/user_identities/delete", user_identity_id=jane["user_identity_id"])
    await wire.house.clock.advance(seconds(2))
    assert (await wire.call(f"{G}list"))["access_grants"] == []
    assert (await wire.call("/access_codes/list"))["access_codes"] == []
    assert (await wire.call("/acs/credentials/list"))["acs_credentials"] == []


async def test_grants_are_found_by_what_they_are_about(wire):
    """By whom, where and what; what fits nothing is an empty list, page by page."""
    front, at = await wire.door(FRONT), await entrances(wire)
    jane = await identity(wire)
    await wire.call("/spaces/create", name="Room", space_key="101", customer_key="acme", device_ids=[front])
    [space] = (await wire.call("/spaces/list"))["spaces"]
    first = await granted(wire, "code", user_identity_id=jane["user_identity_id"], space_keys=["101"])
    second = await granted(wire, "cloud_key", acs_entrance_ids=[at[FRONT]], access_grant_key="k")
    [code] = (await wire.call("/access_codes/list"))["access_codes"]
    one, two = first["access_grant_id"], second["access_grant_id"]
    for ask, found in [
        ({}, [one, two]),
        ({"access_grant_ids": [two, NOWHERE]}, [two]),
        ({"access_grant_key": "k"}, [two]),
        ({"access_code_id": code["access_code_id"]}, [one]),
        ({"access_code_id": NOWHERE}, []),
        ({"device_id": front}, [one]),
        ({"space_id": space["space_id"]}, [one]),
        ({"location_id": space["space_id"]}, [one]),
        ({"customer_key": "acme"}, [one]),
        ({"customer_key": "other"}, []),
        ({"acs_entrance_id": at[FRONT]}, [two]),
        ({"acs_entrance_id": at[BACK]}, []),
        ({"acs_system_id": await system(wire)}, [two]),
        ({"user_identity_id": jane["user_identity_id"]}, [one]),
    ]:
        listed = (await wire.call(f"{G}list", **ask))["access_grants"]
        assert [each["access_grant_id"] for each in listed] == found, ask
    page = await wire.call(f"{G}list", limit=1)
    more = await wire.call(f"{G}list", limit=1, page_cursor=page["pagination"]["next_page_cursor"])
    assert [each["access_grants"][0]["access_grant_id"] for each in (page, more)] == [one, two]
    for ask, modes in [
        ({}, ["code", "cloud_key"]),
        ({"access_grant_key": "k"}, ["cloud_key"]),
        ({"access_code_id": code["access_code_id"]}, ["code"]),
        ({"device_id": front}, ["code"]),
        ({"acs_entrance_id": at[FRONT]}, ["cloud_key"]),
        ({"space_id": space["space_id"]}, ["code"]),
    ]:
        listed = (await wire.call(f"{M}list", **ask))["access_methods"]
        assert [each["mode"] for each in listed] == modes, ask


async def test_what_is_related_comes_together(wire):
    """All parts, or those that are asked for; what is not there is not found."""
    front, at = await wire.door(FRONT), await entrances(wire)
    await wire.call("/spaces/create", name="Room", space_key="101", device_ids=[front])
    grant = await granted(wire, "code", space_keys=["101"], acs_entrance_ids=[at[BACK]], access_grant_key="k")
    batch = (await wire.call(f"{G}get_related", access_grant_keys=["k"]))["batch"]
    assert {part: len(found) for part, found in batch.items()} == {
        "spaces": 1,
        "devices": 1,
        "acs_entrances": 1,
        "connected_accounts": 1,
        "acs_systems": 1,
        "user_identities": 1,
        "acs_access_groups": 0,
        "access_methods": 1,
    }
    ids = {"access_method_ids": grant["access_method_ids"]}
    batch = (await wire.call(f"{M}get_related", **ids, exclude=["spaces"]))["batch"]
    assert {part: len(found) for part, found in batch.items()} == {
        "devices": 1,
        "acs_entrances": 1,
        "access_grants": 1,
        "access_methods": 1,
        "instant_keys": 0,
        "client_sessions": 0,
        "acs_credentials": 1,
    }
    gone = (404, "access_grant_not_found")
    assert await refused(wire, f"{G}get_related", access_grant_ids=[NOWHERE]) == gone
    gone = (404, "access_method_not_found")
    assert await refused(wire, f"{M}get_related", access_method_ids=[NOWHERE]) == gone


async def test_nothing_was_made_elsewhere(wire):
    """Of grants and methods that are not managed here there are none."""
    grant = await granted(wire, "cloud_key", acs_entrance_ids=[(await entrances(wire))[FRONT]])
    id = {"access_grant_id": grant["access_grant_id"]}
    assert (await wire.call(f"{G}unmanaged/list"))["access_grants"] == []
    assert (await wire.call(f"{M}unmanaged/list", **id))["access_methods"] == []
    gone = (404, "access_grant_not_found")
    assert await refused(wire, f"{G}unmanaged/get", **id) == gone
    assert await refused(wire, f"{G}unmanaged/update", **id, is_managed=True) == gone
    assert await refused(wire, f"{G}unmanaged/update", **id, is_managed=False) == (400, "invalid_input")


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"requested_access_methods": [{"mode": "mobile_key"}]}, (400, "access_method_not_supported")),
        ({"requested_access_methods": [{"mode": "card", "code": "4711"}]}, (400, "credential_has_no_code")),
        ({"requested_access_methods": [{"mode": "code", "code": "12"}]}, (400, "invalid_input")),
        ({"user_identity": None}, (400, "invalid_input")),
        ({"user_identity_id": NOWHERE}, (404, "user_identity_not_found")),
        ({"user_identity": {"email_address": "nobody"}}, (400, "invalid_input")),
        ({"device_ids": [NOWHERE]}, (404, "device_not_found")),
        ({"acs_entrance_ids": [NOWHERE]}, (404, "acs_entrance_not_found")),
        ({"space_ids": [NOWHERE]}, (404, "space_not_found")),
        ({"space_keys": ["none"]}, (404, "space_not_found")),
        ({"location": {"device_ids": [NOWHERE]}}, (404, "device_not_found")),
        ({"ends_at": "2024-01-01T00:00:00Z"}, (400, "invalid_access_times")),
        ({"starts_at": "2026-01-01", "ends_at": "2025-06-01"}, (400, "invalid_access_times")),
        ({"access_grant_key": "taken"}, (409, "access_grant_key_taken")),
        ({"user_identity": {"user_identity_key": "taken"}}, (409, "user_identity_key_taken")),
        ({"customization_profile_id": NOWHERE}, (404, "customization_profile_not_found")),
    ],
    ids=str,
)
async def test_what_cannot_be_granted(wire, more, found):
    """It is refused by a type that says why, and nothing is made."""
    await identity(wire, user_identity_key="taken")
    door = await wire.door(FRONT)
    await granted(wire, device_ids=[door], access_grant_key="taken")
    before = await wire.call("/user_identities/list"), await wire.call(f"{G}list")
    ask = {"user_identity": JANE, "requested_access_methods": [{"mode": "code"}], "device_ids": [door]}
    assert await refused(wire, f"{G}create", **{**ask, **more}) == found
    assert (await wire.call("/user_identities/list"), await wire.call(f"{G}list")) == before


async def test_a_grant_is_for_something(wire):
    """Without a door or a space there is nothing to let anybody in to."""
    ask = {"user_identity": JANE, "requested_access_methods": []}
    assert await refused(wire, f"{G}create", **ask) == (400, "invalid_input")
