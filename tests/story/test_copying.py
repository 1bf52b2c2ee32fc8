"""``thumbturn copy``: a grown user moves from SQLite to PostgreSQL, with all that is open."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import FetchedValue, func, insert, select, text

from tests.crash.history import History
from tests.fixtures.commands import run
from tests.fixtures.server import Caller, LiveServer
from thumbturn.storage.copying import NotSetAside, set_aside
from thumbturn.storage.databases import parse_url, reading_engine, writing_engine
from thumbturn.storage.open import migrate
from thumbturn.storage.tables import metadata

#: More than go over at a time.
DEVICES = 1_200
ENDED_WITHIN = 40.0


def sqlite(data: Path) -> str:
    return f"sqlite:///{data / 'thumbturn.db'}"


def copied(data: Path) -> str:
    """The URL of the file after it was copied, under the name that it has then."""
    [aside] = data.glob("thumbturn.db.copied-*Z")
    return f"sqlite:///{aside}"


def rows(url: str) -> dict[str, list[dict[str, object]]]:
    """Every row of every table, but for what each database gives by itself."""
    found = {}
    with reading_engine(parse_url(url)).connect() as connection:
        for table in metadata.sorted_tables:
            columns = [each for each in table.columns if type(each.server_default) is not FetchedValue]
            read = connection.execute(select(*columns)).mappings()
            found[table.name] = sorted((dict(row) for row in read), key=repr)
    return found


def fill(server: LiveServer) -> tuple[Caller, str]:
    """Somebody with many devices, ended and open attempts, a webhook and a code; the id of what is open."""
    me = Caller(server, server.client(), "")
    for _ in range(DEVICES // 100):
        me.call("/thumbturn/sandbox/add_devices", count=100, kind="lock", travel_milliseconds=0)
    locks = [lock["device_id"] for lock in me.locks()[:30]]
    for lock in locks[:-1]:
        me.call("/locks/lock_door", device_id=lock)
    me.call("/access_codes/create", device_id=locks[0], name="Jane", code="2468")
    me.call("/webhooks/create", url="https://127.0.0.1:1/nowhere")
    me.call("/thumbturn/sandbox/inject_fault", device_id=locks[-1], fault="slow", milliseconds=60_000)
    begun = me.call("/locks/unlock_door", device_id=locks[-1])["action_attempt"]
    return me, begun["action_attempt_id"]


def test_a_server_goes_on_where_it_was_on_the_other_database(
    new_server, bare_postgres_url: str, tmp_path: Path
):
    """All rows arrive as they were; a server on them opens its secrets, counts on, and ends what was open."""
    data = tmp_path / "data"
    server = new_server(data)
    me, still_open = fill(server)
    secrets = [each["secret"] for each in me.call("/webhooks/list")["webhooks"]]
    code = me.call("/access_codes/list")["access_codes"][0]["code"]
    server.kill9()

    migrate(bare_postgres_url)
    said = run("copy", "--from", sqlite(data), "--to", bare_postgres_url, "--data", data).stdout
    before = rows(copied(data))
    assert rows(bare_postgres_url) == before
    assert len(before["devices"]) > DEVICES
    assert f"{len(before['devices']):,}  devices" in said
    assert {name for name in before if f"  {name}\n" in said} == before.keys()
    first = History(copied(data), data / "virtual-world.jsonl")
    assert still_open not in first.finals()

    again = new_server(data, database_url=bare_postgres_url)
    me = Caller(again, again.client(), "")
    assert [each["secret"] for each in me.call("/webhooks/list")["webhooks"]] == secrets
    assert me.call("/access_codes/list")["access_codes"][0]["code"] == code
    done = me.call("/locks/lock_door", device_id=me.locks()[5]["device_id"])["action_attempt"]
    url = bare_postgres_url.replace("postgresql://", "postgresql+psycopg://", 1)
    limit = time.monotonic() + ENDED_WITHIN
    while True:
        seen = History(url, data / "virtual-world.jsonl")
        if {still_open, done["action_attempt_id"]} <= seen.finals().keys() or time.monotonic() > limit:
            break
        time.sleep(0.2)
    assert {still_open, done["action_attempt_id"]} <= seen.finals().keys()
    seen.check(first.attempts.keys(), first.finals())


@pytest.fixture
def migrated(tmp_path: Path, bare_postgres_url: str) -> tuple[Path, str]:
    """A data folder and an empty PostgreSQL database, both with this version's schema."""
    run("migrate", "--data", tmp_path)
    migrate(bare_postgres_url)
    return tmp_path, bare_postgres_url


WORKSPACE = {
    "id": "w1",
    "name": "Home",
    "is_sandbox": True,
    "company_name": "Home",
    "is_suspended": False,
    "is_publishable_key_auth_enabled": False,
    "connect_webview_customization": "{}",
    "required_evidence": 0,
    "created_at": 1,
}


def add_workspace(url: str, **other: object) -> None:
    with writing_engine(parse_url(url)).begin() as connection:
        connection.execute(insert(metadata.tables["workspaces"]), {**WORKSPACE, **other})


def test_numbers_that_the_database_counts_go_on(migrated: tuple[Path, str]):
    """After the copy the next row gets a number of its own, also in a table that nothing was copied to."""
    data, url = migrated
    waiting = metadata.tables["audit_waiting"]
    with writing_engine(parse_url(sqlite(data))).begin() as connection:
        connection.execute(insert(waiting), [{"n": n, "workspace_id": "w1", "body": "{}"} for n in (3, 7)])
    run("copy", "--from", sqlite(data), "--to", url, "--data", data)
    with writing_engine(parse_url(url)).begin() as connection:
        connection.execute(insert(waiting), {"workspace_id": "w1", "body": "{}"})
        assert connection.execute(select(waiting.c.n).order_by(waiting.c.n)).scalars().all() == [3, 7, 8]
        late = metadata.tables["late_marks"]
        connection.execute(
            insert(late), {"attempt_id": "a", "stage": "observed", "at": 1, "evidence": 0, "note": ""}
        )
        assert connection.execute(select(late.c.n)).scalars().all() == [1]


