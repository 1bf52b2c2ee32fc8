"""A code at a lock: what it shall be, what the lock is known to hold, and what follows from the two.

What it **shall be** (its PIN, its name, its time) is the caller's affair; what
its lock **holds** is a fact, learned from the lock. Whatever is between the two is to be done (``step``),
and its status is read off them (``status``). So there is no state that could disagree with the lock's.

A PIN is here in two forms, neither of which can be read: sealed, and as a keyed hash by which two PINs
at one lock can be told to be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Literal

from thumbturn.domain.clock import seconds
from thumbturn.domain.ids import is_id, named_id

#: How long before its start a code is at its lock: where the lock keeps the time itself, and elsewhere.
NATIVE_AHEAD = seconds(72 * 3_600)
AHEAD = seconds(60 * 60)
#: So long after it should have been set or removed it is said to be late.
LATE_AFTER = seconds(5 * 60)

CREATE: Final = "CREATE_ACCESS_CODE"
UPDATE: Final = "UPDATE_ACCESS_CODE"
DELETE: Final = "DELETE_ACCESS_CODE"
SYNC, CONVERT = "SYNC_ACCESS_CODES", "CONVERT_ACCESS_CODE_TO_MANAGED"
#: The actions that are about one code.
ABOUT_A_CODE = frozenset({CREATE, UPDATE, DELETE, CONVERT})

Step = Literal["CREATE_ACCESS_CODE", "UPDATE_ACCESS_CODE", "DELETE_ACCESS_CODE"]


class CodeStatus(StrEnum):
    """Where a code stands, in the wire's words."""

    UNSET = "unset"
    SETTING = "setting"
    SET = "set"
    REMOVING = "removing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What a lock holds, or shall hold, in one place of its memory."""

    #: Sealed.
    pin: str
    #: The PIN's keyed hash.
    pin_key: str
    name: str | None = None
    #: µs; only where the lock keeps the time itself.
    starts_at: int | None = None
    ends_at: int | None = None

    @property
    def times(self) -> tuple[int | None, int | None]:
        """From when until when its lock lets in with it, µs."""
        return self.starts_at, self.ends_at

    def is_like(self, other: Slot) -> bool:
        """True if it lets in with the same PIN at the same times under the same name."""
        return (self.pin_key, self.name, self.starts_at, self.ends_at) == (
            other.pin_key,
            other.name,
            other.starts_at,
            other.ends_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a code at its lock."""

    #: What the lock holds for it.
    held: Slot | None = None
    #: True while nobody knows whether the lock holds it.
    is_uncertain: bool = False
    #: True once the workspace was told that it can be used.
    is_told_set: bool = False
    #: Failed in a row, when last, and not before which moment it is tried again, µs.
    failures: int = 0
    failed_at: int = 0
    retry_at: int = 0
    #: How often it was put right after somebody had changed it at the lock, and when last.
    resets: int = 0
    reset_at: int = 0
    #: When somebody changed it at the lock who may: it stays as it is there until it is changed here.
    left_alone_at: int = -1
    #: By their code: message, and since when, µs.
    errors: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    warnings: Mapping[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessCode:
    """A code of a lock."""

    id: str
    workspace_id: str
    device_id: str
    connected_account_id: str
    name: str | None
    #: Sealed.
    pin: str
    pin_key: str
    #: The lock's own name for where it is; of those that were made here their id.
    place: str
    created_at: int
    #: When its caller last changed what it shall be, µs.
    changed_at: int
    is_managed: bool = True
    #: µs; both or neither.
    starts_at: int | None = None
    ends_at: int | None = None
    common_code_key: str | None = None
    is_external_modification_allowed: bool = False
    #: The lock itself keeps the time.
    is_native: bool = False
    uses_backup_pool: bool = False
    is_backup: bool = False
    #: The backup that stands in for it; and of a backup, for which code it stands in.
    pulled_backup_id: str | None = None
    stands_in_for: str | None = None
    #: When somebody asked for its end, µs.
    removed_at: int | None = None
    facts: Facts = field(default_factory=Facts)
    #: When it must be looked at again, µs; ``None`` if never.
    due_at: int | None = None

    @property
    def times(self) -> tuple[int | None, int | None]:
        """From when until when it shall let in, µs."""
        return self.starts_at, self.ends_at

    @property
    def is_time_bound(self) -> bool:
        """True if it has an end."""
        return self.ends_at is not None

    @property
    def kind(self) -> Literal["ongoing", "time_bound"]:
        """The wire's word for that."""
        return "time_bound" if self.is_time_bound else "ongoing"

    @property
    def programmed_at(self) -> int:
        """From when on it shall be at its lock, µs."""
        if self.starts_at is None:
            return self.changed_at
        return max(self.changed_at, self.starts_at - (NATIVE_AHEAD if self.is_native else AHEAD))

    def is_over(self, now: int) -> bool:
        """True once it shall let nobody in any more."""
        return self.removed_at is not None or (self.ends_at is not None and self.ends_at <= now)

    @property
    def over_at(self) -> int | None:
        """When it is, or was, over, µs."""
        moments = [moment for moment in (self.removed_at, self.ends_at) if moment is not None]
        return min(moments, default=None)

    @property
    def is_certainly_off(self) -> bool:
        """True if its lock holds nothing of it, for sure."""
        return self.facts.held is None and not self.facts.is_uncertain

    @property
    def is_left_alone(self) -> bool:
        """True while it stays as somebody changed it at its lock."""
        return self.facts.left_alone_at >= self.changed_at

    @property
    def waits_until(self) -> int:
        """Not before this moment it is tried again, µs. What was changed since is tried at once."""
        return self.facts.retry_at if self.facts.failed_at >= self.changed_at else 0

    def but(self, **facts: Any) -> AccessCode:
        """The code with other facts."""
        return replace(self, facts=replace(self.facts, **facts))


def code_at(device_id: str, place: str) -> str:
    """The id of the code in this place: a code that was made here is in a place that is called like it."""
    return place if is_id(place) else named_id(device_id, place)


def wanted(code: AccessCode, now: int) -> Slot | None:
    """What its lock shall hold for it at this moment."""
    if code.is_over(now) or now < code.programmed_at:
        return None
    times = (code.starts_at, code.ends_at) if code.is_native else (None, None)
    return Slot(pin=code.pin, pin_key=code.pin_key, name=code.name, starts_at=times[0], ends_at=times[1])


def step(code: AccessCode, now: int) -> Step | None:
    """What must be done for it at its lock at this moment, as the action that does it."""
    if code.is_over(now) and (code.is_managed or code.removed_at is not None):
        return DELETE
    if not code.is_managed or code.is_left_alone:
        return None
    held, slot = code.facts.held, wanted(code, now)
    if slot is None:
        return None if code.is_certainly_off else UPDATE
    if held is None:
        return CREATE
    return None if held.is_like(slot) and not code.facts.is_uncertain else UPDATE


def status(code: AccessCode, now: int) -> CodeStatus:
    """Where it stands at this moment."""
    held = code.facts.held
    if not code.is_managed and code.removed_at is None:
        # Nobody looks after it: it lets in as its lock holds it, whatever it was to be.
        starts_at, ends_at = (code if held is None else held).times
        is_in_time = (starts_at is None or starts_at <= now) and (ends_at is None or now < ends_at)
        return CodeStatus.SET if is_in_time else CodeStatus.UNSET
    if code.is_over(now):
        return CodeStatus.REMOVING
    if code.is_left_alone:
        return CodeStatus.UNSET if held is None else CodeStatus.SET
    if step(code, now) is not None:
        return CodeStatus.SETTING
    return CodeStatus.UNSET if held is None or is_scheduled(code, now) else CodeStatus.SET


def is_scheduled(code: AccessCode, now: int) -> bool:
    """True while it waits in its lock for its start."""
    held = code.facts.held
    return held is not None and held.starts_at is not None and now < held.starts_at


def is_newly_usable(code: AccessCode, now: int) -> bool:
    """True if it lets in, and the workspace was not told so."""
    return code.is_managed and not code.facts.is_told_set and status(code, now) is CodeStatus.SET


def next_look(code: AccessCode, now: int) -> int | None:
    """When there will be something to do for it, µs; a moment that is past means: now."""
    if step(code, now) is not None or is_newly_usable(code, now):
        return max(now, code.waits_until)
    if not code.is_managed:
        return None
    moments = (code.programmed_at, code.starts_at, code.ends_at)
    return min((moment for moment in moments if moment is not None and moment > now), default=None)


def looked_at(code: AccessCode, now: int) -> AccessCode:
    """The code with the moment at which it must be looked at again."""
    return replace(code, due_at=next_look(code, now))


def late_at(code: AccessCode, now: int) -> int:
    """When it is said to be late with what is to be done now, µs."""
    if code.is_over(now) and code.over_at is not None:
        due = code.over_at
    else:
        # What somebody changed at the lock is late from when that was found.
        due = max(code.programmed_at, code.starts_at or 0, code.facts.reset_at)
    return max(due, code.changed_at if due <= now else due) + LATE_AFTER


def differs(codes: Iterable[AccessCode], holds: Mapping[str, Slot]) -> bool:
    """True if a lock that holds this, by place, holds something else than is on record of its codes."""
    places = set()
    for code in codes:
        there, held = holds.get(code.place), code.facts.held
        places.add(code.place)
        if not code.is_managed:
            if there is None or there.pin_key != code.pin_key:
                return True
        elif held is not None and (there is None or not there.is_like(held)):
            return True
    return not holds.keys() <= places
