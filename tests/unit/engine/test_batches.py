"""Many commands accepted together: all or none, and each device in its own time."""

from __future__ import annotations

import pytest

from thumbturn.domain.attempt import Phase
from thumbturn.domain.clock import seconds
from thumbturn.domain.refusals import BatchRefused, DeviceNotFound, Overloaded, WorkspaceNotSandbox
from thumbturn.engine.acceptance import AT_ONCE, Command, Timing


def command(house, action_type, device_id=None, timing=AT_ONCE):
    """A command of a batch."""
    action = house.actions[action_type]
    ask = {} if device_id is None else {"device_id": device_id}
    return Command(action, action.ask.model_validate(ask), timing)


async def test_devices_side_by_side_and_one_at_a_time_on_each(house):
    """In the order of the batch on each device; a slow one delays no other."""
    slow, quick = await house.lock(travel=1_000), await house.lock()
    words = ["UNLOCK_DOOR", "LOCK_DOOR", "UNLOCK_DOOR"]
    commands = [command(house, word, door.id) for word in words for door in (slow, quick)]
    accepted = await house.engine.begin_all(commands, house.workspace)
    assert len({attempt.batch_id for attempt in accepted}) == 1
    assert [attempt.device_id for attempt in accepted] == [slow.id, quick.id] * 3
    await house.clock.settle()
    assert house.commands(quick) == ["unlock", "lock", "unlock"]
    assert house.commands(slow) == ["unlock"]
    await house.clock.advance(seconds(4))
    assert house.commands(slow) == ["unlock", "lock", "unlock"]
    ended = await house.store.batch("w1", accepted[0].batch_id)
    assert [attempt.id for attempt in ended] == [attempt.id for attempt in accepted]
    assert {attempt.status for attempt in ended} == {"success"}


@pytest.mark.parametrize(
    ("wrong", "because"), [("UNLOCK_DOOR", DeviceNotFound), ("RESET_SANDBOX_WORKSPACE", WorkspaceNotSandbox)]
)
async def test_one_that_cannot_be_accepted_refuses_all(house, wrong, because):
    """Nothing begins, nothing is stored, no lane is taken; the refusal says which and why."""
    door = await house.lock()
    before = await house.store.attempts("w1", limit=99)
    bad = command(house, wrong, "unknown" if because is DeviceNotFound else None)
    house.workspace = house.workspace.__class__(id="w1", name="Home", is_sandbox=False)
    commands = [command(house, "UNLOCK_DOOR", door.id)] * 2 + [bad]
    with pytest.raises(BatchRefused) as refused:
        await house.engine.begin_all(commands, house.workspace)
    assert (refused.value.index, type(refused.value.because)) == (2, because)
    await house.clock.advance(seconds(60))
    assert await house.store.attempts("w1", limit=99) == before
    assert house.engine._dispatch.open == {}
    assert house.commands(door) == []


async def test_what_cannot_be_stored_frees_every_lane(house, monkeypatch):
    """The caller is told, nothing is sent, and the doors can be commanded afterwards."""
    doors = [await house.lock() for _ in range(3)]

    def refuse(attempts, first):
        raise Overloaded

    with monkeypatch.context() as patched:
        patched.setattr(house.store, "accept_all", refuse)
        with pytest.raises(Overloaded):
            await house.engine.begin_all(
                [command(house, "UNLOCK_DOOR", door.id) for door in doors], house.workspace
            )
    assert house.engine._dispatch.open == {}
    assert {(await house.run("UNLOCK_DOOR", door)).status for door in doors} == {"success"}


async def test_each_command_has_its_own_time(house):
    """Some now, one later, one with a deadline of its own; and one of them can be cancelled."""
    door = await house.lock(travel=1_000)
    later = Timing(house.clock.now() + seconds(3_600))
    accepted = await house.engine.begin_all(
        [
            command(house, "UNLOCK_DOOR", door.id),
            command(house, "LOCK_DOOR", door.id, later),
            command(house, "LOCK_DOOR", door.id, Timing(deadline=seconds(0.5))),
            command(house, "LOCK_DOOR", door.id),
        ],
        house.workspace,
    )
    await house.engine.begun.cancel("w1", accepted[3].id, "key k1")
    await house.clock.advance(seconds(60))
    stand = [await house.stored(attempt) for attempt in accepted]
    assert [each.phase for each in stand] == [Phase.SUCCEEDED, Phase.QUEUED, Phase.FAILED, Phase.FAILED]
    assert [each.failure and each.failure[0] for each in stand[2:]] == ["action_attempt_expired", "cancelled"]
    await house.clock.advance(seconds(3_600))
    assert (await house.stored(accepted[1])).status == "success"


async def test_a_batch_survives_a_restart(house):
    """What was accepted is sent by the next process, in order, and is still one batch."""
    door = await house.lock(travel=1_000)
    accepted = await house.engine.begin_all(
        [command(house, word, door.id) for word in ("UNLOCK_DOOR", "LOCK_DOOR", "UNLOCK_DOOR")],
        house.workspace,
    )
    await house.revive()
    await house.clock.advance(seconds(10))
    ended = await house.store.batch("w1", accepted[0].batch_id)
    assert [each.id for each in ended] == [each.id for each in accepted]
    assert [each.status for each in ended][1:] == ["success"] * 2
