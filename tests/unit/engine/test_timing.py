"""When an attempt is sent: not before its moment, not after its deadline, and in whose way it stands."""

from __future__ import annotations

import pytest

from thumbturn.domain.attempt import IllegalMove, Phase, Sending, decide
from thumbturn.domain.clock import seconds
from thumbturn.domain.failures import DeviceRemoved
from thumbturn.engine.acceptance import Timing
from thumbturn.engine.timetable import BUCKET, LOOK_EVERY

HOUR, DAY, WEEK = seconds(3_600), seconds(86_400), seconds(604_800)


def later(house, delay, deadline=None):
    """Not before this long from now."""
    return Timing(house.clock.now() + delay, deadline)


def acted(house, door, word="unlock"):
    """When the device did this, µs."""
    import json

    lines = [json.loads(line) for line in house.journal.read_text().splitlines()]
    return [line["at"] for line in lines if line["device_id"] == door.id and line["did"] == word]


async def test_a_door_asked_for_in_an_hour_opens_in_an_hour(house):
    """Not a moment before, and at most a quarter of a second after."""
    door = await house.lock()
    timing = later(house, HOUR)
    begun = await house.begin("UNLOCK_DOOR", door, timing)
    assert begun.phase is Phase.QUEUED
    assert begun.marks[-1].note.startswith("it shall not be sent before 2025-01-01T01:00:0")
    await house.clock.advance(HOUR - 1)
    assert house.commands(door) == []
    await house.clock.advance(BUCKET + 1)
    assert (await house.stored(begun)).status == "success"
    [at] = acted(house, door)
    assert timing.not_before <= at <= timing.not_before + BUCKET


async def test_a_clock_that_is_set_is_noticed(house):
    """The machine slept, or its clock was wrong: what has become due meanwhile is due at once."""
    door, clock = await house.lock(), house.clock
    begun = await house.begin("UNLOCK_DOOR", door, later(house, HOUR, HOUR))
    await clock.advance(seconds(1))
    # Everything that waits goes on waiting as long as it would have.
    clock._now += HOUR
    clock._timers = [(when + HOUR, *rest) for when, *rest in clock._timers]
    await clock.advance(LOOK_EVERY)
    assert (await house.stored(begun)).status == "success"


async def test_it_is_in_nobody_s_way_until_then(house):
    """The lane is free for others; it enters at the end of the lane when its moment comes."""
    door = await house.lock(travel=1_000)
    begun = await house.begin("UNLOCK_DOOR", door, later(house, HOUR))
    others = [await house.begin(each, door) for each in ("LOCK_DOOR", "UNLOCK_DOOR", "LOCK_DOOR")]
    await house.clock.advance(seconds(5))
    assert [(await house.stored(each)).status for each in others] == ["success"] * 3
    await house.clock.advance(HOUR - seconds(5.5))
    ahead = await house.begin("LOCK_DOOR", door)
    await house.clock.advance(seconds(0.9))
    assert (await house.stored(begun)).phase is Phase.QUEUED, "the one that came first goes first"
    await house.clock.advance(seconds(2))
    assert [(await house.stored(each)).status for each in (ahead, begun)] == ["success"] * 2
    assert house.commands(door)[-2:] == ["lock", "unlock"]


async def test_those_of_one_moment_go_in_their_order(house):
    """Earlier moments first, also within the same quarter of a second, then order of acceptance."""
    door = await house.lock()
    at = house.clock.now() + HOUR
    for word, later_by in (("UNLOCK", 2), ("LOCK", 1), ("UNLOCK", 0), ("LOCK", 0)):
        await house.begin(f"{word}_DOOR", door, Timing(at + later_by))
    await house.clock.advance(HOUR + seconds(1))
    assert house.commands(door) == ["unlock", "lock", "lock", "unlock"]


@pytest.mark.parametrize("down_for", [0, seconds(1_800), HOUR + seconds(29)])
async def test_it_survives_a_restart(house, down_for):
    """Whether the server is back before its moment or after it, while its deadline lives."""
    door = await house.lock()
    timing = later(house, HOUR)
    begun = await house.begin("UNLOCK_DOOR", door, timing)
    await house.die()
    await house.clock.advance(down_for)
    house.boot()
    await house.open()
    assert (await house.stored(begun)).status == ("success" if down_for > HOUR else "pending")
    await house.clock.advance(HOUR - down_for + seconds(1))
    assert (await house.stored(begun)).status == "success"
    [at] = acted(house, door)
    assert timing.not_before <= at < begun.deadline_at


