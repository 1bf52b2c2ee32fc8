"""Opening a database: bringing its schema up to date, and refusing one from the future."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from thumbturn.storage.databases import DatabaseUnusable, parse_url, sqlite_file, writing_engine
from thumbturn.storage.store import SqlStore
from thumbturn.storage.tables import HEAD

_MIGRATIONS = Path(__file__).with_name("migrations")


class DatabaseTooNew(Exception):
    """The database was written by a newer version."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database has schema revision {revision}, which this version does not know (its newest "
            f"is {HEAD}). It was used by a newer version of thumbturn: start that one."
        )


class DatabaseTooOld(Exception):
    """The database has not got this version's schema yet."""

    def __init__(self, revision: str | None, lacking: list[str]) -> None:
        has = "no tables yet" if revision is None else f"schema revision {revision}"
        super().__init__(
            f"The database has {has}; this version works with {HEAD}, and {len(lacking)} revisions are to be "
            "applied. Run `thumbturn migrate` on it first."
        )


def open_store(
    url: str, *, migrating: bool = True, waiting_at_most: int = 20_000, readers: int = 4
) -> SqlStore:
    """A store on the database at this URL, migrated if need be.

    ``waiting_at_most`` operations may wait to be written; ``readers`` threads answer reads.
    Raises ``DatabaseTooNew`` for a database from the future, ``DatabaseUnusable`` for one that cannot
    be reached, or is none, and without ``migrating`` also what ``require_schema`` raises.
    """
    if not migrating:
        require_schema(url)
    parsed = parse_url(url)
    with _usable(parsed):
        is_behind = _revision(parsed) != HEAD
    if is_behind:
        migrate(url)
    return SqlStore(parsed, waiting_at_most=waiting_at_most, readers=readers)


def pending_migrations(url: str) -> list[str]:
    """The revisions that the database still lacks, oldest first. Raises as ``migrate``."""
    parsed = parse_url(url)
    with _usable(parsed):
        return revisions_after(_revision(parsed))


def require_schema(url: str) -> None:
    """Return if the database has this version's schema; nothing is changed, and no file made.

    Raises ``DatabaseTooOld``, ``DatabaseTooNew``, and ``DatabaseUnusable``, also where no file is.
    """
    parsed = parse_url(url)
    file = sqlite_file(parsed)
    if file is not None and not file.exists():
        raise DatabaseUnusable(f"There is no database at {file}.")
    with _usable(parsed):
        revision = _revision(parsed)
    lacking = [] if revision == HEAD else revisions_after(revision)
    if lacking:
        raise DatabaseTooOld(revision, lacking)


def migrate(url: str) -> list[str]:
    """Bring the schema up to date; the revisions that were applied, oldest first.

    Processes that start together on one database wait for each other. Raises ``DatabaseTooNew`` and
    ``DatabaseUnusable``.
    """
    # Only a process that migrates pays for loading Alembic.
    from alembic import command
    from alembic.config import Config

    parsed = parse_url(url)
    engine = writing_engine(parsed)
    with _usable(parsed), engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(hashtext('thumbturn.migrate'))"))
        pending = revisions_after(_revision_on(connection))
        if pending:
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    return pending


@contextmanager
def _usable(url: URL) -> Iterator[None]:
    try:
        yield
    except DBAPIError as problem:
        raise DatabaseUnusable.at(url, problem) from problem


def revisions_after(revision: str | None) -> list[str]:
    """The revisions that come after this one, oldest first; all of them after None.

    Raises ``DatabaseTooNew`` for a revision that is not known.
    """
    from alembic.script import ScriptDirectory

    known = [script.revision for script in ScriptDirectory(_MIGRATIONS).walk_revisions()][::-1]
    if revision is None:
        return known
    if revision not in known:
        raise DatabaseTooNew(revision)
    return known[known.index(revision) + 1 :]


def _revision(url: URL) -> str | None:
    with writing_engine(url).connect() as connection:
        return _revision_on(connection)


def _revision_on(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("select version_num from alembic_version")).scalar()
