"""What is told of access grants and their methods: each fact once, together with what it tells of."""

from __future__ import annotations

from typing import Any

from thumbturn.domain.access_grant import AccessGrant, GrantedMethod
from thumbturn.domain.clock import to_wire
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id


def of_grant(grant: AccessGrant, event_type: str, now: int, /, **payload: Any) -> Event:
    """An event about a grant: ``created`` and its like."""
    return _event(grant.workspace_id, f"access_grant.{event_type}", now, access_grant_id=grant.id, **payload)


def of_method(
    method: GrantedMethod, grant: AccessGrant, event_type: str, now: int, /, **payload: Any
) -> Event:
    """An event about a method: ``issued`` and its like."""
    known: dict[str, Any] = {"access_method_id": method.id, "access_grant_ids": [grant.id]}
    if grant.access_grant_key is not None:
        known["access_grant_keys"] = [grant.access_grant_key]
    if event_type in ("issued", "reissued") and method.code is not None:
        known |= {"code": method.code, "is_backup_code": False}
    return _event(method.workspace_id, f"access_method.{event_type}", now, **known, **payload)


def of_times(grant: AccessGrant, now: int) -> Event:
    """Its times were changed."""
    known: dict[str, Any] = {"starts_at": to_wire(grant.starts_at)}
    if grant.ends_at is not None:
        known["ends_at"] = to_wire(grant.ends_at)
    if grant.access_grant_key is not None:
        known["access_grant_key"] = grant.access_grant_key
    return of_grant(grant, "access_times_changed", now, **known)


def of_doors(before: AccessGrant, after: AccessGrant, now: int) -> list[Event]:
    """The entrances that it opens now and did not open before, and the other way round."""
    told = [
        of_grant(after, "access_granted_to_door", now, acs_entrance_id=each)
        for each in after.opened_entrance_ids
        if each not in before.opened_entrance_ids
    ]
    told += [
        of_grant(after, "access_to_door_lost", now, acs_entrance_id=each)
        for each in before.opened_entrance_ids
        if each not in after.opened_entrance_ids
    ]
    if after.is_told_all and not before.is_told_all:
        told.append(of_grant(after, "access_granted_to_all_doors", now))
    return told


def of_method_change(
    before: GrantedMethod, after: GrantedMethod, grant: AccessGrant, now: int
) -> list[Event]:
    """What became of a method between these two."""
    words: list[str] = []
    if after.issued_at is not None and after.issued_at != before.issued_at:
        words.append("reissued" if before.was_issued else "issued")
    if after.is_encoding_required and not before.is_encoding_required:
        words.append("card_encoding_required")
    if after.failure is not None and before.failure is None:
        words.append("failed_to_issue")
    if after.delayed_at is not None and before.delayed_at is None:
        words.append("delay_in_issuing")
    if after.issued_at is None and before.issued_at is not None:
        words.append("revoked")
    return [of_method(after, grant, word, now) for word in words]


def _event(workspace_id: str, event_type: str, now: int, /, **payload: Any) -> Event:
    return Event(
        event_id=new_id(),
        event_type=event_type,
        workspace_id=workspace_id,
        occurred_at=now,
        created_at=now,
        payload=payload,
    )
