"""A whole wave as one statement, for SQLite.

Beside a busy event loop the dear thing is the interpreter lock: each call of SQLite's gives it away
and has to get it back, and a wave of six calls spent most of its time waiting for that. So a wave is
one call. Its rows are inserted into a view; triggers on the view put each where it belongs, in the
order of the rows. And one statement outside a transaction is a transaction by itself, so that the
same call also brings it to the disk, or undoes all of it.

View and triggers are temporary: they live on the writer's connection and are no part of the schema.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table

from thumbturn.domain.idempotency import KEPT_FOR
from thumbturn.storage.bulk import names_of
from thumbturn.storage.rows import OUTCOME, Row
from thumbturn.storage.tables import attempts, events, first_answers, late_marks
from thumbturn.storage.writer import Lost, UnknownWorkspace

#: Rows are filled up with empty ones to a multiple of this, so that few statements are prepared.
STEP = 16
#: What one statement holds; SQLite takes 32,766 parameters, twenty-three to a row.
MOST_ROWS = 1_024

ATTEMPT, MOVE, STATE, EVENT, LATE, FIRST = range(1, 7)
_WIDTH = len(names_of(attempts))
_EMPTY = (None,) * (1 + _WIDTH)
_IS_LOST, _IS_UNKNOWN = "lost", "unknown workspace"


def wave_of(operations: Sequence[Any]) -> list[Row]:
    """The rows of operations (``hot.Rows``) in their order, each with its kind, all of one width."""
    return [row for operation in operations for row in _rows_of(operation)]


def _rows_of(operation: Any) -> Iterator[Row]:
    if operation.first is not None:
        yield _filled(FIRST, *operation.first)
    if operation.accepted is not None:
        yield (ATTEMPT, *operation.accepted)
    for move in operation.moves:
        yield _filled(MOVE, *move.row, move.came_from)
    for state in operation.states:
        yield _filled(STATE, *state)
    for workspace_id, row in operation.told:
        yield _filled(EVENT, workspace_id, *row)
    if operation.late is not None:
        yield _filled(LATE, *operation.late)


def prepare(connection: Connection) -> None:
    """Make a connection ready for ``write_wave``; outside a transaction, or it would be undone with it."""
    if "wave" not in connection.info:
        _set_up(_driver(connection))
        connection.info["wave"] = True


def write_wave(connection: Connection, rows: Sequence[Row]) -> None:
    """Write the rows in their order, up to ``MOST_ROWS`` all or none; outside a transaction durably.

    Raises ``Lost`` when the guard of one does not hold or its key is taken, ``UnknownWorkspace`` and
    ``sqlite3.Error``.
    """
    for start in range(0, len(rows), MOST_ROWS):
        _write(_driver(connection), rows[start : start + MOST_ROWS])


def _write(driver: sqlite3.Connection, rows: Sequence[Row]) -> None:
    missing = -len(rows) % STEP
    values = tuple(chain.from_iterable(rows)) + _EMPTY * missing
    try:
        driver.executemany(_statement(len(rows) + missing), [values])
    except sqlite3.IntegrityError as problem:
        if str(problem) == _IS_LOST:
            raise Lost from None
        if str(problem) == _IS_UNKNOWN:
            raise UnknownWorkspace(*{row[1] for row in rows if row[0] == EVENT}) from None
        raise


def _driver(connection: Connection) -> sqlite3.Connection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver


def _filled(*cells: Any) -> Row:
    return cells + _EMPTY[len(cells) :]


@lru_cache(maxsize=MOST_ROWS // STEP)
def _statement(count: int) -> str:
    row = f"({', '.join('?' * (1 + _WIDTH))})"
    return f"insert into wave values {', '.join([row] * count)}"


def _set_up(driver: sqlite3.Connection) -> None:
    columns = ", ".join(f"null as c{place}" for place in range(1, _WIDTH + 1))
    driver.execute(f"create temp view wave as select null as kind, {columns}")
    places = {name: f"new.c{place}" for place, name in enumerate(("id", *OUTCOME, "came_from"), start=1)}
    settings = ", ".join(f"{name} = {places[name]}" for name in OUTCOME)
    of_event = [name for name in names_of(events) if name not in {"workspace_id", "sequence"}]
    from_second = ", ".join(f"new.c{place}" for place in range(2, 2 + len(of_event)))
    for kind, body in {
        # Its line of the audit trail comes with it; sealed soon after (``audit.py``).
        ATTEMPT: (
            f"{_insert(attempts)}; insert into audit_waiting (workspace_id, attempt_id)"
            f" values ({_place('workspace_id')}, {_place('id')})"
        ),
        MOVE: (
            f"update attempts set {settings} where id = new.c1 and phase = {places['came_from']};"
            f" select raise(abort, '{_IS_LOST}') where changes() = 0"
        ),
        STATE: "update devices set state = new.c2 where id = new.c1",
        # The number is taken in the transaction that uses it: undone, it leaves no gap.
        EVENT: (
            "update workspaces set event_sequence = event_sequence + 1 where id = new.c1;"
            f" select raise(abort, '{_IS_UNKNOWN}') where changes() = 0;"
            f" insert into events (workspace_id, sequence, {', '.join(of_event)})"
            f" values (new.c1, (select event_sequence from workspaces where id = new.c1), {from_second})"
        ),
        LATE: _insert(late_marks),
        # What is over gives way; what is not, keeps its key.
        FIRST: (
            f"delete from first_answers where scope = new.c1 and begun_at <= new.c3 - {KEPT_FOR};"
            f" {_insert(first_answers, 'or ignore ')};"
            f" select raise(abort, '{_IS_LOST}') where changes() = 0"
        ),
    }.items():
        head = f"create temp trigger wave_{kind} instead of insert on wave when new.kind = {kind}"
        driver.execute(f"{head} begin {body}; end")


def _place(column: str) -> str:
    """Where this column of an attempt stands in the view."""
    return f"new.c{names_of(attempts).index(column) + 1}"


def _insert(table: Table, otherwise: str = "") -> str:
    names = names_of(table)
    values = ", ".join(f"new.c{place}" for place in range(1, len(names) + 1))
    return f"insert {otherwise}into {table.name} ({', '.join(names)}) values ({values})"
