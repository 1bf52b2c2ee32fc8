"""The audit trail: who had what done, and when. What an entry holds is decided here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple

from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt


class Act(NamedTuple):
    """Something that was done in a workspace, as its trail keeps it."""

    workspace_id: str
    #: µs.
    at: int
    #: An action type, or the path of an endpoint.
    action: str
    #: ``None`` for what the server did by itself.
    asked_by: Asker | None
    #: What it was done to, and what came of it.
    ids: Mapping[str, Any]
    #: What was asked, without anything that might be a secret.
    parameters: Mapping[str, Any]

    def entry(self) -> dict[str, Any]:
        """The entry, its keys in order. This shape is for ever: the seals of all earlier ones rest on it."""
        by = self.asked_by
        return {
            "action": self.action,
            "actor": None if by is None else by.actor,
            "asked_by": None if by is None else by.token(),
            "at": self.at,
            "ids": self.ids,
            "parameters": self.parameters,
            "request_id": None if by is None else by.request_id,
            "workspace_id": self.workspace_id,
        }


def act_of(attempt: Attempt) -> Act:
    """The acceptance of an attempt."""
    return Act(
        attempt.workspace_id,
        attempt.accepted_at,
        attempt.action_type,
        attempt.asked_by,
        {"action_attempt_id": attempt.id, "device_id": attempt.device_id},
        attempt.ask,
    )


class Recording:
    """The act of a call that is under way, for whoever can write it together with what the call does."""

    __slots__ = ("_act_of", "is_over", "is_written")

    def __init__(self, act_of: Callable[[Mapping[str, Any]], Act | None]) -> None:
        self._act_of = act_of
        #: True once the act is on record. It is written once, whatever else the call does.
        self.is_written = False
        #: True once the call was answered. What it began may go on, and does nothing in its name any more.
        self.is_over = False

    def act(self, made: Mapping[str, Any]) -> Act | None:
        """The act, with the ids of what the call made; ``None`` if it is written, or in no trail, or the
        call is over.
        """
        return None if self.is_written or self.is_over else self._act_of(made)


#: Of the call that is being answered. A store may write its act in the transaction of what it is about.
RECORDING: ContextVar[Recording | None] = ContextVar("thumbturn_recording", default=None)
