"""An action attempt: exactly five keys, always all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, cast

from typing_extensions import TypedDict

from thumbturn.domain.attempt import Attempt, Progress

Status = Literal["pending", "success", "error"]


class AttemptError(TypedDict):
    """Why an attempt did not succeed."""

    type: str
    message: str


class ActionAttempt(TypedDict):
    """A command to a device: pending, or ended in exactly one of two ways.

    ``result`` is an object when the status is ``success`` and null otherwise; ``error`` is an
    object when it is ``error`` and null otherwise.
    """

    action_attempt_id: str
    action_type: str
    status: Status
    result: Mapping[str, Any] | None
    error: AttemptError | None


def attempt_json(attempt: Attempt | Progress) -> ActionAttempt:
    """The attempt as the wire has it."""
    failure = attempt.failure
    return {
        "action_attempt_id": attempt.id,
        "action_type": attempt.action_type,
        "status": cast("Status", attempt.status),
        "result": attempt.result,
        "error": None if failure is None else {"type": failure[0], "message": failure[1]},
    }
