"""Very many codes that start together."""

from __future__ import annotations

from typing import Any

from tests.fixtures.codes import DAY, HOUR, ME
from thumbturn.domain.clock import seconds
from thumbturn.drivers.virtual.locks import VirtualLock
from thumbturn.engine.access_codes import NewCode

LOCKS, OF_EACH = 20, 50


async def test_codes_that_start_together_are_all_set_one_at_a_time(codes, monkeypatch):
    """All of them are set, removed together at their end, and no lock ever has two commands in flight."""
    house = codes.house
    locks = await house.engine.sandbox.add_devices(house.workspace, LOCKS, "lock", 0)
    in_flight: dict[int, int] = {}
    most = 0
    program = VirtualLock._program

    async def watched(self: VirtualLock, *how: Any) -> Any:
        nonlocal most
        in_flight[id(self)] = in_flight.get(id(self), 0) + 1
        most = max(most, in_flight[id(self)])
        await house.clock.sleep(1_000)
        try:
            return await program(self, *how)
        finally:
            in_flight[id(self)] -= 1

    monkeypatch.setattr(VirtualLock, "_program", watched)
    start = house.clock.now() + DAY
    for lock in locks:
        for number in range(OF_EACH):
            new = NewCode(pin=f"{1000 + number}", starts_at=start, ends_at=start + HOUR)
            await codes.all.create("w1", lock.id, new, ME)
    await house.clock.advance(DAY - HOUR + seconds(60))
    held = [len(house.driver._things[lock.id].codes._holds) for lock in locks]
    assert (held, most) == ([OF_EACH] * LOCKS, 1)
    told = await codes.told_many("set_on_device")
    assert told == LOCKS * OF_EACH
    await house.clock.advance(2 * HOUR + seconds(60))
    assert [len(house.driver._things[lock.id].codes._holds) for lock in locks] == [0] * LOCKS
    assert (await codes.told_many("deleted"), most) == (LOCKS * OF_EACH, 1)
