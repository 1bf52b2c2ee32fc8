"""A batch of attempts: how many stand where, and each of them, in the order in which they were asked for."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import TypedDict

from thumbturn.api.wire.attempt import ActionAttempt, attempt_json
from thumbturn.domain.attempt import Attempt


class BatchSummary(TypedDict):
    """How many attempts of a batch stand where."""

    pending: int
    success: int
    error: int


class Batch(TypedDict):
    """Attempts that were accepted together. Each ends by itself."""

    batch_id: str
    summary: BatchSummary
    action_attempts: list[ActionAttempt]


def batch_json(batch_id: str, attempts: Sequence[Attempt]) -> Batch:
    """The batch as the wire has it."""
    statuses = [attempt.status for attempt in attempts]
    return {
        "batch_id": batch_id,
        "summary": {
            "pending": statuses.count("pending"),
            "success": statuses.count("success"),
            "error": statuses.count("error"),
        },
        "action_attempts": [attempt_json(attempt) for attempt in attempts],
    }
