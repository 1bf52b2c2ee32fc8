"""A database that takes its time: what it is writing is on its way, and nobody goes on without it."""

from __future__ import annotations

from structlog.testing import capture_logs

from tests.fixtures.engine import outcome
from thumbturn.domain.clock import seconds
from thumbturn.engine.acceptance import Timing


async def test_an_end_just_before_the_deadline_has_its_time_to_be_written(house, monkeypatch):
    """Its lane waits for the record of it, though the deadline passes meanwhile; that is no trouble."""
    door = await house.lock()
    await house.fault(door, "slow", ms=1_990)
    apply = house.store.apply

    async def apply_slowly(change):
        if any(each.attempt.phase.is_final for each in change.transitions):
            await house.clock.sleep(seconds(0.5))
        await apply(change)

    monkeypatch.setattr(house.store, "apply", apply_slowly)
    with capture_logs() as logged:
        first = await house.begin("UNLOCK_DOOR", door, Timing(deadline=seconds(2)))
        await house.begin("LOCK_DOOR", door, Timing(deadline=seconds(300)))
        await house.clock.advance(seconds(2.3))
        assert house.commands(door)[-1] == "unlock"
        assert not (await house.stored(first)).phase.is_final
        await house.clock.advance(seconds(1))
        assert outcome(await house.stored(first))[0] == "success"
        assert house.commands(door)[-1] == "lock"
    assert "lane_goes_on_without_record" not in [line["event"] for line in logged]
