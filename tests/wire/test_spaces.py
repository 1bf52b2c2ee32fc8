"""Spaces on the wire: making and changing them, what is in them, finding things by where they are."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.access import entrances, refused, system
from tests.fixtures.sessions import guest, own_account, second_account

DATA = {"address": "1 Main St", "default_checkin_time": "15:00", "default_checkout_time": "11:00:30"}
NOWHERE = "01890000-0000-7000-8000-000000000000"


async def space(wire, name="Room", **other: Any) -> Any:
    """A new space."""
    return (await wire.call("/spaces/create", name=name, **other))["space"]


async def look(wire, space_id: str) -> Any:
    """A space as it is now."""
    return (await wire.call("/spaces/get", space_id=space_id))["space"]


async def names(wire, path: str, key: str, **ask: Any) -> list[str]:
    """The names of what is listed."""
    return [each["display_name"] for each in (await wire.call(path, **ask))[key]]


async def told(wire, **wanted: Any) -> list[tuple[str, int, int]]:
    """What was told of spaces: the word, and how many devices and entrances were in it then."""
    found = await wire.call("/events/list", **(wanted or {"since": "2000-01-01T00:00:00Z"}))
    return [
        (each["event_type"].removeprefix("space."), len(each["device_ids"]), len(each["acs_entrance_ids"]))
        for each in found["events"]
        if each["event_type"].startswith("space.")
    ]


async def test_a_space_looks_as_documented(wire):
    """It has what was said of it and counts what is in it; it is found by its id and by its key."""
    doors = [await wire.door(name) for name in ("Front Door", "Back Door")]
    at = (await entrances(wire))["Front Door"]
    house = await space(wire, "House", space_key="house")
    made = await space(
        wire,
        space_key="101",
        customer_key="acme",
        customer_data=DATA,
        device_ids=[*doors, doors[0]],
        acs_entrance_ids=[at],
        connected_account_ids=[await own_account(wire)],
    )
    assert house == {
        "space_id": house["space_id"],
        "workspace_id": "w1",
        "name": "House",
        "display_name": "House",
        "device_count": 0,
        "acs_entrance_count": 0,
        "created_at": house["created_at"],
        "space_key": "house",
    }
    assert made == {
        **house,
        "space_id": made["space_id"],
        "name": "Room",
        "display_name": "Room",
        "space_key": "101",
        "customer_key": "acme",
        "customer_data": DATA,
        "device_count": 2,
        "acs_entrance_count": 1,
        "created_at": made["created_at"],
    }
    moved = await wire.call("/spaces/update", space_id=made["space_id"], parent_space_key="house")
    inner = {**made, "parent_space_id": house["space_id"], "parent_space_key": "house"}
    assert moved["space"] == inner
    for ask in ({"space_id": made["space_id"]}, {"space_key": "101"}):
        assert (await wire.call("/spaces/get", **ask))["space"] == inner
    for ask in (
        {"space_id": NOWHERE},
        {"space_key": "no"},
        {"space_id": made["space_id"], "space_key": "no"},
    ):
        assert await refused(wire, "/spaces/get", **ask) == (404, "space_not_found")
    assert await refused(wire, "/spaces/get") == (400, "invalid_input")


async def test_events_of_a_space_name_all_that_is_in_it(wire):
    """The payload of the contract: ids of devices and entrances, and the key where there is one."""
    door, at = await wire.door(), (await entrances(wire))["Front Door"]
    made = await space(wire, space_key="101", device_ids=[door], acs_entrance_ids=[at])
    [event] = (await wire.call("/events/list", space_id=made["space_id"]))["events"]
    assert event == {
        "event_id": event["event_id"],
        "event_type": "space.created",
        "workspace_id": "w1",
        "created_at": event["created_at"],
        "occurred_at": event["created_at"],
        "space_id": made["space_id"],
        "space_key": "101",
        "device_ids": [door],
        "acs_entrance_ids": [at],
    }
    bare = await space(wire)
    [other] = (await wire.call("/events/list", space_ids=[bare["space_id"]]))["events"]
    assert "space_key" not in other
    assert (await wire.call("/events/list", space_ids=[]))["events"] == []


async def test_a_change_changes_what_is_given(wire):
    """Name, key, what guests are told and what is in it; the rest stays, null of what guests are told is kept
    as that, and without an id the key names the space.
    """
    made = await space(wire, space_key="101", customer_data=DATA, device_ids=[await wire.door()])
    id = made["space_id"]
    changed = await wire.call(
        "/spaces/update",
        space_id=id,
        space_key="102",
        customer_data={"address": None, "time_zone": "Etc/UTC"},
    )
    data = {**DATA, "address": None, "time_zone": "Etc/UTC"}
    assert changed["space"] == {**made, "space_key": "102", "customer_data": data}
    renamed = await wire.call("/spaces/update", space_key="102", name="Suite")
    assert (renamed["space"]["space_id"], renamed["space"]["name"]) == (id, "Suite")
    assert await told(wire) == [("created", 1, 0)]
    back = await wire.door("Back Door")
    await wire.call("/spaces/update", space_id=id, device_ids=[back])
    assert await names(wire, "/devices/list", "devices", space_id=id) == ["Back Door"]
    await wire.call("/spaces/update", space_id=id, device_ids=[], acs_entrance_ids=[])
    assert (await look(wire, id))["device_count"] == 0
    moved = "device_membership_changed"
    assert await told(wire) == [("created", 1, 0), (moved, 1, 0), (moved, 0, 0)]
    assert await refused(wire, "/spaces/update", name="x") == (400, "invalid_input")
    assert await refused(wire, "/spaces/update", space_id=NOWHERE, name="x") == (404, "space_not_found")


@pytest.mark.parametrize(
    "ask",
    [
        {},
        {"name": None},
        {"name": "x", "customer_key": ""},
        {"name": "x", "space_key": None},
        {"name": "x", "customer_data": {"default_checkin_time": "25:00"}},
        {"name": "x", "customer_data": {"default_checkout_time": "noon"}},
        {"name": "x", "device_ids": "d"},
    ],
    ids=str,
)
async def test_what_is_no_space_is_refused(wire, ask):
    """A space has a name, times of the day are such, and lists are lists."""
    assert await refused(wire, "/spaces/create", **ask) == (400, "invalid_input")


async def test_a_key_is_one_spaces(wire):
    """A key that another has is refused, when a space is made and when it is changed."""
    await space(wire, space_key="101")
    other = await space(wire)
    assert await refused(wire, "/spaces/create", name="x", space_key="101") == (409, "space_key_taken")
    ask = {"space_id": other["space_id"], "space_key": "101"}
    assert await refused(wire, "/spaces/update", **ask) == (409, "space_key_taken")


async def test_a_space_is_not_in_itself(wire):
    """Nor in one that is in it, however deep; and a parent must be there."""
    outer, middle, inner = [await space(wire, name) for name in ("Outer", "Middle", "Inner")]
    for child, parent in ((middle, outer), (inner, middle)):
        ask = {"space_id": child["space_id"], "parent_space_id": parent["space_id"]}
        await wire.call("/spaces/update", **ask)
    for parent in (outer, middle, inner):
        ask = {"space_id": outer["space_id"], "parent_space_id": parent["space_id"]}
        assert await refused(wire, "/spaces/update", **ask) == (400, "space_inside_itself")
    ask = {"space_id": outer["space_id"], "parent_space_id": NOWHERE}
    assert await refused(wire, "/spaces/update", **ask) == (404, "space_not_found")
    await wire.call("/spaces/delete", space_id=middle["space_id"])
    assert "parent_space_id" not in await look(wire, inner["space_id"])


async def test_things_are_put_in_and_taken_out(wire):
    """Once, however often; a change is told once and no change is not, of accounts nothing is told."""
    id = (await space(wire))["space_id"]
    doors = [await wire.door(name) for name in ("Front Door", "Back Door")]
    at = list((await entrances(wire)).values())
    account = await own_account(wire)
    moved = "device_membership_changed"
    expected = [("created", 0, 0)]
    for path, ask, devices, doors_in in (
        ("add_devices", {"device_ids": doors}, 2, 0),
        ("add_acs_entrances", {"acs_entrance_ids": at}, 2, 3),
        ("remove_devices", {"device_ids": doors[:1]}, 1, 3),
        ("remove_acs_entrances", {"acs_entrance_ids": at[1:]}, 1, 1),
    ):
        for _ in range(2):
            await wire.call(f"/spaces/{path}", space_id=id, **ask)
        expected.append((moved, devices, doors_in))
        assert await told(wire) == expected
        now = await look(wire, id)
        assert (now["device_count"], now["acs_entrance_count"]) == (devices, doors_in)
    for path, listed in (("add", [account]), ("remove", [])):
        await wire.call(f"/spaces/{path}_connected_account", space_id=id, connected_account_id=account)
        found = (await wire.call("/connected_accounts/list", space_id=id))["connected_accounts"]
        assert [each["connected_account_id"] for each in found] == listed
    assert await told(wire) == expected


@pytest.mark.parametrize("verb", ["add", "remove"])
async def test_what_is_not_there_is_not_put_anywhere(wire, verb):
    """Unknown spaces, devices, entrances and accounts are 404 by name, and nothing of the call is done."""
    id, door = (await space(wire))["space_id"], await wire.door()
    for path, ask, why in (
        ("devices", {"space_id": id, "device_ids": [door, NOWHERE]}, "device_not_found"),
        ("acs_entrances", {"space_id": id, "acs_entrance_ids": [door]}, "acs_entrance_not_found"),
        ("connected_account", {"space_id": id, "connected_account_id": door}, "connected_account_not_found"),
        ("devices", {"space_id": NOWHERE, "device_ids": [door]}, "space_not_found"),
    ):
        assert await refused(wire, f"/spaces/{verb}_{path}", **ask) == (404, why)
    assert (await look(wire, id))["device_count"] == 0
    for parts in ("device", "acs_entrance"):
        reply = await wire.ask("POST", f"/spaces/{verb}_{parts}s", {"space_id": id, f"{parts}_ids": []})
        assert reply.status == (400 if verb == "add" else 200)


async def test_spaces_are_listed(wire):
    """Filters narrow the list, and pages hold each space once."""
    account = await own_account(wire)
    house = await space(wire, "House", space_key="h")
    for name, other in (
        ("Room Ä", {"customer_key": "acme"}),
        ("Room B", {"connected_account_ids": [account]}),
    ):
        made = await space(wire, name, **other)
        await wire.call("/spaces/update", space_id=made["space_id"], parent_space_id=house["space_id"])
    path, key = "/spaces/list", "spaces"
    for ask, found in (
        ({}, ["House", "Room Ä", "Room B"]),
        ({"search": "room ä"}, ["Room Ä"]),
        ({"search": "H"}, ["House"]),
        ({"space_key": "h"}, ["House"]),
        ({"customer_key": "acme"}, ["Room Ä"]),
        ({"connected_account_id": account}, ["Room B"]),
        ({"connected_account_id": NOWHERE}, []),
        ({"parent_space_id": house["space_id"]}, ["Room Ä", "Room B"]),
        ({"parent_space_key": "h", "customer_key": "acme"}, ["Room Ä"]),
        ({"parent_space_id": NOWHERE}, []),
    ):
        assert await names(wire, path, key, **ask) == found, ask
    walked, cursor = [], None
    while True:
        page = await wire.call(path, limit=1, search="room", **({"page_cursor": cursor} if cursor else {}))
        walked += [each["name"] for each in page[key]]
        cursor = page["pagination"]["next_page_cursor"]
        if cursor is None:
            break
    assert walked == ["Room Ä", "Room B"]


async def test_devices_are_found_by_their_space(wire):
    """Lists of devices, managed or not, of locks, thermostats, sensors and entrances take a space; each
    device and entrance names its spaces.
    """
    climate, sensor = [
        [(await wire.call(f"/{kind}/list"))[kind][0]["device_id"]]
        for kind in ("thermostats", "noise_sensors")
    ]
    doors = [await wire.door("Front Door"), await wire.door("Back Door")]
    at = (await entrances(wire))["Front Door"]
    id = (await space(wire, device_ids=[*doors, *climate, *sensor], acs_entrance_ids=[at]))["space_id"]
    other = (await space(wire, device_ids=doors[:1]))["space_id"]
    await wire.call("/devices/update", device_id=doors[1], is_managed=False)
    for path, key, found in (
        ("/devices/list", "devices", {doors[0], *climate, *sensor}),
        ("/devices/unmanaged/list", "devices", {doors[1]}),
        ("/locks/list", "locks", {doors[0]}),
        ("/thermostats/list", "thermostats", set(climate)),
        ("/noise_sensors/list", "noise_sensors", set(sensor)),
    ):
        listed = (await wire.call(path, space_id=id))[key]
        assert {each["device_id"] for each in listed} == found, path
        assert (await wire.call(path, space_id=NOWHERE))[key] == []
    ask = {"space_id": id, "device_ids": [doors[0], NOWHERE]}
    assert [each["device_id"] for each in (await wire.call("/devices/list", **ask))["devices"]] == doors[:1]
    for path, key in (("/devices/get", "device"), ("/locks/get", "lock")):
        assert (await wire.call(path, device_id=doors[0]))[key]["space_ids"] == sorted([id, other])
    [listed] = (await wire.call("/devices/list", space_id=other))["devices"]
    assert listed["space_ids"] == sorted([id, other])
    assert await names(wire, "/acs/entrances/list", "acs_entrances", space_id=id) == ["Front Door"]
    assert await names(wire, "/acs/entrances/list", "acs_entrances", space_id=other) == []
    got = (await wire.call("/acs/entrances/get", acs_entrance_id=at))["acs_entrance"]
    assert got["space_ids"] == [id]


async def test_things_are_found_by_whose_customers_they_are(wire):
    """Entrances and systems are found by the customer of their account."""
    account = await own_account(wire)
    await wire.call("/connected_accounts/update", connected_account_id=account, customer_key="acme")
    for path, key, count in (
        ("/acs/entrances/list", "acs_entrances", 3),
        ("/acs/systems/list", "acs_systems", 1),
    ):
        assert len((await wire.call(path, customer_key="acme"))[key]) == count
        assert len((await wire.call(path, customer_key="acme", connected_account_id=account))[key]) == count
        for ask in ({"customer_key": "x"}, {"customer_key": "acme", "connected_account_id": "x"}):
            assert (await wire.call(path, **ask))[key] == []


async def test_all_there_is_in_some_spaces(wire):
    """Devices and entrances in them, the accounts and systems of these; only the parts that are wanted."""
    door, at = await wire.door(), (await entrances(wire))["Back Door"]
    one = await space(wire, "One", device_ids=[door], space_key="1")
    two = await space(wire, "Two", acs_entrance_ids=[at])
    three = await space(wire, "Three")
    batch = (await wire.call("/spaces/get_related", space_ids=[two["space_id"]], space_keys=["1"]))["batch"]
    assert batch["spaces"] == [one, two]
    assert [(each["device_id"], each["space_ids"]) for each in batch["devices"]] == [
        (door, [one["space_id"]])
    ]
    [entrance] = batch["acs_entrances"]
    assert (entrance["acs_entrance_id"], entrance["space_ids"]) == (at, [two["space_id"]])
    [account] = batch["connected_accounts"]
    assert account["connected_account_id"] == await own_account(wire)
    assert [each["acs_system_id"] for each in batch["acs_systems"]] == [await system(wire)]
    assert batch["access_methods"] == []
    parts = list(batch)
    nothing = (await wire.call("/spaces/get_related", space_ids=[three["space_id"]], exclude=["spaces"]))[
        "batch"
    ]
    assert nothing == {part: [] for part in parts if part != "spaces"}
    ask = {"space_keys": ["1"], "include": ["devices", "spaces"], "exclude": ["devices"]}
    assert (await wire.call("/spaces/get_related", **ask))["batch"] == {"spaces": [one]}
    assert (await wire.call("/spaces/get_related", space_ids=[], include=["spaces"]))["batch"] == {
        "spaces": []
    }
    assert await refused(wire, "/spaces/get_related") == (400, "invalid_input")
    assert await refused(wire, "/spaces/get_related", space_ids=["x"], include=["doors"]) == (
        400,
        "invalid_input",
    )
    for ask in ({"space_ids": [NOWHERE, one["space_id"]]}, {"space_keys": ["no"]}):
        assert await refused(wire, "/spaces/get_related", **ask) == (404, "space_not_found")


async def test_a_space_that_is_deleted_is_told_with_what_was_in_it(wire):
    """It is found no more, its devices stay and are in it no more, and its key is free."""
    door = await wire.door()
    made = await space(wire, space_key="101", device_ids=[door])
    await wire.call("/spaces/delete", space_id=made["space_id"])
    assert await refused(wire, "/spaces/delete", space_id=made["space_id"]) == (404, "space_not_found")
    assert await told(wire) == [("created", 1, 0), ("deleted", 1, 0)]
    assert (await wire.call("/devices/get", device_id=door))["device"]["space_ids"] == []
    await space(wire, space_key="101")


async def test_what_goes_with_its_account_leaves_its_spaces(wire):
    """Each space that loses something is told of once, with what is left; others are not."""
    other = await second_account(wire, "Back Door")
    doors = [await wire.door(name) for name in ("Front Door", "Back Door")]
    at = list((await entrances(wire)).values())
    both = (await space(wire, device_ids=doors, acs_entrance_ids=at))["space_id"]
    stays = (await space(wire, device_ids=doors[1:], connected_account_ids=[other]))["space_id"]
    before = len(await told(wire))
    await wire.call("/connected_accounts/delete", connected_account_id=await own_account(wire))
    assert (await told(wire))[before:] == [("device_membership_changed", 1, 0)]
    now = await look(wire, both)
    assert (now["device_count"], now["acs_entrance_count"]) == (1, 0)
    await wire.call("/connected_accounts/delete", connected_account_id=other)
    assert (await told(wire, space_id=stays))[-1] == ("device_membership_changed", 0, 0)
    assert (await wire.call("/spaces/list", connected_account_id=other))["spaces"] == []


async def test_a_reset_has_no_spaces(wire):
    """A reset sandbox has none; its doors, which have the same ids again, are in none."""
    await space(wire, device_ids=[await wire.door()])
    await wire.call("/workspaces/reset_sandbox")
    await wire.house.clock.settle()
    assert (await wire.call("/spaces/list"))["spaces"] == []
    assert (await wire.call("/devices/get", device_id=await wire.door()))["device"]["space_ids"] == []


async def test_client_sessions_see_no_spaces_but_by_their_devices(wire):
    """Spaces are closed to them; by a space they find what they reach of its devices, and no events."""
    await second_account(wire, "Back Door")
    doors = [await wire.door(name) for name in ("Front Door", "Back Door")]
    id = (await space(wire, device_ids=doors))["space_id"]
    jane = await guest(wire, await own_account(wire))
    assert await jane.refusal("/spaces/get", space_id=id) == (401, "unauthorized")
    found = (await jane.call("/devices/list", space_id=id))["devices"]
    assert [each["device_id"] for each in found] == doors[:1]
    assert found[0]["space_ids"] == [id]
    assert (await jane.call("/events/list", space_id=id))["events"] == []
