"""Statements that go to PostgreSQL together, and whose answers come together.

A statement by itself is a journey to the database and back, and for each the interpreter lock is given away
and has to be got back, beside a busy event loop. A wave has ten of them. So those that need none of the
others' answers make one journey: the database does them in their order, and after the first that fails none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg
from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError


class Asks(Protocol):
    """What a statement is handed to: a connection, or a journey."""

    @property
    def dialect(self) -> Dialect:
        """The database's."""

    def exec_driver_sql(self, statement: str, parameters: tuple[Any, ...], /) -> Any:
        """Its answer, with a ``rowcount`` and with rows; of a journey once that is over."""


class Journey:
    """Implements ``Asks`` for statements that go together."""

    def __init__(self, dialect: Dialect, driver: psycopg.Connection[Any]) -> None:
        self.dialect = dialect
        self._driver = driver

    def exec_driver_sql(self, statement: str, parameters: tuple[Any, ...], /) -> psycopg.Cursor[Any]:
        return self._driver.execute(statement.encode(), parameters)


@contextmanager
def together(connection: Connection) -> Iterator[Journey]:
    """A journey in the connection's transaction; over at the end of the block. On PostgreSQL.

    Raises what the connection raises for a statement that fails.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    try:
        with driver.pipeline():
            yield Journey(connection.dialect, driver)
    except psycopg.Error as problem:
        if driver.broken:
            connection.invalidate(problem)
        raise DBAPIError.instance(
            None,
            None,
            problem,
            psycopg.Error,
            hide_parameters=True,
            connection_invalidated=driver.broken,
            dialect=connection.dialect,
        ) from problem
