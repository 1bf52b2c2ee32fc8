"""The two databases as `fill.py` writes to them: one way to ask, and what each has a way of its own for."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy import create_engine, text

from bench import database
from thumbturn.storage.databases import parse_url
from thumbturn.storage.partitions import ATTEMPTS, EVENTS, bound_of, make_room

_DAY = 86_400_000_000


class Books(Protocol):
    """A database that nobody else uses."""

    def do(self, statement: str) -> None:
        """Do it in the transaction that is open."""

    def ask(self, query: str) -> list[Any]:
        """Its rows."""

    def rows(self, query: str) -> list[dict[str, Any]]:
        """Its rows, each by the names of the columns."""

    def commit(self) -> None:
        """End the transaction."""

    def new_id(self, milliseconds: str) -> str:
        """SQL for a new UUIDv7 of the moment that this SQL gives."""

    def partition(self, attempts_days: int, events_days: int) -> None:
        """Have the partitions that there would be after so many days."""

    def finish(self, tables: list[str]) -> None:
        """Bring all to the disk that has not been, and have the planner know of these tables."""


@contextmanager
def books(where: database.Where) -> Iterator[Books]:
    """The database of a server that does not run."""
    if isinstance(where, str):
        with psycopg.connect(where) as connection:
            yield _OnPostgres(connection, where)
    else:
        with closing(sqlite3.connect(database.find(where), isolation_level=None)) as file:
            yield _OnSqlite(file, database.find(where))


class _OnSqlite:
    def __init__(self, file: sqlite3.Connection, path: Path) -> None:
        from bench.fill import uuid7

        self._file = file
        self._path = path
        file.create_function("new_id", 1, uuid7)
        # What is broken off is begun anew, so nothing is written twice.
        for pragma in (
            "journal_mode = off",
            "synchronous = off",
            "cache_size = -2000000",
            "temp_store = memory",
        ):
            file.execute(f"pragma {pragma}")
        file.execute("begin immediate")

    def do(self, statement: str) -> None:
        self._file.execute(statement)

    def ask(self, query: str) -> list[Any]:
        return self._file.execute(query).fetchall()

    def rows(self, query: str) -> list[dict[str, Any]]:
        return _named(self._file.execute(query))

    def commit(self) -> None:
        self._file.execute("commit")
        self._file.execute("begin immediate")

    def new_id(self, milliseconds: str) -> str:
        return f"new_id({milliseconds})"

    def partition(self, attempts_days: int, events_days: int) -> None:
        """It has none."""

    def finish(self, tables: list[str]) -> None:
        self._file.execute("commit")
        self._file.execute("pragma journal_mode = wal")
        with self._path.open("rb") as file:
            os.fsync(file.fileno())  # it must not be written while something is measured


class _OnPostgres:
    def __init__(self, connection: psycopg.Connection[Any], url: str) -> None:
        self._connection = connection
        self._url = url
        self.do("set synchronous_commit = off")
        self.do(
            "create function pg_temp.new_id(moment bigint) returns text language sql volatile as $$"
            " select overlay(gen_random_uuid()::text placing"
            " substr(lpad(to_hex(moment), 12, '0'), 1, 8) || '-'"
            " || substr(lpad(to_hex(moment), 12, '0'), 9) || '-7'"
            " from 1 for 15) $$"
        )
        self.commit()

    def do(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def ask(self, query: str) -> list[Any]:
        return self._connection.execute(query.encode()).fetchall()

    def rows(self, query: str) -> list[dict[str, Any]]:
        return _named(self._connection.execute(query.encode()))

    def commit(self) -> None:
        self._connection.commit()

    def new_id(self, milliseconds: str) -> str:
        return f"pg_temp.new_id({milliseconds})"

    def partition(self, attempts_days: int, events_days: int) -> None:
        engine = create_engine(parse_url(self._url))
        now = time.time_ns() // 1_000
        with engine.begin() as connection:
            for series, days in ((ATTEMPTS, attempts_days), (EVENTS, events_days)):
                start = (now - days * _DAY) // series.period * series.period
                past = series.loose[0].name
                # As if there had been partitions from that day on.
                for change in (
                    f"detach partition {past}",
                    f"attach partition {past} for values from (minvalue) to",
                ):
                    bound = f" ('{bound_of(start)}')" if change.startswith("attach") else ""
                    connection.execute(text(f"alter table {series.name} {change}{bound}"))
                for moment in range(start, now, series.period):
                    make_room(connection, series, moment)
        engine.dispose()

    def finish(self, tables: list[str]) -> None:
        self.commit()
        self._connection.autocommit = True
        for table in tables:
            self.do(f"vacuum analyze {table}")
        self.do("checkpoint")


def _named(cursor: Any) -> list[dict[str, Any]]:
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
