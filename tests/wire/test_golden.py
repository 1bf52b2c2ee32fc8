"""The documents' own samples, letter for letter, and what each resource looks like."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from thumbturn.api.table import endpoints
from thumbturn.api.wire.device import Device, device_json
from thumbturn.domain.attempt import Attempt, Phase
from thumbturn.domain.evidence import Evidence
from thumbturn.engine.meters import AttemptMeters, RecordMeters

SAMPLE = Attempt(
    id="f7d02670-128a-49f1-b615-b44a2808e5c4",
    workspace_id="w1",
    action_type="UNLOCK_DOOR",
    lane="august_device_1",
    device_id="august_device_1",
    connected_account_id="account",
    ask={"device_id": "august_device_1"},
    phase=Phase.SUCCEEDED,
    accepted_at=1,
    deadline_at=2,
    settled_at=2,
    evidence=Evidence.STATE_REPORT,
    result={},
)


class SampleEngine:
    """Stands where the engine stands, and accepts the attempt of the documents."""

    def __init__(self) -> None:
        self.meters, self.records = AttemptMeters(), RecordMeters()

    async def begin(self, *_: Any, **__: Any) -> Attempt:
        return SAMPLE._replace(
            id="e685a885-5f16-4b4d-acd1-22f5c00c6786",
            phase=Phase.QUEUED,
            result=None,
            settled_at=None,
        )


GET_200 = {
    "action_attempt": {
        "status": "success",
        "action_attempt_id": "f7d02670-128a-49f1-b615-b44a2808e5c4",
        "action_type": "UNLOCK_DOOR",
        "result": {},
        "error": None,
    },
    "ok": True,
}
UNLOCK_200 = {
    "action_attempt": {
        "status": "pending",
        "action_type": "UNLOCK_DOOR",
        "action_attempt_id": "e685a885-5f16-4b4d-acd1-22f5c00c6786",
        "result": None,
        "error": None,
    },
    "ok": True,
}
GET_404 = {
    "type": "action_attempt_not_found",
    "message": "action_attempt not found",
    "data": {"action_attempt_id": "f7d02670-123a-49f1-b615-b44a2808e5c4"},
}
UNLOCK_404 = {"type": "device_not_found", "message": "Device not found"}


def missing(name: str) -> dict[str, Any]:
    """The documents' 400 for a missing parameter."""
    return {
        "type": "invalid_input",
        "message": f'Required for provided "{name}"',
        "validation_errors": {"_errors": [], name: {"_errors": ["Required"]}},
    }


async def test_get_an_attempt(wire):
    """`/action_attempts/get` answers as documented: found, missing its parameter, unknown."""
    await wire.house.store.accept(SAMPLE)
    path = "/action_attempts/get"
    found = await wire.ask("GET", f"{path}?action_attempt_id={SAMPLE.id}")
    assert (found.status, found.json) == (200, GET_200)
    refused = await wire.ask("GET", path)
    assert (refused.status, refused.error) == (400, missing("action_attempt_id"))
    unknown = await wire.ask("GET", f"{path}?action_attempt_id={GET_404['data']['action_attempt_id']}")
    assert (unknown.status, unknown.error) == (404, GET_404)


async def test_unlock_a_door(wire):
    """`/locks/unlock_door` answers as documented: accepted, missing its parameter, unknown."""
    path = "/locks/unlock_door"
    unknown = await wire.ask("POST", path, {"device_id": "nobody's"})
    assert (unknown.status, unknown.error) == (404, UNLOCK_404)
    refused = await wire.ask("POST", path, {})
    assert (refused.status, refused.error) == (400, missing("device_id"))
    wire.speak_for(SampleEngine())
    accepted = await wire.ask("POST", path, {"device_id": "august_device_1"})
    assert (accepted.status, accepted.json) == (200, UNLOCK_200)


async def test_a_failed_attempt_says_why(wire):
    """An attempt that ended badly has `error` with a type and a message, `result` null, and is a 200."""
    failed = SAMPLE._replace(
        phase=Phase.FAILED, result=None, failure=("lock_jammed", "The bolt did not move.")
    )
    await wire.house.store.accept(failed)
    assert await wire.call("/action_attempts/get", action_attempt_id=SAMPLE.id) == {
        "action_attempt": {
            "action_attempt_id": SAMPLE.id,
            "action_type": "UNLOCK_DOOR",
            "status": "error",
            "result": None,
            "error": {"type": "lock_jammed", "message": "The bolt did not move."},
        }
    }


