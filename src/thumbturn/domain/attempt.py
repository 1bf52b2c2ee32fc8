"""The attempt: one command to one device, and everything that may ever happen to it.

Everything that affects the life of an attempt lives in this file. The rules:

1. An attempt is in exactly one **phase**. Three are open (``queued``, ``sent``, ``confirming``),
   two are final (``succeeded``, ``failed``). The wire knows three words for the five.
2. It changes only by a **signal**, and only along ``MOVES``. A pair of phase and signal that is
   not in the table raises ``IllegalMove`` and changes nothing.
3. Final phases absorb. A signal that comes after the end is *late truth*: ``decide`` answers
   ``None``, and the caller appends the signal to the timeline, where it changes nothing.
4. ``sent`` means: durable *before* the device is touched. So after a crash a ``queued`` attempt
   was certainly not sent, and a ``sent`` one may have been.
5. Nothing is sent at or after the deadline. An attempt whose deadline passes before it was sent
   ends as ``action_attempt_expired``: the device has not acted. One whose deadline passes after
   it was sent ends as ``outcome_unknown``: the device may have acted, and nobody may say more.
6. Success needs evidence. A success weaker than the attempt requires ends as ``outcome_unknown``.
7. Nothing is sent before its ``not_before``. Until it is sent it may be cancelled, and not after.

``decide`` is pure. It neither stores nor sends; the engine stores what it answers, guarded by the
phase it started from, and if another writer was first it reads again and decides again.

What I still dislike: ``confirming`` carries little that the evidence does not say; it is kept
because it tells an operator apart "the radio has it" from "nobody knows" after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from thumbturn.domain.announcing import NONE_CHOSEN, Chosen, announce
from thumbturn.domain.asker import Asker
from thumbturn.domain.event import Event
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import ActionAttemptExpired, AttemptCancelled, OutcomeUnknown


class Phase(StrEnum):
    """Where an attempt stands."""

    QUEUED = "queued"
    SENT = "sent"
    CONFIRMING = "confirming"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        """True when nothing can change the attempt any more."""
        return self in FINAL


FINAL = frozenset({Phase.SUCCEEDED, Phase.FAILED})
OPEN = frozenset(Phase) - FINAL

#: What the wire calls each phase.
STATUS = {
    Phase.QUEUED: "pending",
    Phase.SENT: "pending",
    Phase.CONFIRMING: "pending",
    Phase.SUCCEEDED: "success",
    Phase.FAILED: "error",
}


class Mark(NamedTuple):
    """One stage of the timeline."""

    #: accepted, queued, sent, resent, postponed, acknowledged, observed, settled, late, or, in a world of
    #: tests, overruled.
    stage: str
    #: µs since 1970 UTC.
    at: int
    evidence: Evidence = Evidence.NONE
    #: What the device or the server said, for a person. Never a PIN.
    note: str = ""


#: The stage of an attempt of which a test said what it shall be (``engine/overruling.py``).
OVERRULED = "overruled"


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that happened to an attempt."""

    def note(self) -> str:
        """What the timeline says of it."""
        return ""


@dataclass(frozen=True, slots=True)
class Sending(Signal):
    """Its lane is free and it is its turn: from now on the device may be touched."""


@dataclass(frozen=True, slots=True)
class Resending(Signal):
    """After a crash it is sent once more (only where that is harmless)."""

    why: str = ""

    def note(self) -> str:
        return self.why


@dataclass(frozen=True, slots=True)
class Postponed(Signal):
    """Its device turned out to be offline before anything was sent, and its action waits."""

    def note(self) -> str:
        return "the device is offline, and nothing was sent to it"


@dataclass(frozen=True, slots=True)
class Sign(Signal):
    """Something that came from the device's side, and what it is worth."""

    evidence: Evidence
    said: str = ""

    def note(self) -> str:
        return self.said


@dataclass(frozen=True, slots=True)
class Acknowledged(Sign):
    """Somebody on the way took the command, or the device itself did."""


@dataclass(frozen=True, slots=True)
class Observed(Sign):
    """The device, or a sensor beside it, was seen in a state that bears on the outcome."""


@dataclass(frozen=True, slots=True)
class Succeeded(Signal):
    """The action came to its good end, on this evidence."""

    result: Mapping[str, Any]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Failed(Signal):
    """The action came to its bad end."""

    type: str
    message: str

    def note(self) -> str:
        return self.type


