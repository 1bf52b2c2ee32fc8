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
        "error": None if failure is None else _error(attempt.action_type, *failure),
    }


#: What the encoder's closed lists of errors call what is called otherwise here.
_OF_ENCODER = {
    "device_offline": "encoder_not_online",
    "device_removed": "encoder_not_online",
    "device_unreachable": "encoder_communication_timeout",
    "outcome_unknown": "encoder_communication_timeout",
    "no_credential_on_encoder": "no_credential_on_encoder",
    "action_attempt_expired": "action_attempt_expired",
}
#: For types of attempts whose errors the contract lists, the word for each; whatever has none is
#: ``uncategorized_error`` there. Attempts of other types have any.
CLOSED: Mapping[str, Mapping[str, str]] = {
    "SCAN_CREDENTIAL": _OF_ENCODER,
    "ENCODE_CREDENTIAL": {
        **_OF_ENCODER,
        "encoding_interrupted": "encoding_interrupted",
        "credential_deleted": "credential_deleted",
    },
    "ASSIGN_CREDENTIAL": {
        "credential_not_found": "credential_not_found",
        "action_attempt_expired": "action_attempt_expired",
    },
    "SCAN_TO_ASSIGN_CREDENTIAL": {
        "no_credential_on_encoder": "no_credential_on_encoder",
        "action_attempt_expired": "action_attempt_expired",
    },
}


def _error(action_type: str, cause: str, message: str) -> AttemptError:
    listed = CLOSED.get(action_type)
    word = cause if listed is None else listed.get(cause, "uncategorized_error")
    return {"type": word, "message": message}
