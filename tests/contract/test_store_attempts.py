"""Attempts: accepted, moved under guard, listed, with their timelines."""

from __future__ import annotations

import asyncio

import pytest

from tests.fixtures.stores import NOON, an_attempt, an_event, sending, succeeding
from thumbturn.domain.attempt import Failed, Mark, Phase, Progress, decide
from thumbturn.domain.evidence import Evidence
from thumbturn.engine.ports import Change, EventFilter, Store, Timeline, Transition


async def test_accepted_attempt_reads_back_equal(store: Store):
    """What was accepted is read back with every field as it was."""
    attempt = an_attempt(
        ask={"device_id": "w1_lock_1", "note": 'Tür "1" 🚪\n', "nested": {"a": [1, None, True]}},
        required_evidence=Evidence.STATE_REPORT,
        not_before=NOON + 60_000_000,
        batch_id="b1",
    )
    await store.accept(attempt)
    assert await store.attempt("w1", attempt.id) == attempt


async def test_settled_attempt_reads_back_equal(store: Store):
    """Result, evidence, end and marks of a finished attempt are read back as they were."""
    queued = an_attempt()
    await store.accept(queued)
    sent, send = sending(queued)
    done, settle = succeeding(sent)
    assert await store.apply(send)
    assert await store.apply(settle)
    assert await store.attempt("w1", queued.id) == done


async def test_failure_reads_back_equal(store: Store):
    """The type and the message of a failure are kept."""
    queued = an_attempt()
    await store.accept(queued)
    decision = decide(queued, Failed("device_offline", "The device is offline."), NOON + 5)
    assert decision is not None
    assert await store.apply(Change((Transition(decision.attempt, Phase.QUEUED),), (), decision.events))
    found = await store.attempt("w1", queued.id)
    assert found == decision.attempt
    assert found.failure == ("device_offline", "The device is offline.")


async def test_progress(store: Store):
    """How far an attempt has come is what the attempt says, at every stage, and only in its workspace."""
    queued, failed = an_attempt(), an_attempt(device=2)
    await store.accept(queued)
    await store.accept(failed)
    decision = decide(failed, Failed("device_offline", "The device is offline."), NOON + 5)
    assert decision is not None
    assert await store.apply(Change((Transition(decision.attempt, Phase.QUEUED),), (), decision.events))
    sent, send = sending(queued)
    done, settle = succeeding(sent)
    for stage in (sent, done):
        assert await store.apply(send if stage is sent else settle)
        seen = [await store.progress("w1", each.id) for each in (stage, failed)]
        assert seen == [
            Progress(each.id, "w1", each.action_type, each.phase, each.result, each.failure)
            for each in (stage, decision.attempt)
        ]
        assert seen[0].status == stage.status
    assert await store.progress("w2", queued.id) is None
    assert await store.progress("w1", "nobody") is None


async def test_change_is_all_or_nothing(store: Store):
    """If one attempt of a change has moved on, nothing of the change is written."""
    ready, moved = an_attempt(), an_attempt(device=2)
    await store.accept(ready)
    await store.accept(moved)
    _, send_moved = sending(moved)
    assert await store.apply(send_moved)
    sent, send = sending(ready)
    stale = Change((*send.transitions, *send_moved.transitions), (), (an_event(),))
    assert await store.apply(stale) is False
    assert await store.attempt("w1", ready.id) == ready
    assert await store.events("w1", EventFilter(), limit=10) == []
    assert await store.apply(send)
    assert await store.attempt("w1", ready.id) == sent


async def test_of_two_rivals_exactly_one_wins(store: Store):
    """Two changes that start from the same phase: one is made, the other writes nothing."""
    queued = an_attempt()
    await store.accept(queued)
    sent, send = sending(queued)
    await store.apply(send)
    done, settle = succeeding(sent)
    failed = decide(sent, Failed("lock_jammed", "The bolt did not move."), NOON + 9)
    assert failed is not None
    rival = Change((Transition(failed.attempt, Phase.SENT),), (), failed.events)
    assert await asyncio.gather(store.apply(settle), store.apply(rival)) == [True, False]
    assert await store.attempt("w1", queued.id) == done
    assert [event.event_type for event in await store.events("w1", EventFilter(), limit=9)] == [
        "action_attempt.unlock_door.succeeded"
    ]


async def test_change_of_unknown_attempt_is_lost(store: Store):
    """A change of an attempt that does not exist writes nothing."""
    _, send = sending(an_attempt())
    assert await store.apply(send) is False


async def test_another_workspace_sees_nothing(store: Store):
    """An attempt is found in its own workspace and in no other, by every question."""
    attempt = an_attempt()
    await store.accept(attempt)
    assert await store.attempt("w2", attempt.id) is None
    assert await store.timeline("w2", attempt.id) is None
    assert await store.attempts("w2", limit=9) == []
    assert await store.attempts("w2", ids=[attempt.id], limit=9) == []
    assert await store.attempts("w2", device_id="w1_lock_1", limit=9) == []


