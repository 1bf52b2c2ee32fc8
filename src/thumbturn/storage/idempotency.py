"""First answers: found by their scope, and removed in the order of their age."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, delete, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from thumbturn.domain.idempotency import KEPT_FOR, FirstAnswer
from thumbturn.storage.bulk import names_of, unpacked
from thumbturn.storage.expressions import many, one_of
from thumbturn.storage.rows import Row, encode
from thumbturn.storage.tables import first_answers
from thumbturn.storage.together import Asks


def by_scopes(connection: Connection, scopes: Sequence[str]) -> dict[str, FirstAnswer]:
    """The first answers of these scopes, also those whose time is over."""
    statement = _by_scopes(connection.dialect)
    rows = connection.exec_driver_sql(statement, (many(scopes, connection.dialect),)).all()
    return {row[0]: FirstAnswer(*row) for row in rows}


def ask_to_add(asks: Asks, rows: Sequence[Row]) -> Any:
    """Insert first answers where the scope is free; the answer's ``rowcount`` is how many it was. On
    PostgreSQL.

    Whoever finds a scope in the hands of another transaction waits for its end.
    """
    # In one order everywhere, so that two processes cannot wait for each other.
    ordered = encode(sorted(rows, key=lambda row: row[0]))
    return asks.exec_driver_sql(_add(asks.dialect), (ordered,))


def complete(connection: Connection, first: FirstAnswer) -> None:
    """Put the answer to the call that is on record as under way."""
    its_call = (first_answers.c.scope == first.scope, first_answers.c.begun_at == first.begun_at)
    connection.execute(update(first_answers).where(*its_call).values(body=first.body))


def release(connection: Connection, scope: str) -> None:
    """Forget a call that was under way and came to nothing: its key is unused."""
    under_way = first_answers.c.body.is_(None)
    connection.execute(delete(first_answers).where(first_answers.c.scope == scope, under_way))


def forget(connection: Connection, begun_before: int, most: int) -> bool:
    """Remove the oldest that were begun at this moment or earlier; true if there may be more."""
    columns = first_answers.c
    oldest = (
        select(columns.scope).where(columns.begun_at <= begun_before).order_by(columns.begun_at).limit(most)
    )
    return connection.execute(delete(first_answers).where(columns.scope.in_(oldest))).rowcount == most


@lru_cache(maxsize=8)
def _by_scopes(dialect: Dialect) -> str:
    query = select(first_answers).where(one_of(first_answers.c.scope, (), dialect))
    return str(query.compile(dialect=dialect))


@lru_cache(maxsize=8)
def _add(dialect: Dialect) -> str:
    names = names_of(first_answers)
    rows = unpacked([first_answers.c[name].type for name in names], dialect)
    statement = insert(first_answers).from_select(names, rows)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[first_answers.c.scope],
        set_={name: new[name] for name in names if name != "scope"},
        where=first_answers.c.begun_at <= new.begun_at - literal_column(str(KEPT_FOR)),
    )
    return str(statement.compile(dialect=dialect))
