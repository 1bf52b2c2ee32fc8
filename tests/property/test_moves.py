"""Hypothesis walks the table of moves: whatever happens to an attempt, in whatever order."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thumbturn.domain.announcing import ANNOUNCED
from thumbturn.domain.attempt import (
    FINAL,
    MOVES,
    OPEN,
    Acknowledged,
    Attempt,
    Cancelled,
    DeadlinePassed,
    Failed,
    IllegalMove,
    Observed,
    Phase,
    Postponed,
    Resending,
    Sending,
    Signal,
    Succeeded,
    decide,
    late_mark,
)
from thumbturn.domain.evidence import Evidence

START = 1_000_000
DEADLINE = START + 30_000_000

evidences = st.sampled_from(Evidence)
signals: st.SearchStrategy[Signal] = st.one_of(
    st.just(Sending()),
    st.builds(Resending, st.text(max_size=5)),
    st.builds(Acknowledged, evidences, st.text(max_size=5)),
    st.builds(Observed, evidences, st.text(max_size=5)),
    st.builds(Succeeded, st.just({"was_confirmed_by_device": True}), evidences),
    st.builds(Failed, st.sampled_from(["lock_jammed", "device_offline"]), st.just("because")),
    st.just(DeadlinePassed()),
    st.builds(Cancelled, st.text(max_size=5)),
    st.just(Postponed()),
)
steps = st.lists(st.tuples(signals, st.integers(0, 10_000_000)), max_size=12)


def queued(action_type, required_evidence, not_before=None):
    """An attempt as it is accepted on a busy lane."""
    return Attempt(
        id="a",
        workspace_id="w",
        action_type=action_type,
        lane="d",
        device_id="d",
        connected_account_id="c",
        ask={"device_id": "d"},
        phase=Phase.QUEUED,
        accepted_at=START,
        deadline_at=DEADLINE,
        required_evidence=required_evidence,
        not_before=not_before,
    )


beginnings = st.builds(
    queued,
    st.sampled_from(["UNLOCK_DOOR", "CONFIGURE_AUTO_LOCK"]),
    evidences,
    st.none() | st.integers(START, DEADLINE),
)


def walk(attempt, path):
    """Every attempt on the way, with the events that were told; illegal steps are passed over."""
    now, history, told = START, [attempt], []
    for signal, pause in path:
        now += pause
        try:
            decision = decide(history[-1], signal, now)
        except IllegalMove:
            continue
        if decision is not None:
            history.append(decision.attempt)
            told.extend(decision.events)
    return history, told


@given(beginnings, steps)
def test_an_attempt_ends_at_most_once_and_is_never_changed_after(attempt, path):
    """Once a phase is final, no signal makes another attempt of it."""
    history, _ = walk(attempt, path)
    finals = [each for each in history if each.phase in FINAL]
    assert len(finals) <= 1
    if finals:
        assert history[-1] is finals[0]


@given(beginnings, steps)
def test_every_end_is_told_once_and_nothing_else_is(attempt, path):
    """Exactly one event tells of the end of an announced type, with the outcome; none of the others."""
    history, told = walk(attempt, path)
    ended = history[-1].phase in FINAL
    assert len(told) == (1 if ended and attempt.action_type in ANNOUNCED else 0)
    for event in told:
        outcome = "succeeded" if history[-1].phase is Phase.SUCCEEDED else "failed"
        assert event.event_type == f"action_attempt.{attempt.action_type.lower()}.{outcome}"
        assert event.payload == {"action_type": attempt.action_type, "status": history[-1].status}
        assert (event.action_attempt_id, event.device_id, event.connected_account_id) == ("a", "d", "c")


@given(beginnings, steps)
def test_nothing_becomes_sent_at_or_after_its_deadline(attempt, path):
    """Whoever comes too late with it finds the attempt expired."""
    history, _ = walk(attempt, path)
    for before, after in pairwise(history):
        if before.phase is Phase.QUEUED and after.phase is Phase.SENT:
            assert after.marks[-1].at < DEADLINE


@given(beginnings, steps)
def test_nothing_becomes_sent_before_its_moment(attempt, path):
    """Whoever comes too early with it finds that it may not be."""
    history, _ = walk(attempt, path)
    for before, after in pairwise(history):
        if before.phase is Phase.QUEUED and after.phase is Phase.SENT and attempt.not_before is not None:
            assert after.marks[-1].at >= attempt.not_before


@given(beginnings, steps)
def test_only_what_was_certainly_not_sent_is_cancelled(attempt, path):
    """Either it was never sent, or its driver said that nothing reached the device."""
    history, _ = walk(attempt, path)
    if history[-1].failure is not None and history[-1].failure[0] == "cancelled":
        assert history[-2].phase is Phase.QUEUED
        touched = [mark.stage for mark in history[-1].marks if mark.stage in {"sent", "postponed"}]
        assert touched == ["sent", "postponed"] * (len(touched) // 2)


@given(beginnings, steps)
def test_success_always_has_the_evidence_that_was_required(attempt, path):
    """A success weaker than that is an outcome that nobody knows."""
    last = walk(attempt, path)[0][-1]
    if last.phase is Phase.SUCCEEDED:
        assert last.evidence >= attempt.required_evidence
        assert last.result is not None
        assert last.failure is None


@given(beginnings, steps)
def test_the_wire_sees_exactly_one_of_result_and_error_at_the_end_and_none_before(attempt, path):
    """pending has neither, success a result, error a failure."""
    for each in walk(attempt, path)[0]:
        assert (each.result is not None) == (each.status == "success")
        assert (each.failure is not None) == (each.status == "error")
        assert (each.settled_at is not None) == (each.phase in FINAL)


@given(beginnings, steps)
def test_the_timeline_only_grows_and_evidence_never_weakens(attempt, path):
    """What was known stays known."""
    for before, after in pairwise(walk(attempt, path)[0]):
        assert after.marks[: len(before.marks)] == before.marks
        assert len(after.marks) == len(before.marks) + 1
        assert after.evidence >= before.evidence


@given(beginnings, steps)
def test_expiry_says_whether_the_device_may_have_acted(attempt, path):
    """Never sent is action_attempt_expired; sent is outcome_unknown."""
    history, _ = walk(attempt, path)
    last = history[-1]
    if last.failure is None or len(history) < 2:
        return
    kind, was_sent = last.failure[0], history[-2].phase is not Phase.QUEUED
    if kind == "action_attempt_expired":
        assert not was_sent
    if kind == "outcome_unknown":
        assert was_sent


@given(st.sampled_from(sorted(OPEN)), signals)
def test_a_pair_that_is_not_in_the_table_raises_and_changes_nothing(phase, signal):
    """The table is the whole truth about legal moves."""
    attempt = Attempt(
        id="a", workspace_id="w", action_type="UNLOCK_DOOR", lane="d", device_id="d",
        connected_account_id="c", ask={}, phase=phase, accepted_at=START, deadline_at=DEADLINE,
    )  # fmt: skip
    before = tuple(attempt)
    if (phase, type(signal)) in MOVES:
        decision = decide(attempt, signal, START + 1)
        assert decision is not None
    else:
        with pytest.raises(IllegalMove):
            decide(attempt, signal, START + 1)
    assert tuple(attempt) == before


@given(st.sampled_from(sorted(FINAL)), signals)
def test_what_comes_after_the_end_is_kept_as_late_and_changes_nothing(phase, signal):
    """Final phases absorb; the timeline has a word for what came late."""
    attempt = Attempt(
        id="a", workspace_id="w", action_type="UNLOCK_DOOR", lane="d", device_id="d",
        connected_account_id="c", ask={}, phase=phase, accepted_at=START, deadline_at=DEADLINE,
    )  # fmt: skip
    assert decide(attempt, signal, START + 1) is None
    mark = late_mark(attempt, signal, START + 1)
    assert (mark.stage, mark.at) == ("late", START + 1)
    assert mark.note
    if isinstance(signal, Succeeded):
        # It is called what it would have been.
        is_enough = signal.evidence >= attempt.required_evidence
        assert mark.note == ("settled: success" if is_enough else "settled: outcome_unknown")


def test_every_open_phase_can_end():
    """From each open phase there is a way to fail, and one by the deadline."""
    for phase in OPEN:
        assert MOVES[phase, Failed] is Phase.FAILED
        assert MOVES[phase, DeadlinePassed] is Phase.FAILED
