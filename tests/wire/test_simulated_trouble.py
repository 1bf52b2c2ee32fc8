"""What a sandbox can have happen to a device: its hub loses it, its maker wants to be paid."""

from __future__ import annotations

from typing import Any

from tests.fixtures.wire import Wire
from thumbturn.domain.clock import seconds, to_wire
from thumbturn.engine.ports import EventFilter

LOSE, FIND = "/devices/simulate/disconnect_from_hub", "/devices/simulate/connect_to_hub"
OWE = "/devices/simulate/paid_subscription"


async def told(wire: Wire, *event_types: str) -> list[Any]:
    """The events of these types that the workspace was told."""
    return await wire.house.store.events("w1", EventFilter(event_types=event_types), limit=99)


async def shown(wire: Wire, device_id: str) -> Any:
    """The device as the wire has it."""
    return (await wire.call("/devices/get", device_id=device_id))["device"]


async def test_a_device_that_its_hub_has_lost(wire: Wire):
    """It is offline because of its hub, which is told once; found again, it says how it is."""
    door = await wire.door()
    for _ in range(2):
        await wire.call(LOSE, device_id=door)
        await wire.house.clock.advance(seconds(1))
    device = await shown(wire, door)
    assert [error["error_code"] for error in device["errors"]] == ["hub_disconnected"]
    assert device["errors"][0]["is_device_error"] is True
    assert device["can_remotely_unlock"] is False
    assert (device["can_simulate_hub_connection"], device["can_simulate_hub_disconnection"]) == (True, False)
    attempt = (await wire.call("/locks/unlock_door", device_id=door, sync=True))["action_attempt"]
    assert attempt["error"]["type"] == "device_offline"
    await wire.call(FIND, device_id=door)
    device = await shown(wire, door)
    assert (device["errors"], device["can_remotely_unlock"]) == ([], True)
    events = await told(wire, "device.connected", "device.disconnected")
    assert [event.event_type for event in events] == ["device.disconnected", "device.connected"]
    assert events[0].payload["error_code"] == "hub_disconnected"
    assert [error["error_code"] for error in events[0].payload["device_errors"]] == ["hub_disconnected"]
    assert events[0].payload["connected_account_errors"] == []


async def test_a_lost_device_is_lost_after_a_crash(wire: Wire):
    """The next process finds it lost by its hub, and `connect` brings it back whatever kept it off."""
    door = await wire.door()
    await wire.call(LOSE, device_id=door)
    await wire.house.revive()
    wire.speak_for(wire.house.engine)
    assert (await shown(wire, door))["errors"][0]["error_code"] == "hub_disconnected"
    await wire.call("/devices/simulate/connect", device_id=door)
    assert (await shown(wire, door))["errors"] == []


async def test_a_device_that_is_not_paid_for(wire: Wire):
    """Until its subscription is paid it stays online and takes no command; both are told once."""
    door = await wire.door("Storage Room")
    since = to_wire(wire.house.clock.now())
    for _ in range(2):
        await wire.call(OWE, device_id=door, is_expired=True)
        await wire.house.clock.advance(seconds(1))
    device = await shown(wire, door)
    [error] = device["errors"]
    assert (error["error_code"], error["created_at"]) == ("subscription_required", since)
    assert error["is_device_error"] is True
    assert device["properties"]["online"] is True
    assert device["can_remotely_lock"] is False
    attempt = (await wire.call("/locks/unlock_door", device_id=door, sync=True))["action_attempt"]
    assert attempt["error"]["type"] == "subscription_required"
    await wire.house.revive()
    wire.speak_for(wire.house.engine)
    assert [each["error_code"] for each in (await shown(wire, door))["errors"]] == ["subscription_required"]
    await wire.call(OWE, device_id=door, is_expired=False)
    device = await shown(wire, door)
    assert (device["errors"], device["can_remotely_lock"]) == ([], True)
    attempt = (await wire.call("/locks/unlock_door", device_id=door, sync=True))["action_attempt"]
    assert attempt["status"] == "success"
    word = "device.error.subscription_required"
    events = await told(wire, word, f"{word}.resolved")
    assert [event.event_type for event in events] == [word, f"{word}.resolved"]
    assert events[0].payload["device_errors"] == [error]


async def test_a_device_with_two_troubles_names_the_greater(wire: Wire):
    """Lost by its hub while it was disconnected, it says so; and is offline until both are over."""
    door = await wire.door()
    await wire.call("/devices/simulate/disconnect", device_id=door)
    await wire.call(LOSE, device_id=door)
    assert (await shown(wire, door))["errors"][0]["error_code"] == "hub_disconnected"
    await wire.call(FIND, device_id=door)
    assert (await shown(wire, door))["errors"][0]["error_code"] == "device_disconnected"
    assert len(await told(wire, "device.disconnected")) == 1
    assert await told(wire, "device.connected") == []
