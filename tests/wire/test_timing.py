"""``deadline_seconds``, ``not_before`` and cancelling, as callers speak of them."""

from __future__ import annotations

import asyncio

import pytest

from thumbturn.domain.clock import seconds, to_wire

#: The test's clock stands here.
NOW = "2025-01-01T00:00:00Z"
WITHOUT_ZONE = "A moment must name its time zone, as in 2030-01-31T08:00:00Z"


async def refusal(wire, **ask):
    """The error of an unlock with these parameters."""
    reply = await wire.ask("POST", "/locks/unlock_door", {"device_id": await wire.door(), **ask})
    assert reply.status == 400
    return reply.error


async def times(wire, attempt):
    """The moments in the attempt's timeline."""
    timeline = await wire.call("/thumbturn/attempts/timeline", action_attempt_id=attempt["action_attempt_id"])
    return {key: timeline["timeline"][key] for key in ("accepted_at", "not_before", "deadline_at")}


@pytest.mark.parametrize(
    ("ask", "wanted"),
    [
        ({}, (None, "00:00:30")),
        ({"deadline_seconds": 1}, (None, "00:00:01")),
        ({"deadline_seconds": 3_600}, (None, "01:00:00")),
        ({"not_before": "2025-01-01T02:00:00+01:00"}, ("01:00:00", "01:00:30")),
        ({"not_before": "2025-01-01T01:00:00Z", "deadline_seconds": 60}, ("01:00:00", "01:01:00")),
    ],
)
async def test_the_deadline_counts_from_not_before_or_from_acceptance(wire, ask, wanted):
    """Without a word of the caller's it is the action's own."""
    attempt = (await wire.call("/locks/unlock_door", device_id=await wire.door(), **ask))["action_attempt"]
    found = await times(wire, attempt)
    assert (found["not_before"] and found["not_before"][11:19], found["deadline_at"][11:19]) == wanted


async def test_a_week_is_the_longest_deadline(wire):
    """604,800 seconds are taken, and neither one more nor none."""
    ask = {"device_id": await wire.door(), "deadline_seconds": 604_800}
    attempt = (await wire.call("/locks/unlock_door", **ask))["action_attempt"]
    assert (await times(wire, attempt))["deadline_at"].startswith("2025-01-08T00:00:00")
    for wrong, said in (
        (604_801, "less than or equal to 604800"),
        (0, "greater than or equal to 1"),
        (1.5, "integer"),
    ):
        assert said in (await refusal(wire, deadline_seconds=wrong))["message"]
    assert "Expected number, received null" in (await refusal(wire, deadline_seconds=None))["message"]


@pytest.mark.parametrize(
    ("not_before", "said"),
    [
        (
            "2025-01-01T01:00:00",
            'A moment must name its time zone, as in 2030-01-31T08:00:00Z for "not_before"',
        ),
        ("tomorrow", 'Invalid datetime for "not_before"'),
        (1_735_689_600, 'Expected string, received number for "not_before"'),
        ("2024-12-31T23:58:59Z", 'Must not be in the past for "not_before"'),
        ("2025-02-01T00:00:01Z", 'Must be at most 31 days ahead for "not_before"'),
        ("0001-01-01T00:00:00Z", 'Must not be in the past for "not_before"'),
        ("9999-12-31T23:59:59Z", 'Must be at most 31 days ahead for "not_before"'),
        ("0001-01-01T00:00:00+14:00", 'Invalid datetime for "not_before"'),
        ("9999-12-31T23:59:59-14:00", 'Invalid datetime for "not_before"'),
    ],
)
async def test_a_moment_that_makes_no_sense_is_refused(wire, not_before, said):
    """Past, too far away, without a zone, or no moment at all: 400, and nothing begins."""
    assert (await refusal(wire, not_before=not_before))["message"] == said
    assert (await wire.call("/action_attempts/list"))["action_attempts"] == []


@pytest.mark.parametrize("not_before", [NOW, "2024-12-31T23:59:30Z"])
async def test_now_is_no_time_ago(wire, not_before):
    """A request takes its time, and clocks differ: what was now a moment ago is still now."""
    ask = {"device_id": (await wire.house.lock()).id, "not_before": not_before, "sync": True}
    assert (await wire.call("/locks/unlock_door", **ask))["action_attempt"]["status"] == "success"


