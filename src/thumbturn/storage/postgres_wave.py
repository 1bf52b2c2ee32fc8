"""A whole wave on PostgreSQL: a statement for each kind of row, whatever its size, and two journeys for all.

What stands in the second journey is what needs an answer of the first: events, with their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from thumbturn.domain.idempotency import FirstAnswer
from thumbturn.storage import idempotency
from thumbturn.storage.arrivals import drop
from thumbturn.storage.bulk import ask_to_update, insert_rows
from thumbturn.storage.cell_tables import arrivals
from thumbturn.storage.numbering import ask_for_numbers, numbers_of
from thumbturn.storage.rows import OUTCOME, Row
from thumbturn.storage.tables import attempts, audit_waiting, devices, events, late_marks
from thumbturn.storage.together import together
from thumbturn.storage.writer import Lost


@dataclass(slots=True)
class _Gathered:
    """The rows of operations, by kind."""

    accepted: list[Row] = field(default_factory=list)
    arrived: list[Row] = field(default_factory=list)
    firsts: list[FirstAnswer] = field(default_factory=list)
    moves: dict[str, Any] = field(default_factory=dict)
    states: dict[str, Row] = field(default_factory=dict)
    told: list[tuple[str, Row]] = field(default_factory=list)
    late: list[Row] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def write_postgres_wave(connection: Connection, operations: Sequence[Any]) -> None:
    """Write operations (``hot.Rows``) as one, inside the caller's transaction.

    Raises ``Lost`` when the guard of one does not hold or its key is taken, and ``UnknownWorkspace``.
    """
    rows = _gathered(operations)
    moving = [(*move.row, move.came_from) for move in rows.moves.values()]
    named = [workspace_id for workspace_id, _ in rows.told]
    #: Answers, and how many rows each must be of.
    wanted: list[tuple[Any, int]] = []
    taken = None
    with together(connection) as journey:
        if rows.firsts:
            wanted.append((idempotency.ask_to_add(journey, rows.firsts), len(rows.firsts)))
        insert_rows(journey, attempts, rows.accepted)
        insert_rows(journey, arrivals, rows.arrived)
        # In one transaction with the attempt; sealed soon after (``audit.py``).
        insert_rows(journey, audit_waiting, [(row[1], row[0], None) for row in rows.accepted])
        if moving:
            wanted.append((ask_to_update(journey, attempts, OUTCOME, moving, guard="phase"), len(moving)))
        if rows.states:
            ask_to_update(journey, devices, ("state",), list(rows.states.values()))
        insert_rows(journey, late_marks, rows.late)
        drop(journey, rows.dropped)
        # Last, because it is what other processes wait for.
        if named:
            taken = ask_for_numbers(journey, named)
    if any(answer.rowcount != count for answer, count in wanted):
        raise Lost
    if taken is not None:
        numbers = numbers_of(taken.fetchall(), named)
        with together(connection) as journey:
            numbered = zip(rows.told, numbers, strict=True)
            insert_rows(
                journey, events, [(workspace_id, number, *row) for (workspace_id, row), number in numbered]
            )


def _gathered(operations: Sequence[Any]) -> _Gathered:
    rows = _Gathered()
    for operation in operations:
        if operation.first is not None:
            rows.firsts.append(operation.first)
        if operation.accepted is not None:
            rows.accepted.append(operation.accepted)
            if operation.cell is not None:
                rows.arrived.append((operation.accepted[0], operation.cell))
            continue
        for move in operation.moves:
            attempt_id = move.row[0]
            rows.moves[attempt_id] = _behind(rows.moves.get(attempt_id), move)
        for state in operation.states:
            rows.states[state[0]] = state
        rows.told += operation.told
        if operation.late is not None:
            rows.late.append(operation.late)
        rows.dropped += operation.dropped
    return rows


def _behind(earlier: Any, move: Any) -> Any:
    """Two moves of one attempt in one wave, as one: the row is written once, under the first guard."""
    if earlier is None:
        return move
    if earlier.phase != move.came_from:
        raise Lost
    return move._replace(came_from=earlier.came_from)
