"""What each endpoint does beyond looking things up."""

from __future__ import annotations

from typing import Any

import pytest

from thumbturn.domain.clock import to_wire

START = 1_735_689_600_000_000


async def names(wire, path="/devices/list", **ask):
    answer = await wire.call(path, **ask)
    return [device["display_name"] for device in answer["devices"]]


LOCKS = ["Front Door", "Back Door", "Garage Side Door", "Storage Room"]
SENSORS = ["Hallway Sensor"]
THERMOSTATS = ["Living Room", "Bedroom", "Server Room"]
NOISE_SENSORS = ["Terrace"]
ALL = LOCKS + SENSORS + THERMOSTATS + NOISE_SENSORS


@pytest.mark.parametrize(
    ("ask", "found"),
    [
        ({}, ALL),
        ({"device_type": "minut_sensor"}, SENSORS + NOISE_SENSORS),
        ({"device_types": ["minut_sensor", "august_lock"]}, LOCKS + SENSORS + NOISE_SENSORS),
        ({"device_type": "ecobee_thermostat"}, THERMOSTATS),
        ({"device_type": "august_lock", "device_types": ["minut_sensor"]}, []),
        ({"device_types": []}, []),
        ({"device_ids": []}, []),
        ({"device_ids": ["nobody's"]}, []),
        ({"manufacturer": "unknown"}, ALL),
        ({"manufacturer": "august"}, []),
        ({"search": "DOOR"}, ["Front Door", "Back Door", "Garage Side Door"]),
        ({"connected_account_id": "nobody's"}, []),
        ({"connected_account_ids": ["nobody's"]}, []),
        ({"created_before": to_wire(START)}, []),
        ({"created_before": "2100-01-01"}, ALL),
        ({"custom_metadata_has": {"floor": "1"}}, []),
        ({"include_if": ["can_configure_auto_lock"]}, ["Front Door", "Back Door", "Garage Side Door"]),
        ({"exclude_if": ["can_configure_auto_lock"]}, ALL[3:]),
        ({"include_if": ["can_hvac_cool", "can_hvac_heat"]}, ["Living Room"]),
        *(({parameter: "x"}, []) for parameter in (
            "connect_webview_id", "customer_key", "space_id", "unstable_location_id", "user_identifier_key"
        )),
    ],
    ids=str,
)  # fmt: skip
async def test_filters_of_devices(wire, ask, found):
    """Each filter of a list of devices keeps what fits; what there is none of matches nothing."""
    assert await names(wire, **ask) == found
    assert await names(wire, "/locks/list", **ask) == [name for name in found if name in LOCKS]
    assert await names(wire, "/thermostats/list", **ask) == [name for name in found if name in THERMOSTATS]
    heard = [name for name in found if name in NOISE_SENSORS]
    assert await names(wire, "/noise_sensors/list", **ask) == heard


async def test_double_keys(wire):
    """The older keys of locks hold the same as the newer ones."""
    one = await wire.call("/locks/get", name="Back Door")
    many = await wire.call("/locks/list")
    assert (one["lock"], many["locks"]) == (one["device"], many["devices"])


async def test_a_sensor_is_no_lock(wire):
    """What is no lock is not found among locks, and cannot be unlocked."""
    sensor = await wire.door("Hallway Sensor")
    assert (await wire.ask("POST", "/locks/get", {"device_id": sensor})).status == 404
    refused = await wire.ask("POST", "/locks/unlock_door", {"device_id": sensor})
    assert (refused.status, refused.error["type"]) == (400, "device_type_not_supported")


async def test_a_device_is_asked_for_by_something(wire):
    """Getting a device needs its id or its name; with both, both must fit."""
    refused = await wire.ask("GET", "/devices/get")
    assert refused.error["validation_errors"] == {"_errors": ["Either 'device_id' or 'name' is required"]}
    ask = {"device_id": await wire.door(), "name": "Back Door"}
    assert (await wire.ask("POST", "/devices/get", ask)).status == 404


