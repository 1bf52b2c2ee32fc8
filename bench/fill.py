"""Give a stopped server a past: copies of one finished attempt, with all that the file holds of it.

    python -m bench.fill DATA_DIRECTORY COUNT

It knows no column but the ones named in `database.py`: whatever row carries the model's id, in a column
of its own or within a text, is copied with a fresh id; times (integers in columns called `…_at`) move into
the past with it; an event gets an id and the workspace's next sequence number, and the workspace's own
count of events is brought up to date.
"""

import argparse
import os
import random
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from bench import database
from bench.rows import BenchError

#: The copies lie this far back, evenly spread, oldest first.
DAYS = 30
BATCH = 20_000
#: Tables whose rows stand for themselves, even where they mention an attempt.
LEFT_ALONE = {"audit_entries", "audit_waiting", "devices", "workspaces"}

Cell = str | bytes | int | float | None


class Copy(NamedTuple):
    """One attempt that never was."""

    id: UUID
    #: Milliseconds that it lies before its model.
    back: int
    #: The number of its first event.
    sequence: int


@dataclass(frozen=True, slots=True)
class Model:
    """A row that is copied for every attempt."""

    table: str
    columns: tuple[str, ...]
    cells: tuple[Cell, ...]
    #: The column that a copy needs a fresh id in; None where the attempt's id is all that has to differ.
    own_key: str | None
    #: Its place among the attempt's events, if it is one.
    rank: int

    def __getitem__(self, column: str) -> Cell:
        return self.cells[self.columns.index(column)]

    @property
    def insert(self) -> str:
        """The statement that writes a copy."""
        places = ", ".join("?" * len(self.columns))
        return f"insert into {self.table} ({', '.join(self.columns)}) values ({places})"


def fill(data: Path, count: int) -> float:
    """Add so many finished attempts to a stopped server's file; the seconds it took."""
    started = time.perf_counter()
    with closing(sqlite3.connect(database.find(data), isolation_level=None)) as connection:
        connection.execute("pragma synchronous = off")
        connection.execute("pragma cache_size = -200000")
        key = _finished_attempt(connection)
        models = _models(connection, key)
        events = [model for model in models if model.table == database.EVENTS]
        last = _last_sequence(connection, events[0]) if events else 0
        for batch in _batches(_copies(count, last + 1, len(events))):
            connection.execute("begin immediate")
            for model in models:
                connection.executemany(model.insert, _rows(model, key, batch))
            connection.execute("commit")
        if events:
            _correct_counters(connection, events[0], last + count * len(events))
            _no_gaps(connection, events[0])
        connection.execute("pragma wal_checkpoint(truncate)")
    with database.find(data).open("rb") as file:
        os.fsync(file.fileno())  # what is still to be written must not be written while something is measured
    return time.perf_counter() - started


def _finished_attempt(connection: sqlite3.Connection) -> str | bytes:
    """The key of the newest attempt that succeeded at a device."""
    newest = (
        f"select {database.ID} from {database.ATTEMPTS} where {database.PHASE} = ?"
        f" and device_id is not null order by {database.ID} desc limit 1"
    )
    found = connection.execute(newest, (database.SUCCEEDED,)).fetchone()
    if found is None:
        raise BenchError("the file holds no finished attempt to copy: unlock a door first")
    key: str | bytes = found[0]
    return key


def _tables(connection: sqlite3.Connection) -> Iterator[tuple[str, list[str], list[str]]]:
    """Every table with its columns and those of its primary key; the attempts first."""
    every = "select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'"
    names = [name for (name,) in connection.execute(every).fetchall()]
    for name in sorted(names, key=lambda name: (name != database.ATTEMPTS, name)):
        described = connection.execute(f"pragma table_info({name})").fetchall()
        yield name, [column[1] for column in described], [column[1] for column in described if column[5]]


def _models(connection: sqlite3.Connection, key: str | bytes) -> list[Model]:
    """Every row of the file that tells of this attempt; the attempt itself first."""
    models: list[Model] = []
    for table, columns, keys in _tables(connection):
        if table in LEFT_ALONE:
            continue
        # A column may be the id, a text (an event's payload) may mention it.
        told = " or ".join(f"{column} = :key or instr({column}, :spelled)" for column in columns)
        asked = {"key": key, "spelled": database.as_text(key)}
        for row in connection.execute(f"select * from {table} where {told}", asked).fetchall():
            own_key = keys[0] if len(keys) == 1 else None
            if table == database.EVENTS:
                own_key = database.EVENT_ID
            elif own_key and row[columns.index(own_key)] == key:
                own_key = None
            rank = sum(model.table == table for model in models)
            models.append(Model(table, tuple(columns), tuple(row), own_key, rank))
    return models