@pytest.mark.parametrize(
    "id", ["", "august_attempt_1", "' or 1=1 --", "x" * 2_000, "é\u4e16", "a\0b", "\ud800"]
)
async def test_unknown_ids_of_any_shape_are_not_found(store: Store, id: str):
    """An id that does not exist is simply not found, and spoils nothing for those who ask beside it."""
    known = an_attempt()
    await store.accept(known)
    assert await asyncio.gather(store.attempt("w1", id), store.attempt("w1", known.id)) == [None, known]
    assert await store.attempts("w1", ids=[id, known.id], limit=9) == [known]
    assert await store.device("w1", id) is None


async def test_foreign_id_works_like_our_own(store: Store):
    """An attempt with an id that is no UUID goes its whole way."""
    queued = an_attempt(id="august_attempt_1")
    await store.accept(queued)
    sent, send = sending(queued)
    assert await store.apply(send)
    assert await store.attempt("w1", "august_attempt_1") == sent


async def test_lists_are_ordered_and_paged(store: Store):
    """Pages follow each other without gap or overlap in the order of (accepted_at, id)."""
    all_of_them = [an_attempt(device=1 + n % 3, at=NOON + n // 2) for n in range(11)]
    await asyncio.gather(*[store.accept(attempt) for attempt in reversed(all_of_them)])
    in_order = sorted(all_of_them, key=lambda each: (each.accepted_at, each.id))
    seen, after = [], None
    while page := await store.attempts("w1", after=after, limit=3):
        seen += page
        after = (page[-1].accepted_at, page[-1].id)
    assert seen == in_order


async def test_list_filters_combine(store: Store):
    """Device, action types and ids narrow a list together."""
    first, second = an_attempt(at=NOON), an_attempt(at=NOON + 1, action_type="LOCK_DOOR")
    third = an_attempt(at=NOON + 2, device=2)
    whole = an_attempt(at=NOON + 3, device_id=None, connected_account_id=None, lane="workspace:w1")
    for attempt in (first, second, third, whole):
        await store.accept(attempt)
    assert await store.attempts("w1", device_id="w1_lock_1", limit=9) == [first, second]
    assert await store.attempts("w1", action_types=["LOCK_DOOR"], limit=9) == [second]
    assert await store.attempts("w1", ids=[third.id, first.id], limit=9) == [first, third]
    assert await store.attempts("w1", ids=[third.id], device_id="w1_lock_1", limit=9) == []
    assert await store.attempts("w1", ids=[], limit=9) == []
    assert await store.attempts("w1", limit=9) == [first, second, third, whole]


async def test_open_attempts_are_those_without_an_end(store: Store):
    """Queued and sent attempts of every workspace are open, oldest first; finished ones are not."""
    queued, running = an_attempt("w2", at=NOON + 2), an_attempt(at=NOON + 1)
    finished = an_attempt(at=NOON, device=2)
    for attempt in (queued, running, finished):
        await store.accept(attempt)
    sent, send = sending(running)
    ended, end = sending(finished)
    _, settle = succeeding(ended)
    for change in (send, end, settle):
        assert await store.apply(change)
    assert await store.open_attempts() == [sent, queued]


async def test_timeline_appends_late_marks_in_order(store: Store):
    """Late truth stands behind the timeline in the order it came and changes nothing of the attempt."""
    attempt = an_attempt()
    await store.accept(attempt)
    assert await store.timeline("w1", attempt.id) == Timeline(attempt, ())
    late = tuple(Mark("late", NOON + 9, Evidence.STATE_REPORT, f"observed: {n}") for n in range(5))
    await asyncio.gather(*[store.append_late(attempt.id, mark) for mark in late])
    assert await store.timeline("w1", attempt.id) == Timeline(attempt, late)
    assert await store.attempt("w1", attempt.id) == attempt


async def test_the_same_id_is_accepted_once(store: Store):
    """A second attempt with a known id is an error and leaves the first as it is."""
    attempt = an_attempt()
    await store.accept(attempt)
    with pytest.raises(Exception, match=attempt.id if hasattr(store, "_events") else "unique|UNIQUE"):
        await store.accept(attempt._replace(action_type="LOCK_DOOR"))
    assert await store.attempt("w1", attempt.id) == attempt


async def test_attempts_are_accepted_together_or_not_at_all(store: Store):
    """All are there in order, more of them than one statement holds; one known id and none is."""
    together = [an_attempt(at=NOON + n, batch_id="b1") for n in range(1_500)]
    await store.accept_all(together)
    assert await store.batch("w1", "b1") == together
    assert await store.batch("w2", "b1") == []
    assert await store.batch("w1", "b2") == []
    again = [an_attempt(at=NOON + n, batch_id="b2") for n in range(1_500)]
    with pytest.raises(Exception, match="exist" if hasattr(store, "_events") else "unique|UNIQUE"):
        await store.accept_all([*again, together[7]])
    assert await store.batch("w1", "b2") == []
    assert await store.attempt("w1", again[0].id) is None