@dataclass(frozen=True, slots=True)
class Cancelled(Signal):
    """Somebody wants it no more."""

    #: Who, for the timeline.
    by: str

    def note(self) -> str:
        return f"cancelled by {self.by}"


@dataclass(frozen=True, slots=True)
class DeadlinePassed(Signal):
    """The time in which the caller wanted it is over."""


#: The whole life of an attempt. The diagram in the docs is drawn from this table.
MOVES: dict[tuple[Phase, type[Signal]], Phase] = {
    (Phase.QUEUED, Sending): Phase.SENT,
    (Phase.QUEUED, Cancelled): Phase.FAILED,
    (Phase.QUEUED, Failed): Phase.FAILED,
    (Phase.QUEUED, DeadlinePassed): Phase.FAILED,
    (Phase.SENT, Resending): Phase.SENT,
    (Phase.SENT, Postponed): Phase.QUEUED,
    (Phase.SENT, Acknowledged): Phase.CONFIRMING,
    (Phase.SENT, Observed): Phase.CONFIRMING,
    (Phase.SENT, Succeeded): Phase.SUCCEEDED,
    (Phase.SENT, Failed): Phase.FAILED,
    (Phase.SENT, DeadlinePassed): Phase.FAILED,
    (Phase.CONFIRMING, Resending): Phase.CONFIRMING,
    (Phase.CONFIRMING, Acknowledged): Phase.CONFIRMING,
    (Phase.CONFIRMING, Observed): Phase.CONFIRMING,
    (Phase.CONFIRMING, Succeeded): Phase.SUCCEEDED,
    (Phase.CONFIRMING, Failed): Phase.FAILED,
    (Phase.CONFIRMING, DeadlinePassed): Phase.FAILED,
}

_STAGE: dict[type[Signal], str] = {
    Sending: "sent",
    Resending: "resent",
    Postponed: "postponed",
    Acknowledged: "acknowledged",
    Observed: "observed",
    Succeeded: "settled",
    Failed: "settled",
    Cancelled: "settled",
    DeadlinePassed: "settled",
}


class IllegalMove(Exception):
    """The signal makes no sense in this phase. Nothing was changed; this is a bug of ours."""


class Attempt(NamedTuple):
    """One command to one device (or to a workspace), and what is known of it.

    A named tuple, because several are made in the life of each command, and of the frozen things
    that Python offers it is made fastest, by far.
    """

    id: str
    workspace_id: str
    action_type: str
    #: Attempts of one lane run one at a time in order of acceptance: the device's id, or
    #: ``workspace:<id>`` for what concerns no device.
    lane: str
    device_id: str | None
    connected_account_id: str | None
    #: What was asked, as it may be stored: secrets are not in it.
    ask: Mapping[str, Any]
    phase: Phase
    #: µs. Strictly increasing in order of acceptance.
    accepted_at: int
    #: µs. At or after this moment it is never sent.
    deadline_at: int
    #: The least evidence that makes a success of it.
    required_evidence: Evidence = Evidence.RADIO_ACK
    #: The best evidence so far; once it succeeded, what its success rests on.
    evidence: Evidence = Evidence.NONE
    result: Mapping[str, Any] | None = None
    #: (type, message) once it failed.
    failure: tuple[str, str] | None = None
    settled_at: int | None = None
    #: The timeline up to now, oldest first.
    marks: tuple[Mark, ...] = ()
    #: Who asked; ``None`` for what was accepted before that was kept.
    asked_by: Asker | None = None
    #: µs. Before this moment it is never sent; ``None`` if it may be at once.
    not_before: int | None = None
    #: The batch it was accepted in, if it was.
    batch_id: str | None = None

    @property
    def status(self) -> str:
        """The wire's word for the phase."""
        return STATUS[self.phase]

    @property
    def is_overruled(self) -> bool:
        """True if a test said what it shall be: nothing that is done may go by that."""
        return any(mark.stage == OVERRULED for mark in self.marks)

    def moved(
        self,
        phase: Phase,
        mark: Mark,
        *,
        result: Mapping[str, Any] | None = None,
        failure: tuple[str, str] | None = None,
        settled_at: int | None = None,
    ) -> Attempt:
        """The attempt one stage further: in this phase, with the stage's mark and its evidence."""
        return Attempt(
            self.id,
            self.workspace_id,
            self.action_type,
            self.lane,
            self.device_id,
            self.connected_account_id,
            self.ask,
            phase,
            self.accepted_at,
            self.deadline_at,
            self.required_evidence,
            max(self.evidence, mark.evidence),
            result,
            failure,
            settled_at,
            (*self.marks, mark),
            self.asked_by,
            self.not_before,
            self.batch_id,
        )