@pytest.mark.parametrize(
    ("change", "nickname"),
    [
        ({"name": "Mine"}, "Mine"),
        ({"properties": {"name": "Mine"}}, "Mine"),
        ({"name": "Mine", "properties": {"name": "Yours"}}, "Mine"),
        ({"name": None}, None),
        ({"properties": {"name": None}}, None),
        ({"properties": {}}, "Before"),
        ({}, "Before"),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_renaming_a_device(wire, change, nickname, method):
    """A name is set by either parameter, taken back by null, and left alone when it is not given."""
    door = await wire.door()
    await wire.call("/devices/update", device_id=door, name="Before")
    reply = await wire.ask(method, "/devices/update", {"device_id": door, **change})
    assert reply.json == {"ok": True}
    device = (await wire.call("/devices/get", device_id=door))["device"]
    assert device.get("nickname") == nickname
    assert device["display_name"] == device["properties"]["name"] == (nickname or "Front Door")


async def test_renaming_forgets_no_report(wire, monkeypatch):
    """What a device reports while it is being renamed is told once, and what follows too."""
    door = await wire.door()
    store = wire.house.store
    update_device = store.update_device

    async def meanwhile(device: Any, news: Any) -> bool:
        await wire.call("/devices/simulate/disconnect", device_id=door)
        return await update_device(device, news)

    monkeypatch.setattr(store, "update_device", meanwhile)
    await wire.call("/devices/update", device_id=door, name="Renamed")
    await wire.call("/devices/simulate/connect", device_id=door)
    assert await told(wire, device_id=door) == [
        "device.disconnected",
        "device.name_changed",
        "device.connected",
    ]
    assert (await wire.call("/devices/get", device_id=door))["device"]["nickname"] == "Renamed"


@pytest.mark.parametrize("more", [{"k50": True}, {"k" * 501: True, "k0": None}], ids=["keys", "length"])
async def test_custom_metadata_has_a_bound(wire, more):
    """More than a device may carry is refused, however it came together, and changes nothing."""
    door = await wire.door()
    full = {f"k{number}": "x" for number in range(50)}
    await wire.call("/devices/update", device_id=door, custom_metadata=full)
    refused = await wire.ask("POST", "/devices/update", {"device_id": door, "custom_metadata": more})
    assert (refused.status, refused.error["type"]) == (400, "invalid_input")
    await wire.call("/devices/update", device_id=door, custom_metadata={"k0": None, "new": "y"})
    device = (await wire.call("/devices/get", device_id=door))["device"]
    assert device["custom_metadata"] == {**{key: "x" for key in full if key != "k0"}, "new": "y"}


async def test_custom_metadata_is_merged(wire):
    """Values are set by their keys, null erases a key, the others stay; they can be searched by."""
    door = await wire.door()
    await wire.call("/devices/update", device_id=door, custom_metadata={"a": "1", "b": True, "c": "3"})
    await wire.call("/devices/update", device_id=door, custom_metadata={"b": None, "c": "4"})
    device = (await wire.call("/devices/get", device_id=door))["device"]
    assert device["custom_metadata"] == {"a": "1", "c": "4"}
    assert await names(wire, custom_metadata_has={"a": "1", "c": "4"}) == ["Front Door"]
    long = await wire.ask("POST", "/devices/update", {"device_id": door, "custom_metadata": {"a": "x" * 501}})
    assert long.error["message"] == 'Invalid input for "custom_metadata.a"'


async def test_a_device_that_is_handed_over(wire):
    """An unmanaged device is not shown and not commanded, until it is taken back."""
    door = await wire.door()
    await wire.call("/devices/update", device_id=door, is_managed=False)
    assert await names(wire) == ALL[1:]
    assert (await wire.ask("POST", "/devices/get", {"device_id": door})).status == 404
    refused = await wire.ask("POST", "/locks/unlock_door", {"device_id": door})
    assert (refused.status, refused.error["type"]) == (400, "device_unmanaged")
    await wire.call("/devices/update", device_id=door, name="Still there")
    assert await names(wire) == ALL[1:]
    await wire.call("/devices/update", device_id=door, is_managed=True)
    assert (await names(wire))[0] == "Still there"


async def test_updating_an_unknown_device(wire):
    """A device that is not there cannot be changed."""
    refused = await wire.ask("PATCH", "/devices/update", {"device_id": "nobody's"})
    assert (refused.status, refused.error) == (
        404,
        {"type": "device_not_found", "message": "Device not found"},
    )


async def test_sync_waits_for_the_end(wire):
    """With `sync` the answer holds the final attempt; without it a pending one; it is not stored."""
    door = await wire.door("Back Door")
    pending = (await wire.call("/locks/unlock_door", device_id=door, sync=False))["action_attempt"]
    assert (pending["status"], pending["result"]) == ("pending", None)
    final = (await wire.call("/locks/lock_door", device_id=door, sync=True))["action_attempt"]
    assert (final["status"], final["result"]) == ("success", {"was_confirmed_by_device": True})
    stored = await wire.house.store.attempt("w1", final["action_attempt_id"])
    assert stored.ask == {"device_id": door}


async def test_auto_lock_needs_its_delay(wire):
    """Switching automatic locking on needs a delay: a rule about the whole request."""
    refused = await wire.ask(
        "POST", "/locks/configure_auto_lock", {"device_id": "d", "auto_lock_enabled": True}
    )
    words = "auto_lock_delay_seconds is required when auto_lock_enabled is true"
    assert refused.error["validation_errors"] == {"_errors": [words]}


async def told(wire, **ask: Any) -> list[str]:
    return [event["event_type"] for event in (await wire.call("/events/list", **ask))["events"]]


async def test_filters_of_events(wire):
    """Each filter of a list of events keeps what fits, in the order in which it was told."""
    door = await wire.door()
    clock = wire.house.clock
    await wire.call("/devices/simulate/disconnect", device_id=door)
    await clock.advance(1_000_000)
    before = to_wire(clock.now() - 1_000)
    await wire.call("/devices/simulate/connect", device_id=door)
    await clock.advance(1_000_000)
    after = to_wire(clock.now())
    both = ["device.disconnected", "device.connected"]
    event = (await wire.call("/events/get", device_id=door))["event"]
    assert event["event_type"] == "device.connected"
    assert (await wire.call("/events/get", event_id=event["event_id"]))["event"] == event
    for ask, found in (
        ({"device_id": door}, both),
        ({"device_ids": [door, "x"]}, both),
        ({"device_id": "x"}, []),
        ({"event_type": "device.connected"}, both[1:]),
        ({"event_types": both}, both),
        ({"event_ids": [event["event_id"]]}, both[1:]),
        ({"connected_account_id": event["connected_account_id"]}, both),
        ({"since": before}, both[1:]),
        ({"since": after}, []),
        ({"between": [before, after]}, both[1:]),
        ({"between": ["2000-01-01", before]}, both[:1]),
        ({"device_id": door, "limit": 1}, both[:1]),
        ({"device_id": door, "unstable_offset": 1}, both[1:]),
        ({"device_id": door, "space_id": "x"}, []),
        ({"access_code_ids": ["x"]}, []),
    ):
        assert await told(wire, **ask) == found, ask


@pytest.mark.parametrize(
    ("ask", "path", "words"),
    [
        ({}, [], "At least one filter is required, such as 'since', 'between' or 'device_id'"),
        ({"limit": 5}, [], "At least one filter is required, such as 'since', 'between' or 'device_id'"),
        ({"since": "2026-01-01", "between": ["2026-01-01", "2026-01-02"]}, [],
         "Only one of 'since' and 'between' can be given"),
        ({"since": "long ago"}, ["since"], "Invalid datetime"),
        ({"between": ["2026-01-01"]}, ["between"], "Array must contain at least 2 element(s)"),
        ({"space_ids": ["x"] * 101}, ["space_ids"], "Array must contain at most 100 element(s)"),
    ],
    ids=str,
)  # fmt: skip
async def test_refused_lists_of_events(wire, ask, path, words):
    """A list of events needs a filter that makes sense."""
    refused = await wire.ask("POST", "/events/list", ask)
    assert refused.status == 400
    tree = refused.error["validation_errors"]
    for step in path:
        tree = tree[step]
    assert tree["_errors"] == [words]


async def test_refused_gets_of_events(wire):
    """Getting an event needs something to go by; what does not fit is 404 with its own type."""
    refused = await wire.ask("GET", "/events/get")
    assert refused.error["message"] == "One of 'event_id', 'device_id' or 'event_type' is required"
    refused = await wire.ask("GET", "/events/get?event_id=x")
    assert (refused.status, refused.error["type"]) == (404, "event_not_found")


async def test_making_a_workspace(wire):
    """A sandbox begins with devices, another workspace empty; older parameters find their place."""
    for is_sandbox, count in ((True, 9), (False, 0)):
        ask = {
            "name": "New",
            "is_sandbox": is_sandbox,
            "company_name": "Co",
            "organization_id": "o1",
            "webview_logo_shape": "circle",
            "webview_success_message": "Done",
            "connect_webview_customization": {"logo_shape": "square"},
        }
        made = await wire.ask("POST", "/workspaces/create", ask, token=wire.access_token)
        workspace = made.json["workspace"]
        assert workspace == {
            "workspace_id": workspace["workspace_id"],
            "name": "New",
            "company_name": "Co",
            "connect_partner_name": None,
            "connect_webview_customization": {"logo_shape": "square", "success_message": "Done"},
            "is_publishable_key_auth_enabled": False,
            "is_sandbox": is_sandbox,
            "is_suspended": False,
            "organization_id": "o1",
        }
        headers = {"seam-workspace": workspace["workspace_id"]}
        found = await wire.ask("GET", "/devices/list", token=wire.access_token, headers=headers)
        assert len(found.json["devices"]) == count


async def test_changing_a_workspace(wire):
    """What is given changes and is seen at once; the rest stays; null takes a customization back."""
    before = (await wire.call("/workspaces/get"))["workspace"]
    look = {"logo_shape": "circle", "success_message": "Done"}
    await wire.call("/workspaces/update", name="Renamed", connect_webview_customization=look)
    await wire.call("/workspaces/update", connect_webview_customization={"logo_shape": None})
    assert (await wire.call("/workspaces/get"))["workspace"] == before | {
        "name": "Renamed",
        "connect_webview_customization": {"success_message": "Done"},
    }
    reply = await wire.ask("PATCH", "/workspaces/update", {"name": None})
    assert reply.error["message"] == 'Expected string, received null for "name"'


async def test_faults_are_named(wire):
    """A fault that there is not is refused with the names of those that there are."""
    refused = await wire.ask(
        "POST", "/thumbturn/sandbox/inject_fault", {"device_id": await wire.door(), "fault": "gremlins"}
    )
    words = refused.error["validation_errors"]["fault"]["_errors"][0]
    assert words.startswith("Invalid enum value. Expected 'offline' | ")
    assert words.endswith(", received 'gremlins'")


async def test_a_fault_and_its_cure(wire):
    """An injected fault changes what the door does, until it is cleared."""
    door = await wire.door("Back Door")
    ask = {"device_id": door, "sync": True}
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="refuse")
    failed = (await wire.call("/locks/unlock_door", **ask))["action_attempt"]
    assert (failed["status"], failed["error"]["type"]) == ("error", "command_refused")
    await wire.call("/thumbturn/sandbox/clear_faults")
    assert (await wire.call("/locks/unlock_door", **ask))["action_attempt"]["status"] == "success"


async def test_a_door_swings(wire):
    """It stands open until it is closed; what has no door contact has no door to swing."""
    door = await wire.door()
    for is_open in (True, False):
        await wire.call("/thumbturn/sandbox/swing_door", device_id=door, is_open=is_open)
        device = (await wire.call("/devices/get", device_id=door))["device"]
        assert device["properties"]["door_open"] is is_open
    for name in ("Storage Room", "Hallway Sensor"):
        ask = {"device_id": await wire.door(name), "is_open": True}
        refused = await wire.ask("POST", "/thumbturn/sandbox/swing_door", ask)
        assert (refused.status, refused.error["type"]) == (400, "device_type_not_supported")


async def test_sandbox_verbs_elsewhere(wire):
    """Outside a sandbox nothing is simulated, broken, added or reset."""
    _, token = await wire.another_workspace(is_sandbox=False)
    for path, ask in (
        ("/thumbturn/sandbox/add_devices", {}),
        ("/thumbturn/sandbox/clear_faults", {}),
        ("/workspaces/reset_sandbox", {}),
    ):
        refused = await wire.ask("POST", path, ask, token=token)
        assert (refused.status, refused.error["type"]) == (400, "workspace_not_sandbox")
    providers = await wire.ask("GET", "/devices/list_device_providers", token=token)
    assert providers.json["device_providers"] == []


@pytest.mark.parametrize(
    ("ask", "count"), [({}, 1), ({"provider_category": "stable"}, 1), ({"provider_category": "cameras"}, 0)]
)
async def test_providers(wire, ask, count):
    """A sandbox has one provider, in its own categories."""
    assert len((await wire.call("/devices/list_device_providers", **ask))["device_providers"]) == count


async def test_added_devices_can_be_used(wire):
    """Added devices are there at once, of the kind and number that was asked for."""
    ids = (await wire.call("/thumbturn/sandbox/add_devices", count=3, kind="sensor"))["device_ids"]
    found = (await wire.call("/devices/list", device_ids=ids))["devices"]
    assert [device["device_type"] for device in found] == ["minut_sensor"] * 3