async def test_a_server_that_is_back_too_late_does_not_send_it(house):
    """Its deadline counts from its moment, and has passed."""
    door = await house.lock()
    begun = await house.begin("UNLOCK_DOOR", door, later(house, HOUR))
    assert begun.deadline_at == begun.not_before + seconds(30)
    await house.die()
    await house.clock.advance(HOUR + seconds(30))
    house.boot()
    await house.open()
    await house.clock.advance(DAY)
    assert (await house.stored(begun)).failure[0] == "action_attempt_expired"
    assert house.commands(door) == []


async def test_it_can_be_cancelled_until_then(house):
    """Nothing of it is left, and its moment passes in silence."""
    door = await house.lock()
    begun = await house.begin("UNLOCK_DOOR", door, later(house, HOUR))
    ended = await house.engine.begun.cancel("w1", begun.id, "key k1")
    assert len(house.engine._dispatch.held) == 0
    await house.clock.advance(DAY)
    assert await house.stored(begun) == ended
    assert house.commands(door) == []


async def test_a_device_that_is_reset_meanwhile_ends_it(house):
    """The door that was asked for is not there any more."""
    door = await house.lock()
    begun = await house.begin("UNLOCK_DOOR", door, later(house, HOUR))
    await house.run("RESET_SANDBOX_WORKSPACE")
    assert (await house.stored(begun)).failure[0] == DeviceRemoved.type
    again = await house.lock()
    begun = await house.begin("UNLOCK_DOOR", again, later(house, HOUR))
    house.engine._devices.drop([again.id])
    await house.clock.advance(HOUR + seconds(1))
    assert (await house.stored(begun)).failure[0] == DeviceRemoved.type


async def test_a_stopped_server_sends_nothing_at_its_moment(house):
    """A server that drains lets nobody go on; the next start does."""
    door = await house.lock()
    begun = await house.begin("UNLOCK_DOOR", door, later(house, HOUR))
    await house.engine.stop(patience=0.01)
    await house.clock.advance(HOUR + seconds(1))
    assert (await house.stored(begun)).phase is Phase.QUEUED
    house.boot()
    await house.open()
    assert (await house.stored(begun)).status == "success"


async def test_sending_before_its_moment_is_illegal():
    """Whoever tried to would find a bug of ours, and no door open."""
    from tests.fixtures.stores import NOON, an_attempt

    attempt = an_attempt(not_before=NOON + 10)
    with pytest.raises(IllegalMove, match="Sending before"):
        decide(attempt, Sending(), NOON + 9)
    assert decide(attempt, Sending(), NOON + 10).attempt.phase is Phase.SENT


async def test_a_short_deadline_ends_it_soon(house):
    """One second, if the caller says so: what waits behind a slow command is not sent after that."""
    door = await house.lock(travel=2_000)
    await house.begin("UNLOCK_DOOR", door)
    begun = await house.begin("LOCK_DOOR", door, Timing(deadline=seconds(1)))
    await house.clock.advance(seconds(1.3))
    assert (await house.stored(begun)).failure[0] == "action_attempt_expired"


async def test_a_long_deadline_is_about_sending_and_not_about_the_device(house):
    """A week to be sent in; once it is sent, a door that is silent is given up as soon as ever."""
    door = await house.lock()
    await house.fault(door, "slow", times=1, ms=100_000)
    begun = await house.begin("UNLOCK_DOOR", door, Timing(deadline=WEEK))
    behind = await house.begin("LOCK_DOOR", door, Timing(deadline=WEEK))
    await house.clock.advance(seconds(29.9))
    assert (await house.stored(behind)).phase is Phase.QUEUED
    await house.clock.advance(seconds(0.5))
    assert (await house.stored(begun)).failure[0] == "outcome_unknown"
    assert (await house.stored(behind)).status == "success"


async def test_the_time_for_the_device_counts_from_sending(house):
    """One that had to wait for its turn has all of it, within its deadline."""
    door = await house.lock()
    await house.fault(door, "slow", times=2, ms=25_000)
    first = await house.begin("UNLOCK_DOOR", door)
    second = await house.begin("LOCK_DOOR", door, Timing(deadline=WEEK))
    await house.clock.advance(seconds(51))
    assert [(await house.stored(each)).status for each in (first, second)] == ["success"] * 2


async def test_many_far_moments_cost_the_sweep_nothing(house):
    """Thousands of attempts over days are not looked at while a near one is swept."""
    doors = [await house.lock() for _ in range(3)]
    for n in range(3_000):
        await house.begin("UNLOCK_DOOR", doors[n % 3], later(house, DAY + n * seconds(60)))
    looked = []
    table = house.engine._deadlines
    table._due = lambda run, due=table._due: (looked.append(run), due(run))[1]
    await house.fault(doors[0], "slow", times=1, ms=60_000)
    near = await house.begin("LOCK_DOOR", doors[0])
    await house.clock.advance(seconds(31))
    assert [run.attempt.id for run in looked] == [near.id]
    assert len(house.engine._dispatch.held) == 3_000
