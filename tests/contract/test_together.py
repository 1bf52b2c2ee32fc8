"""Statements that go to PostgreSQL together, and what is said of one that fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from thumbturn.storage.databases import is_unreachable, parse_url, writing_engine
from thumbturn.storage.together import together


@pytest.fixture
def connection(postgres_url: str) -> Iterator[Connection]:
    """A connection to a database with an empty table ``things``."""
    with writing_engine(parse_url(postgres_url)).connect() as connection:
        with connection.begin():
            connection.exec_driver_sql("create table if not exists things (id int primary key)")
            connection.exec_driver_sql("truncate things")
        yield connection


def things(connection: Connection) -> int:
    """How many there are."""
    with connection.begin():
        return int(connection.exec_driver_sql("select count(*) from things").scalar_one())


def test_answers_are_there_when_the_journey_is_over(connection: Connection):
    """Each statement sees what those before it did, and has its own rows and their number."""
    with connection.begin():
        with together(connection) as journey:
            put = journey.exec_driver_sql("insert into things select generate_series(1, %s)", (7,))
            seen = journey.exec_driver_sql("select id from things where id > %s order by id", (5,))
        assert (put.rowcount, seen.fetchall()) == (7, [(6,), (7,)])
    assert things(connection) == 7


def asked(connection: Connection, *statements: tuple[str, tuple[int, ...]]) -> None:
    """Do these in one journey, in a transaction of their own."""
    with connection.begin(), together(connection) as journey:
        for statement, parameters in statements:
            journey.exec_driver_sql(statement, parameters)


PUT = "insert into things values (%s)"


def test_one_that_fails_undoes_all(connection: Connection):
    """What fails is raised as by the connection itself, nothing else is done, the connection lives."""
    with pytest.raises(IntegrityError) as failed:
        asked(connection, (PUT, (1,)), (PUT, (2,)), (PUT, (2,)), (PUT, (3,)))
    assert not is_unreachable(failed.value)
    assert things(connection) == 0


def test_a_connection_that_breaks_on_the_way_is_made_anew(connection: Connection):
    """A database that goes away in the middle of a journey is said to be unreachable, and is asked again."""
    with pytest.raises(DBAPIError) as failed:
        asked(connection, (PUT, (1,)), ("select pg_terminate_backend(pg_backend_pid() + %s)", (0,)))
    assert is_unreachable(failed.value)
    assert failed.value.connection_invalidated
    assert things(connection) == 0
