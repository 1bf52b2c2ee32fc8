"""The hot path: what accepting, running and settling attempts writes.

Operations are made into plain rows where they are asked for, on the event loop. The writer's thread
then only puts rows together: whatever it computes there, it computes while the event loop waits
for the interpreter lock, or waits for it itself. On PostgreSQL a wave becomes a statement for each kind of
row (``postgres_wave.py``), whatever its size; on SQLite it becomes one (``wave.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection

from thumbturn.domain.attempt import Attempt, Mark, Phase
from thumbturn.domain.event import Event
from thumbturn.domain.idempotency import FirstAnswer
from thumbturn.engine.ports import Change
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.fences import perform_guarded
from thumbturn.storage.numbering import take_numbers
from thumbturn.storage.postgres_wave import write_postgres_wave
from thumbturn.storage.rows import Row, attempt_row, encode, event_row, outcome_row
from thumbturn.storage.tables import events
from thumbturn.storage.wave import MOST_ROWS, prepare, wave_of, write_wave

_FINAL = frozenset(phase.value for phase in Phase if phase.is_final)


class Move(NamedTuple):
    """An attempt's row as it shall be, and the phases that it goes from and to."""

    row: Row
    came_from: str
    phase: str


class Told(NamedTuple):
    """An event's row, which lacks its place in the sequence of its workspace."""

    workspace_id: str
    row: Row


class Rows(NamedTuple):
    """An operation, as rows."""

    accepted: Row | None = None
    first: FirstAnswer | None = None
    moves: tuple[Move, ...] = ()
    states: tuple[Row, ...] = ()
    told: tuple[Told, ...] = ()
    late: Row | None = None
    #: The cell whose engine has not taken the accepted attempt yet; ``None`` if it has.
    cell: int | None = None
    #: Attempts that others accepted for an engine, by id, which it has taken in.
    dropped: tuple[str, ...] = ()
    #: What its caller is answered when it is durable.
    answer: bool | None = None


@dataclass(frozen=True, slots=True)
class Telling:
    """Something to be called with the connection that also tells these workspaces something."""

    call: Callable[[Connection], Any]
    workspaces: frozenset[str]

    def __call__(self, connection: Connection) -> Any:
        return self.call(connection)


#: Rows to write; anything else is called with the connection, inside the same transaction.
Operation: TypeAlias = Rows | Callable[[Connection], Any]


def accepting(attempt: Attempt) -> Rows:
    """A new attempt."""
    return Rows(accepted=attempt_row(attempt))


def accepting_once(attempt: Attempt, first: FirstAnswer) -> Rows:
    """A new attempt with its first answer, answered with true; with false if the key is taken."""
    return Rows(accepted=attempt_row(attempt), first=first, answer=True)


def accepting_for(cell: int, attempt: Attempt, first: FirstAnswer | None) -> Rows:
    """A new attempt for the engine of a cell, answered as ``accepting_once``."""
    return Rows(accepted=attempt_row(attempt), first=first, cell=cell, answer=True)


def dropping(ids: Collection[str]) -> Rows:
    """Attempts that others accepted need be taken in no more."""
    return Rows(dropped=tuple(ids), answer=True)


def claiming(first: FirstAnswer) -> Rows:
    """A call that is under way, answered with true; with false if the key is taken."""
    return Rows(first=first, answer=True)


def accepting_all(new: Sequence[Attempt], first: FirstAnswer | None) -> Callable[[Connection], bool]:
    """New attempts, all or none, answered with true; with false if the key of their first answer is taken."""
    operations = [accepting(attempt) for attempt in new]
    if first is not None:
        operations.insert(0, claiming(first))

    def write(connection: Connection) -> bool:
        perform(connection, operations)
        return True

    return write


def changing(change: Change) -> Rows:
    """A change, answered with true; with false if one of its transitions comes too late."""
    return Rows(
        moves=tuple(
            [
                Move(outcome_row(attempt), came_from.value, attempt.phase.value)
                for attempt, came_from in change.transitions
            ]
        ),
        states=tuple([(device.id, encode(device.state)) for device in change.devices]),
        told=to_be_told(change.events),
        answer=True,
    )


def appending(attempt_id: str, mark: Mark) -> Rows:
    """A mark that comes after its attempt's end."""
    return Rows(late=(attempt_id, mark.stage, mark.at, int(mark.evidence), mark.note))


def telling(call: Callable[[Connection], Any], events: Iterable[Event]) -> Telling:
    """An operation that writes these events in its own way."""
    return Telling(call, frozenset([event.workspace_id for event in events]))


def told_by(operations: Iterable[Operation]) -> frozenset[str]:
    """The workspaces that these operations tell something."""
    found: set[str] = set()
    for operation in operations:
        if isinstance(operation, Rows):
            found.update([workspace_id for workspace_id, _ in operation.told])
        elif isinstance(operation, Telling):
            found |= operation.workspaces
    return frozenset(found)


def ended_by(operations: Iterable[Operation]) -> list[str]:
    """The ids of the attempts that these operations end."""
    return [
        move.row[0]
        for operation in operations
        if isinstance(operation, Rows)
        for move in operation.moves
        if move.phase in _FINAL
    ]


def commit(connection: Connection, operations: Sequence[Operation]) -> list[Any]:
    """Do the operations in order as one transaction, durably, and give their answers.

    Raises ``Lost`` when a change's guard does not hold, or a key is taken. Those whose fence has fallen are
    not done, and answered with ``Fenced``.
    """
    if connection.dialect.name == "sqlite":
        prepare(connection)
        if not any(map(callable, operations)) and len(rows := wave_of(operations)) <= MOST_ROWS:
            write_wave(connection, rows)
            return [operation.answer for operation in operations]  # type: ignore[union-attr]
        with connection.begin():
            return perform(connection, operations)
    with connection.begin():
        return perform_guarded(connection, operations, perform)


def perform(connection: Connection, operations: Sequence[Operation]) -> list[Any]:
    """Do the operations in order, inside the caller's transaction, and give their answers.

    Raises ``Lost`` when a change's guard does not hold, or a key is taken.
    """
    answers: list[Any] = []
    for called, group in groupby(operations, callable):
        run = list(group)
        if called:
            answers += [operation(connection) for operation in run]  # type: ignore[operator]
        else:
            if connection.dialect.name == "sqlite":
                write_wave(connection, wave_of(run))
            else:
                write_postgres_wave(connection, run)
            answers += [operation.answer for operation in run]  # type: ignore[union-attr]
    return answers


def write_events(connection: Connection, told: Iterable[Event]) -> None:
    """Write events with the next numbers of their workspaces."""
    _number(connection, to_be_told(told))


def to_be_told(told: Iterable[Event]) -> tuple[Told, ...]:
    """Events as rows of an operation."""
    return tuple([Told(event.workspace_id, event_row(event)) for event in told])


def _number(connection: Connection, told: Sequence[Told]) -> None:
    numbers = take_numbers(connection, [workspace_id for workspace_id, _ in told])
    numbered = zip(told, numbers, strict=True)
    insert_rows(
        connection, events, [(workspace_id, number, *row) for (workspace_id, row), number in numbered]
    )
