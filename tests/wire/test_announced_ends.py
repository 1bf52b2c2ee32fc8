"""Attempt events beyond the contract's four types, as callers choose and read them."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from tests.fixtures.sse import Reading
from tests.fixtures.wire import Wire
from thumbturn.actions import load
from thumbturn.api.openapi import openapi
from thumbturn.api.table import endpoints
from thumbturn.api.wire.vocabulary import EventType
from thumbturn.domain.clock import seconds

CHOSEN = {"announced_action_types": ["SET_FAN_MODE"]}
TOLD = "action_attempt.set_fan_mode.succeeded"
SINCE = {"since": "2000-01-01T00:00:00Z"}


async def set_fan(wire: Wire) -> str:
    """The id of an attempt to have a fan run, once it has ended."""
    fan = await wire.door("Living Room")
    answer = await wire.call("/thermostats/set_fan_mode", device_id=fan, fan_mode_setting="on")
    await wire.house.clock.advance(seconds(5))
    id: str = answer["action_attempt"]["action_attempt_id"]
    return id


async def test_a_chosen_end_is_an_event_like_those_of_doors(wire: Wire):
    """It is listed and got with the keys of the event of a door, and filtered for."""
    await wire.call("/thumbturn/workspaces/update", **CHOSEN)
    id = await set_fan(wire)
    [event] = (await wire.call("/events/list", **SINCE, event_type=TOLD))["events"]
    assert (
        event.items() >= {"action_attempt_id": id, "action_type": "SET_FAN_MODE", "status": "success"}.items()
    )
    assert event["device_id"] == await wire.door("Living Room")
    await wire.call("/locks/unlock_door", device_id=await wire.door())
    await wire.house.clock.advance(seconds(5))
    of_door = "action_attempt.unlock_door.succeeded"
    [other] = (await wire.call("/events/list", **SINCE, event_types=[of_door]))["events"]
    assert event.keys() == other.keys()
    got = await wire.call("/events/get", event_id=event["event_id"])
    assert got["event"] == event


async def test_a_chosen_end_goes_over_the_stream(wire: Wire):
    """Who follows the stream is told it, also who wants nothing else."""
    await wire.call("/thumbturn/workspaces/update", **CHOSEN)
    reading = await Reading(wire, query=f"event_type={TOLD}").settle()
    await set_fan(wire)
    assert [type for _, type in reading.told] == [TOLD]
    await reading.close()


async def test_a_webhook_can_be_for_chosen_ends(wire: Wire):
    """A webhook takes the events of every type of attempt there is."""
    types = [f"action_attempt.{type.lower()}.{end}" for type in load() for end in ("succeeded", "failed")]
    webhook = (await wire.call("/webhooks/create", url="https://example.com/hook", event_types=types))[
        "webhook"
    ]
    assert sorted(webhook["event_types"]) == sorted(types)


async def test_what_was_chosen_is_shown_and_taken_back(wire: Wire):
    """A choice stays until there is another; what is not given stays."""
    shown = (await wire.call("/thumbturn/workspaces/get"))["workspace"]
    assert shown == {"workspace_id": "w1", "required_evidence": "radio_ack", "announced_action_types": []}
    await wire.call("/thumbturn/workspaces/update", **CHOSEN)
    await wire.call("/thumbturn/workspaces/update", required_evidence="state_report")
    await wire.call("/workspaces/update", name="Hotel")
    shown = (await wire.call("/thumbturn/workspaces/get"))["workspace"]
    assert shown == {"workspace_id": "w1", "required_evidence": "state_report", **CHOSEN}
    await wire.call("/thumbturn/workspaces/update", announced_action_types=[])
    await set_fan(wire)
    assert (await wire.call("/events/list", **SINCE, event_type=TOLD))["events"] == []


@pytest.mark.parametrize("types", [["SET_FIRE"], ["SET_FAN_MODE", "set_fan_mode"], ["**"]])
async def test_an_unknown_type_is_refused(wire: Wire, types):
    """A type that there is not is named, and nothing is chosen then."""
    reply = await wire.ask("POST", "/thumbturn/workspaces/update", {"announced_action_types": types})
    assert reply.status == 400
    assert types[-1] in reply.error["message"]
    shown = (await wire.call("/thumbturn/workspaces/get"))["workspace"]
    assert shown["announced_action_types"] == []


def test_every_end_has_its_event_type():
    """Filters and the API's description know the events of every action that there is, and the contract's."""
    known = get_args(EventType)
    assert len(known) == len(set(known))
    described = json.dumps(openapi(endpoints()))
    for type in load():
        for end in ("succeeded", "failed"):
            assert f"action_attempt.{type.lower()}.{end}" in known
            assert f'"action_attempt.{type.lower()}.{end}"' in described
    assert {"lock.unlocked", "webhook.disabled"} <= set(known)
