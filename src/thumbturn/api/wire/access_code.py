"""An access code, managed or not, as the wire has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, NotRequired, cast

from typing_extensions import TypedDict

from thumbturn.domain.access_code import AccessCode as Code
from thumbturn.domain.access_code import is_scheduled, status, wanted
from thumbturn.domain.access_code_changes import times
from thumbturn.domain.clock import to_wire
from thumbturn.domain.connected_account import ACCOUNT_DISCONNECTED
from thumbturn.domain.device import Device
from thumbturn.domain.device_troubles import errors_of
from thumbturn.engine.pins import Pins

Type = Literal["time_bound", "ongoing"]


class AccessCode(TypedDict):
    """A code of a lock that is looked after here."""

    access_code_id: str
    device_id: str
    workspace_id: str
    name: str | None
    code: str | None
    common_code_key: str | None
    type: Type
    status: Literal["setting", "set", "unset", "removing", "unknown"]
    starts_at: NotRequired[str | None]
    ends_at: NotRequired[str | None]
    created_at: str
    errors: list[Mapping[str, Any]]
    warnings: list[Mapping[str, Any]]
    pending_mutations: list[Mapping[str, Any]]
    is_managed: bool
    is_backup: bool
    is_backup_access_code_available: bool
    is_external_modification_allowed: bool
    is_offline_access_code: bool
    is_one_time_use: bool
    is_scheduled_on_device: bool
    is_waiting_for_code_assignment: bool
    pulled_backup_access_code_id: str | None


class UnmanagedAccessCode(TypedDict):
    """A code that somebody set at a lock, or that is looked after elsewhere."""

    access_code_id: str
    device_id: str
    workspace_id: str
    name: str | None
    code: str | None
    type: Type
    status: Literal["set", "unset"]
    starts_at: NotRequired[str | None]
    ends_at: NotRequired[str | None]
    created_at: str
    errors: list[Mapping[str, Any]]
    warnings: list[Mapping[str, Any]]
    is_managed: bool


def access_code_json(
    code: Code, device: Device | None, pins: Pins, now: int, *, has_backup: bool = False
) -> AccessCode:
    """The code, of which this is the lock, as the wire has it."""
    json = _common(code, device, pins) | {
        "status": "unknown" if device is not None and _is_beyond_reach(device) else status(code, now).value,
        "common_code_key": code.common_code_key,
        "pending_mutations": list(_pending(code, pins, now)),
        "is_backup": code.is_backup,
        "is_backup_access_code_available": has_backup,
        "is_external_modification_allowed": code.is_external_modification_allowed,
        "is_offline_access_code": False,
        "is_one_time_use": False,
        "is_scheduled_on_device": is_scheduled(code, now),
        "is_waiting_for_code_assignment": False,
        "pulled_backup_access_code_id": code.pulled_backup_id,
    }
    passing = {}
    if code.pulled_backup_id is not None:
        passing["using_backup_access_code"] = ("A backup code lets in instead of it.", code.changed_at)
    if code.removed_at is not None:
        passing["being_deleted"] = ("It is being deleted.", code.removed_at)
    json["warnings"] += _troubles(passing, "warning_code")
    return cast("AccessCode", json)


def _is_beyond_reach(device: Device) -> bool:
    """True while nobody can say what its lock holds: it, or its account, is not ours to ask any more."""
    return bool(device.state.get("removed")) or device.state.get("offline_because") == ACCOUNT_DISCONNECTED


def unmanaged_json(code: Code, device: Device | None, pins: Pins, now: int) -> UnmanagedAccessCode:
    """The code as the wire has those that are not managed: they are set, or not.

    One that is managed and whose lock is not is shown as its lock holds it.
    """
    held = code.facts.held
    if code.is_managed:
        if held is not None:
            code = replace(code, name=held.name, pin=held.pin)
        is_set = held is not None and not is_scheduled(code, now)
    else:
        is_set = status(code, now).value in ("set", "removing")
    so = {"status": "set" if is_set else "unset", "is_managed": False}
    return cast("UnmanagedAccessCode", _common(code, device, pins) | so)


def _common(code: Code, device: Device | None, pins: Pins) -> dict[str, Any]:
    json: dict[str, Any] = {
        "access_code_id": code.id,
        "device_id": code.device_id,
        "workspace_id": code.workspace_id,
        "name": code.name,
        # Of one that somebody set at a lock that gives no PIN back, nobody knows it.
        "code": pins.open(code.pin) or None,
        "type": code.kind,
        "created_at": to_wire(code.created_at),
        "errors": [*_troubles(code.facts.errors, "error_code", is_access_code_error=True)],
        "warnings": [*_troubles(code.facts.warnings, "warning_code")],
        "is_managed": code.is_managed,
    }
    if device is not None:
        json["errors"] += errors_of(device)
    return json | dict(times(code)) if code.is_time_bound else json


def _troubles(known: Mapping[str, tuple[str, int]], name: str, **more: bool) -> Iterator[Mapping[str, Any]]:
    for word, (message, since) in known.items():
        yield {name: word, "message": message, "created_at": to_wire(since), **more}


def _pending(code: Code, pins: Pins, now: int) -> Iterator[Mapping[str, Any]]:
    """What is not at the lock yet."""
    since = to_wire(code.changed_at)
    if code.is_over(now):
        yield {
            "mutation_code": "deleting",
            "message": "It is being removed from its lock.",
            "created_at": since,
        }
        return
    held, slot = code.facts.held, wanted(code, now)
    if held is None:
        if code.programmed_at > now:
            yield {
                "mutation_code": "deferring_creation",
                "message": "It will be set ahead of its start.",
                "created_at": since,
                "scheduled_at": to_wire(code.programmed_at),
            }
        elif not code.is_left_alone:
            yield {
                "mutation_code": "creating",
                "message": "It is being set on its lock.",
                "created_at": since,
            }
        return
    if slot is None or code.is_left_alone:
        return
    for word, message, before, after in (
        ("updating_code", "Its PIN is being changed.", _pin(held.pin, pins), _pin(slot.pin, pins)),
        ("updating_name", "Its name is being changed.", {"name": held.name}, {"name": slot.name}),
        ("updating_time_frame", "Its time is being changed.", _times(held), _times(slot)),
    ):
        if before != after:
            yield {
                "mutation_code": word,
                "message": message,
                "created_at": since,
                "from": before,
                "to": after,
            }


def _pin(sealed: str, pins: Pins) -> Mapping[str, Any]:
    return {"code": pins.open(sealed)}


def _times(slot: Any) -> Mapping[str, Any]:
    moments = {"starts_at": slot.starts_at, "ends_at": slot.ends_at}
    return {name: None if moment is None else to_wire(moment) for name, moment in moments.items()}
