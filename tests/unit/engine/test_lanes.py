"""Whose turn it is."""

from __future__ import annotations

from thumbturn.domain.clock import seconds
from thumbturn.domain.failures import OutcomeUnknown


async def test_commands_to_one_device_run_one_at_a_time_in_order_of_acceptance(house):
    """First in, first out, and never two at once."""
    door = await house.lock(travel=1000)
    begun = [
        await house.begin(action, door) for action in ("UNLOCK_DOOR", "LOCK_DOOR", "UNLOCK_DOOR", "LOCK_DOOR")
    ]
    for number in range(4):
        await house.clock.advance(seconds(1.001))
        statuses = [(await house.stored(each)).status for each in begun]
        assert statuses == ["success"] * (number + 1) + ["pending"] * (3 - number)
    assert house.commands(door)[-4:] == ["unlock", "lock", "unlock", "lock"]


async def test_only_the_first_is_sent_the_others_wait_as_queued(house):
    """A free lane makes an attempt born sent; a busy one makes it wait, and the timeline says so."""
    door = await house.lock(travel=1000)
    first, second = await house.begin("UNLOCK_DOOR", door), await house.begin("LOCK_DOOR", door)
    await house.clock.settle()
    assert [mark.stage for mark in first.marks] == ["accepted", "sent"]
    assert [mark.stage for mark in (await house.stored(second)).marks] == ["accepted", "queued"]
    await house.clock.advance(seconds(3))
    stages = [mark.stage for mark in (await house.stored(second)).marks]
    assert stages == ["accepted", "queued", "sent", "acknowledged", "observed", "settled"]


async def test_a_slow_device_delays_no_other(house):
    """Each device has its own lane."""
    slow, quick = await house.lock(), await house.lock()
    await house.fault(slow, "slow", times=1, ms=20_000)
    stuck = await house.run("UNLOCK_DOOR", slow)
    assert (await house.run("UNLOCK_DOOR", quick)).status == "success"
    assert (await house.stored(stuck)).status == "pending"


async def test_a_hanging_device_frees_its_lane_at_the_deadline_for_those_that_still_have_time(house):
    """The one behind is sent then; the one whose own time ran out while it waited never is."""
    door = await house.lock(locked=False)
    await house.fault(door, "slow", times=1, ms=60_000)
    first = await house.begin("UNLOCK_DOOR", door)
    waited_too_long = await house.begin("LOCK_DOOR", door)
    await house.clock.advance(seconds(20))
    in_time = await house.begin("LOCK_DOOR", door)
    await house.clock.advance(seconds(11))
    assert (await house.stored(first)).failure[0] == "outcome_unknown"
    assert (await house.stored(waited_too_long)).failure[0] == "action_attempt_expired"
    assert (await house.stored(in_time)).status == "success"
    assert house.commands(door)[-2:] == ["unlock", "lock"]
    assert house.commands(door).count("lock") == 1


async def test_a_hub_that_takes_one_command_at_a_time_gets_one_at_a_time(house):
    """``commands_at_once`` of a driver bounds all devices of an account together, in fair order."""
    house.commands_at_once = 1
    await house.revive()
    doors = [await house.lock(travel=1000) for _ in range(3)]
    begun = [await house.begin("UNLOCK_DOOR", door) for door in doors]
    for number in range(3):
        await house.clock.settle()
        phases = [(await house.stored(each)).phase.value for each in begun]
        assert phases == ["succeeded"] * number + ["confirming"] + ["queued"] * (2 - number)
        await house.clock.advance(seconds(1.001))
    assert [(await house.stored(each)).status for each in begun] == ["success"] * 3


async def test_the_next_command_waits_until_the_outcome_before_it_is_on_record(house):
    """A device's next command is not sent while the previous outcome could still be lost."""
    door = await house.lock()
    held, written = [], house.store.apply

    async def hold(change):
        held.append(change)
        while len(held) == 1 and held[0] is change and not release:
            await house.clock.sleep(seconds(0.01))
        return await written(change)

    release = []
    house.store.apply = hold
    first = await house.begin("UNLOCK_DOOR", door)
    await house.begin("LOCK_DOOR", door)
    await house.clock.advance(seconds(1))
    assert (await house.stored(first)).status == "pending"
    assert house.commands(door)[-1] == "unlock"
    release.append(True)
    await house.clock.advance(seconds(1))
    assert house.commands(door)[-1] == "lock"


async def test_a_bug_in_a_driver_ends_its_own_attempt_and_no_other(house, monkeypatch):
    """An exception that nobody expected is an outcome that nobody knows; the lane goes on."""
    door = await house.lock()
    real, calls = house.driver.offer(door, object), []
    assert real is None
    offer = house.driver.offer

    class Broken:
        """A capability with a bug."""

        async def unlock(self):
            raise ZeroDivisionError

        async def read_bolt(self):
            return None

    def offer_broken(device, capability):
        calls.append(capability)
        return Broken() if len(calls) == 1 else offer(device, capability)

    monkeypatch.setattr(house.driver, "offer", offer_broken)
    broken = await house.run("UNLOCK_DOOR", door)
    assert broken.failure == (OutcomeUnknown.type, OutcomeUnknown.sentence)
    assert (await house.run("UNLOCK_DOOR", door)).status == "success"
