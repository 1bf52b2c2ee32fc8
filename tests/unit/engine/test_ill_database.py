"""A database that refuses a write, for whatever reason: nothing is lost, told too early or done twice."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from pydantic_core import to_json
from structlog.testing import capture_logs

from tests.fixtures.engine import outcome
from thumbturn.actions.definition import Ask
from thumbturn.domain.attempt import Phase
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Observation
from thumbturn.domain.failures import LockJammed
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.acceptance import Timing
from thumbturn.engine.ledger import OTHERS_WAIT
from thumbturn.engine.ports import EventFilter

#: As different as a database may find them.
ILLS = (
    sqlite3.DatabaseError("database disk image is malformed"),
    sqlite3.IntegrityError("CHECK constraint failed"),
    RuntimeError("what nobody has thought of"),
)


class Ill:
    """A store that takes no change, as long as it is ill."""

    def __init__(self, house, monkeypatch) -> None:
        self.problem: Exception | None = None
        #: Only of attempts that end.
        self.ends_only = False
        #: It makes the change all the same, and its answer is lost.
        self.loses_answers = False
        self.tries = 0
        self._apply = house.store.apply
        monkeypatch.setattr(house.store, "apply", self.apply)

    async def apply(self, change):
        ends = any(each.attempt.phase.is_final for each in change.transitions)
        if self.problem is None or (self.ends_only and not ends):
            return await self._apply(change)
        self.tries += 1
        if self.loses_answers:
            await self._apply(change)
        raise self.problem


@pytest.fixture(autouse=True)
def logged():
    """What is logged meanwhile."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def ill(house, monkeypatch):
    return Ill(house, monkeypatch)


@pytest.mark.parametrize("problem", ILLS, ids=lambda problem: type(problem).__name__)
async def test_an_outcome_is_kept_until_it_can_be_written(house, ill, problem, logged):
    """The door did open: that is told when it is on record, neither before nor as anything less."""
    door = await house.lock()
    ill.problem = problem
    attempt = await house.run("UNLOCK_DOOR", door)
    waiting = asyncio.ensure_future(house.engine.begun.settled(attempt, seconds(60)))
    await house.clock.advance(seconds(20))
    assert (await house.stored(attempt)).phase is Phase.SENT
    assert not waiting.done()
    assert house.engine.records.waiting == 1
    ill.problem = None
    await house.clock.advance(seconds(30))
    assert outcome(await house.stored(attempt))[:3] == ("success", None, True)
    assert await waiting == await house.stored(attempt)
    assert house.engine.records.waiting == 0
    assert house.engine.records.failed == ill.tries
    assert await house.told("lock.unlocked", "action_attempt.unlock_door.succeeded") == [
        "lock.unlocked",
        "action_attempt.unlock_door.succeeded",
    ]
    assert house.commands(door).count("unlock") == 1
    tried_again = [line for line in logged if line["event"] == "write_is_tried_again"]
    assert [line["problem"] for line in tried_again] == [type(problem).__name__] * ill.tries
    assert [line["exc_info"] for line in tried_again] == [problem] + [None] * (ill.tries - 1)


async def test_it_is_tried_less_and_less_often(house, ill):
    """An ill database is not asked all the time: after a minute twice a minute, for as long as it takes."""
    door = await house.lock()
    ill.problem = ILLS[0]
    await house.run("UNLOCK_DOOR", door)
    await house.clock.advance(seconds(60))
    first_minute, ill.tries = ill.tries, 0
    await house.clock.advance(seconds(600))
    assert first_minute < 25
    assert 19 <= ill.tries <= 20


async def test_the_lane_goes_on_after_the_deadline(house, ill):
    """One end that cannot be written keeps its door shut no longer than until the deadline has passed."""
    door = await house.lock()
    ill.problem, ill.ends_only = ILLS[0], True
    first = await house.run("UNLOCK_DOOR", door)
    second = await house.begin("LOCK_DOOR", door, Timing(deadline=seconds(300)))
    await house.clock.advance(seconds(29))
    assert house.commands(door)[-1] == "unlock"
    await house.clock.advance(seconds(3))
    assert house.commands(door)[-1] == "lock"
    assert (await house.stored(first)).phase is Phase.SENT
    ill.problem = None
    await house.clock.advance(seconds(60))
    assert outcome(await house.stored(first))[1] == "outcome_unknown"
    assert outcome(await house.stored(second))[0] == "success"
    assert house.commands(door).count("unlock") == 1
    assert house.engine.census().lanes_busy == 0
    assert (await house.run("UNLOCK_DOOR", door)).status == "success"


