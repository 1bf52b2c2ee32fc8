"""An engine that is stopped in peace: whatever was accepted until then is carried out, and once."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.fixtures.engine import House
from tests.unit.engine.test_truth import Hold
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import seconds


async def on_its_way(house: House, task: asyncio.Task[Attempt]) -> Attempt:
    """The attempt that was accepted, if the next engine has had its time."""
    attempt = await task
    house.boot()
    await house.open()
    await house.clock.advance(seconds(2))
    return await house.stored(attempt)


async def test_what_is_being_stored_as_sent_when_the_engine_stops_is_sent(house: House, monkeypatch: Any):
    """An unlock on a free lane is stored as sent. If its engine is stopped while that is committed, the lock
    is told all the same, and once.
    """
    door = await house.lock()
    hold = Hold(house.store, monkeypatch, "accept")
    accepted = asyncio.ensure_future(house.begin("UNLOCK_DOOR", door))
    await house.clock.settle()
    stopping = asyncio.ensure_future(house.engine.stop(3.0))
    await asyncio.sleep(0.05)
    assert hold.held
    assert not stopping.done()
    hold.open.set()
    await house.clock.settle()
    await stopping
    assert house.commands(door) == ["unlock"]
    stands = await on_its_way(house, accepted)
    assert stands.status == "success"
    assert house.commands(door) == ["unlock"]


async def test_an_engine_does_not_wait_for_ever_for_what_is_being_stored(house: House, monkeypatch: Any):
    """While the database does not answer, an engine that is stopped waits as long as it was given."""
    door = await house.lock()
    hold = Hold(house.store, monkeypatch, "accept")
    accepted = asyncio.ensure_future(house.begin("UNLOCK_DOOR", door))
    await house.clock.settle()
    await asyncio.wait_for(house.engine.stop(0.05), 2)
    assert not accepted.done()
    hold.open.set()
    await accepted
    assert house.commands(door) == []


async def test_what_is_accepted_while_an_engine_stops_is_carried_out_by_the_next(
    house: House, monkeypatch: Any
):
    """A command that comes while another is still in flight is queued, and sent after the next start."""
    slow, door = await house.lock(travel=1_000), await house.lock()
    first = await house.begin("UNLOCK_DOOR", slow)
    await house.clock.settle()
    stopping = asyncio.ensure_future(house.engine.stop(3.0))
    await asyncio.sleep(0.05)
    accepted = asyncio.ensure_future(house.begin("UNLOCK_DOOR", door))
    await house.clock.advance(seconds(2))
    await stopping
    assert (await house.stored(first)).status == "success"
    assert house.commands(door) == []
    stands = await on_its_way(house, accepted)
    assert stands.status == "success"
    assert house.commands(door) == ["unlock"]


async def test_what_waits_for_its_turn_when_an_engine_stops_waits_for_the_next(
    house: House, monkeypatch: Any
):
    """The command behind one whose acceptance is being committed is not sent by an engine that stops."""
    door = await house.lock()
    hold = Hold(house.store, monkeypatch, "accept")
    first = asyncio.ensure_future(house.begin("UNLOCK_DOOR", door))
    second = asyncio.ensure_future(house.begin("LOCK_DOOR", door))
    await house.clock.settle()
    stopping = asyncio.ensure_future(house.engine.stop(3.0))
    await asyncio.sleep(0.05)
    hold.open.set()
    await house.clock.settle()
    await stopping
    assert (await house.stored(await first)).status == "success"
    assert house.commands(door) == ["unlock"]
    assert (await on_its_way(house, second)).status == "success"
    assert house.commands(door) == ["unlock", "lock"]
