"""``/thumbturn/attempts/batch`` as callers speak to it."""

from __future__ import annotations

import asyncio

import pytest

from tests.fixtures.asked_twice import restart
from thumbturn.domain.clock import seconds

BATCH = "/thumbturn/attempts/batch"


def unlock(device_id, **more):
    """A command of a batch."""
    return {"path": "/locks/unlock_door", "parameters": {"device_id": device_id, **more}}


async def test_a_result_for_each_in_order(wire):
    """Different actions in one call; each ends by itself, and the batch can be looked at."""
    doors = [(await wire.house.lock()).id for _ in range(2)]
    no_auto_lock = {"device_id": await wire.door("Back Door"), "auto_lock_enabled": False}
    commands = [
        unlock(doors[0]),
        {"path": "/locks/configure_auto_lock", "parameters": no_auto_lock},
        {"path": "/locks/lock_door", "parameters": {"device_id": doors[1]}},
    ]
    begun = (await wire.call(BATCH, commands=commands))["batch"]
    types = [each["action_type"] for each in begun["action_attempts"]]
    assert types == ["UNLOCK_DOOR", "CONFIGURE_AUTO_LOCK", "LOCK_DOOR"]
    assert begun["summary"] == {"pending": 3, "success": 0, "error": 0}
    await wire.house.clock.advance(seconds(5))
    found = (await wire.call(f"{BATCH}/get", batch_id=begun["batch_id"]))["batch"]
    assert found["summary"] == {"pending": 0, "success": 3, "error": 0}
    ids = [each["action_attempt_id"] for each in begun["action_attempts"]]
    assert [each["action_attempt_id"] for each in found["action_attempts"]] == ids


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ({"path": "/locks/open_sesame"}, {"type": "not_found", "message": "No attempt begins at this path"}),
        ({"path": "/locks/list"}, {"type": "not_found", "message": "No attempt begins at this path"}),
        (unlock("unknown"), {"type": "device_not_found", "message": "Device not found"}),
        (
            {"path": "/locks/unlock_door"},
            {
                "type": "invalid_input",
                "message": 'Required for provided "device_id"',
                "validation_errors": {"_errors": [], "device_id": {"_errors": ["Required"]}},
            },
        ),
        (
            unlock("x", not_before="2020-01-01T00:00:00Z"),
            {
                "type": "invalid_input",
                "message": 'Must not be in the past for "not_before"',
                "validation_errors": {"_errors": [], "not_before": {"_errors": ["Must not be in the past"]}},
            },
        ),
    ],
)
async def test_one_bad_command_refuses_the_batch(wire, command, error):
    """400 with which one and why, in the words that it would be refused with by itself; nothing begins."""
    good = unlock(await wire.door())
    reply = await wire.ask("POST", BATCH, {"commands": [good, command, good]})
    assert reply.status == 400
    assert reply.error == {
        "type": "batch_refused",
        "message": f"Command 1: {error['message']}",
        "data": {"index": 1, "error": error},
    }
    assert (await wire.call("/action_attempts/list"))["action_attempts"] == []


async def test_a_batch_has_1_to_500_commands(wire):
    """Five hundred are accepted, none and one more are not."""
    door = await wire.door()
    accepted = await wire.call(BATCH, commands=[unlock(door)] * 500)
    assert len(accepted["batch"]["action_attempts"]) == 500
    for count in (0, 501):
        reply = await wire.ask("POST", BATCH, {"commands": [unlock(door)] * count})
        assert (reply.status, reply.error["type"]) == (400, "invalid_input")


