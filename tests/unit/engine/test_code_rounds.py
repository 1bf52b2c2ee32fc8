"""What somebody did at a lock that does not say so is found by looking at it now and then."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fixtures.codes import DAY, HOUR, PLAIN, Codes
from thumbturn.domain.access_code import AccessCode, Facts, Slot, differs
from thumbturn.domain.clock import SECOND
from thumbturn.drivers.virtual.locks import VirtualLock
from thumbturn.engine.acceptance import Timing
from thumbturn.engine.code_rounds import ANSWERS_WITHIN, AT_A_TIME, ROUND
from thumbturn.engine.programming import Programming

EVERY = 6 * HOUR
#: The longest from a change to the look that finds it: a whole time between two looks, and its jitter.
FOUND_WITHIN = round(EVERY * 1.1) + 2 * ROUND


@pytest.fixture
async def looked_at(house) -> Codes:
    """A house that looks at its locks every six hours."""
    house.codes_looked_at_every = EVERY
    await house.revive()
    return Codes(house)


@pytest.fixture
def looks(monkeypatch) -> list[tuple[str, int]]:
    """The reads of all locks' memories: which lock, and when."""
    made, fetch = [], VirtualLock.fetch_codes

    async def counted(self):
        made.append((self._link.device_id, self._world.clock.now()))
        return await fetch(self)

    monkeypatch.setattr(VirtualLock, "fetch_codes", counted)
    return made


async def touch_unheard(codes: Codes, place: str | None, pin: str | None) -> None:
    """Somebody changes a code at the lock, and not even the lock says so."""
    device = await codes.house.device(PLAIN)
    codes.house.driver._things[device.id].codes.touch(place, pin, "Somebody")


@pytest.mark.parametrize(
    ("pin", "told"), [("9999", "modified_external_to_seam"), (None, "deleted_external_to_seam")]
)
async def test_change_that_nobody_told_of_is_found_and_put_right(looked_at, pin, told):
    """A look finds it, an attempt reads it, and the code is as it shall be within the time of a look."""
    codes = looked_at
    code_id, _ = await codes.create()
    await codes.house.clock.advance(DAY)
    assert "SYNC_ACCESS_CODES" not in [type for type, _ in await codes.attempts()]
    await touch_unheard(codes, code_id, pin)
    await codes.house.clock.advance(FOUND_WITHIN)
    assert await codes.at_lock() == {code_id: "4711"}
    assert await codes.told() == ["created", "set_on_device", told, "set_on_device"]
    assert ("SYNC_ACCESS_CODES", "success") in await codes.attempts()


async def test_code_that_nobody_told_of_is_found(looked_at):
    """It is on record as one that is not managed."""
    codes = looked_at
    await touch_unheard(codes, None, "2468")
    await codes.house.clock.advance(FOUND_WITHIN)
    assert await codes.told() == ["unmanaged.created"]
    await codes.house.clock.advance(DAY)
    assert await codes.told() == ["unmanaged.created"], "once"


async def test_looks_leave_nothing_behind_while_all_is_as_known(looked_at, looks):
    """Each lock is looked at every six hours or so, at moments of its own, without a trace on record."""
    codes, house = looked_at, looked_at.house
    locks = await house.engine.sandbox.add_devices(house.workspace, 20, "lock", 0)
    await house.clock.advance(FOUND_WITHIN)
    first = {lock: at for lock, at in looks if lock in {each.id for each in locks}}
    assert len(first) == 20
    assert max(first.values()) - min(first.values()) > EVERY // 2, "they are spread"
    looks.clear()
    await house.clock.advance(10 * EVERY)
    for lock in locks:
        assert 9 <= sum(each == lock.id for each, _ in looks) <= 11
    assert await codes.attempts() == []
    assert await house.told() == []


async def test_without_a_time_nobody_looks(house, looks):
    """At 0 locks are read when they say that they were changed, or when somebody asks, and not else."""
    await house.clock.advance(30 * DAY)
    assert looks == []


async def test_a_look_keeps_no_command_waiting(looked_at, looks, monkeypatch):
    """While a lock has something to do nobody looks; a look that is under way is broken off for a command."""
    house = looked_at.house
    door = await house.lock(travel=1_000)
    broken_off = []
    fetch = VirtualLock.fetch_codes

    async def slowly(self):
        try:
            await house.clock.sleep(10 * SECOND)
        except BaseException:
            broken_off.append(house.clock.now())
            raise
        return await fetch(self)

    monkeypatch.setattr(VirtualLock, "fetch_codes", slowly)
    rounds = house.engine._code_rounds
    while door.id not in rounds._looking:
        await house.clock.advance(SECOND)
    began, attempt = house.clock.now(), await house.begin("UNLOCK_DOOR", door)
    await house.clock.advance(2 * SECOND)
    assert (await house.stored(attempt)).status == "success"
    assert broken_off == [began]
    assert [mark.stage for mark in (await house.stored(attempt)).marks][:2] == ["accepted", "queued"]
    # It is made up for soon: nothing was seen.
    await house.clock.advance(2 * ROUND + 10 * SECOND)
    assert [lock for lock, _ in looks].count(door.id) == 1


async def test_nobody_looks_at_a_lock_that_has_something_to_do(looked_at, looks):
    """The look is put off until its lane is empty, and then made within a minute or so."""
    house = looked_at.house
    door = await house.lock()
    await house.clock.advance(FOUND_WITHIN)
    await house.fault(door, "slow", ms=25_000)
    looks.clear()
    house.engine._code_rounds._next[door.id] = house.clock.now()
    await house.begin("UNLOCK_DOOR", door)
    for _ in range(10):
        await house.begin("LOCK_DOOR", door, Timing(deadline=300 * SECOND))
        await house.clock.advance(25 * SECOND)
    assert door.id not in [lock for lock, _ in looks]
    await house.clock.advance(25 * SECOND + 2 * ROUND)
    assert [lock for lock, _ in looks].count(door.id) == 1


