"""Waiting for the end of an attempt: ``Prefer: wait=N`` and ``sync``, on a clock that the test moves."""

from __future__ import annotations

import asyncio

import pytest

from thumbturn.domain.clock import seconds


@pytest.fixture
async def slow_door(wire) -> str:
    """A door to which every command takes ten seconds."""
    door = await wire.house.lock()
    await wire.house.fault(door, "slow", ms=10_000)
    return door.id


def waiting(wire) -> int:
    """How many callers the engine keeps waiting."""
    return len(wire.house.engine._waiting)


async def unlock(wire, door: str, prefer: str = "", **more):
    """A task that asks for an unlock with this preference."""
    headers = {"prefer": prefer}
    asking = asyncio.create_task(
        wire.ask("POST", "/locks/unlock_door", {"device_id": door, **more}, headers=headers)
    )
    await wire.house.clock.settle()
    return asking


@pytest.mark.parametrize(
    ("prefer", "more"), [("wait=30", {}), ("", {"sync": True}), ("wait=30", {"sync": True})]
)
async def test_the_answer_comes_with_the_end(wire, slow_door, prefer, more):
    """A caller who waits is answered when the attempt has ended, and not before."""
    asking = await unlock(wire, slow_door, prefer, **more)
    await wire.house.clock.advance(seconds(9.9))
    assert (asking.done(), waiting(wire)) == (False, 1)
    await wire.house.clock.advance(seconds(0.2))
    reply = await asking
    assert reply.json["action_attempt"]["status"] == "success"
    assert reply.headers.get("preference-applied") == (prefer or None)
    assert waiting(wire) == 0


@pytest.mark.parametrize(("prefer", "more"), [("wait=4", {}), ("wait=4", {"sync": True})])
async def test_the_answer_comes_when_the_time_is_over(wire, slow_door, prefer, more):
    """Where N seconds are over first, the attempt is told as it stands; the header outweighs ``sync``."""
    asking = await unlock(wire, slow_door, prefer, **more)
    await wire.house.clock.advance(seconds(3.9))
    assert not asking.done()
    await wire.house.clock.advance(seconds(0.2))
    reply = await asking
    assert reply.json["action_attempt"]["status"] == "pending"
    assert reply.headers["preference-applied"] == "wait=4"
    assert waiting(wire) == 0


@pytest.mark.parametrize(
    ("prefer", "applied"),
    [("", None), ("wait=soon", None), ("wait=0", "wait=0"), ("respond-async, wait=30", "respond-async")],
)
async def test_who_does_not_wait_is_answered_at_once(wire, slow_door, prefer, applied):
    """Without a preference, or with one against waiting, ``pending`` comes at once."""
    reply = await (await unlock(wire, slow_door, prefer))
    assert reply.json["action_attempt"]["status"] == "pending"
    assert reply.headers.get("preference-applied") == applied


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_looking_at_an_attempt_can_wait_too(wire, slow_door, method):
    """``action_attempts/get`` waits for an open attempt, and answers at once for one that has ended."""
    pending = (await (await unlock(wire, slow_door))).json["action_attempt"]
    target = f"/action_attempts/get?action_attempt_id={pending['action_attempt_id']}"
    body = {} if method == "POST" else None
    asking = asyncio.create_task(wire.ask(method, target, body, headers={"prefer": "wait=30"}))
    await wire.house.clock.advance(seconds(9.9))
    assert not asking.done()
    await wire.house.clock.advance(seconds(0.2))
    assert (await asking).json["action_attempt"]["status"] == "success"
    again = await wire.ask(method, target, body, headers={"prefer": "wait=30"})
    assert again.json == (await asking).json
    assert again.headers["preference-applied"] == "wait=30"


async def test_all_who_wait_for_one_attempt_hear_of_its_end(wire, slow_door):
    """Also those who looked at it later, each until his own time is over."""
    first = await unlock(wire, slow_door, "wait=60")
    [run] = wire.house.engine._dispatch.open.values()
    target = f"/action_attempts/get?action_attempt_id={run.attempt.id}"
    others = [
        asyncio.create_task(wire.ask("GET", target, headers={"prefer": f"wait={n}"})) for n in (5, 20, 40)
    ]
    await wire.house.clock.advance(seconds(11))
    replies = [await asking for asking in (first, *others)]
    assert [reply.json["action_attempt"]["status"] for reply in replies] == [
        "success", "pending", "success", "success",
    ]  # fmt: skip


async def test_who_hangs_up_leaves_nothing_behind(wire, slow_door):
    """His place is free at once, he gets no answer, and the attempt goes on without him."""
    hung_up = asyncio.Event()
    asking = asyncio.create_task(
        wire.ask(
            "POST",
            "/locks/unlock_door",
            {"device_id": slow_door},
            headers={"prefer": "wait=30"},
            hung_up=hung_up,
        )
    )
    await wire.house.clock.settle()
    assert waiting(wire) == 1
    [run] = wire.house.engine._dispatch.open.values()
    hung_up.set()
    await wire.house.clock.settle()
    assert ((await asking).status, waiting(wire)) == (0, 0)
    names = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}
    assert not names & {"Begun.settled", "Call._hung_up", "Wire.ask"}
    await wire.house.clock.advance(seconds(11))
    assert (await wire.house.stored(run.attempt)).status == "success"


async def test_who_waits_when_the_server_stops_is_told_how_it_stands(wire, slow_door):
    """All are answered at once, and who comes later does not wait any more."""
    asking = await unlock(wire, slow_door, "wait=30")
    wire.house.engine.begun.dismiss_waiting()
    reply = await asking
    assert (reply.status, reply.json["action_attempt"]["status"]) == (200, "pending")
    late = await (await unlock(wire, slow_door, "wait=30"))
    assert late.json["action_attempt"]["status"] == "pending"
    assert waiting(wire) == 0


async def test_waiting_asks_the_database_nothing(wire, slow_door, monkeypatch):
    """Between the question and the end the store is not read once."""
    reads = []
    read = wire.house.store.attempt

    async def counted(*which):
        reads.append(which)
        return await read(*which)

    monkeypatch.setattr(wire.house.store, "attempt", counted)
    asking = await unlock(wire, slow_door, "wait=30")
    await wire.house.clock.advance(seconds(11))
    assert (await asking).json["action_attempt"]["status"] == "success"
    assert reads == []
