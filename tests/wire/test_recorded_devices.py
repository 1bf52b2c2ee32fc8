"""Recorded devices as virtual ones: a sandbox has them to try a program on, without the hardware."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from tests.fixtures.hubs import real_home
from tests.fixtures.wire import Wire
from thumbturn.domain.clock import MILLISECOND, seconds
from thumbturn.engine.shipped import names, shipped

ADD = "/thumbturn/sandbox/add_recorded_device"


async def added(wire: Wire, **ask: Any) -> Any:
    """The device that was added."""
    device_id = (await wire.call(ADD, **ask))["device_id"]
    return (await wire.call("/devices/get", device_id=device_id))["device"]


@pytest.mark.parametrize("name", names())
async def test_every_shipped_recording_is_a_device_to_try(wire: Wire, name: str):
    """Each recorded device can be had: online, with what it can do, and it does as it is told."""
    device = await added(wire, recording=name)
    given = shipped(name)["device"]
    assert (device["device_type"], device["properties"]["online"]) == (given["device_type"], True)
    kept = await wire.house.store.device("w1", device["device_id"])
    assert {**kept.details, **given["details"]} == kept.details
    if "lock" in given["capabilities"]:
        path, more = "/locks/unlock_door", {}
    else:
        path, more = "/thermostats/heat", {"heating_set_point_celsius": 21.0}
    begun = await wire.call(path, device_id=device["device_id"], **more)
    await wire.house.clock.advance(seconds(5))
    attempt = await wire.call(
        "/action_attempts/get", action_attempt_id=begun["action_attempt"]["action_attempt_id"]
    )
    assert attempt["action_attempt"]["status"] == "success", attempt
    if "lock" in given["capabilities"]:
        assert attempt["action_attempt"]["result"]["was_confirmed_by_device"] is True


async def test_it_takes_as_long_and_answers_as_it_did(wire: Wire):
    """A lock that was slow and confirmed by a report is so here: success comes when its motor has run."""
    device = await added(wire, recording="zwave_js/schlage_be469zp")
    begun = await wire.call("/locks/unlock_door", device_id=device["device_id"])
    id = begun["action_attempt"]["action_attempt_id"]

    async def status() -> str:
        return str(
            (await wire.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]["status"]
        )

    await wire.house.clock.advance(1_400 * MILLISECOND)
    assert await status() == "pending"
    await wire.house.clock.advance(400 * MILLISECOND)
    assert await status() == "success"
    timeline = await wire.call("/thumbturn/attempts/timeline", action_attempt_id=id)
    assert "device_accepted" not in json.dumps(timeline)


async def test_ones_own_recording_is_one_too(wire: Wire):
    """A recording that somebody made himself can be given whole."""
    device = await added(wire, trace=shipped("zigbee2mqtt/yale_yrd226"))
    assert device["properties"]["supported_code_lengths"] == [4, 5, 6, 7, 8]


def spoiled(**changes: Any) -> dict[str, Any]:
    """A recording with something else in it."""
    return {**deepcopy(shipped("zwave_js/schlage_be469")), **changes}


@pytest.mark.parametrize(
    ("ask", "status", "type"),
    [
        ({}, 400, "invalid_input"),
        ({"recording": "zwave_js/schlage_be469", "trace": {}}, 400, "invalid_input"),
        ({"recording": "zwave_js/nobody"}, 404, "no_such_recording"),
        ({"recording": "../recorded/zwave_js/schlage_be469"}, 404, "no_such_recording"),
        ({"trace": {}}, 400, "recording_not_understood"),
        ({"trace": spoiled(version=2)}, 400, "recording_not_understood"),
        ({"trace": spoiled(version=[])}, 400, "recording_not_understood"),
        ({"trace": spoiled(driver=7)}, 400, "recording_not_understood"),
        ({"trace": spoiled(device={"device_type": "zwave_lock"})}, 400, "recording_not_understood"),
        (
            {"trace": spoiled(device={"device_type": "zwave_lock", "capabilities": ["battery"]})},
            400,
            "recording_not_understood",
        ),
        ({"trace": spoiled(scenes={})}, 400, "recording_not_understood"),
        ({"trace": spoiled(scenes=[{"name": "found"}])}, 400, "recording_not_understood"),
        ({"trace": spoiled(scenes=[{"name": "found", "lines": [7]}])}, 400, "recording_not_understood"),
        (
            {"trace": spoiled(scenes=[{"name": "found", "lines": [{"at": 0}] * 20_001}])},
            400,
            "recording_not_understood",
        ),
        (
            {"trace": spoiled(scenes=[{"name": "x", "lines": [{"at": 1, "observed": [1]}]}])},
            400,
            "recording_not_understood",
        ),
        (
            {"trace": spoiled(scenes=[{"name": "x", "lines": [{"at": 1, "outcome": {}, "id": []}]}])},
            400,
            "recording_not_understood",
        ),
    ],
)
async def test_what_is_no_recording_is_refused(wire: Wire, ask: dict[str, Any], status: int, type: str):
    """What is no recording of a known device has its own refusal, and adds nothing."""
    before = len((await wire.call("/devices/list"))["devices"])
    reply = await wire.ask("POST", ADD, ask)
    assert (reply.status, reply.error["type"]) == (status, type)
    assert len((await wire.call("/devices/list"))["devices"]) == before


async def test_it_is_for_sandboxes_only(wire: Wire):
    """Where doors are real none is made up."""
    home = await real_home(wire)
    refused = await home.refused(ADD, recording="zwave_js/schlage_be469")
    assert refused[:2] == (400, "workspace_not_sandbox")
