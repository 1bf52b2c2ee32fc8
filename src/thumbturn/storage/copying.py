"""Moving a grown user over: everything from an SQLite file to an empty PostgreSQL database.

It is one transaction: the other database has all of it afterwards, or is as empty as before. While it
runs, nobody else has the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, FetchedValue, Table, func, insert, select, text
from sqlalchemy.exc import DBAPIError

from thumbturn.domain.clock import SECOND, SystemClock
from thumbturn.storage.databases import DatabaseUnusable, parse_url, sqlite_file, writing_engine
from thumbturn.storage.open import require_schema
from thumbturn.storage.partitions import ATTEMPTS, EVENTS, make_room
from thumbturn.storage.tables import metadata

#: Rows that are on their way at a time.
AT_ONCE = 1_000


class CopyRefused(Exception):
    """Nothing was copied, for this reason; neither database was changed."""


class NotSetAside(Exception):
    """All was copied, but the file still bears its old name; says what to do."""


def copy(source: str, target: str) -> dict[str, int]:
    """Copy every row of the SQLite database to the PostgreSQL database; the rows of each table.

    Both must have this version's schema; the target no row, the source nobody else who uses it. Rows are
    counted on both sides before the commit. Raises ``CopyRefused``, and as ``require_schema``.
    """
    source_url, target_url = parse_url(source), parse_url(target)
    file = sqlite_file(source_url)
    if file is None or sqlite_file(target_url) is not None:
        raise CopyRefused("It is copied from sqlite:///FILE to postgresql://HOST/NAME, and no other way.")
    for url in (source, target):
        require_schema(url)
    _require_nobody_else(file)
    reading, writing = writing_engine(source_url), writing_engine(target_url)
    tables = metadata.sorted_tables  # all of them: ``open`` knows the store, and that knows every table
    # On SQLite this transaction, too, keeps writers out: what is counted is what was copied.
    with _reason_of(source, target), reading.begin() as old, writing.begin() as new:
        # A server that begins on it meanwhile waits with its first workspace.
        new.execute(text("lock table workspaces in exclusive mode"))
        for table in tables:
            _require_empty(new, table)
        for series in (ATTEMPTS, EVENTS):
            make_room(new, series, SystemClock().now())
        for table in tables:
            _copy_table(old, new, table)
        return {table.name: _same_count(old, new, table) for table in tables}


def set_aside(source: str, now: int) -> Path:
    """Rename the file of a database that was copied (``now`` is µs since 1970 UTC); its new name.

    Under its old one no server would know that its devices have another master now, and no backup that
    nothing is added to it any more. Raises ``NotSetAside``.
    """
    file = sqlite_file(parse_url(source))
    assert file is not None, "only a file was copied from"
    aside = file.with_name(f"{file.name}.copied-{datetime.fromtimestamp(now // SECOND, UTC):%Y%m%dT%H%M%SZ}")
    try:
        file.rename(aside)
        for end in ("-wal", "-shm"):
            beside = file.with_name(f"{file.name}{end}")
            if beside.exists():
                beside.rename(aside.with_name(f"{aside.name}{end}"))
    except OSError as problem:
        raise NotSetAside(
            f"All is copied, but {file} cannot be renamed ({problem.strerror}). Move it away yourself, "
            "before a server is started on it or a backup is made of it."
        ) from None
    return aside


def _copy_table(old: Connection, new: Connection, table: Table) -> None:
    # What a database gives by itself (whether a row is filed) differs between the two.
    columns = [each for each in table.columns if type(each.server_default) is not FetchedValue]
    query = select(*columns).order_by(*table.primary_key).execution_options(yield_per=AT_ONCE)
    for batch in old.execute(query).mappings().partitions():
        new.execute(insert(table), [dict(row) for row in batch])
    counter = table.autoincrement_column
    if counter is not None:
        sequence = func.pg_get_serial_sequence(table.name, counter.name)
        # False: this is the next number, not the last.
        following = select(func.coalesce(func.max(counter), 0) + 1).scalar_subquery()
        new.execute(select(func.setval(sequence, following, False)))


def _same_count(old: Connection, new: Connection, table: Table) -> int:
    query = select(func.count()).select_from(table)
    were, are = old.execute(query).scalar_one(), new.execute(query).scalar_one()
    if were != are:
        raise CopyRefused(f"{table.name} has {were} rows, and {are} arrived.")
    return int(are)


def _require_empty(new: Connection, table: Table) -> None:
    if new.execute(select(table.primary_key.columns[0]).limit(1)).first() is not None:
        raise CopyRefused(
            f"The database that is copied to must be empty, and there is something in its table {table.name}."
        )


def _require_nobody_else(file: Path) -> None:
    """Return if no other process has this database open. Raises ``CopyRefused``."""
    with closing(sqlite3.connect(file, timeout=0, isolation_level=None)) as connection:
        try:
            # With a write-ahead log this asks for the file as a whole, which nobody else may have open.
            connection.execute("pragma locking_mode = exclusive")
            connection.execute("begin exclusive")
            connection.execute("rollback")
        except sqlite3.OperationalError as problem:
            raise CopyRefused(f"Somebody is using {file}: stop the server first ({problem}).") from None


@contextmanager
def _reason_of(source: str, target: str) -> Iterator[None]:
    """Name the database that stood in the way: a file that cannot be read is not its receiver's fault."""
    try:
        yield
    except DBAPIError as problem:
        url = source if isinstance(problem.orig, sqlite3.Error) else target
        raise DatabaseUnusable.at(parse_url(url), problem) from problem
