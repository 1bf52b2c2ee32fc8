"""Backups of an SQLite database and its virtual world: one file each, made while a server runs.

The file is an SQLite database, as it was at one moment between two waves of writes, with one table more,
``backup``: when and by which version it was made, and the journal of the virtual world as of that moment.
It needs no other program to be looked at, and no key: what is sealed in the database is sealed in it.

SQLite's own online backup reads beside the writer and holds it up by nothing. The journal is another file,
so its moment is found by looking: whoever saw it unchanged while he began to read the database saw both at
the same moment. Where it never stands still, its beginning before that moment is taken. That is the
harmless side: no device then did what no command of the database sent.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from thumbturn.storage.open import revisions_after

#: How often the same moment is looked for. It takes some microseconds of silence, so the first finds it.
_TRIES = 50

_CONTENTS = "create table backup (name text primary key, content blob not null)"

#: The name of the virtual world's journal: its file in the data folder, and its row in a backup.
JOURNAL = "virtual-world.jsonl"

#: What file systems say that know one name for each file: those of sticks, and some across the network.
_ONE_NAME = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK}
#: What file systems say on which a folder is never flushed by itself.
_NO_FLUSH = {errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP}

#: What SQLite reports of a file that it writes; everything else is about the one that it reads.
_OF_WRITING = (
    "SQLITE_FULL",
    "SQLITE_IOERR_DIR_FSYNC",
    "SQLITE_IOERR_FSYNC",
    "SQLITE_IOERR_TRUNCATE",
    "SQLITE_IOERR_WRITE",
    "SQLITE_READONLY",
)


class BackupRefused(Exception):
    """No backup is made or restored; says what is in the way. Nothing was overwritten."""


class Backup(NamedTuple):
    """What is in a backup."""

    #: Of the database's schema.
    revision: str
    #: When it was made, µs since 1970 UTC.
    made_at: int
    #: The version of the program that made it.
    version: str
    #: The virtual world's journal; None if there was none.
    world: bytes | None


def back_up(database: Path, journal: Path, file: Path, *, made_at: int, version: str) -> Backup:
    """Make a backup of the database and the journal in a new file, readable by its owner alone.

    It is checked before it gets its name, so whatever bears the name is whole. Raises ``BackupRefused``
    and ``OSError``.
    """
    if not database.exists():
        raise BackupRefused(f"There is no database at {database}.")
    if file.exists():
        raise BackupRefused(f"{file} is there already, and is not overwritten.")
    draft = file.with_name(f"{file.name}.part")
    with _new_file(draft), _as_refusal(database, draft):
        with closing(_connected(database, "rw")) as source, closing(_connected(draft, "rw")) as target:
            backup = _copied(source, target, journal, made_at, version)
            _require_integrity(target, draft)
        _give_name(draft, file)
    return backup


def look_into(file: Path) -> Backup:
    """What is in this backup, which is whole and of a schema that is known.

    Raises ``BackupRefused``, and ``DatabaseTooNew`` for one of a newer version.
    """
    if not file.exists():
        raise BackupRefused(f"There is no file {file}.")
    with _as_refusal(file), closing(_connected(file, "ro")) as source:
        try:
            contents = dict(source.execute("select name, content from backup").fetchall())
            found = Backup(
                revision=_revision(source),
                made_at=int(contents["made_at"]),
                version=str(contents["version"]),
                world=contents.get(JOURNAL),
            )
        except (sqlite3.OperationalError, KeyError):
            raise BackupRefused(f"{file} is no backup that `thumbturn backup` made.") from None
        _require_integrity(source, file)
    revisions_after(found.revision)
    return found


def restore(file: Path, backup: Backup, database: Path, journal: Path) -> None:
    """Put a backup, as ``look_into`` found it, in the place of a database and a journal; both must be free.

    Either all of it is there afterwards, or nothing. Raises ``BackupRefused`` and ``OSError``.
    """
    for each in files_of(database, journal):
        raise BackupRefused(f"{each} is there already, and is not overwritten.")
    draft = database.with_name(f"{database.name}.part")
    with _new_file(draft), _as_refusal(file, draft):
        with closing(_connected(file, "ro")) as source, closing(_connected(draft, "rw")) as target:
            source.backup(target)
            target.execute("drop table backup")
        with _new_journal(journal, backup.world):
            _give_name(draft, database)


def files_of(database: Path, journal: Path) -> list[Path]:
    """The files in which this database and its virtual world are, of those that there are."""
    beside = [database.with_name(f"{database.name}{suffix}") for suffix in ("-wal", "-shm")]
    return [each for each in (database, *beside, journal) if each.exists()]


def _copied(
    source: sqlite3.Connection, target: sqlite3.Connection, journal: Path, made_at: int, version: str
) -> Backup:
    world = _begin_with_world(source, journal)
    backup = Backup(_revision(source), made_at, version, world)
    source.backup(target)
    source.execute("rollback")
    target.execute("pragma journal_mode = delete")  # in one file, not in one with a log beside it
    contents = {"made_at": str(made_at), "version": version, JOURNAL: world}
    with target:
        target.execute(_CONTENTS)
        target.executemany(
            "insert into backup values (?, ?)",
            [(name, content) for name, content in contents.items() if content is not None],
        )
    return backup


def _begin_with_world(source: sqlite3.Connection, journal: Path) -> bytes | None:
    """Begin to read the database as it is now; the journal as it was then, or a little before."""
    for tries in range(1, _TRIES + 1):
        with _opened(journal) as file:
            size = os.fstat(file).st_size if file is not None else 0
            source.execute("begin")
            _revision(source)  # what is read first decides what is seen from then on
            if tries == _TRIES or _is_same(journal, file, size):
                return None if file is None else _read(file, size)
            source.execute("rollback")
    raise AssertionError("the last try returns")


def _is_same(journal: Path, file: int | None, size: int) -> bool:
    """True if this is still the journal, and nothing was added to it."""
    try:
        now = journal.stat()
    except FileNotFoundError:
        return file is None
    # Above its size it is replaced by a shorter one.
    return file is not None and (now.st_ino, now.st_size) == (os.fstat(file).st_ino, size)


def _read(file: int, size: int) -> bytes:
    content = b""
    while len(content) < size and (more := os.pread(file, size - len(content), len(content))):
        content += more
    return content


@contextmanager
def _opened(path: Path) -> Iterator[int | None]:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield None
        return
    try:
        yield file
    finally:
        os.close(file)


def _revision(connection: sqlite3.Connection) -> str:
    [revision] = connection.execute("select version_num from alembic_version").fetchone()
    return str(revision)


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    url = f"file:{quote(str(path.absolute()))}?mode={mode}"
    return sqlite3.connect(url, uri=True, isolation_level=None, timeout=5)


def _require_integrity(connection: sqlite3.Connection, path: Path) -> None:
    [said] = connection.execute("pragma integrity_check(1)").fetchone()
    if said != "ok":
        raise BackupRefused(f"{path} is damaged: {said}")


@contextmanager
def _new_file(draft: Path) -> Iterator[None]:
    """An empty file of this name, gone again afterwards unless it was given another."""
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise BackupRefused(
            f"{draft} is there: another backup is being made, or one was broken off. Delete it in that case."
        ) from None
    try:
        yield
    finally:
        for each in (draft, *(draft.with_name(f"{draft.name}{end}") for end in ("-wal", "-shm", "-journal"))):
            each.unlink(missing_ok=True)


@contextmanager
def _new_journal(journal: Path, world: bytes | None) -> Iterator[None]:
    """The journal, safe on the disk; gone again if what follows fails. None where there was none."""
    if world is None:
        yield
        return
    descriptor = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as copy:
            copy.write(world)
            copy.flush()
            os.fsync(copy.fileno())
        _flush_folder(journal.parent)
        yield
    except BaseException:
        journal.unlink()
        raise


def _give_name(draft: Path, name: Path) -> None:
    """Put the draft in place, safe on the disk; never over something that came there meanwhile.

    If this fails, nothing of that name is there that was not there before.
    """
    _flush(draft)
    try:
        os.link(draft, name)
    except FileExistsError:
        raise BackupRefused(f"{name} is there already, and is not overwritten.") from None
    except OSError as problem:
        if problem.errno not in _ONE_NAME:
            raise
        if name.exists():
            raise BackupRefused(f"{name} is there already, and is not overwritten.") from None
        draft.rename(name)
    try:
        _flush_folder(name.parent)
    except OSError:
        name.unlink()
        raise


def _flush_folder(folder: Path) -> None:
    """Have the names in this folder outlive a power cut, where the file system can be asked for that."""
    try:
        _flush(folder)
    except OSError as problem:
        if problem.errno not in _NO_FLUSH:
            raise


def _flush(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _as_refusal(path: Path, draft: Path | None = None) -> Iterator[None]:
    """Say which of the two SQLite could not work with: what it reads, or the draft that it writes."""
    try:
        yield
    except sqlite3.DatabaseError as problem:
        if draft is not None and getattr(problem, "sqlite_errorname", "").startswith(_OF_WRITING):
            raise BackupRefused(f"{draft} cannot be written: {problem}") from None
        raise BackupRefused(f"{path} cannot be read as a database: {problem}") from None