async def test_a_device(wire):
    """A lock that has everything, online."""
    device = (await wire.call("/devices/get", name="Front Door"))["device"]
    assert device == {
        "device_id": device["device_id"],
        "workspace_id": "w1",
        "connected_account_id": device["connected_account_id"],
        "device_type": "august_lock",
        "display_name": "Front Door",
        "capabilities_supported": ["access_code", "lock", "battery"],
        "properties": {
            "online": True,
            "name": "Front Door",
            "appearance": {"name": "Front Door"},
            "model": {
                "display_name": "Virtual Lock Plus",
                "manufacturer_display_name": "Virtual",
                "has_built_in_keypad": True,
            },
            "manufacturer": "unknown",
            "serial_number": device["properties"]["serial_number"],
            "has_direct_power": False,
            "locked": True,
            "door_open": False,
            "auto_lock_enabled": False,
            "auto_lock_delay_seconds": 30,
            "battery_level": 1.0,
            "battery": {"level": 1.0, "status": "full"},
            "supported_code_lengths": [4, 5, 6, 7, 8],
            "max_active_codes_supported": 250,
            "code_constraints": [],
            "supports_backup_access_code_pool": True,
            "backup_access_code_pool_enabled": False,
            "has_native_entry_events": True,
        },
        "location": {"location_name": "Virtual Home", "time_zone": "Etc/UTC"},
        "errors": [],
        "warnings": [],
        "custom_metadata": {},
        "space_ids": [],
        "is_managed": True,
        "created_at": "2025-01-01T00:00:00.000Z",
        "can_remotely_lock": True,
        "can_remotely_unlock": True,
        "can_configure_auto_lock": True,
        "can_unlock_with_code": True,
        "can_program_online_access_codes": True,
        "can_simulate_connection": False,
        "can_simulate_disconnection": True,
        "can_simulate_removal": True,
        "can_simulate_hub_connection": False,
        "can_simulate_hub_disconnection": True,
        "can_simulate_paid_subscription": True,
    }


async def test_an_offline_device(wire):
    """Offline, its flags are false, nobody says where its bolt is, and an error says since when."""
    door = await wire.door()
    await wire.call("/devices/simulate/disconnect", device_id=door)
    device = (await wire.call("/devices/get", device_id=door))["device"]
    assert [error["error_code"] for error in device["errors"]] == ["device_disconnected"]
    assert device["errors"][0]["created_at"] == "2025-01-01T00:00:00.000Z"
    assert device["errors"][0]["is_device_error"] is True
    assert device["properties"]["online"] is False
    assert "locked" not in device["properties"]
    assert {flag: value for flag, value in device.items() if flag.startswith("can_")} == {
        "can_remotely_lock": False,
        "can_remotely_unlock": False,
        "can_configure_auto_lock": False,
        "can_unlock_with_code": False,
        "can_program_online_access_codes": False,
        "can_simulate_connection": True,
        "can_simulate_disconnection": False,
        "can_simulate_removal": True,
        "can_simulate_hub_connection": False,
        "can_simulate_hub_disconnection": True,
        "can_simulate_paid_subscription": True,
    }


async def test_a_removed_device(wire):
    """A removed device says so."""
    door = await wire.door()
    await wire.call("/devices/simulate/remove", device_id=door)
    device = (await wire.call("/devices/get", device_id=door))["device"]
    assert [error["error_code"] for error in device["errors"]] == ["device_disconnected", "device_removed"]
    assert device["can_simulate_removal"] is False


async def test_what_cannot_be_locked_has_no_flags_of_a_lock(wire):
    """A flag that is absent means: not supported."""
    sensor = (await wire.call("/devices/get", name="Hallway Sensor"))["device"]
    assert [flag for flag in sensor if flag.startswith("can_") and "simulate" not in flag] == []
    assert sensor["capabilities_supported"] == ["battery"]
    assert sensor["properties"]["battery"] == {"level": 0.87, "status": "good"}
    temperatures = {key: value for key, value in sensor["properties"].items() if "temperature" in key}
    assert temperatures == {"temperature_celsius": 21.0, "temperature_fahrenheit": 69.8}


@pytest.mark.parametrize(
    ("level", "word"),
    [(0.0, "critical"), (0.09, "critical"), (0.1, "low"), (0.25, "good"), (0.95, "full"), (1.0, "full")],
)
async def test_battery_in_words(wire, level, word):
    """How full a battery is has a word too."""
    device = await wire.house.device("Hallway Sensor")
    json = device_json(replace(device, state={**device.state, "battery_level": level}), is_sandbox=True)
    assert json["properties"]["battery"] == {"level": level, "status": word}


