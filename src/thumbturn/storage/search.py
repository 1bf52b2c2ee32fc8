"""Finding attempts by what is known of them, newest first, without walking through all of them.

A search is led by one index: the one by the most telling of its conditions. The other conditions are
looked at row by row, and are written so that no database is tempted to be led by them: to a planner
each of a million attempts looks like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, tuple_

from thumbturn.domain.attempt import STATUS, Attempt
from thumbturn.engine.ports import AttemptFilter
from thumbturn.storage.devices import ids_within
from thumbturn.storage.expressions import unled, within
from thumbturn.storage.rows import attempt_of
from thumbturn.storage.tables import HAS_ACTOR, HAS_FAILED, IS_FILED, IS_OPEN, IS_UNFILED, attempts

#: So many are asked for one by one.
_FEW_DEVICES = 50

_columns = attempts.c
Question = Select[Any]


def found(
    connection: Connection,
    workspace_id: str,
    wanted: AttemptFilter,
    *,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Attempt]:
    """The attempts of a workspace that fit, older than ``after``, newest first."""
    place = tuple_(_columns.accepted_at, _columns.id)
    rows: dict[str, Any] = {}
    seen = within(_columns.connected_account_id, wanted.reach, connection.dialect)
    for question in _questions(connection, workspace_id, wanted):
        question = question.where(*seen)  # noqa: PLW2901
        if wanted.since is not None:
            question = question.where(_columns.accepted_at >= wanted.since)  # noqa: PLW2901
        if wanted.before is not None:
            question = question.where(_columns.accepted_at < wanted.before)  # noqa: PLW2901
        if after is not None:
            question = question.where(place < after)  # noqa: PLW2901
        newest = question.order_by(_columns.accepted_at.desc(), _columns.id.desc()).limit(limit)
        rows |= {row[0]: row for row in connection.execute(newest)}
    found = [attempt_of(row) for row in rows.values()]
    return sorted(found, key=lambda attempt: (attempt.accepted_at, attempt.id), reverse=True)[:limit]


def _questions(connection: Connection, workspace_id: str, wanted: AttemptFilter) -> list[Question]:
    # Of all attempts of a workspace those of somebody who sees a few devices may be one in a million.
    # They are found device by device, which each has its own in order; but those that are open, failed or
    # asked for somebody are few anyway.
    is_few = wanted.status in ("pending", "error") or wanted.cause is not None or wanted.actor is not None
    devices = None
    if wanted.device_id is None and not is_few:
        devices = ids_within(connection, workspace_id, wanted.reach, _FEW_DEVICES)
    if devices is None:
        return _led(workspace_id, wanted)
    return [question for id in devices for question in _led(workspace_id, replace(wanted, device_id=id))]


def _led(workspace_id: str, wanted: AttemptFilter) -> list[Question]:
    """The search as one question, or as two where the leading index does not hold the newest rows yet."""
    here = _columns.workspace_id == workspace_id
    also_here = unled(_columns.workspace_id, workspace_id)
    if wanted.status == "pending":
        return [_rest(wanted, "status").where(IS_OPEN, also_here)]
    if wanted.device_id is not None:
        of_device = _columns.device_id == wanted.device_id
        return _both_halves(_rest(wanted, "device_id").where(of_device), here, also_here)
    if wanted.cause is not None:
        return [_rest(wanted, "cause").where(HAS_FAILED, here, _columns.failure_type == wanted.cause)]
    if wanted.actor is not None:
        return [_rest(wanted, "actor").where(HAS_ACTOR, here, _columns.actor == wanted.actor)]
    if wanted.status == "error":
        return [_rest(wanted, "status").where(HAS_FAILED, here)]
    if wanted.action_type is not None:
        of_type = _columns.action_type == wanted.action_type
        return _both_halves(_rest(wanted, "action_type").where(of_type), here, also_here)
    return [_rest(wanted).where(here)]


def _both_halves(
    question: Question, here: ColumnElement[bool], also_here: ColumnElement[bool]
) -> list[Question]:
    # A row that is filed between the two questions comes twice, never not at all.
    return [question.where(IS_UNFILED, also_here), question.where(IS_FILED, here)]


def _rest(wanted: AttemptFilter, leader: str = "") -> Question:
    """All conditions but the leading one and those of time and place."""
    question = select(attempts)
    for name, condition in _CONDITIONS.items():
        value = getattr(wanted, name)
        if value is not None and name != leader:
            question = question.where(condition(value))
    return question


_CONDITIONS: dict[str, Callable[[str], ColumnElement[bool]]] = {
    "status": lambda status: _columns.phase.in_([phase.value for phase in STATUS if STATUS[phase] == status]),
    "action_type": lambda action_type: unled(_columns.action_type, action_type),
    "device_id": lambda device_id: unled(_columns.device_id, device_id),
    "actor": lambda actor: unled(_columns.actor, actor),
    "cause": lambda cause: unled(_columns.failure_type, cause),
}