async def test_the_words_are_no_part_of_what_was_asked(wire):
    """They are about the time, and the explanation shows what the device shall do."""
    ask = {"device_id": await wire.door(), "deadline_seconds": 5, "not_before": "2025-01-01T01:00:00Z"}
    attempt = (await wire.call("/locks/unlock_door", **ask))["action_attempt"]
    found = await wire.call("/thumbturn/attempts/explain", action_attempt_id=attempt["action_attempt_id"])
    assert found["explanation"]["parameters"] == {"device_id": ask["device_id"]}
    assert found["explanation"]["cause"] == "It waits: it shall not be sent before 2025-01-01T01:00:00.000Z."


async def test_every_action_takes_them(wire):
    """Also one that is about no device."""
    later = to_wire(wire.house.clock.now() + seconds(3_600))
    await wire.call("/locks/configure_auto_lock", device_id=await wire.door("Back Door"),
                    auto_lock_enabled=False, not_before=later)  # fmt: skip
    await wire.call("/workspaces/reset_sandbox", not_before=later)
    assert {each["status"] for each in (await wire.call("/action_attempts/list"))["action_attempts"]} == {
        "pending"
    }
    await wire.house.clock.advance(seconds(3_601))
    found = (await wire.call("/action_attempts/list"))["action_attempts"]
    assert "success" in {each["status"] for each in found}


async def test_cancelling_on_the_wire(wire):
    """Once it answers with the ended attempt; then it is too late, and the refusal says how it stands."""
    later = to_wire(wire.house.clock.now() + seconds(3_600))
    begun = await wire.call("/locks/unlock_door", device_id=await wire.door(), not_before=later)
    ask = {"action_attempt_id": begun["action_attempt"]["action_attempt_id"]}
    headers = {"thumbturn-actor": "Ada"}
    reply = await wire.ask("POST", "/thumbturn/attempts/cancel", ask, headers=headers)
    assert reply.json["action_attempt"] == begun["action_attempt"] | {
        "status": "error",
        "error": {
            "type": "cancelled",
            "message": "The attempt was cancelled before it was sent. The device has not acted.",
        },
    }
    [*_, last] = (await wire.call("/thumbturn/attempts/timeline", **ask))["timeline"]["stages"]
    assert last["note"] == f"cancelled by Ada, key {wire.key.id}"
    again = await wire.ask("POST", "/thumbturn/attempts/cancel", ask)
    assert (again.status, again.error) == (
        409,
        {
            "type": "too_late_to_cancel",
            "message": "The attempt has ended already: error",
            "data": ask | {"status": "error"},
        },
    )


async def test_cancelling_what_was_sent_or_never_was(wire):
    """409 for the one, 404 for the other."""
    door = await wire.house.lock(travel=1_000)
    sent = (await wire.call("/locks/unlock_door", device_id=door.id))["action_attempt"]
    reply = await wire.ask(
        "POST", "/thumbturn/attempts/cancel", {"action_attempt_id": sent["action_attempt_id"]}
    )
    assert (reply.status, reply.error["data"]["status"]) == (409, "pending")
    assert "sent already" in reply.error["message"]
    unknown = await wire.ask("POST", "/thumbturn/attempts/cancel", {"action_attempt_id": "unknown"})
    assert (unknown.status, unknown.error["type"]) == (404, "action_attempt_not_found")


async def test_nobody_waits_longer_than_a_minute(wire):
    """More than 60 s is cut to 60, and ``sync`` waits as long; the answer says what was applied."""
    later = to_wire(wire.house.clock.now() + seconds(3_600))
    for prefer, more in (("wait=600", {}), ("", {"sync": True})):
        ask = {"device_id": await wire.door(), "not_before": later, **more}
        asking = asyncio.create_task(wire.ask("POST", "/locks/unlock_door", ask, headers={"prefer": prefer}))
        await wire.house.clock.advance(seconds(59.9))
        assert not asking.done()
        await wire.house.clock.advance(seconds(0.2))
        assert (await asking).headers.get("preference-applied") == ((prefer and "wait=60") or None)
        assert (await asking).json["action_attempt"]["status"] == "pending"