def _last_sequence(connection: sqlite3.Connection, event: Model) -> int:
    """The number of the workspace's newest event."""
    newest = f"select max({database.SEQUENCE}) from {database.EVENTS} where {database.WORKSPACE} = ?"
    last: int = connection.execute(newest, (event[database.WORKSPACE],)).fetchone()[0]
    return last


def _copies(count: int, sequence: int, events: int) -> Iterator[Copy]:
    """The attempts to add, oldest first; each with so many events."""
    now = time.time_ns() // 1_000_000
    span = DAYS * 86_400_000
    for number in range(count):
        back = span - span * number // count + 3_600_000
        yield Copy(_uuid7(now - back), back, sequence + number * events)


def _batches(copies: Iterator[Copy]) -> Iterator[list[Copy]]:
    """The same, in lists of one transaction each."""
    batch: list[Copy] = []
    for copy in copies:
        batch.append(copy)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _uuid7(milliseconds: int) -> UUID:
    """A UUIDv7 of that moment."""
    chance = random.getrandbits(74)
    low = 0b10 << 62 | chance & (1 << 62) - 1
    return UUID(int=milliseconds << 80 | 0x7 << 76 | (chance >> 62) << 64 | low)


def _rows(model: Model, key: str | bytes, copies: list[Copy]) -> Iterator[list[Cell]]:
    """The model's row for each of the copies."""
    changes = [_change(model, column, key) for column in model.columns]
    for copy in copies:
        yield [
            cell if change is None else change(copy)
            for cell, change in zip(model.cells, changes, strict=True)
        ]


def _change(model: Model, column: str, key: str | bytes) -> Callable[[Copy], Cell] | None:
    """How this column follows from a copy; None if it says the same in all of them."""
    cell, spelled = model[column], database.as_text(key)
    if column == model.own_key:
        if isinstance(cell, int):
            return lambda copy: None  # SQLite numbers it
        return lambda copy: _spell(_uuid7(copy.id.int >> 80), cell)
    if column == database.FILED:
        return lambda copy: 1  # long since in the index by device
    if cell == key:
        return lambda copy: _spell(copy.id, cell)
    if model.table == database.EVENTS and column == database.SEQUENCE:
        return lambda copy: copy.sequence + model.rank
    if column.endswith("_at") and isinstance(cell, int):
        return lambda copy: cell - copy.back * 1000
    if isinstance(cell, str) and spelled in cell:
        return lambda copy: cell.replace(spelled, str(copy.id))
    return None


def _spell(new_id: UUID, like: Cell) -> Cell:
    """The id in the way that this cell keeps one."""
    return new_id.bytes if isinstance(like, bytes) else str(new_id)


def _correct_counters(connection: sqlite3.Connection, event: Model, last: int) -> None:
    """Wherever the workspace's last sequence number is kept beside the events, write the new one."""
    for table, columns, _ in list(_tables(connection)):
        owner = database.WORKSPACE if database.WORKSPACE in columns else database.ID
        for column in columns:
            if database.SEQUENCE in column and table != database.EVENTS and owner in columns:
                counter = f"update {table} set {column} = ? where {owner} = ?"
                connection.execute(counter, (last, event[database.WORKSPACE]))


def _no_gaps(connection: sqlite3.Connection, event: Model) -> None:
    """Raise BenchError if a sequence number of the workspace is missing or doubled."""
    wanted = (
        f"select max({database.SEQUENCE}) - min({database.SEQUENCE}) + 1, count(*) from {database.EVENTS}"
        f" where {database.WORKSPACE} = ?"
    )
    span, rows = connection.execute(wanted, (event[database.WORKSPACE],)).fetchone()
    if span != rows:
        raise BenchError(f"the events' sequence has gaps: {rows} events over {span} numbers")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Give a stopped server a past of finished attempts.")
    parser.add_argument("data", type=Path, help="its data directory")
    parser.add_argument("count", type=int, help="how many attempts to add")
    asked = parser.parse_args()
    try:
        print(f"added {asked.count} attempts in {fill(asked.data, asked.count):.1f} s")
    except BenchError as error:
        sys.exit(str(error))