async def test_locks_that_do_not_answer_stop_no_other(looked_at, looks, monkeypatch):
    """More of them than are looked at at a time cost the others no more than the time of a look; and they
    are looked at ever more rarely.
    """
    house = looked_at.house
    dead = await house.engine.sandbox.add_devices(house.workspace, 3 * AT_A_TIME, "lock", 0)
    alive = await house.engine.sandbox.add_devices(house.workspace, 5, "lock", 0)
    for lock in dead:
        await house.fault(lock, "slow", ms=3_600_000)
    await house.clock.advance(FOUND_WITHIN + 4 * ANSWERS_WITHIN)
    assert {lock for lock, _ in looks} >= {each.id for each in alive}
    looks.clear()
    await house.clock.advance(20 * DAY)
    of_one_dead = [at for lock, at in looks if lock == dead[0].id]
    of_one_alive = [at for lock, at in looks if lock == alive[0].id]
    assert len(of_one_dead) in range(19, 25)
    assert len(of_one_alive) in range(75, 86)


async def test_lock_that_is_away_is_looked_at_when_it_is_back(looked_at, looks):
    """Nobody asks a lock that is offline; it is made up for within a minute."""
    codes, house = looked_at, looked_at.house
    code_id, _ = await codes.create()
    device = await house.device(PLAIN)
    await house.engine.sandbox.disconnect(house.workspace, device.id)
    await touch_unheard(codes, code_id, None)
    await house.clock.advance(DAY)
    assert device.id not in [lock for lock, _ in looks]
    await house.engine.sandbox.connect(house.workspace, device.id)
    await house.clock.advance(2 * ROUND)
    assert await codes.at_lock() == {code_id: "4711"}


async def test_endless_quarrel_is_looked_at_once_a_day(looked_at, looks):
    """A lock that is otherwise at each look is looked at ever more rarely, once a day in the end."""
    codes, house = looked_at, looked_at.house
    code_id, _ = await codes.create()
    device = await house.device(PLAIN)
    for _ in range(40):
        if await codes.at_lock() == {code_id: "4711"}:
            await touch_unheard(codes, code_id, "9999")
        await house.clock.advance(6 * HOUR)
    seen = [at for lock, at in looks if lock == device.id]
    assert len(seen) <= 2 * 13, "each look and the attempt that reads"
    await house.clock.advance(3 * DAY)
    assert await codes.at_lock() == {code_id: "4711"}


async def test_one_look_at_a_time_behind_a_hub_that_takes_one_command(house, monkeypatch):
    """Where a hub takes one command at a time a look is one; it makes room for what is asked of the hub."""
    house.codes_looked_at_every, house.commands_at_once = EVERY, 1
    await house.revive()
    doors = [await house.lock() for _ in range(4)]
    at_once, most, fetch = 0, 0, VirtualLock.fetch_codes

    async def counted(self):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            await house.clock.sleep(5 * SECOND)
            return await fetch(self)
        finally:
            at_once -= 1

    monkeypatch.setattr(VirtualLock, "fetch_codes", counted)
    rounds = house.engine._code_rounds
    while not rounds._looking:
        await house.clock.advance(SECOND)
    [looked_at] = rounds._looking
    other = next(door for door in doors if door.id != looked_at)
    attempt = await house.run("UNLOCK_DOOR", other)
    assert attempt.status == "success", "at once, although another lock of the hub was being looked at"
    await house.clock.advance(2 * FOUND_WITHIN)
    assert most == 1
    while rounds._looking:
        await house.clock.advance(SECOND)
    gate = house.engine._lanes.of(other.id).gate
    assert (gate.in_flight, gate.lent) == (0, None)


def _codes_of_a_lock():
    """A lock's memory of up to three places, and codes in them of either kind, held or not."""
    slots = st.builds(Slot, pin=st.just("sealed"), pin_key=st.sampled_from("abc"), name=st.sampled_from("xy"))
    places = st.sampled_from(["p1", "p2", "p3"])
    code = st.builds(
        _code, place=places, held=st.none() | slots, pin_key=st.sampled_from("abc"), is_managed=st.booleans()
    )
    return st.lists(code, unique_by=lambda each: each.place), st.dictionaries(places, slots)


def _code(place, held, pin_key, *, is_managed):
    return AccessCode(
        id=place,
        workspace_id="w1",
        device_id="d1",
        connected_account_id="c1",
        name=None,
        pin="sealed",
        pin_key=pin_key,
        place=place,
        created_at=0,
        changed_at=0,
        is_managed=is_managed,
        facts=Facts(held=held),
    )


class _Reading:
    """The run of an attempt that reads, as far as a comparison needs it."""

    attempt = SimpleNamespace(id="a1", workspace_id="w1", device_id="d1", connected_account_id="c1")

    def __init__(self):
        self.noted = []

    def now(self):
        return DAY

    def note(self, codes, events):
        self.noted += [*codes, *events]


@given(*_codes_of_a_lock())
def test_a_look_finds_exactly_what_a_reading_would_put_on_record(codes, holds):
    """No attempt is made that finds nothing, and none is left out that would find something."""
    reading = _Reading()
    Programming(None, None, reading).compare(codes, holds)
    assert differs(codes, holds) is bool(reading.noted)
