"""Devices that are known and not commanded: handing them over, taking them back, finding them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.sessions import guest, own_account, second_account
from tests.fixtures.wire import Wire
from thumbturn.engine.ports import EventFilter

GET, LIST, UPDATE = "/devices/unmanaged/get", "/devices/unmanaged/list", "/devices/unmanaged/update"
NOT_FOUND = (404, "device_not_found")


async def refused(wire: Wire, path: str, **ask: Any) -> tuple[int, str]:
    """Status and type of the refusal."""
    reply = await wire.ask("POST", path, ask)
    return reply.status, reply.error["type"]


async def told(wire: Wire, device_id: str) -> list[str]:
    """What the workspace was told of a device."""
    events = await wire.house.store.events("w1", EventFilter(device_ids=[device_id]), limit=99)
    return [event.event_type for event in events]


async def hand_over(wire: Wire, *names: str) -> list[str]:
    """Have the devices of these names not managed; their ids."""
    ids = [await wire.door(name) for name in names]
    for device_id in ids:
        await wire.call("/devices/update", device_id=device_id, is_managed=False)
    return ids


async def test_an_unmanaged_device_is_shown_by_what_it_is(wire: Wire):
    """It has its maker, battery and flags, and nothing of where its bolt is; among managed ones it is not."""
    [door] = await hand_over(wire, "Front Door")
    device = (await wire.call(GET, device_id=door))["device"]
    assert device == (await wire.call(GET, name="Front Door"))["device"]
    assert device == {
        "device_id": door,
        "workspace_id": "w1",
        "connected_account_id": await own_account(wire),
        "device_type": "august_lock",
        "capabilities_supported": device["capabilities_supported"],
        "properties": {
            "online": True,
            "name": "Front Door",
            "model": {
                "display_name": "Virtual Lock Plus",
                "manufacturer_display_name": "Virtual",
                "has_built_in_keypad": True,
            },
            "manufacturer": "unknown",
            "battery_level": 1.0,
            "battery": {"level": 1.0, "status": "full"},
        },
        "location": {"location_name": "Virtual Home", "time_zone": "Etc/UTC"},
        "errors": [],
        "warnings": [],
        "custom_metadata": {},
        "is_managed": False,
        "created_at": device["created_at"],
        **{flag: value for flag, value in device.items() if flag.startswith("can_")},
    }
    assert device["can_remotely_unlock"] is True
    assert await refused(wire, "/devices/get", device_id=door) == NOT_FOUND
    assert await refused(wire, "/locks/unlock_door", device_id=door) == (400, "device_unmanaged")
    listed = (await wire.call("/locks/list"))["locks"]
    assert door not in [lock["device_id"] for lock in listed]


async def test_handing_over_and_taking_back_is_told_once(wire: Wire):
    """Each conversion is one event, whichever endpoint made it; what changes nothing tells nothing."""
    door = await wire.door()
    for is_managed in (True, False, False):
        await wire.call("/devices/update", device_id=door, is_managed=is_managed)
    for _ in range(2):
        await wire.call(UPDATE, device_id=door, custom_metadata={"floor": "2"})
    await wire.call(UPDATE, device_id=door, is_managed=True)
    assert await told(wire, door) == [
        "device.converted_to_unmanaged",
        "device.unmanaged.converted_to_managed",
    ]
    device = (await wire.call("/devices/get", device_id=door))["device"]
    assert (device["is_managed"], device["custom_metadata"]) == (True, {"floor": "2"})
    assert await refused(wire, UPDATE, device_id=door, is_managed=True) == (400, "device_managed")
    await wire.call("/devices/update", device_id=door, is_managed=False)
    await wire.call("/devices/update", device_id=door, is_managed=True)
    assert (await told(wire, door))[2:] == [
        "device.converted_to_unmanaged",
        "device.unmanaged.converted_to_managed",
    ]


async def test_a_new_name_is_told_once(wire: Wire):
    """What it is called now is in the event; the same name again is no news."""
    door = await wire.door()
    for name in ("Gate", "Gate", None):
        await wire.call("/devices/update", device_id=door, name=name)
    events = await wire.house.store.events("w1", EventFilter(device_ids=[door]), limit=99)
    assert [event.event_type for event in events] == ["device.name_changed"] * 2
    assert [event.payload["device_name"] for event in events] == ["Gate", "Front Door"]


async def test_an_unmanaged_device_comes_and_goes_under_its_own_events(wire: Wire):
    """While it is not managed its connection is told as that of an unmanaged device."""
    [door] = await hand_over(wire, "Front Door")
    await wire.call("/devices/simulate/disconnect", device_id=door)
    assert (await wire.call(GET, device_id=door))["device"]["errors"][0][
        "error_code"
    ] == "device_disconnected"
    await wire.call("/devices/simulate/connect", device_id=door)
    assert (await told(wire, door))[1:] == ["device.unmanaged.disconnected", "device.unmanaged.connected"]


@pytest.mark.parametrize(
    ("ask", "names"),
    [
        ({}, ["Front Door", "Storage Room", "Living Room"]),
        ({"search": "ROOM"}, ["Storage Room", "Living Room"]),
        ({"device_type": "ecobee_thermostat"}, ["Living Room"]),
        ({"device_types": ["ecobee_thermostat", "august_lock"], "search": "door"}, ["Front Door"]),
        ({"include_if": ["can_configure_auto_lock"]}, ["Front Door"]),
        ({"exclude_if": ["can_remotely_lock"]}, ["Living Room"]),
        ({"custom_metadata_has": {"floor": "2"}}, ["Storage Room"]),
        ({"custom_metadata_has": {"floor": True}}, []),
        ({"created_before": "2000-01-01T00:00:00Z"}, []),
        ({"manufacturer": "yale"}, []),
        ({"connected_account_id": "unknown"}, []),
        ({"space_id": "any"}, []),
        ({"customer_key": "nobody"}, []),
    ],
)
async def test_unmanaged_devices_are_listed_by_what_is_asked_for(wire: Wire, ask, names):
    """The filters of the list of devices hold for those that are not managed, in order of age."""
    ids = await hand_over(wire, "Front Door", "Storage Room", "Living Room")
    await wire.call(UPDATE, device_id=ids[1], custom_metadata={"floor": "2"})
    found = (await wire.call(LIST, **ask))["devices"]
    assert [device["properties"]["name"] for device in found] == names


async def test_unmanaged_devices_come_in_pages(wire: Wire):
    """A page leads to the next by its cursor and by its URL; with other parameters the cursor is refused."""
    ids = await hand_over(wire, "Front Door", "Back Door", "Storage Room")
    first = await wire.call(LIST, limit=2, device_type="august_lock")
    page = first["pagination"]
    assert [device["device_id"] for device in first["devices"]] == ids[:2]
    url = page["next_page_url"].removeprefix("http://thumbturn.test")
    assert url.startswith(LIST)
    second = (await wire.ask("GET", url)).json
    assert [device["device_id"] for device in second["devices"]] == ids[2:]
    assert second["pagination"] == {"has_next_page": False, "next_page_cursor": None, "next_page_url": None}
    for other in ({"limit": 3}, {"limit": 2, "search": "x"}):
        ask = {"page_cursor": page["next_page_cursor"], **other}
        assert await refused(wire, LIST, **ask) == (400, "mismatched_page_parameters")
    ask = {"page_cursor": page["next_page_cursor"], "limit": 2, "device_type": "august_lock"}
    assert await refused(wire, "/devices/list", **ask) == (400, "mismatched_page_parameters")


async def test_a_session_gets_the_unmanaged_devices_of_its_accounts(wire: Wire):
    """It may look at one that it reaches; lists and changes are no affair of sessions."""
    other = await second_account(wire, "Front Door")
    near, far = await hand_over(wire, "Front Door", "Back Door")
    jane = await guest(wire, other)
    assert (await jane.call(GET, device_id=near))["device"]["is_managed"] is False
    assert await jane.refusal(GET, device_id=far) == NOT_FOUND
    for path in (LIST, UPDATE):
        assert await jane.refusal(path, device_id=near) == (401, "unauthorized")


@pytest.mark.parametrize(
    "ask", [{"is_managed": False}, {"is_managed": None}, {"custom_metadata": {"x": "y" * 501}}, {}]
)
async def test_what_cannot_be_changed_is_refused(wire: Wire, ask):
    """Only `true` is a value of is_managed here; metadata has its bounds; and a device must be named."""
    door = await wire.door()
    await wire.call("/devices/update", device_id=door, is_managed=False)
    named = {"device_id": door, **ask} if ask else {}
    assert await refused(wire, UPDATE, **named) == (400, "invalid_input")
    assert await told(wire, door) == ["device.converted_to_unmanaged"]


async def test_codes_are_managed_as_long_as_their_lock_is(wire: Wire):
    """Handed over with their lock they are shown among those that are not managed, as it holds them."""
    door = await wire.door()
    made = (await wire.call("/access_codes/create", device_id=door, code="4711", name="Jane"))["access_code"]
    which = {"access_code_id": made["access_code_id"]}
    await wire.call("/devices/update", device_id=door, is_managed=False)
    assert (await wire.call("/access_codes/list"))["access_codes"] == []
    assert await refused(wire, "/access_codes/get", **which) == (404, "access_code_not_found")
    [shown] = (await wire.call("/access_codes/unmanaged/list", device_id=door))["access_codes"]
    assert shown == (await wire.call("/access_codes/unmanaged/get", **which))["access_code"]
    by_pin = await wire.call("/access_codes/unmanaged/get", device_id=door, code="4711")
    assert by_pin["access_code"] == shown
    told_of_it = ("is_managed", "status", "name", "code")
    assert [shown[each] for each in told_of_it] == [False, "set", "Jane", "4711"]
    for route in ("delete", "convert_to_managed"):
        answer = await refused(wire, f"/access_codes/unmanaged/{route}", **which)
        assert answer == (400, "device_unmanaged")
    await wire.call(UPDATE, device_id=door, is_managed=True)
    shown = (await wire.call("/access_codes/get", **which))["access_code"]
    assert [shown[each] for each in told_of_it] == [True, "set", "Jane", "4711"]
    assert (await wire.call("/access_codes/unmanaged/list", device_id=door))["access_codes"] == []
