"""An access method of a grant as the wire has it: what assigning a card answers with."""

from __future__ import annotations

from typing import Any, Literal

from thumbturn.actions.definition import Result
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod
from thumbturn.domain.clock import to_wire

#: What to show for a way in, by its mode.
MODE_NAMES = {"card": "Card", "cloud_key": "Cloud Key", "code": "PIN Code", "mobile_key": "Mobile Key"}


class AccessMethod(Result):
    """A way in that an access grant has."""

    access_method_id: str
    workspace_id: str
    mode: Literal["code", "card", "mobile_key", "cloud_key"]
    display_name: str
    code: str | None = None
    is_issued: bool
    issued_at: str | None
    is_encoding_required: bool | None = None
    is_ready_for_encoding: bool | None = None
    is_assignment_required: bool | None = None
    is_ready_for_assignment: bool | None = None
    errors: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    pending_mutations: list[dict[str, Any]]
    created_at: str


def access_method_json(
    method: GrantedMethod, grant: AccessGrant, now: int, code: str | None = None
) -> dict[str, Any]:
    """The method of this grant as the wire has it; ``code`` are its digits, for those who may see them."""
    json: dict[str, Any] = {
        "access_method_id": method.id,
        "workspace_id": method.workspace_id,
        "mode": method.mode,
        "display_name": MODE_NAMES[method.mode],
        "is_issued": method.issued_at is not None,
        "issued_at": None if method.issued_at is None else to_wire(method.issued_at),
        "errors": [],
        "warnings": _warnings(method, grant),
        "pending_mutations": _pending(method, grant),
        "created_at": to_wire(method.created_at),
    }
    if method.mode == "code":
        json["code"] = code
    if method.mode == "card":
        is_open = method.is_wanted(grant, now)
        is_ready = is_open and bool(method.acs_entrance_ids)
        is_due = is_open and method.issued_at is None
        json |= {
            "is_encoding_required": method.is_encoding_required,
            "is_ready_for_encoding": is_ready and method.is_encoding_required,
            "is_assignment_required": is_due and not method.can_be_encoded,
            "is_ready_for_assignment": is_ready and is_due,
        }
    if method.failure is not None:
        json["errors"].append(_note("error_code", "failed_to_issue", method.failure, method.failed_at))
    return json


def _warnings(method: GrantedMethod, grant: AccessGrant) -> list[dict[str, Any]]:
    found = []
    if method.is_removed(grant):
        since = method.removed_at or grant.removed_at
        found.append(_note("warning_code", "being_deleted", "It is being revoked.", since))
    if _is_changing(method, grant):
        message = "Its times are being changed."
        found.append(_note("warning_code", "updating_access_times", message, grant.times_changed_at))
    if method.delayed_at is not None:
        message = "Its time has come, and it is not in place yet."
        found.append(_note("warning_code", "delay_in_issuing", message, method.delayed_at))
    return found


def _pending(method: GrantedMethod, grant: AccessGrant) -> list[dict[str, Any]]:
    """What of it is not in place yet, or not gone yet."""
    found = []
    at, shall = list(method.at_device_ids), list(method.device_ids)
    if method.is_removed(grant):
        removed_at = method.removed_at or grant.removed_at
        if method.rests_on_devices:
            found.append(_moving("revoking_access", "It is being revoked.", removed_at, shall, []))
        return found
    if not set(shall) <= set(at):
        message = "It is being put in place."
        found.append(_moving("provisioning_access", message, method.created_at, at, shall))
    if method.leaving_device_ids:
        both = [*shall, *method.leaving_device_ids]
        message = "It is being taken away where it is for no longer."
        since = method.leaving_at or grant.doors_changed_at or method.created_at
        found.append(_moving("revoking_access", message, since, both, shall))
    if _is_changing(method, grant):
        assert grant.times_changed_at is not None
        found.append(
            {
                "mutation_code": "updating_access_times",
                "message": "Its times are being changed.",
                "created_at": to_wire(grant.times_changed_at),
                **changing_times(grant),
            }
        )
    return found


def changing_times(grant: AccessGrant) -> dict[str, Any]:
    """From which times to which a grant is being changed."""

    def times(starts_at: int | None, ends_at: int | None) -> dict[str, str | None]:
        return {
            "starts_at": None if starts_at is None else to_wire(starts_at),
            "ends_at": None if ends_at is None else to_wire(ends_at),
        }

    return {
        "from": times(grant.old_starts_at, grant.old_ends_at),
        "to": times(grant.starts_at, grant.ends_at),
    }


def _is_changing(method: GrantedMethod, grant: AccessGrant) -> bool:
    return method.is_behind and grant.times_changed_at is not None and not method.is_removed(grant)


def _moving(word: str, message: str, since: int | None, at: list[str], shall: list[str]) -> dict[str, Any]:
    devices = {"from": {"device_ids": at}, "to": {"device_ids": shall}}
    return _note("mutation_code", word, message, since) | devices


def _note(name: str, word: str, message: str, since: int | None) -> dict[str, Any]:
    assert since is not None  # what is so is so since some moment
    return {name: word, "message": message, "created_at": to_wire(since)}
