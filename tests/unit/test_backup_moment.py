"""The virtual world's journal in a backup is that of the database's moment, or of one before it."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from thumbturn.storage import backup
from thumbturn.storage.backup import BackupRefused, back_up, look_into


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
