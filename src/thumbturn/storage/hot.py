"""The hot path: what accepting, running and settling attempts writes.

A wave of operations becomes at most five kinds of statement, whatever its size. Everything about
how these few are written is in this file, so that it may be replaced without touching the rest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, bindparam, update

from thumbturn.domain.attempt import Attempt, Mark
from thumbturn.domain.event import Event
from thumbturn.engine.ports import Change, Transition
from thumbturn.storage.bulk import insert_rows, update_rows
from thumbturn.storage.rows import Row, attempt_row, event_row, plain_marks
from thumbturn.storage.tables import attempts, devices, events, late_marks, workspaces
from thumbturn.storage.writer import Lost

_MOVING = ("phase", "evidence", "result", "failure_type", "failure_message", "settled_at", "marks")


class Late(NamedTuple):
    """A mark that comes after its attempt's end."""

    attempt_id: str
    mark: Mark


#: An attempt is accepted, a change applied, a late mark appended; anything else is called with
#: the connection, inside the same transaction.
Operation: TypeAlias = Attempt | Change | Late | Callable[[Connection], Any]


class UnknownWorkspace(Exception):
    """An event names a workspace that does not exist."""


def perform(connection: Connection, operations: Sequence[Operation]) -> list[Any]:
    """Do the operations in order, inside the caller's transaction, and give their answers.

    Raises ``Lost`` when a change's guard does not hold.
    """
    answers: list[Any] = []
    for called, group in groupby(operations, callable):
        run = list(group)
        if called:
            answers += [operation(connection) for operation in run]  # type: ignore[operator]
        else:
            answers += _write(connection, run)
    return answers


def _write(connection: Connection, operations: Sequence[Any]) -> list[Any]:
    accepted: list[Row] = []
    moves: dict[str, Transition] = {}
    states: dict[str, Row] = {}
    told: list[Event] = []
    late: list[Row] = []
    answers: list[Any] = []
    for operation in operations:
        if isinstance(operation, Attempt):
            accepted.append(attempt_row(operation))
            answers.append(None)
        elif isinstance(operation, Change):
            for move in operation.transitions:
                moves[move.attempt.id] = _behind(moves.get(move.attempt.id), move)
            for device in operation.devices:
                states[device.id] = (device.id, device.state)
            told += operation.events
            answers.append(True)
        else:
            late.append((operation.attempt_id, *operation.mark))
            answers.append(None)
    insert_rows(connection, attempts, accepted)
    rows = [_move_row(move) for move in moves.values()]
    if update_rows(connection, attempts, _MOVING, rows, guard="phase") != len(rows):
        raise Lost
    update_rows(connection, devices, ("state",), list(states.values()))
    insert_rows(connection, late_marks, late)
    # Last, because it is what other processes wait for.
    write_events(connection, told)
    return answers


def write_events(connection: Connection, told: Iterable[Event]) -> None:
    """Write events with the next numbers of their workspaces.

    The numbers are taken in the transaction that uses them: rolled back, they leave no gap.
    """
    told = list(told)
    counts = Counter(event.workspace_id for event in told)
    following = {}
    # In one order everywhere, so that two processes cannot wait for each other.
    for workspace_id in sorted(counts):
        last = connection.execute(
            _TAKE_NUMBERS, {"workspace": workspace_id, "count": counts[workspace_id]}
        ).scalar()
        if last is None:
            raise UnknownWorkspace(workspace_id)
        following[workspace_id] = last - counts[workspace_id]
    rows = []
    for event in told:
        following[event.workspace_id] += 1
        rows.append(event_row(event, following[event.workspace_id]))
    insert_rows(connection, events, rows)


_TAKE_NUMBERS = (
    update(workspaces)
    .where(workspaces.c.id == bindparam("workspace"))
    .values(event_sequence=workspaces.c.event_sequence + bindparam("count"))
    .returning(workspaces.c.event_sequence)
)


def _behind(earlier: Transition | None, move: Transition) -> Transition:
    """Two moves of one attempt in one wave, as one: the row is written once, under the first guard."""
    if earlier is None:
        return move
    if earlier.attempt.phase is not move.came_from:
        raise Lost
    return Transition(move.attempt, earlier.came_from)


def _move_row(move: Transition) -> Row:
    attempt = move.attempt
    failure_type, failure_message = attempt.failure or (None, None)
    return (
        attempt.id,
        attempt.phase.value,
        int(attempt.evidence),
        attempt.result,
        failure_type,
        failure_message,
        attempt.settled_at,
        plain_marks(attempt),
        move.came_from.value,
    )
