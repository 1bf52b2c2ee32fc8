"""``thumbturn migrate`` and its question, and who may bring a database up to date."""

from __future__ import annotations

import os
import subprocess

import pytest
from sqlalchemy import text

from tests.contract.test_schema_expands import at_revision
from tests.fixtures.server import COMMAND
from thumbturn.storage.databases import parse_url, writing_engine
from thumbturn.storage.open import migrate, pending_migrations
from thumbturn.storage.tables import HEAD


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line, to its end."""
    return subprocess.run(
        [COMMAND, *map(str, arguments)], capture_output=True, check=False, text=True, timeout=60
    )


def check(tmp_path, url: str) -> subprocess.CompletedProcess[str]:
    return run("migrate", "--check", "--data", tmp_path / "data", "--database-url", url)


def test_the_question_is_answered_by_the_exit_status(bare_database_url: str, tmp_path):
    """`migrate --check` ends with 0 for this version's schema, else with 1 and why; nothing changes."""
    at_revision(bare_database_url, "0009")
    older = check(tmp_path, bare_database_url)
    assert (older.returncode, older.stdout) == (1, "")
    assert "revision 0009" in older.stderr
    assert "`thumbturn migrate`" in older.stderr
    assert pending_migrations(bare_database_url)[-1] == HEAD

    migrate(bare_database_url)
    current = check(tmp_path, bare_database_url)
    assert (current.returncode, current.stdout, current.stderr) == (
        0,
        "The database has this version's schema.\n",
        "",
    )

    with writing_engine(parse_url(bare_database_url)).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    newer = check(tmp_path, bare_database_url)
    assert (newer.returncode, newer.stdout) == (1, "")
    assert "newer version of thumbturn" in newer.stderr
    assert not (tmp_path / "data").exists(), "a question made the data folder"


def test_a_question_makes_no_database(tmp_path):
    """Where there is no database `migrate --check` says so, and there is none afterwards either."""
    asked = run("migrate", "--check", "--data", tmp_path)
    assert (asked.returncode, asked.stdout) == (1, "")
    assert f"There is no database at {tmp_path}" in asked.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_question_may_be_asked_beside_a_server(fresh_server):
    """`migrate --check` needs nobody to stop; `migrate` itself does."""
    assert run("migrate", "--check", "--data", fresh_server.data).returncode == 0
    refused = run("migrate", "--data", fresh_server.data)
    assert refused.returncode == 1
    assert "Another server is using" in refused.stderr


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_a_server_that_may_not_migrate_refuses_an_older_database(tmp_path, how: str):
    """With `--no-migrate` a start on an older schema ends with what to do, and the schema is as it was."""
    url = f"sqlite:///{tmp_path / 'thumbturn.db'}"
    at_revision(url, "0012")
    flag = ("--no-migrate",) if how == "flag" else ()
    variables = {} if how == "flag" else {"THUMBTURN_MIGRATE": "false"}
    refused = subprocess.run(
        [COMMAND, "serve", "--port", "0", "--data", tmp_path, *flag],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        env={**os.environ, **variables},
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "Run `thumbturn migrate` on it first." in refused.stderr
    assert pending_migrations(url)[0] == "0013"


def test_a_server_brings_an_older_database_up_to_date(tmp_path, new_server):
    """Without being told otherwise, a start migrates what is older, and serves it."""
    (tmp_path / "data").mkdir()
    url = f"sqlite:///{tmp_path / 'data' / 'thumbturn.db'}"
    at_revision(url, "0012")
    server = new_server(tmp_path / "data")
    assert pending_migrations(url) == []
    assert server.client().post("/locks/list").json()["locks"]