async def test_a_device_is_left_alone_before_its_lane_goes_on(house, ill):
    """What is still at its device when its time is over is called back, record or not."""
    door = await house.lock()
    await house.fault(door, "slow", ms=3_600_000)
    first = await house.begin("UNLOCK_DOOR", door)
    await house.clock.settle()
    second = await house.begin("LOCK_DOOR", door, Timing(deadline=seconds(300)))
    ill.problem, ill.ends_only = ILLS[1], True
    await house.clock.advance(seconds(32))
    run = house.engine._dispatch.open[first.id]
    assert run.task.done()
    assert house.engine._lanes.of(door.id).running.attempt.id == second.id
    ill.problem = None
    await house.clock.advance(seconds(40))
    assert outcome(await house.stored(first))[:2] == ("error", "outcome_unknown")


async def test_until_the_deadline_the_lane_waits_although_the_device_has_been_given_up(house, ill):
    """Before its deadline a lock that is not on record as done would be sent again after a crash: nothing
    comes in between.
    """
    door = await house.lock(locked=False)
    ill.problem, ill.ends_only = ILLS[0], True
    first = await house.begin("LOCK_DOOR", door, Timing(deadline=seconds(120)))
    await house.clock.settle()
    await house.begin("UNLOCK_DOOR", door, Timing(deadline=seconds(600)))
    await house.clock.advance(seconds(119))
    assert house.commands(door)[-1] == "lock"
    assert (await house.stored(first)).phase is Phase.SENT
    await house.clock.advance(seconds(3))
    assert house.commands(door)[-1] == "unlock"


async def test_nothing_is_sent_whose_sending_is_not_on_record(house, ill):
    """A queued command waits for the record of its sending, and past its deadline it is never sent."""
    door = await house.lock(travel=1_000)
    await house.begin("UNLOCK_DOOR", door)
    second = await house.begin("LOCK_DOOR", door)
    await house.clock.settle()
    ill.problem = ILLS[2]
    await house.clock.advance(seconds(120))
    ill.problem = None
    await house.clock.advance(seconds(60))
    assert "lock" not in house.commands(door)
    assert (await house.stored(second)).status == "error"


async def test_a_cancel_that_cannot_be_written_is_told_as_that(house, ill):
    """Who cancels is told after ten seconds that it is decided and not on record; it is written later."""
    door = await house.lock()
    attempt = await house.begin("UNLOCK_DOOR", door, Timing(not_before=house.clock.now() + seconds(3_600)))
    ill.problem = ILLS[0]
    for _ in range(2):
        cancelling = asyncio.ensure_future(house.engine.begun.cancel("w1", attempt.id, "me"))
        await house.clock.advance(seconds(11))
        with pytest.raises(StorageUnavailable, match="has not taken it yet"):
            await cancelling
    ill.problem = None
    await house.clock.advance(seconds(31))
    assert outcome(await house.stored(attempt))[:2] == ("error", "cancelled")
    await house.clock.advance(seconds(3_600))
    assert "unlock" not in house.commands(door)


async def test_a_write_whose_answer_was_lost_is_not_made_twice(house, ill):
    """The commit went well and the connection broke: nothing is told twice, and the outcome stands."""
    door, other = await house.lock(), await house.lock()
    ill.problem, ill.loses_answers = ILLS[2], True
    attempt = await house.run("UNLOCK_DOOR", door)
    house.engine._observations.observe(
        Observation(other.id, house.clock.now(), {"locked": False}, method="manual")
    )
    await house.clock.settle()
    ill.problem = None
    await house.clock.advance(seconds(5))
    assert outcome(await house.stored(attempt))[:3] == ("success", None, True)
    assert house.engine.records.waiting == 0
    told = await house.told("lock.unlocked", "action_attempt.unlock_door.succeeded")
    assert sorted(told) == ["action_attempt.unlock_door.succeeded", "lock.unlocked", "lock.unlocked"]
    assert house.engine.meters.by_type["UNLOCK_DOOR"].whole.total >= 0
    assert sum(house.engine.meters.by_type["UNLOCK_DOOR"].causes.values()) == 1