async def test_a_device_of_which_little_is_known(wire):
    """A device without details still has every key that the contract requires."""
    device = await wire.house.device("Hallway Sensor")
    json = device_json(replace(device, details={}, state={}), is_sandbox=False)
    TypeAdapter(Device).validate_python(json, strict=True)
    assert json["properties"]["model"] == {
        "display_name": "minut_sensor",
        "manufacturer_display_name": "Unknown",
    }
    assert json["errors"][0]["created_at"] == json["created_at"]


async def test_events_of_an_unlock(wire):
    """An unlock is told twice, with attempt and device: the bolt's move, and the attempt's end."""
    door = await wire.door("Back Door")
    attempt = (await wire.call("/locks/unlock_door", device_id=door))["action_attempt"]
    await wire.house.clock.advance(5_000_000)
    events = (await wire.call("/events/list", device_id=door))["events"]
    common = {
        "workspace_id": "w1",
        "created_at": "2025-01-01T00:00:00.000Z",
        "occurred_at": "2025-01-01T00:00:00.000Z",
        "device_id": door,
        "connected_account_id": events[0]["connected_account_id"],
        "action_attempt_id": attempt["action_attempt_id"],
    }
    moments = {"created_at", "occurred_at"}
    assert [
        {key: value for key, value in event.items() if key not in moments | {"event_id"}} for event in events
    ] == [
        {key: value for key, value in each.items() if key not in moments}
        for each in (
            common | {"event_type": "lock.unlocked", "method": "remote"},
            common
            | {
                "event_type": "action_attempt.unlock_door.succeeded",
                "action_type": "UNLOCK_DOOR",
                "status": "success",
            },
        )
    ]
    assert all(event[moment].endswith("Z") for event in events for moment in moments)


async def test_a_timeline(wire):
    """The timeline has each stage once, in order, to the microsecond, with its evidence."""
    door = await wire.door("Back Door")
    attempt = (await wire.call("/locks/unlock_door", device_id=door))["action_attempt"]
    await wire.house.clock.advance(5_000_000)
    timeline = (
        await wire.call("/thumbturn/attempts/timeline", action_attempt_id=attempt["action_attempt_id"])
    )["timeline"]
    assert timeline["accepted_at"] == "2025-01-01T00:00:00.000000Z"
    assert timeline["deadline_at"] == "2025-01-01T00:00:30.000000Z"
    assert timeline["phase"] == "succeeded"
    stages = [stage["stage"] for stage in timeline["stages"]]
    assert stages[:2] == ["accepted", "sent"]
    assert stages[-1] == "settled"
    assert timeline["late"] == []


READS = [
    ("/devices/get", {"name": "Front Door"}),
    ("/devices/list", {}),
    ("/devices/list_device_providers", {}),
    ("/locks/get", {"name": "Front Door"}),
    ("/locks/list", {}),
    ("/noise_sensors/list", {}),
    ("/spaces/list", {}),
    ("/spaces/get_related", {"space_keys": ["101"]}),
    ("/access_grants/list", {}),
    ("/access_grants/get_related", {"access_grant_keys": ["stay"]}),
    ("/access_methods/list", {}),
    ("/acs/entrances/list", {}),
    ("/events/list", {"since": "2000-01-01T00:00:00Z"}),
    ("/action_attempts/list", {}),
    ("/workspaces/get", {}),
    ("/workspaces/list", {}),
    ("/thumbturn/keys/list", {}),
    ("/thumbturn/keys/create", {"name": "n"}),
    ("/thumbturn/sandbox/add_devices", {"count": 2}),
]


@pytest.mark.parametrize(("path", "ask"), READS, ids=[path for path, _ in READS])
async def test_answers_have_the_shape_that_is_documented(wire, path, ask):
    """An answer has exactly the keys of its endpoint, each of the shape that OpenAPI shows."""
    door = await wire.door()
    entrances = [
        each["acs_entrance_id"] for each in (await wire.call("/acs/entrances/list"))["acs_entrances"]
    ]
    inside = {"device_ids": [door], "acs_entrance_ids": entrances}
    await wire.call("/spaces/create", name="Room", space_key="101", **inside)
    ways = [{"mode": mode} for mode in ("code", "card", "cloud_key")]
    whose = {"user_identity": {"full_name": "Jane"}, "access_grant_key": "stay"}
    await wire.call("/access_grants/create", **whose, **inside, requested_access_methods=ways)
    await wire.call("/locks/unlock_door", device_id=door)
    await wire.call("/devices/simulate/disconnect", device_id=door)
    await wire.house.clock.advance(40_000_000)
    answer = await wire.call(path, **ask)
    shapes = endpoints()[path].answers
    assert list(answer) == list(shapes)
    for key, shape in shapes.items():
        TypeAdapter(shape).validate_python(answer[key], strict=True)
