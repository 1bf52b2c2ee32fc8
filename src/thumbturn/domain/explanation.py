"""Why an attempt stands as it does, in words: the cause, and what to do next. One sentence each."""

from __future__ import annotations

from thumbturn.domain.attempt import Attempt, Mark, Phase
from thumbturn.domain.clock import to_wire
from thumbturn.domain.errors import FAILURES, Failure
from thumbturn.domain.evidence import Evidence

#: What a success rests on.
GROUNDS = {
    Evidence.NONE: "The action came to its end, and nothing came back from the device.",
    Evidence.RADIO_ACK: "The command was taken on its way, and the device itself has not said that it acted.",
    Evidence.DEVICE_ACCEPTED: "The device said that it carried the command out.",
    Evidence.STATE_REPORT: "The device reported the state that was asked for.",
    Evidence.INDEPENDENT_SENSOR: "A sensor beside the device saw the state that was asked for.",
}

DONE = "Nothing is left to do."
UNCONFIRMED = "Look at the device if it matters, or let the workspace ask for stronger evidence."
READ_LATE = "Read what the device said after the end, under late, before you ask again."


def cause_of(attempt: Attempt, ahead: int | None = None, held_for: str = "") -> str:
    """Why it ended as it did, or what it waits for now.

    ``ahead`` is how many attempts of the same lane come before it, where that is known; ``held_for`` why it
    may not even enter its lane yet.
    """
    if attempt.failure is not None:
        return _why_it_failed(*attempt.failure)
    if attempt.phase is Phase.SUCCEEDED:
        return GROUNDS[attempt.evidence]
    if held_for:
        return f"It waits: {held_for}."
    if attempt.phase is Phase.CONFIRMING:
        return "The command is on its way, and the device has not yet said all that is needed."
    if attempt.phase is Phase.SENT:
        return "The command was sent, and the device has not answered yet."
    if ahead:
        before = "1 command" if ahead == 1 else f"{ahead} commands"
        return f"It waits for its turn: {before} to the same device must end first."
    return "It is the next one for its device, and was not sent yet."


def advice_for(attempt: Attempt, late: tuple[Mark, ...] = ()) -> str:
    """What whoever asked should do now."""
    if attempt.phase is Phase.FAILED:
        return READ_LATE if late and may_have_acted(attempt) else _class_of(attempt).advice
    if attempt.phase is Phase.SUCCEEDED:
        return DONE if attempt.evidence.confirms else UNCONFIRMED
    return f"Wait: it ends by {to_wire(attempt.deadline_at)}, one way or the other."


def may_have_acted(attempt: Attempt) -> bool:
    """False when the device has certainly not done what was asked."""
    if attempt.phase is Phase.FAILED:
        return _class_of(attempt).may_have_acted
    return attempt.phase is not Phase.QUEUED


def _class_of(attempt: Attempt) -> type[Failure]:
    # A type that this version does not know excludes nothing.
    return FAILURES.get(attempt.failure[0] if attempt.failure else "", Failure)


def _why_it_failed(type: str, message: str) -> str:
    known = FAILURES.get(type, Failure).sentence
    cause = _first_sentence(message)
    detail = _first_sentence(message.removeprefix(known).strip()) if message.startswith(known) else ""
    if not detail:
        return cause
    return f"{cause.rstrip('.')}; {detail[0].lower()}{detail[1:]}"


def _first_sentence(text: str) -> str:
    head = text.partition(". ")[0]
    return head.rstrip(".") + "." if head else ""