async def test_what_a_device_reports_is_kept_until_it_can_be_written(house, ill):
    """A hand on the thumbturn while the database is ill is told later, with the time at which it was."""
    door = await house.lock()
    ill.problem = ILLS[0]
    moved_at = house.clock.now()
    house.engine._observations.observe(Observation(door.id, moved_at, {"locked": False}, method="manual"))
    await house.clock.advance(seconds(300))
    assert await house.told("lock.unlocked") == []
    ill.problem = None
    await house.clock.advance(seconds(31))
    assert await house.told("lock.unlocked") == ["lock.unlocked"]
    assert (await house.store.device("w1", door.id)).state["locked"] is False


async def test_an_outcome_that_cannot_be_recorded_at_all_is_unknown_at_the_deadline(house, monkeypatch):
    """One outcome that no try brings to the disk does not leave its attempt pending for ever; what the
    device reported goes on record with the plainer end.
    """
    door, apply = await house.lock(), house.store.apply

    async def refuse_success(change):
        if any(each.attempt.phase is Phase.SUCCEEDED for each in change.transitions):
            raise ZeroDivisionError
        return await apply(change)

    monkeypatch.setattr(house.store, "apply", refuse_success)
    begun = await house.begin("UNLOCK_DOOR", door, Timing(deadline=seconds(3_600)))
    await house.clock.settle()
    behind = await house.begin("LOCK_DOOR", door, Timing(deadline=seconds(300)))
    await house.clock.advance(seconds(31))
    # Not only at its deadline, because it was sent: a device has as long to answer as its action says.
    assert (await house.stored(begun)).failure[0] == "outcome_unknown"
    assert await house.told("lock.unlocked") == ["lock.unlocked"]
    assert house.commands(door)[-1] == "lock"
    monkeypatch.undo()
    await house.clock.advance(seconds(300))
    assert (await house.stored(behind)).status == "success"
    assert house.engine.records.waiting == 0
    assert (await house.run("LOCK_DOOR", door)).status == "success"


async def test_a_cancel_that_cannot_be_recorded_at_all_expires(house, monkeypatch):
    """What was to be cancelled is not sent, and ends as expired when its time is over."""
    door, apply = await house.lock(), house.store.apply

    async def refuse_cancelled(change):
        if any(
            each.attempt.failure and each.attempt.failure[0] == "cancelled" for each in change.transitions
        ):
            raise ZeroDivisionError
        return await apply(change)

    monkeypatch.setattr(house.store, "apply", refuse_cancelled)
    in_a_minute = Timing(not_before=house.clock.now() + seconds(60))
    attempt = await house.begin("UNLOCK_DOOR", door, in_a_minute)
    cancelling = asyncio.ensure_future(house.engine.begun.cancel("w1", attempt.id, "me"))
    await house.clock.advance(seconds(93))
    with pytest.raises(StorageUnavailable):
        await cancelling
    assert outcome(await house.stored(attempt))[:2] == ("error", "action_attempt_expired")
    assert "unlock" not in house.commands(door)
    assert house.engine._dispatch.open == {}


async def test_a_start_does_not_wait_for_ever(house, ill):
    """After a restart the server works although the end of an old attempt cannot be written yet."""
    door = await house.lock()
    await house.fault(door, "slow", ms=3_600_000)
    old = await house.begin("SIMULATE_KEYPAD_CODE_ENTRY", door, code="1234")
    await house.clock.settle()
    await house.die()
    house.boot()
    ill.problem, ill.ends_only = ILLS[0], True
    opening = asyncio.ensure_future(house.engine.start())
    await house.clock.advance(seconds(5))
    assert opening.done()
    assert house.engine.is_running
    ill.problem = None
    await house.clock.advance(seconds(31))
    assert outcome(await house.stored(old))[:2] == ("error", "outcome_unknown")


