"""Backups: whose moment they are of, and what disks of all kinds make of them."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from thumbturn.storage import backup
from thumbturn.storage.backup import BackupRefused, back_up, look_into, restore


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database with a write-ahead log, as far as a backup looks at it."""
    path = tmp_path / "thumbturn.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table alembic_version (version_num text)")
        connection.execute("insert into alembic_version values ('0001')")
        connection.execute("create table sent (n integer primary key)")
    return path


def sent(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        [count] = connection.execute("select count(*) from sent").fetchone()
    return int(count)


def test_a_world_that_never_stands_still_is_not_ahead_of_its_database(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where no quiet moment is found, no line is in the backup whose command is not on record in it."""
    monkeypatch.setattr(backup, "_is_same", lambda *_: False)
    journal, stop = tmp_path / "virtual-world.jsonl", threading.Event()
    journal.write_bytes(b"")

    def work() -> None:
        """As a server does: what is to be done is committed before it is done."""
        with (
            closing(sqlite3.connect(database, isolation_level=None)) as connection,
            journal.open("ab", 0) as file,
        ):
            while not stop.is_set():
                connection.execute("insert into sent default values")
                file.write(b"{}\n")

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(20):
            file = tmp_path / f"backup-{number}"
            world = back_up(database, journal, file, made_at=1, version="1").world
            assert world is not None
            assert world.count(b"\n") <= sent(file)
            assert world == look_into(file).world
    finally:
        stop.set()
        worker.join()
    assert sent(file) > 20


def test_a_journal_that_is_replaced_meanwhile_is_not_the_same(tmp_path: Path):
    """A journal that was made shorter, or that came or went, was not seen standing still."""
    journal = tmp_path / "journal"
    with backup._opened(journal) as nothing:
        assert backup._is_same(journal, nothing, 0)
        journal.write_bytes(b"{}\n")
        assert not backup._is_same(journal, nothing, 0)
    with backup._opened(journal) as file:
        assert backup._is_same(journal, file, 3)
        with journal.open("ab") as more:
            more.write(b"{}\n")
        assert not backup._is_same(journal, file, 3)
        (tmp_path / "shorter").write_bytes(b"{}\n")
        (tmp_path / "shorter").replace(journal)
        assert not backup._is_same(journal, file, 3)


def test_a_backup_that_is_being_made_is_left_alone(database: Path, tmp_path: Path):
    """Two backups to one file do not mix: the second is refused, and the first one's draft stays."""
    (tmp_path / "backup.part").write_text("half")
    with pytest.raises(BackupRefused, match="another backup is being made"):
        back_up(database, tmp_path / "journal", tmp_path / "backup", made_at=1, version="1")
    assert (tmp_path / "backup.part").read_text() == "half"


def test_a_damaged_database_makes_no_backup(database: Path, tmp_path: Path):
    """What is damaged is not taken for a backup, and no file of it stays."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany("insert into sent values (?)", [(n,) for n in range(5_000)])
    content = bytearray(database.read_bytes())
    content[3 * 4096 : 4 * 4096] = b"\xff" * 4096
    database.write_bytes(content)
    with pytest.raises(BackupRefused, match=r"damaged|cannot be read"):
        back_up(database, tmp_path / "journal", tmp_path / "backup", made_at=1, version="1")
    assert not list(tmp_path.glob("backup*"))


def failing(number: int):
    """A call that the system refuses with this error."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def on_folders(number: int):
    """``fsync`` on a disk that refuses it for folders, with this error."""

    def fsync(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(number, os.strerror(number))

    return fsync


@pytest.fixture
def made(database: Path, tmp_path: Path) -> Path:
    """A backup with a journal, of the schema of a real database."""
    (tmp_path / "journal").write_bytes(b"{}\n")
    back_up(database, tmp_path / "journal", tmp_path / "made", made_at=1, version="1")
    return tmp_path / "made"


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A folder to restore to."""
    folder = tmp_path / "new"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("number", sorted(backup._ONE_NAME), ids=errno.errorcode.get)
def test_a_disk_on_which_files_have_one_name_takes_backups(
    number: int, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """However the disk says that it has no hard links, the backup is made, and overwrites nothing."""
    monkeypatch.setattr(os, "link", failing(number))
    back_up(database, tmp_path / "journal", tmp_path / "backup", made_at=1, version="1")
    assert look_into(tmp_path / "backup").made_at == 1
    (tmp_path / "draft").touch()
    with pytest.raises(BackupRefused, match="is not overwritten"):
        backup._give_name(tmp_path / "draft", tmp_path / "backup")
    assert not (tmp_path / "backup.part").exists()


def test_another_trouble_with_the_name_is_told(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A disk that fails when the file gets its name has no backup, and says why."""
    monkeypatch.setattr(os, "link", failing(errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        back_up(database, tmp_path / "journal", tmp_path / "backup", made_at=1, version="1")
    assert not list(tmp_path.glob("backup*"))


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EOPNOTSUPP], ids=errno.errorcode.get)
def test_a_disk_that_flushes_no_folders_takes_backups(
    number: int, made: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where a folder cannot be flushed by itself, that is no failure; a file that cannot be is one."""
    monkeypatch.setattr(os, "fsync", on_folders(number))
    restore(made, look_into(made), empty / "thumbturn.db", empty / "journal")
    assert sorted(path.name for path in empty.iterdir()) == ["journal", "thumbturn.db"]
    monkeypatch.setattr(os, "fsync", failing(number))
    with pytest.raises(OSError, match=os.strerror(number)):
        back_up(empty / "thumbturn.db", empty / "journal", empty / "backup", made_at=1, version="1")
    assert not list(empty.glob("backup*"))


@pytest.mark.parametrize(
    ("call", "failure"),
    [("link", failing(errno.EIO)), ("fsync", failing(errno.EIO)), ("fsync", on_folders(errno.EIO))],
    ids=["its name", "the journal", "the folder"],
)
def test_a_restore_that_fails_leaves_nothing(
    call: str, failure: object, made: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
):
    """Whatever fails at its end, neither a database nor a journal is there, and the next try goes well."""
    with monkeypatch.context() as patched:
        patched.setattr(os, call, failure)
        with pytest.raises(OSError, match=os.strerror(errno.EIO)):
            restore(made, look_into(made), empty / "thumbturn.db", empty / "journal")
    assert list(empty.iterdir()) == []
    restore(made, look_into(made), empty / "thumbturn.db", empty / "journal")
    assert (empty / "journal").read_bytes() == b"{}\n"


def test_a_journal_of_somebody_else_is_not_overwritten_nor_deleted(
    made: Path, empty: Path, monkeypatch: pytest.MonkeyPatch
):
    """A journal that appears while it is restored stays as it is, and the restore fails."""
    found = look_into(made)
    (empty / "journal").write_text("newer")
    monkeypatch.setattr(backup, "files_of", lambda *_: [])
    with pytest.raises(FileExistsError):
        restore(made, found, empty / "thumbturn.db", empty / "journal")
    assert {path.name: path.read_text() for path in empty.iterdir()} == {"journal": "newer"}


@pytest.fixture
def full_disk(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk on which whatever is written from now on finds room for one page."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany("insert into sent values (?)", [(n,) for n in range(5_000)])
    connected = backup._connected

    def with_little_room(path: Path, mode: str) -> sqlite3.Connection:
        connection = connected(path, mode)
        if path.name.endswith(".part"):
            connection.execute("pragma max_page_count = 1")
        return connection

    monkeypatch.setattr(backup, "_connected", with_little_room)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_not_told_as_a_broken_database(database: Path, tmp_path: Path):
    """What cannot be written is named, with the reason; the database that was read is in order."""
    with pytest.raises(BackupRefused, match=r"backup\.part cannot be written: database or disk is full"):
        back_up(database, tmp_path / "journal", tmp_path / "backup", made_at=1, version="1")
    assert not list(tmp_path.glob("backup*"))


def test_a_full_disk_is_not_told_as_a_broken_backup(made: Path, empty: Path, request: pytest.FixtureRequest):
    """So it is when a backup is restored, and nothing of it is left in the way."""
    found = look_into(made)
    request.getfixturevalue("full_disk")
    with pytest.raises(BackupRefused, match=r"thumbturn\.db\.part cannot be written: .*full"):
        restore(made, found, empty / "thumbturn.db", empty / "journal")
    assert list(empty.iterdir()) == []
