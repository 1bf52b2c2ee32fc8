"""Why an attempt stands as it does: who asked for what, what was heard, the cause, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from thumbturn.actions import Action
from thumbturn.api.wire.asker import AskedBy, asked_by_json
from thumbturn.api.wire.attempt import AttemptError, Status, attempt_json
from thumbturn.api.wire.timeline import Stage, stage_json
from thumbturn.domain.attempt import Mark
from thumbturn.domain.clock import to_wire_exactly
from thumbturn.domain.discretion import HIDDEN
from thumbturn.domain.explanation import advice_for, cause_of, may_have_acted
from thumbturn.engine.begun import Standing


class Explanation(TypedDict):
    """An attempt in words.

    ``cause`` says in a sentence why it ended as it did, or what a pending one waits for; ``what_to_do``
    says in another what to do next. ``ahead`` is how many attempts of the same device come before a
    pending one. ``late`` is what came after the end and changed nothing.
    """

    action_attempt_id: str
    action_type: str
    status: Status
    phase: str
    device_id: str | None
    connected_account_id: str | None
    parameters: Mapping[str, Any]
    asked_by: AskedBy | None
    asked_at: str
    not_before: str | None
    deadline_at: str
    settled_at: str | None
    cause: str
    what_to_do: str
    may_have_acted: bool
    error: AttemptError | None
    evidence: str
    required_evidence: str
    ahead: int | None
    stages: list[Stage]
    late: list[Stage]


def explanation_json(standing: Standing, late: tuple[Mark, ...], action: Action | None) -> Explanation:
    """The explanation as the wire has it. The action says which parameters were secrets."""
    attempt = standing.attempt
    wire = attempt_json(attempt)
    secrets = {} if action is None else dict.fromkeys(sorted(action.secrets), HIDDEN)
    return {
        "action_attempt_id": attempt.id,
        "action_type": attempt.action_type,
        "status": wire["status"],
        "phase": attempt.phase,
        "device_id": attempt.device_id,
        "connected_account_id": attempt.connected_account_id,
        "parameters": {**attempt.ask, **secrets},
        "asked_by": asked_by_json(attempt.asked_by),
        "asked_at": to_wire_exactly(attempt.accepted_at),
        "not_before": None if attempt.not_before is None else to_wire_exactly(attempt.not_before),
        "deadline_at": to_wire_exactly(attempt.deadline_at),
        "settled_at": None if attempt.settled_at is None else to_wire_exactly(attempt.settled_at),
        "cause": cause_of(attempt, standing.ahead, standing.held_for),
        "what_to_do": advice_for(attempt, late),
        "may_have_acted": may_have_acted(attempt),
        "error": wire["error"],
        "evidence": attempt.evidence.word,
        "required_evidence": attempt.required_evidence.word,
        "ahead": None if attempt.phase.is_final else standing.ahead,
        "stages": [stage_json(mark) for mark in attempt.marks],
        "late": [stage_json(mark) for mark in late],
    }
