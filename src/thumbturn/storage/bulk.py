"""Statements that write many rows at once, on either database.

What counts beside a busy event loop is how often the interpreter lock changes hands: each step of
SQLite's releases it and has to get it back. So rows are never written one by one. How they travel
differs, because what is cheap differs:

* SQLite gets them as ``values (…), (…)`` with plain parameters. The text depends on the number of
  rows; a connection keeps its statements prepared, so each number is prepared once.
* PostgreSQL gets them as one JSON text in one parameter and takes it apart itself: a thousand
  parameters would each be adapted by the driver, under the lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    Dialect,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    func,
    insert,
    literal_column,
    select,
    update,
)
from sqlalchemy.types import TypeEngine

from thumbturn.storage.rows import Row, encode

#: How many rows a statement of SQLite's takes. More go in several.
MOST_ROWS = 64


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows, each in the order of the table's columns."""
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(_insert(table, connection.dialect), (encode(rows),))
        return
    for part in _parts(rows):
        connection.exec_driver_sql(_insert_values(table, len(part)), _once(part))


def update_rows(
    connection: Connection,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Row],
    *,
    guard: str | None = None,
) -> int:
    """Set columns by id in rows of ``(id, *columns)``, each id at most once; how many there were.

    With a ``guard`` each row ends in the value that this column must still have.
    """
    if not rows:
        return 0
    if connection.dialect.name != "sqlite":
        statement = _update(table, columns, guard, connection.dialect)
        return connection.exec_driver_sql(statement, (encode(rows),)).rowcount
    return sum(
        connection.exec_driver_sql(_update_values(table, columns, guard, len(part)), _once(part)).rowcount
        for part in _parts(rows)
    )


# SQLite ---------------------------------------------------------------------------------------


def _parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    for start in range(0, len(rows), MOST_ROWS):
        yield rows[start : start + MOST_ROWS]


def _once(rows: Sequence[Row]) -> list[Row]:
    # As if for executemany: then sqlite3 does not stop to ask for the id of the last row.
    return [tuple(chain.from_iterable(rows))]


@lru_cache(maxsize=256)
def _insert_values(table: Table, count: int) -> str:
    names = _names(table)
    return f"insert into {table.name} ({', '.join(names)}) {_values(len(names), count)}"


@lru_cache(maxsize=256)
def _update_values(table: Table, columns: tuple[str, ...], guard: str | None, count: int) -> str:
    # SQLite calls the columns of ``values`` column1, column2 and so on.
    settings = ", ".join(f"{name} = new.column{place}" for place, name in enumerate(columns, start=2))
    width = 1 + len(columns)
    where = f"{table.name}.id = new.column1"
    if guard:
        width += 1
        where += f" and {table.name}.{guard} = new.column{width}"
    new = f"({_values(width, count)}) as new"
    return f"update {table.name} set {settings} from {new} where {where}"  # noqa: S608 - our own names


def _values(width: int, count: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"values {', '.join([row] * count)}"


def _names(table: Table) -> list[str]:
    """The columns that are written; the others are given by the database."""
    return [column.name for column in table.columns if column.name not in {"n", "filed"}]


# PostgreSQL -----------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _insert(table: Table, dialect: Dialect) -> str:
    names = _names(table)
    types = [table.c[name].type for name in names]
    return _compile(insert(table).from_select(names, _unpacked(types)), dialect)


@lru_cache(maxsize=256)
def _update(table: Table, columns: tuple[str, ...], guard: str | None, dialect: Dialect) -> str:
    names = ["id", *columns]
    if guard:
        names.append(guard)
    new = list(_unpacked([table.c[name].type for name in names]).subquery("new").c)
    statement = update(table).where(table.c.id == new[0])
    if guard:
        statement = statement.where(table.c[guard] == new[-1])
    values = dict(zip(columns, new[1:], strict=False))
    return _compile(statement.values(values), dialect)


def _unpacked(types: Iterable[TypeEngine[Any]]) -> Select[Any]:
    rows = cast(bindparam("rows", type_=Text), JSON)
    wave = func.json_array_elements(rows).table_valued("value", name="wave")
    return select(
        *[
            cast(wave.c.value.op("->>")(literal_column(str(place))), type_).label(f"c{place}")
            for place, type_ in enumerate(types)
        ]
    ).select_from(wave)


def _compile(statement: Any, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))