@pytest.mark.parametrize("again", [False, True])
async def test_waiting_for_all_of_them(wire, again):
    """``Prefer: wait`` answers when the last has ended, when it begins and when it is looked at."""
    slow, quick = await wire.house.lock(), await wire.house.lock()
    await wire.house.fault(slow, "slow", ms=5_000)
    ask, path, waits = {"commands": [unlock(slow.id), unlock(quick.id)]}, BATCH, {"prefer": "wait=30"}
    if again:
        ask, path = {"batch_id": (await wire.call(BATCH, **ask))["batch"]["batch_id"]}, f"{BATCH}/get"
    asking = asyncio.create_task(wire.ask("POST", path, ask, headers=waits))
    await wire.house.clock.advance(seconds(4.9))
    assert not asking.done()
    await wire.house.clock.advance(seconds(0.2))
    assert (await asking).json["batch"]["summary"] == {"pending": 0, "success": 2, "error": 0}
    assert (await asking).headers["preference-applied"] == "wait=30"


async def test_waiting_ends_for_all_at_once(wire):
    """When the time is over the batch is told as it stands: some have ended, some have not."""
    slow, quick = await wire.house.lock(), await wire.house.lock()
    await wire.house.fault(slow, "slow", ms=5_000)
    ask = {"commands": [unlock(slow.id), unlock(slow.id), unlock(quick.id)]}
    asking = asyncio.create_task(wire.ask("POST", BATCH, ask, headers={"prefer": "wait=2"}))
    await wire.house.clock.advance(seconds(2.1))
    assert (await asking).json["batch"]["summary"] == {"pending": 2, "success": 1, "error": 0}


async def test_an_unknown_batch_is_not_found(wire):
    """404, with the id at fault."""
    reply = await wire.ask("GET", f"{BATCH}/get?batch_id=unknown")
    assert (reply.status, reply.error["type"]) == (404, "batch_not_found")
    assert reply.error["data"] == {"batch_id": "unknown"}


async def test_the_same_key_begins_one_batch(wire):
    """A batch that is asked for again under its Idempotency-Key is the one that there is."""
    ask, headers = {"commands": [unlock(await wire.door())] * 3}, {"idempotency-key": "k"}
    first, second = [await wire.ask("POST", BATCH, ask, headers=headers) for _ in range(2)]
    assert first.json == second.json
    assert len((await wire.call("/action_attempts/list"))["action_attempts"]) == 3


async def test_a_batch_is_never_in_doubt(wire):
    """After a crash while its caller waited for its end, the same key brings the batch and its end."""
    ask, key = (
        {"commands": [unlock((await wire.house.lock()).id) for _ in range(3)]},
        {"idempotency-key": "k"},
    )
    waits = {"prefer": "wait=30"}
    lost = asyncio.create_task(wire.ask("POST", BATCH, ask, headers=key | waits))
    await asyncio.sleep(0.01)
    lost.cancel()
    await wire.house.revive()
    restart(wire)
    again = await wire.ask("POST", BATCH, ask, headers=key)
    assert (again.status, again.headers["idempotent-replayed"]) == (200, "true")
    assert again.json["batch"]["summary"]["pending"] == 3
    asking = asyncio.create_task(wire.ask("POST", BATCH, ask, headers=key | waits))
    await wire.house.clock.advance(seconds(31))
    ended = (await asking).json["batch"]
    assert ended["batch_id"] == again.json["batch"]["batch_id"]
    assert ended["summary"]["pending"] == 0
    assert len((await wire.call("/action_attempts/list"))["action_attempts"]) == 3


async def test_a_pin_in_a_batch_is_nowhere(wire):
    """A command with a secret keeps it to itself, in a batch as well."""
    door = await wire.door("Back Door")
    pin = "84736251"
    command = {"path": "/locks/simulate/keypad_code_entry", "parameters": {"device_id": door, "code": pin}}
    begun = await wire.call(BATCH, commands=[command])
    await wire.house.clock.advance(seconds(5))
    [attempt] = begun["batch"]["action_attempts"]
    told = await wire.call("/thumbturn/attempts/explain", action_attempt_id=attempt["action_attempt_id"])
    trail = await wire.call("/thumbturn/audit/list")
    assert pin not in str(begun) + str(told) + str(trail) + str(wire.house.store.__dict__)
