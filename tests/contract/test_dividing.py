"""Dividing attempts and events beside those who use them: nobody is thrown out, and nobody loses a right."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.contract.test_schema_expands import upgrade
from thumbturn.storage.databases import parse_url, writing_engine
from thumbturn.storage.open import migrate

WITHIN = 20.0


@pytest.fixture
def undivided_url(bare_postgres_url: str) -> str:
    """A database with the schema of the version before."""
    with writing_engine(parse_url(bare_postgres_url)).begin() as connection:
        upgrade(connection, "0019")
    return bare_postgres_url


@pytest.fixture
def roles(undivided_url: str) -> Iterator[tuple[str, str]]:
    """Two roles that own nothing."""
    names = ("tt reader", "tt_server")
    with psycopg.connect(undivided_url, autocommit=True) as connection:
        for name in names:
            connection.execute(f'create role "{name}"')
        yield names
        for name in names:
            connection.execute(f'drop owned by "{name}" cascade')
            connection.execute(f'drop role "{name}"')


def until_locked(url: str, table: str) -> None:
    """Return when somebody has locked this table for himself."""
    query = (
        "select from pg_locks where relation = to_regclass(%s) and mode = 'AccessExclusiveLock' and granted"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    began = time.monotonic()
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(query, (table,)).rowcount == 0:
            assert time.monotonic() - began < WITHIN
            time.sleep(0.01)


def test_who_writes_meanwhile_is_not_thrown_out(undivided_url: str):
    """A writer that has the one table and comes to the other gets it, ends, and then they are divided."""
    with ThreadPoolExecutor(1) as pool, psycopg.connect(undivided_url) as writer:
        writer.execute("lock table events in row exclusive mode")
        dividing = pool.submit(migrate, undivided_url)
        until_locked(undivided_url, "attempts")
        writer.execute("lock table attempts in row exclusive mode")
        # More than the second after which PostgreSQL throws out whoever it finds in a circle.
        time.sleep(1.2)
        assert not dividing.done()
        writer.commit()
        assert "0020" in dividing.result(WITHIN)
    with psycopg.connect(undivided_url) as connection:
        kinds = "select relname, relkind::text from pg_class where relname in ('attempts', 'events')"
        assert dict(connection.execute(kinds).fetchall()) == {"attempts": "p", "events": "p"}


def test_nobody_loses_a_right(undivided_url: str, roles: tuple[str, str]):
    """Who could read or write the tables and owns none can do just that with the divided ones."""
    reader, server = roles
    with psycopg.connect(undivided_url, autocommit=True) as connection:
        for table in ("attempts", "events"):
            connection.execute(f'grant select on {table} to "{reader}" with grant option')
            connection.execute(f"grant select, insert, update, delete on {table} to {server}")
    migrate(undivided_url)
    with psycopg.connect(undivided_url, autocommit=True) as connection:
        connection.execute(f'set role "{reader}"')
        for table in ("attempts", "events", "events_past", "events_rest", "attempts_rest"):
            connection.execute(f"select count(*) from {table}")
            connection.execute(f"grant select on {table} to {server}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"delete from {table}")
        connection.execute(f"set role {server}")
        for table in ("attempts", "events", "events_rest", "attempts_rest"):
            connection.execute(f"delete from {table}")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"truncate {table}")
        connection.execute("reset role")


def test_the_owner_stays_the_owner(undivided_url: str, roles: tuple[str, str]):
    """Somebody else may divide the tables; they are of their old owner after it."""
    server = roles[1]
    with psycopg.connect(undivided_url, autocommit=True) as connection:
        for table in ("attempts", "events"):
            connection.execute(f"alter table {table} owner to {server}")
    migrate(undivided_url)
    with psycopg.connect(undivided_url) as connection:
        owners = "select distinct relowner::regrole::text from pg_class where relname ~ '^(attempts|events)'"
        assert connection.execute(owners).fetchall() == [(server,)]
