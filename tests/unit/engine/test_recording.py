"""What a call began, and what goes on after it, writes nothing into the audit trail in the call's name."""

from __future__ import annotations

import asyncio

import pytest

from thumbturn.domain.audit import RECORDING, Act, Recording


@pytest.fixture
def recording():
    """A call is under way, and is being recorded."""
    made = Recording(lambda ids: Act("w1", 0, "/somewhere", None, ids, {}))
    token = RECORDING.set(made)
    yield made
    RECORDING.reset(token)


async def test_attempt_that_a_call_began_is_recorded_as_itself(house, monkeypatch, recording):
    """While its attempt is performed the call's own act is not to be written by it."""
    seen = []
    run_of = house.engine._run

    async def look(ask, capability, run):
        seen.append(RECORDING.get())
        return await house.actions["UNLOCK_DOOR"].perform(ask, capability, run)

    def looking(attempt, action, ask):
        run = run_of(attempt, action, ask)
        run.performance = look
        return run

    monkeypatch.setattr(house.engine.begin.__self__, "_make_run", looking)
    door = await house.device("Front Door")
    await house.run("UNLOCK_DOOR", door)
    assert seen == [None]
    assert RECORDING.get() is recording, "the call itself is recorded as before"


async def test_task_that_outlives_its_call_writes_no_act_of_it(recording):
    """The act is written by the call, once; after that nobody writes it, with whatever ids."""
    goes_on = asyncio.Event()

    async def work():
        await goes_on.wait()
        return RECORDING.get().act({"device_id": "d1"})

    task = asyncio.ensure_future(work())
    assert recording.act({}) is not None
    recording.is_over = True
    goes_on.set()
    assert await task is None