@pytest.mark.parametrize("said", ["half a pair: \ud83d", "a NUL: \0"])
async def test_odd_words_of_a_device_do_not_keep_its_attempt_open(house, monkeypatch, said):
    """What a database cannot hold is replaced in what is kept; the outcome is what it was."""
    door = await house.lock()

    async def break_down(ask: Ask, capability: object, run: object) -> object:
        run.acknowledged(run.attempt.required_evidence, said)
        raise LockJammed(f"It says {said}")

    run_of = house.engine._run

    def with_odd_words(attempt, action, ask):
        run = run_of(attempt, action, ask)
        run.performance = break_down
        return run

    monkeypatch.setattr(house.engine.begin.__self__, "_make_run", with_odd_words)
    attempt = await house.run("UNLOCK_DOOR", door)
    odd = said[:-1] + "\N{REPLACEMENT CHARACTER}"
    assert attempt.failure == (LockJammed.type, f"It says {odd}")
    assert [mark.note for mark in attempt.marks if mark.stage == "acknowledged"] == [odd]


async def test_an_odd_state_of_a_device_is_kept_as_well_as_can_be(house, monkeypatch):
    """A report with a text that no database takes is told, with that text replaced."""
    door, apply = await house.lock(), house.store.apply

    async def encode(change):
        to_json([device.state for device in change.devices])
        return await apply(change)

    monkeypatch.setattr(house.store, "apply", encode)
    odd = {"locked": False, "last_user": "\ud83d", "users": [{"na\ud83dme": 1}]}
    house.engine._observations.observe(Observation(door.id, house.clock.now(), odd, method="manual"))
    await house.clock.advance(seconds(1))
    assert await house.told("lock.unlocked") == ["lock.unlocked"]
    state = (await house.store.device("w1", door.id)).state
    mark = "\N{REPLACEMENT CHARACTER}"
    assert (state["locked"], state["last_user"], state["users"]) == (False, mark, [{f"na{mark}me": 1}])


async def test_old_answers_are_forgotten_also_after_a_failure(house, monkeypatch):
    """The loop that removes them goes on after an error, and stops when the engine does."""
    looks = []

    async def fail(*_):
        looks.append(1)
        raise ILLS[0]

    monkeypatch.setattr(house.store, "forget_first_answers", fail)
    await house.clock.advance(seconds(181))
    assert len(looks) == 3
    await house.engine.stop(0)


async def test_news_of_a_device_go_on_record_in_their_order_while_the_database_is_away(house, ill):
    """The first is tried again after a pause; what comes within that pause does not overtake it."""
    door = await house.lock()
    other = await house.lock()
    ill.problem = StorageUnavailable()
    _says(house, door, locked=False)
    await house.clock.settle()
    ill.problem = None
    _says(house, door, locked=True)
    _says(house, door, locked=False)
    _says(house, other, locked=False)
    await house.clock.settle()
    assert await house.told("lock.locked", "lock.unlocked") == ["lock.unlocked"]  # the other door's
    await house.clock.advance(seconds(1))
    told = await house.store.events("w1", EventFilter(device_ids=[door.id]), limit=10)
    assert [each.event_type for each in told] == ["lock.unlocked", "lock.locked", "lock.unlocked"]


async def test_news_that_may_never_go_on_record_hold_up_no_others_for_long(house, monkeypatch):
    """What the database refuses for its own sake is tried again for hours: what comes behind it goes on."""
    door, apply = await house.lock(), house.store.apply

    async def refuse_the_first(change):
        if any(event.event_type == "lock.unlocked" for event in change.events):
            raise ILLS[0]
        return await apply(change)

    monkeypatch.setattr(house.store, "apply", refuse_the_first)
    _says(house, door, locked=False)
    await house.clock.settle()
    _says(house, door, locked=True)
    await house.clock.advance(OTHERS_WAIT - seconds(1))
    assert await house.told("lock.locked") == []
    await house.clock.advance(OTHERS_WAIT)
    assert await house.told("lock.locked") == ["lock.locked"]
    monkeypatch.undo()
    await house.clock.advance(seconds(60))
    assert await house.told("lock.unlocked") == ["lock.unlocked"]


def _says(house, device, **changes):
    house.engine._observations.observe(Observation(device.id, house.clock.now(), changes, method="manual"))
