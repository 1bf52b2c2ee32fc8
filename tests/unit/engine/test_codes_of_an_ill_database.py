"""What became of a code at its lock, while the database takes no record of it."""

from __future__ import annotations

import asyncio

import pytest

from tests.fixtures.codes import HOUR, ME, PLAIN
from thumbturn.domain.attempt import Mark, Phase, Succeeded
from thumbturn.domain.clock import seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.engine.acceptance import Timing
from thumbturn.engine.access_code_ports import CodeFacts
from thumbturn.engine.ports import EventFilter


async def test_what_a_lock_took_goes_on_record_with_a_plainer_end(codes, monkeypatch):
    """The lock holds the code, and success cannot be written: what it holds goes with the end that can be."""
    house, apply = codes.house, codes.house.store.apply

    async def refuse_success(change):
        if any(each.attempt.phase is Phase.SUCCEEDED for each in change.transitions):
            raise ZeroDivisionError
        return await apply(change)

    monkeypatch.setattr(house.store, "apply", refuse_success)
    code_id, attempt = await codes.create()
    while (await house.stored(attempt)).failure is None:
        await house.clock.advance(seconds(1))
    assert (await house.stored(attempt)).failure[0] == "outcome_unknown"
    held = (await codes.all.get("w1", code_id)).facts.held
    assert held is not None
    assert house.pins.open(held.pin) == "4711"
    wanted = EventFilter(event_types=["access_code.set_on_device"])
    told = await house.store.events("w1", wanted, limit=10)
    assert [event.action_attempt_id for event in told] == [attempt.id]
    monkeypatch.undo()
    await house.clock.advance(HOUR)
    assert await codes.status(code_id) == "set"
    assert not (await codes.all.get("w1", code_id)).facts.errors


async def test_what_is_noted_while_a_record_fails_stands_behind_what_the_record_had(codes, monkeypatch):
    """Neither what a refused record carried of codes nor what came meanwhile is lost, in their order."""
    house = codes.house
    first, second = (await codes.create(pin="1111"))[0], (await codes.create(pin="2222"))[0]
    known = [CodeFacts(await codes.all.get("w1", each)) for each in (first, second)]
    door, apply, carried = await house.device("Front Door"), house.store.apply, []

    async def refuse_success(change):
        carried.append(change.codes)
        if any(each.attempt.phase is Phase.SUCCEEDED for each in change.transitions):
            raise ZeroDivisionError
        return await apply(change)

    attempt = await house.begin("UNLOCK_DOOR", door, Timing(not_before=house.clock.now() + HOUR))
    run = house.engine._dispatch.open[attempt.id]
    run.attempt = run.attempt.moved(Phase.SENT, Mark("sent", house.clock.now()))
    monkeypatch.setattr(house.store, "apply", refuse_success)
    run.ends_by = house.clock.now() + seconds(5)
    run.note(known[:1], ())
    recording = run.settle(Succeeded({}, Evidence.STATE_REPORT))
    run.note(known[1:], ())
    task = asyncio.ensure_future(recording)
    await house.clock.advance(seconds(6))
    assert isinstance(task.exception(), ZeroDivisionError)
    assert carried[-1] == tuple(known[:1])
    assert run._codes == tuple(known)


async def test_failure_of_an_unknown_type_ends_no_look_out_for_codes(codes):
    """A test, or a newer server, may have said what failed: the lock's codes are seen to all the same."""
    house, now = codes.house, codes.house.clock.now()
    code_id, _ = await codes.create(starts_at=now, ends_at=now + HOUR)
    attempt = await codes.all.update("w1", code_id, {"pin": "2222"}, ME)
    await house.clock.settle()
    mark = Mark("failed", now)
    strange = attempt.moved(Phase.FAILED, mark, failure=("gremlins", "They ate it"), settled_at=now)
    house.engine._code_keeper.ended(strange)
    await house.clock.advance(HOUR + seconds(2))
    assert (await codes.status(code_id), await codes.at_lock()) == ("gone", {})


@pytest.mark.parametrize("question", ["of_device", "due", "next_due"])
async def test_codes_are_looked_after_again_when_a_database_was_ill(codes, monkeypatch, question):
    """It says what nobody expects, for a while: a code that is over then is removed all the same."""
    house, store = codes.house, codes.house.store.access_codes
    now = house.clock.now()
    code_id, _ = await codes.create(starts_at=now, ends_at=now + HOUR)
    assert await codes.status(code_id) == "set"
    with monkeypatch.context() as ill:

        async def fail(*_, **__):
            raise ZeroDivisionError

        ill.setattr(store, question, fail)
        await house.clock.advance(HOUR + seconds(30))
    await house.clock.advance(seconds(700))
    assert (await codes.status(code_id), await codes.at_lock()) == ("gone", {})


async def test_a_lock_is_read_again_when_a_reading_could_not_begin(codes, monkeypatch):
    """A reading that breaks before it begins does not keep the lock from ever being read again."""
    house = codes.house
    code_id, _ = await codes.create()
    with monkeypatch.context() as ill:

        def fail(_):
            raise ZeroDivisionError

        ill.setattr(house.store, "accept", fail)
        door = await house.device(PLAIN)
        house.driver.touch_code(door.id, code_id, "9999", None)
        await house.clock.advance(seconds(1))
    assert await codes.at_lock() == {code_id: "9999"}
    await house.clock.advance(seconds(70))
    assert await codes.at_lock() == {code_id: "4711"}


async def test_code_that_came_on_record_late_and_without_its_attempt_is_set_all_the_same(codes, monkeypatch):
    """Its moment was over when it was written, and its attempt could not be begun: it is not forgotten."""
    house, may_write = codes.house, asyncio.Event()
    with monkeypatch.context() as ill:
        add = house.store.access_codes.add

        async def add_late(*what):
            await may_write.wait()
            return await add(*what)

        async def fail(attempt):
            raise ZeroDivisionError

        ill.setattr(house.store.access_codes, "add", add_late)
        ill.setattr(house.store, "accept", fail)
        creating = asyncio.ensure_future(codes.create())
        await house.clock.advance(seconds(20))
        house.engine._code_keeper.due(0)
        await house.clock.settle()
        may_write.set()
        await house.clock.settle()
        with pytest.raises(ZeroDivisionError):
            await creating
    await house.clock.advance(seconds(70))
    assert list((await codes.at_lock()).values()) == ["4711"]
