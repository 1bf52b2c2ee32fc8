"""A revision only adds: what wrote to the schema before it goes on writing to the one after it.

While processes of two versions work on one database, the newer one has migrated it already. So nothing
that the older one writes or reads may go, and nothing may be asked of it that it does not know. What is
not wanted any more goes a version later, when nobody is left who uses it, and is named here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Connection,
    Float,
    Integer,
    MetaData,
    NullPool,
    Table,
    UniqueConstraint,
    create_engine,
    text,
)

from thumbturn.storage.databases import parse_url, writing_engine
from thumbturn.storage.open import DatabaseTooOld, migrate, open_store, require_schema
from thumbturn.storage.tables import HEAD

MIGRATIONS = "thumbturn.storage:migrations"
#: The first that was made when there were databases to be kept.
SINCE = "0005"
#: (revision, what it takes away): why nobody misses it.
TAKEN_AWAY: dict[tuple[str, str], str] = {
    ("0011", "index ix_connected_accounts_workspace_id"): "an index is no promise: another one answers",
}


def partitions(connection: Connection) -> set[str]:
    """The tables that are parts of others. Nobody names them who reads and writes."""
    if connection.dialect.name == "sqlite":
        return set()
    found = connection.execute(text("select relname from pg_class where relispartition and relkind = 'r'"))
    return {*found.scalars()}


class Shape(NamedTuple):
    """What a schema offers to whoever writes to it, and what it asks of him."""

    #: What may be used: tables, columns, indices.
    offers: set[str]
    #: What a write must fulfil: columns that want a value, what must be unique, checks, references.
    asks: set[str]
    tables: dict[str, Table]


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    found = [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    assert found[-1] == HEAD
    return found


def shape(connection: Connection) -> Shape:
    """The schema as the database tells it."""
    read, parts = MetaData(), partitions(connection)
    read.reflect(connection, only=lambda name, _: name not in parts)
    tables = {name: table for name, table in read.tables.items() if name != "alembic_version"}
    offers = {f"table {name}" for name in tables}
    asks: set[str] = set()
    for name, table in tables.items():
        offers |= {f"column {name}.{column.name} {column.type!r}" for column in table.columns}
        offers |= {f"index {index.name}" for index in table.indexes}
        asks |= {f"{name} {ask}" for ask in asked_by(table)}
    return Shape(offers, asks, tables)


def asked_by(table: Table) -> Iterator[str]:
    """What a row must fulfil to be taken into this table."""
    for column in table.columns:
        if not column.nullable and column.server_default is None:
            yield f"a value for {column.name}"
    for index in table.indexes:
        if index.unique:
            yield f"unique {index.name}"
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield f"unique {', '.join(sorted(column.name for column in constraint.columns))}"
        elif isinstance(constraint, CheckConstraint):
            yield f"check {constraint.sqltext}"
    for key in table.foreign_keys:
        yield f"{key.parent.name} refers to {key.target_fullname}"


def broken_rules(before: Shape, after: Shape) -> Iterator[str]:
    """What the schema after does not offer any more, or asks anew of tables that were there before."""
    yield from sorted(before.offers - after.offers)
    for each in sorted(after.asks - before.asks):
        if each.split()[0] in before.tables:
            yield f"now asked: {each}"


def a_row(table: Table, number: int) -> dict[str, Any]:
    """A row with a value in every column of this table."""
    kinds = {Boolean: True, Float: 1.5, Integer: number}
    return {
        column.name: next(
            (value for kind, value in kinds.items() if isinstance(column.type, kind)), f"{number}"
        )
        for column in table.columns
        if column.computed is None  # the database writes those itself
    }


def test_every_revision_leaves_to_the_version_before_it_what_that_needs(bare_database_url: str):
    """After each revision the code of the one before finds its tables, and its rows are taken as before."""
    known = revisions()
    # Not the engine of the store, whose connections check references: the rows are made up.
    engine = create_engine(parse_url(bare_database_url), poolclass=NullPool)
    broken, used = [], set()
    for number, (last, revision) in enumerate(itertools.pairwise(known), start=1):
        with engine.begin() as connection:
            upgrade(connection, last)
            before = shape(connection)
            upgrade(connection, revision)
            after = shape(connection)
        if revision < SINCE:
            continue
        for each in broken_rules(before, after):
            used.add((revision, each))
            if (revision, each) not in TAKEN_AWAY:
                broken.append(f"{revision} breaks version {last}: {each}")
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("set local session_replication_role = replica"))
            for table in before.tables.values():
                connection.execute(table.insert(), a_row(table, number))
    engine.dispose()
    assert not broken, broken
    assert not set(TAKEN_AWAY) - used, "the list names what no revision takes away"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("alter table devices drop column custom_metadata", "column devices.custom_metadata"),
        ("alter table devices rename to things", "table devices"),
        ("create unique index more on devices (workspace_id)", "now asked: devices unique more"),
        ("drop index ix_attempts_open", "index ix_attempts_open"),
    ],
)
def test_a_revision_that_takes_something_away_would_be_found(tmp_path, change: str, found: str):
    """What the older version could not live with is seen by the comparison above."""
    url = f"sqlite:///{tmp_path / 'thumbturn.db'}"
    migrate(url)
    with writing_engine(parse_url(url)).begin() as connection:
        before = shape(connection)
        connection.execute(text(change))
        assert any(each.startswith(found) for each in broken_rules(before, shape(connection)))


def at_revision(url: str, revision: str) -> None:
    with writing_engine(parse_url(url)).begin() as connection:
        upgrade(connection, revision)


def test_an_older_schema_is_refused_where_nobody_may_migrate(bare_database_url: str):
    """Without leave to migrate, a database that is behind is refused with what to do, and left as it is."""
    at_revision(bare_database_url, "0009")
    for use in (require_schema, lambda url: open_store(url, migrating=False)):
        with pytest.raises(DatabaseTooOld, match=rf"revision 0009; .* with {HEAD}.*`thumbturn migrate`"):
            use(bare_database_url)
    migrate(bare_database_url)
    require_schema(bare_database_url)
