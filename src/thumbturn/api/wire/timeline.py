"""An attempt's timeline: what happened to it, when to the microsecond, and how it is known."""

from __future__ import annotations

from typing_extensions import TypedDict

from thumbturn.api.wire.attempt import Status, attempt_json
from thumbturn.domain.attempt import Mark
from thumbturn.domain.clock import to_wire_exactly
from thumbturn.engine import ports


class Stage(TypedDict):
    """One thing that happened to an attempt."""

    stage: str
    occurred_at: str
    evidence: str
    note: str


class Timeline(TypedDict):
    """Everything that is known of an attempt. ``late`` is what came after its end and changed nothing."""

    action_attempt_id: str
    action_type: str
    status: Status
    phase: str
    device_id: str | None
    connected_account_id: str | None
    evidence: str
    required_evidence: str
    accepted_at: str
    not_before: str | None
    deadline_at: str
    settled_at: str | None
    stages: list[Stage]
    late: list[Stage]


def timeline_json(timeline: ports.Timeline) -> Timeline:
    """The timeline as the wire has it."""
    attempt = timeline.attempt
    return {
        "action_attempt_id": attempt.id,
        "action_type": attempt.action_type,
        "status": attempt_json(attempt)["status"],
        "phase": attempt.phase,
        "device_id": attempt.device_id,
        "connected_account_id": attempt.connected_account_id,
        "evidence": attempt.evidence.word,
        "required_evidence": attempt.required_evidence.word,
        "accepted_at": to_wire_exactly(attempt.accepted_at),
        "not_before": None if attempt.not_before is None else to_wire_exactly(attempt.not_before),
        "deadline_at": to_wire_exactly(attempt.deadline_at),
        "settled_at": None if attempt.settled_at is None else to_wire_exactly(attempt.settled_at),
        "stages": [stage_json(mark) for mark in attempt.marks],
        "late": [stage_json(mark) for mark in timeline.late],
    }


def stage_json(mark: Mark) -> Stage:
    """A stage as the wire has it."""
    return {
        "stage": mark.stage,
        "occurred_at": to_wire_exactly(mark.at),
        "evidence": mark.evidence.word,
        "note": mark.note,
    }