class Progress(NamedTuple):
    """How far an attempt has come: of its ask and its timeline nothing.

    Whoever waits for an attempt asks for this again and again, and it is read in a third of the time.
    """

    id: str
    workspace_id: str
    action_type: str
    phase: Phase
    result: Mapping[str, Any] | None
    failure: tuple[str, str] | None

    @property
    def status(self) -> str:
        """The wire's word for the phase."""
        return STATUS[self.phase]


class Decision(NamedTuple):
    """What a signal makes of an attempt, and what the workspace is told of it."""

    attempt: Attempt
    events: tuple[Event, ...]


def decide(attempt: Attempt, signal: Signal, now: int, chosen: Chosen = NONE_CHOSEN) -> Decision | None:
    """The attempt after the signal, with the events of the change; ``None`` if it came too late.

    ``chosen`` says what workspaces want to be told beyond what all are. Raises ``IllegalMove`` for a pair
    that is not in ``MOVES``; nothing is changed then.
    """
    if attempt.phase in FINAL:
        return None
    kind = type(signal)
    phase = MOVES.get((attempt.phase, kind))
    if phase is None:
        raise IllegalMove(f"{kind.__name__} in phase {attempt.phase}")

    if isinstance(signal, Sign):
        return Decision(attempt.moved(phase, Mark(_STAGE[kind], now, signal.evidence, signal.said)), ())
    if kind is Sending and attempt.not_before is not None and now < attempt.not_before:
        raise IllegalMove(f"Sending before {attempt.not_before}")

    why = _bad_end(attempt, signal, now)
    if why is not None:
        return _end_badly(attempt, why, now, signal.note() or why.type, chosen)
    if isinstance(signal, Succeeded):
        mark = Mark("settled", now, signal.evidence, "success")
        ended = attempt.moved(phase, mark, result=signal.result, settled_at=now)
        if ended.evidence is not signal.evidence:
            # Something better was seen on the way, and it did not say that this was so.
            ended = ended._replace(evidence=signal.evidence)
        return Decision(ended, announce(ended, now, chosen))
    return Decision(attempt.moved(phase, Mark(_STAGE[kind], now, Evidence.NONE, signal.note())), ())


def _bad_end(attempt: Attempt, signal: Signal, now: int) -> Failed | None:
    """The failure that the signal makes of the attempt, if it makes one."""
    if isinstance(signal, Succeeded):
        is_enough = signal.evidence >= attempt.required_evidence
        return None if is_enough else _too_weak(attempt, signal.evidence)
    if isinstance(signal, Failed):
        return signal
    if isinstance(signal, Cancelled):
        return Failed(AttemptCancelled.type, AttemptCancelled.sentence)
    is_too_late = isinstance(signal, Sending) and now >= attempt.deadline_at
    return _expired(attempt) if is_too_late or isinstance(signal, DeadlinePassed) else None


def _end_badly(attempt: Attempt, why: Failed, now: int, note: str, chosen: Chosen) -> Decision:
    mark = Mark("settled", now, attempt.evidence, note)
    ended = attempt.moved(Phase.FAILED, mark, failure=(why.type, why.message), settled_at=now)
    return Decision(ended, announce(ended, now, chosen))


def late_mark(attempt: Attempt, signal: Signal, now: int) -> Mark:
    """How a signal that came after the attempt's end stands in the timeline."""
    stage, note = _STAGE[type(signal)], signal.note()
    if isinstance(signal, Succeeded):
        note = "success" if signal.evidence >= attempt.required_evidence else OutcomeUnknown.type
    return Mark(
        "late", now, getattr(signal, "evidence", Evidence.NONE), f"{stage}: {note}" if note else stage
    )


def _expired(attempt: Attempt) -> Failed:
    """The end of an attempt whose time is over: known not to have acted, or unknown."""
    if attempt.phase is Phase.QUEUED:
        return Failed(ActionAttemptExpired.type, ActionAttemptExpired.sentence)
    return Failed(OutcomeUnknown.type, OutcomeUnknown.sentence)


def _too_weak(attempt: Attempt, evidence: Evidence) -> Failed:
    return Failed(
        OutcomeUnknown.type,
        f"{OutcomeUnknown.sentence} This workspace asks for evidence of grade "
        f"{attempt.required_evidence.word}; there was only {evidence.word}.",
    )