def test_nothing_goes_on_with_the_file_that_was_copied(migrated: tuple[Path, str]):
    """It has another name, which is said, and all that was in it; the backup of before finds no database."""
    data, url = migrated
    add_workspace(sqlite(data))
    said = run("copy", "--from", sqlite(data), "--to", url, "--data", data).stdout
    assert not list(data.glob("thumbturn.db")) + list(data.glob("thumbturn.db-*"))
    assert copied(data).removeprefix("sqlite:///") in said
    assert [row["id"] for row in rows(copied(data))["workspaces"]] == ["w1"]
    refused = run("backup", data / "backup", "--data", data, status=1)
    assert "There is no database at" in refused.stderr
    refused = run("migrate", "--check", "--data", data, status=1)
    assert "There is no database at" in refused.stderr


def test_what_is_logged_beside_the_file_goes_with_it(tmp_path: Path):
    """Where SQLite left its log beside the file, the log has the new name too: nothing in it is lost."""
    for end in ("", "-wal", "-shm"):
        (tmp_path / f"thumbturn.db{end}").write_text(end)
    aside = set_aside(sqlite(tmp_path), 1_000_000)
    assert aside == tmp_path / "thumbturn.db.copied-19700101T000001Z"
    assert {path.name.removeprefix(aside.name): path.read_text() for path in tmp_path.iterdir()} == {
        end: end for end in ("", "-wal", "-shm")
    }


def test_a_file_that_keeps_its_name_is_told(tmp_path: Path):
    """If the file cannot be renamed, it is said that all is copied, and what is to be done."""
    with pytest.raises(NotSetAside, match=r"All is copied.*Move it away yourself"):
        set_aside(sqlite(tmp_path), 1)


def test_a_damaged_file_is_not_the_other_databases_fault(migrated: tuple[Path, str]):
    """Where the file cannot be read, it is named, and not the server that it was copied to."""
    data, url = migrated
    file = data / "thumbturn.db"
    add_workspace(sqlite(data))
    with closing(sqlite3.connect(file)) as database:
        [(page,)] = database.execute("select rootpage from sqlite_master where name = 'workspaces'")
        [(size,)] = database.execute("pragma page_size")
        database.execute("pragma wal_checkpoint(truncate)")
    with file.open("r+b") as content:
        content.seek((page - 1) * size)
        content.write(b"\xff" * size)
    refused = run("copy", "--from", sqlite(data), "--to", url, "--data", data, status=1)
    assert f"{sqlite(data)} cannot be used: database disk image is malformed" in refused.stderr
    assert "postgresql" not in refused.stderr
    assert file.exists()


def test_a_database_with_something_in_it_is_not_copied_to(migrated: tuple[Path, str]):
    """Where there is a row already, nothing is added to it."""
    data, url = migrated
    add_workspace(sqlite(data), id="w2")
    add_workspace(url)
    refused = run("copy", "--from", sqlite(data), "--to", url, "--data", data, status=1)
    assert "must be empty, and there is something in its table workspaces" in refused.stderr
    assert [row["id"] for row in rows(url)["workspaces"]] == ["w1"]


def test_what_cannot_arrive_leaves_the_other_database_empty(migrated: tuple[Path, str]):
    """If one row is refused there, none is there, and the reason is said."""
    data, url = migrated
    add_workspace(sqlite(data))
    with writing_engine(parse_url(url)).begin() as connection:
        connection.execute(text("alter table workspaces add constraint odd check (name <> 'Home')"))
    refused = run("copy", "--from", sqlite(data), "--to", url, "--data", data, status=1)
    assert "odd" in refused.stderr
    assert "The database postgresql://" in refused.stderr
    assert not any(rows(url).values())


def test_both_must_have_this_versions_schema(tmp_path: Path, bare_postgres_url: str):
    """A database without tables, on either side, is refused with what to do."""
    asked = ("copy", "--from", sqlite(tmp_path), "--to", bare_postgres_url, "--data", tmp_path)
    assert "There is no database at" in run(*asked, status=1).stderr
    run("migrate", "--data", tmp_path)
    refused = run(*asked, status=1)
    assert "no tables yet" in refused.stderr
    assert "`thumbturn migrate`" in refused.stderr


def test_the_other_way_is_refused(tmp_path: Path, bare_postgres_url: str):
    """It goes from SQLite to PostgreSQL only."""
    backwards = run(
        "copy", "--from", bare_postgres_url, "--to", sqlite(tmp_path), "--data", tmp_path, status=1
    )
    assert "and no other way" in backwards.stderr


def test_a_server_on_the_source_is_noticed(new_server, tmp_path: Path, bare_postgres_url: str):
    """While a server runs on the file nothing is copied, whichever data folder is named."""
    migrate(bare_postgres_url)
    server = new_server(tmp_path / "data")
    (tmp_path / "other").mkdir()
    for folder, says in {"data": "Another server is using", "other": "Somebody is using"}.items():
        refused = run(
            "copy",
            "--from",
            sqlite(server.data),
            "--to",
            bare_postgres_url,
            "--data",
            tmp_path / folder,
            status=1,
        )
        assert says in refused.stderr
    with reading_engine(parse_url(bare_postgres_url)).connect() as connection:
        query = select(func.count()).select_from(metadata.tables["workspaces"])
        assert connection.execute(query).scalar() == 0
    assert server.client().post("/locks/list").json()["locks"]
