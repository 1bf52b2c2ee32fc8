"""An attempt as a search shows it: enough to choose the one to have explained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import TypedDict

from thumbturn.api.wire.asker import AskedBy, asked_by_json
from thumbturn.api.wire.attempt import AttemptError, Status, attempt_json
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import to_wire_exactly


class FoundAttempt(TypedDict):
    """An action attempt with where, when and by whom it was asked."""

    action_attempt_id: str
    action_type: str
    status: Status
    result: Mapping[str, Any] | None
    error: AttemptError | None
    device_id: str | None
    connected_account_id: str | None
    asked_by: AskedBy | None
    asked_at: str
    settled_at: str | None


def found_json(attempt: Attempt) -> FoundAttempt:
    """The attempt as a search shows it."""
    return {
        **attempt_json(attempt),
        "device_id": attempt.device_id,
        "connected_account_id": attempt.connected_account_id,
        "asked_by": asked_by_json(attempt.asked_by),
        "asked_at": to_wire_exactly(attempt.accepted_at),
        "settled_at": None if attempt.settled_at is None else to_wire_exactly(attempt.settled_at),
    }
