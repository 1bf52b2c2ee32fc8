"""What becomes of a code by what its lock does, and what the workspace is told of it: each fact once.

All of these are pure: they answer the code as it is then, and the events that belong to that. Whoever asks
stores both together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from thumbturn.domain.access_code import AccessCode, Slot, is_newly_usable, is_scheduled, step
from thumbturn.domain.clock import seconds, to_wire
from thumbturn.domain.device import Device
from thumbturn.domain.device_troubles import errors_of, warnings_of
from thumbturn.domain.errors import Failure
from thumbturn.domain.event import Event
from thumbturn.domain.failures import DuplicateOnDevice, NoSpaceOnDevice
from thumbturn.domain.ids import new_id

FAILED_TO_SET, FAILED_TO_REMOVE = "failed_to_set_on_device", "failed_to_remove_from_device"
LATE_IN_SETTING, LATE_IN_REMOVING = "delay_in_setting_on_device", "delay_in_removing_from_device"
CONFLICT, IN_EFFECT = "conflicting_external_modification", "external_modification_in_effect"
CANNOT_CONVERT = "unmanaged.failed_to_convert_to_managed"
#: What a failure is called among a code's errors; any other is a failure to set it, or to remove it.
_CALLED = {failure.type: failure.type for failure in (NoSpaceOnDevice, DuplicateOnDevice)}

#: Between two tries: doubled each time, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = seconds(60), seconds(60 * 60)
#: Somebody who changes a code again after this time is no endless quarrel.
QUARREL_ENDS_AFTER = seconds(24 * 3_600)


class News(NamedTuple):
    """A code after something happened to it."""

    code: AccessCode
    events: tuple[Event, ...] = ()
    #: True if it is gone: nothing of it is at its lock, and nothing shall be.
    is_gone: bool = False


def is_by_code(event: Event) -> bool:
    """Whether it tells of a bolt that was moved by a code."""
    return "access_code_id" in event.payload and event.event_type in ("lock.unlocked", "lock.locked")


def entered_by(code: AccessCode, *, is_managed: bool) -> dict[str, Any]:
    """What such an event says of the code, whose lock is managed or not: the digits are those at the lock."""
    held = code.facts.held
    return {
        "access_code_is_managed": code.is_managed and is_managed,
        "code": code.pin if held is None else held.pin,
    }


def tell(
    code: AccessCode, event_type: str, now: int, attempt_id: str | None = None, /, **payload: Any
) -> Event:
    """An event about a code."""
    return Event(
        event_id=new_id(),
        event_type=f"access_code.{event_type}",
        workspace_id=code.workspace_id,
        occurred_at=now,
        created_at=now,
        device_id=code.device_id,
        connected_account_id=code.connected_account_id,
        action_attempt_id=attempt_id,
        payload={"access_code_id": code.id, **payload},
    )


def programmed(code: AccessCode, slot: Slot | None, now: int, attempt_id: str | None) -> News:
    """Its lock holds this for it now."""
    before = code.facts
    if slot is None and code.is_over(now):
        return News(code, gone(code, now, attempt_id), is_gone=True)
    after = code.but(
        held=slot,
        is_uncertain=False,
        failures=0,
        errors={},
        warnings={name: why for name, why in before.warnings.items() if name not in _PASSING},
        is_told_set=before.is_told_set
        and slot is not None
        and before.held is not None
        and before.held.is_like(slot),
    )
    if slot is None:
        return News(after, (tell(code, "removed_from_device", now, attempt_id),) if before.held else ())
    if is_scheduled(after, now):
        is_new = before.held is None or not before.held.is_like(slot)
        return News(
            after, (tell(code, "scheduled_on_device", now, attempt_id, code=code.pin),) if is_new else ()
        )
    return usable(after, now, attempt_id)


_PASSING = frozenset({LATE_IN_SETTING, LATE_IN_REMOVING, IN_EFFECT})


def usable(code: AccessCode, now: int, attempt_id: str | None = None) -> News:
    """It lets in from now on, if it does and that was not told."""
    if not is_newly_usable(code, now):
        return News(code)
    return News(code.but(is_told_set=True), (tell(code, "set_on_device", now, attempt_id, code=code.pin),))


def gone(code: AccessCode, now: int, attempt_id: str | None = None) -> tuple[Event, ...]:
    """The events of its end: it was at its lock and is not any more, and it is no more."""
    if not code.is_managed:
        return (tell(code, "unmanaged.removed", now, attempt_id),)
    removed = (tell(code, "removed_from_device", now, attempt_id),) if not code.is_certainly_off else ()
    return (*removed, tell(code, "deleted", now, attempt_id, code=code.pin))


def handed_over(codes: Iterable[AccessCode], now: int, *, is_managed: bool) -> list[Event]:
    """The events of the codes of a lock that is managed from now on, or is not any more."""
    word = "unmanaged.converted_to_managed" if is_managed else "unmanaged.created"
    return [tell(code, word, now) for code in codes if code.is_managed]


def forgotten(code: AccessCode, now: int) -> Event:
    """The event of a code that is not known here any more, while its lock stays as it is."""
    if not code.is_managed:
        return tell(code, "unmanaged.removed", now)
    return tell(code, "deleted", now, code=code.pin)


def failed(
    code: AccessCode, failure: Failure, now: int, attempt_id: str | None, device: Device | None
) -> News:
    """It could not be set, or removed. Told once for as often as it fails in a row, with what is wrong with
    its lock.
    """
    if not code.is_managed and code.removed_at is None:
        return News(code, (tell(code, CANNOT_CONVERT, now, attempt_id, **_troubles(code, device)),))
    if step(code, now) is None and not failure.may_have_acted:
        return News(code)  # its lock holds what it shall all the same
    word = FAILED_TO_REMOVE if code.is_over(now) else FAILED_TO_SET
    name = _CALLED.get(failure.type, word)
    facts = code.facts
    since = facts.errors.get(name, ("", now))[1]
    after = code.but(
        is_uncertain=facts.is_uncertain or failure.may_have_acted,
        failures=facts.failures + 1,
        failed_at=now,
        retry_at=now + pause(facts.failures),
        errors={**facts.errors, name: (failure.message, since)},
    )
    return News(
        after,
        () if name in facts.errors else (tell(after, word, now, attempt_id, **_troubles(after, device)),),
    )


def late(code: AccessCode, now: int, device: Device | None) -> News:
    """It should have been set, or removed, some time ago. Told once, with what is wrong with its lock."""
    name, message = (
        LATE_IN_SETTING,
        "It is not at its lock yet. It is set as soon as the lock can be reached.",
    )
    if code.is_over(now):
        name, message = (
            LATE_IN_REMOVING,
            "It may still open its lock. It is removed as soon as that can be reached.",
        )
    if name in code.facts.warnings:
        return News(code)
    after = code.but(warnings={**code.facts.warnings, name: (message, now)})
    return News(after, (tell(after, name, now, **_troubles(after, device)),))


def changed_outside(code: AccessCode, there: Slot | None, now: int, attempt_id: str | None) -> News:
    """Somebody changed it at its lock, or deleted it there. It is put right again, unless that is allowed;
    and ever more slowly, if it is changed again and again.
    """
    facts = code.facts
    word = "deleted_external_to_seam" if there is None else "modified_external_to_seam"
    told = (tell(code, word, now, attempt_id),)
    does = "deleted" if there is None else "changed"
    if code.is_external_modification_allowed:
        why = (f"It was {does} at its lock, and that is left as it is.", now)
        warnings = {**facts.warnings, IN_EFFECT: why}
        return News(code.but(held=there, is_uncertain=False, left_alone_at=now, warnings=warnings), told)
    resets = facts.resets + 1 if now - facts.reset_at < QUARREL_ENDS_AFTER else 1
    why = (f"It was {does} at its lock, and is put right again.", now)
    return News(
        code.but(
            held=there,
            is_uncertain=False,
            is_told_set=False,
            resets=resets,
            reset_at=now,
            failed_at=now,
            retry_at=0 if resets == 1 else now + pause(resets - 2),
            errors={**facts.errors, CONFLICT: why},
        ),
        told,
    )


def converted(code: AccessCode, now: int, attempt_id: str | None) -> News:
    """It is managed here from now on, as it is at its lock."""
    held = Slot(pin=code.pin, pin_key=code.pin_key, name=code.name)
    after = replace(code, is_managed=True).but(held=held, is_told_set=True)
    return News(after, (tell(code, "unmanaged.converted_to_managed", now, attempt_id),))


def pause(failures: int) -> int:
    """How long until it is tried again that failed so often before, µs."""
    return int(min(FIRST_PAUSE << min(failures, 10), LONGEST_PAUSE))


def _troubles(code: AccessCode, device: Device | None) -> Mapping[str, Any]:
    errors = [] if device is None else errors_of(device)

    def listed(known: Mapping[str, tuple[str, int]], name: str) -> list[Mapping[str, Any]]:
        return [
            {name: code, "message": message, "created_at": to_wire(since)}
            for code, (message, since) in known.items()
        ]

    return {
        "access_code_errors": listed(code.facts.errors, "error_code"),
        "access_code_warnings": listed(code.facts.warnings, "warning_code"),
        "device_errors": errors,
        "device_warnings": [] if device is None else warnings_of(device),
        "connected_account_errors": [each for each in errors if "is_connected_account_error" in each],
        "connected_account_warnings": [],
    }
