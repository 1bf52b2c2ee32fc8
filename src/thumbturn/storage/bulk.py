"""Statements that write many rows at once, on either database.

The rows of a statement travel as one JSON text, one parameter, and the database takes them apart
(``json_each`` or ``jsonb_array_elements``). So a statement is compiled once for any number of rows,
and the driver need not adapt a thousand parameters.

On PostgreSQL it is ``jsonb``, which is parsed once: of ``json`` each row was read anew for each of its
columns, and that was half of what a wave cost the database. Arrays of each column (``unnest``) cost the
database as little, and our own process several times as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Dialect,
    FetchedValue,
    FromClause,
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
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from thumbturn.storage.rows import encode
from thumbturn.storage.together import Asks

#: Rows of one statement. Their text is in memory several times while the database takes it apart.
AT_ONCE = 1_000


def insert_rows(asks: Asks, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows, each in the order of the table's columns."""
    statement = _insert(table, asks.dialect)
    for start in range(0, len(rows), AT_ONCE):
        asks.exec_driver_sql(statement, (encode(rows[start : start + AT_ONCE]),))


def ask_to_update(
    asks: Asks,
    table: Table,
    columns: tuple[str, ...],
    rows: Sequence[Sequence[Any]],
    *,
    guard: str | None = None,
) -> Any:
    """Set columns by id in rows of ``(id, *columns)``, each id at most once; the answer's ``rowcount`` is how
    many there were.

    With a ``guard`` each row ends in the value that this column must still have.
    """
    return asks.exec_driver_sql(_update(table, columns, guard, asks.dialect), (encode(rows),))


def names_of(table: Table) -> list[str]:
    """The columns that are written; the others are given by the database."""
    return [column.name for column in table.columns if column.name != "n" and not _is_given(column)]


def _is_given(column: Column[Any]) -> bool:
    return type(column.server_default) is FetchedValue


@lru_cache(maxsize=256)
def _insert(table: Table, dialect: Dialect) -> str:
    names = names_of(table)
    types = [table.c[name].type for name in names]
    return _compile(insert(table).from_select(names, unpacked(types, dialect)), dialect)


@lru_cache(maxsize=256)
def _update(table: Table, columns: tuple[str, ...], guard: str | None, dialect: Dialect) -> str:
    names = ["id", *columns]
    if guard:
        names.append(guard)
    new = list(unpacked([table.c[name].type for name in names], dialect).subquery("new").c)
    statement = update(table).where(table.c.id == new[0])
    if guard:
        statement = statement.where(table.c[guard] == new[-1])
    values = dict(zip(columns, new[1:], strict=False))
    return _compile(statement.values(values), dialect)


def unpacked(types: Iterable[TypeEngine[Any]], dialect: Dialect) -> Select[Any]:
    """The rows of the statement's one parameter, their values of these types."""
    wave = _elements(dialect)
    return select(
        *[
            cast(wave.c.value.op("->>")(literal_column(str(place))), type_).label(f"c{place}")
            for place, type_ in enumerate(types)
        ]
    ).select_from(wave)


def _elements(dialect: Dialect) -> FromClause:
    rows: ColumnElement[Any] = bindparam("rows", type_=Text)
    if dialect.name == "sqlite":
        return func.json_each(rows).table_valued("value", name="wave")
    return func.jsonb_array_elements(cast(rows, JSONB)).table_valued("value", name="wave")


def _compile(statement: Any, dialect: Dialect) -> str:
    return str(statement.compile(dialect=dialect))
