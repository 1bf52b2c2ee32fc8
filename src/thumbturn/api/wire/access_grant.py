"""An access grant and what is related to it, as the wire has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from thumbturn.actions.access_methods import MODE_NAMES, changing_times
from thumbturn.domain.access_grant import AccessGrant as Grant
from thumbturn.domain.access_grant import GrantedMethod, RequestedMethod
from thumbturn.domain.clock import to_wire
from thumbturn.engine.pins import Pins

Mode = Literal["code", "card", "mobile_key", "cloud_key"]


class RequestedAccessMethod(TypedDict):
    """A way in that was asked for, and the access methods that were made for it."""

    mode: Mode
    display_name: str
    code: NotRequired[str]
    created_access_method_ids: list[str]
    created_at: str


class AccessGrant(TypedDict):
    """Who is let in where, when and how."""

    access_grant_id: str
    workspace_id: str
    user_identity_id: str
    access_grant_key: NotRequired[str]
    reservation_key: NotRequired[str]
    name: str | None
    display_name: str
    starts_at: str
    ends_at: str | None
    space_ids: list[str]
    location_ids: list[str]
    requested_access_methods: list[RequestedAccessMethod]
    access_method_ids: list[str]
    errors: list[Mapping[str, Any]]
    warnings: list[Mapping[str, Any]]
    pending_mutations: list[Mapping[str, Any]]
    created_at: str


def access_grant_json(grant: Grant, methods: Sequence[GrantedMethod], pins: Pins) -> AccessGrant:
    """The grant with its methods as the wire has it."""
    json: AccessGrant = {
        "access_grant_id": grant.id,
        "workspace_id": grant.workspace_id,
        "user_identity_id": grant.user_identity_id,
        "name": grant.name,
        "display_name": grant.display_name,
        "starts_at": to_wire(grant.starts_at),
        "ends_at": None if grant.ends_at is None else to_wire(grant.ends_at),
        "space_ids": list(grant.space_ids),
        "location_ids": list(grant.space_ids),
        "requested_access_methods": [_requested(each, pins) for each in grant.requested],
        "access_method_ids": [method.id for method in methods],
        "errors": _errors(grant),
        "warnings": [*_warnings(grant, methods, pins)],
        "pending_mutations": _pending(grant, methods),
        "created_at": to_wire(grant.created_at),
    }
    if grant.access_grant_key is not None:
        json["access_grant_key"] = grant.access_grant_key
    if grant.reservation_key is not None:
        json["reservation_key"] = grant.reservation_key
    return json


def _requested(request: RequestedMethod, pins: Pins) -> RequestedAccessMethod:
    json: RequestedAccessMethod = {
        "mode": request.mode,
        "display_name": MODE_NAMES[request.mode],
        "created_access_method_ids": list(request.access_method_ids),
        "created_at": to_wire(request.created_at),
    }
    if request.code is not None:
        json["code"] = pins.open(request.code)
    return json


def _errors(grant: Grant) -> list[Mapping[str, Any]]:
    if grant.problem is None or grant.problem_at is None:
        return []
    error = {
        "error_code": "cannot_create_requested_access_methods",
        "message": grant.problem,
        "created_at": to_wire(grant.problem_at),
    }
    return [error | {"missing_device_ids": list(grant.missing_device_ids)}]


def _warnings(grant: Grant, methods: Sequence[GrantedMethod], pins: Pins) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    if grant.removed_at is not None:
        found.append(_warning("being_deleted", "It is being revoked.", grant.removed_at))
    failed = [method for method in methods if method.failed_at is not None]
    if failed:
        message = "Some of its doors cannot be opened as they should."
        found.append(
            _warning("underprovisioned_access", message, min(each.failed_at or 0 for each in failed))
        )
    stuck = {device_id: said for method in methods for device_id, said in method.stuck.items()}
    if stuck:
        devices = [
            {"device_id": id, "error_code": "failed_to_remove_from_device", "message": said}
            for id, said in stuck.items()
        ]
        message = "Some locks still hold a code that they should not."
        since = min(each.stuck_at or grant.created_at for each in methods if each.stuck)
        found.append(_warning("overprovisioned_access", message, since, failed_devices=devices))
    changing = _changing(grant, methods)
    if changing and grant.times_changed_at is not None:
        message = "Its times are being changed."
        found.append(
            _warning("updating_access_times", message, grant.times_changed_at, access_method_ids=changing)
        )
    found += [
        _warning(
            "device_does_not_support_access_codes",
            "This device takes no access codes.",
            grant.created_at,
            device_id=device_id,
        )
        for device_id in grant.codeless_device_ids
    ]
    return [*found, *_replaced(grant, methods, pins)]


def _replaced(grant: Grant, methods: Sequence[GrantedMethod], pins: Pins) -> list[Mapping[str, Any]]:
    """The locks that got another code than the one that was asked for."""
    found = []
    for request in grant.requested:
        asked = None if request.code is None else pins.open(request.code)
        for method in methods:
            if asked is None or method.id not in request.access_method_ids or method.code is None:
                continue
            given = pins.open(method.code)
            found += [
                _warning(
                    "requested_code_unavailable",
                    "This lock could not have the code that was asked for, and has another.",
                    method.created_at,
                    device_id=device_id,
                    original_code=asked,
                    new_code=given,
                )
                for device_id in method.device_ids
                if given != asked
            ]
    return found


def _pending(grant: Grant, methods: Sequence[GrantedMethod]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    changing = _changing(grant, methods)
    if changing and grant.times_changed_at is not None:
        found.append(
            {
                "mutation_code": "updating_access_times",
                "message": "Its times are being changed.",
                "created_at": to_wire(grant.times_changed_at),
                "access_method_ids": changing,
                **changing_times(grant),
            }
        )
    shall = {id for method in methods for id in method.device_ids}
    at = {id for method in methods for id in (*method.at_device_ids, *method.leaving_device_ids)}
    if grant.doors_changed_at is not None and at != shall and grant.removed_at is None:
        found.append(
            {
                "mutation_code": "updating_spaces",
                "message": "Other devices are in its spaces now.",
                "created_at": to_wire(grant.doors_changed_at),
                "from": {"device_ids": sorted(at)},
                "to": {"device_ids": sorted(shall)},
            }
        )
    return found


def _changing(grant: Grant, methods: Sequence[GrantedMethod]) -> list[str]:
    """The methods that still have the times of before."""
    if grant.times_changed_at is None or grant.removed_at is not None:
        return []
    return [method.id for method in methods if method.is_behind]


def _warning(word: str, message: str, since: int, **more: Any) -> Mapping[str, Any]:
    return {"warning_code": word, "message": message, "created_at": to_wire(since), **more}
