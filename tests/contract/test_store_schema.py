"""Opening a database, its history, and which index answers which question."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, event, text

from tests.contract.test_schema_expands import partitions
from tests.fixtures.stores import NOON, a_key, an_attempt, an_event, succeeding
from thumbturn.domain.attempt import Attempt, Phase
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.engine.ports import AttemptFilter, Change, DeviceFilter, EventFilter
from thumbturn.storage.databases import parse_url, writing_engine
from thumbturn.storage.lockfile import DataDirectoryInUse, exclusive
from thumbturn.storage.open import DatabaseTooNew, migrate, open_store, pending_migrations
from thumbturn.storage.store import SqlStore
from thumbturn.storage.tables import HEAD, metadata
from thumbturn.storage.together import Journey


def test_migrations_lead_to_the_tables(bare_database_url: str):
    """The migrated schema is the one that the code works with."""
    assert pending_migrations(bare_database_url)[-1] == HEAD
    assert migrate(bare_database_url)[-1] == HEAD
    assert pending_migrations(bare_database_url) == []
    assert migrate(bare_database_url) == []
    engine = writing_engine(parse_url(bare_database_url))
    with engine.connect() as connection:
        parts = partitions(connection)
        options = {"include_name": lambda name, kind, _: kind != "table" or name not in parts}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


async def test_a_database_without_tables_is_ready_when_it_is_opened(bare_database_url: str):
    """Whoever opens a new database finds the newest schema in it."""
    store = open_store(bare_database_url)
    assert pending_migrations(bare_database_url) == []
    assert await store.has_workspaces() is False
    await store.close()


def test_database_from_the_future_is_refused(bare_database_url: str):
    """A database of a newer version is refused with a sentence that says what to do, and is left alone."""
    migrate(bare_database_url)
    with writing_engine(parse_url(bare_database_url)).begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    for use in (open_store, migrate, pending_migrations):
        with pytest.raises(DatabaseTooNew, match=r"revision 9999.*start that one"):
            use(bare_database_url)


def test_processes_that_start_together_migrate_once(bare_postgres_url: str):
    """Two processes that open an empty PostgreSQL database at once both find it ready."""
    code = "import sys; from thumbturn.storage.open import migrate; print(migrate(sys.argv[1]))"
    started = [
        subprocess.Popen([sys.executable, "-c", code, bare_postgres_url], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = sorted(process.communicate(timeout=60)[0].strip() for process in started)
    assert said[1:] == ["[]", "[]"]
    assert said[0].endswith(f"'{HEAD}']")


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
        ("postgresql://h/d", "postgresql+psycopg://h/d"),
        ("postgresql+psycopg://h/d", "postgresql+psycopg://h/d"),
        ("sqlite:///x.db", "sqlite:///x.db"),
    ],
)
def test_urls_name_the_driver_in_use(given: str, used: str):
    """Every usual way to write the URL leads to the one driver."""
    assert parse_url(given).render_as_string(hide_password=False) == used


@pytest.mark.parametrize("url", ["mysql://h/d", "sqlite://", "sqlite:///:memory:"])
def test_other_databases_are_refused(url: str):
    """Another database, or one that forgets, is refused with a sentence."""
    with pytest.raises(ValueError, match="must be sqlite:///FILE or postgresql"):
        open_store(url)


async def test_sqlite_commits_are_durable(tmp_path: Path):
    """The connection that writes waits for the disk, keeps a write-ahead log and checks references."""
    store = open_store(f"sqlite:///{tmp_path / 'thumbturn.db'}")

    def setting(name: str) -> Any:
        return store._writer.submit(lambda connection: connection.exec_driver_sql(f"pragma {name}").scalar())

    assert await setting("journal_mode") == "wal"
    assert await setting("synchronous") == 2  # FULL
    assert await setting("foreign_keys") == 1
    await store.close()


def test_data_directory_belongs_to_one(tmp_path: Path):
    """While one process holds a data directory, another is refused with a sentence; afterwards it is free."""
    with exclusive(tmp_path):
        assert (tmp_path / "thumbturn.lock").read_text() == f"{os.getpid()}\n"
        with pytest.raises(DataDirectoryInUse, match=r"Another server .* --data"), exclusive(tmp_path):
            pass
    with exclusive(tmp_path):
        pass


class Watched:
    """The statements that a store sends, and the plans that its database makes of them."""

    def __init__(self, store: SqlStore, patch: pytest.MonkeyPatch) -> None:
        self.engine = store._reader._engine
        self.sent: list[tuple[str, Any]] = []
        for engine in (self.engine, store._writer._line._engine):
            event.listen(engine, "before_cursor_execute", self._note)
        # What goes to PostgreSQL together goes to its driver directly.
        ask, sent = Journey.exec_driver_sql, self.sent

        def noted(journey: Journey, statement: str, parameters: tuple[Any, ...], /) -> Any:
            sent.append((statement, parameters))
            return ask(journey, statement, parameters)

        patch.setattr(Journey, "exec_driver_sql", noted)

    def _note(self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        if not statement.startswith(("begin", "explain")):
            self.sent.append((statement, parameters))

    def plans(self) -> str:
        """The plans of the statements since the last call, as the database words them."""
        sent = list(self.sent)
        explain = "explain query plan " if self.engine.dialect.name == "sqlite" else "explain "
        with self.engine.connect() as connection:
            rows = [connection.exec_driver_sql(explain + statement, given).all() for statement, given in sent]
            names = self._names_of_parts(connection)
        self.sent.clear()
        plans = "\n".join(str(row[-1]) for plan in rows for row in plan)
        for name, whole in names.items():
            plans = plans.replace(name, whole)
        return plans

    def _names_of_parts(self, connection: Connection) -> dict[str, str]:
        """The indices of partitions, each with the name of the index that it is a part of."""
        if connection.dialect.name == "sqlite":
            return {}
        parts = text(
            "select part.relname, whole.relname from pg_inherits join pg_class part on part.oid = inhrelid"
            " join pg_class whole on whole.oid = inhparent where part.relkind = 'i'"
            " order by length(part.relname) desc"
        )
        return {row[0]: row[1] for row in connection.execute(parts)}


#: Somebody's who sees the devices of one account.
REACH = frozenset({"w1_account"})


def sent_attempt() -> Attempt:
    return an_attempt(id="a", phase=Phase.SENT)


#: Searches, by the index that leads them whatever else is asked for.
LED_BY: dict[str, dict[str, str]] = {
    "ix_attempts_of_workspace": {"status": "success"},
    "ix_attempts_open": {"status": "pending", "action_type": "LOCK_DOOR"},
    "ix_attempts_of_device": {"device_id": "w1_lock_2", "status": "error", "cause": "lock_jammed"},
    "ix_attempts_of_cause": {"cause": "lock_jammed", "actor": "alice", "action_type": "LOCK_DOOR"},
    "ix_attempts_of_actor": {"actor": "alice", "status": "error", "action_type": "LOCK_DOOR"},
    "ix_attempts_failed": {"status": "error", "action_type": "LOCK_DOOR"},
    "ix_attempts_of_type": {"action_type": "LOCK_DOOR", "status": "success"},
}


#: The questions of the request path: how to ask, and the index that answers on SQLite and PostgreSQL.
QUESTIONS: dict[str, tuple[Callable[[SqlStore], Any], str, str]] = {
    "attempt": (lambda s: s.attempt("w1", "a"), "attempts USING PRIMARY KEY", "pk_attempts"),
    "attempts of ids": (
        lambda s: s.attempts("w1", ids=["a", "b"], limit=3),
        "attempts USING PRIMARY KEY",
        "pk_attempts",
    ),
    "attempts of a device": (
        lambda s: s.attempts("w1", device_id="w1_lock_2", after=(NOON, "a"), limit=3),
        "ix_attempts_of_device",
        "ix_attempts_of_device",
    ),
    "attempts": (
        lambda s: s.attempts("w1", after=(NOON, "a"), limit=3),
        "ix_attempts_of_workspace",
        "ix_attempts_of_workspace",
    ),
    **{
        f"search: {index}": (
            lambda s, wanted=wanted: s.search_attempts(
                "w1", AttemptFilter(since=NOON, **wanted), after=(NOON + 400, "b"), limit=3
            ),
            index,
            index,
        )
        for index, wanted in LED_BY.items()
    },
    "open attempts": (lambda s: s.open_attempts(), "ix_attempts_open", "ix_attempts_open"),
    "timeline": (
        lambda s: s.timeline("w1", "a"),
        "ix_late_marks_attempt_id",
        "ix_late_marks_attempt_id",
    ),
    "device": (lambda s: s.device("w1", "a"), "devices USING PRIMARY KEY", "pk_devices"),
    "devices": (
        lambda s: s.devices("w1", DeviceFilter(), limit=2),
        "ix_devices_workspace_id_created_at_id",
        "ix_devices_workspace_id_created_at_id",
    ),
    "events": (lambda s: s.events("w1", EventFilter(), limit=3), "events USING PRIMARY KEY", "pk_events"),
    "events since": (
        lambda s: s.events("w1", EventFilter(after=NOON), limit=3),
        "ix_events_by_time",
        "ix_events_by_time",
    ),
    "events of ids": (
        lambda s: s.events("w1", EventFilter(event_ids=["e"]), limit=3),
        "events USING INDEX sqlite_autoindex",
        "uq_events_event_id",
    ),
    "newest event of a device": (
        lambda s: s.event("w1", EventFilter(device_ids=["w1_lock_2"])),
        "ix_events_of_device",
        "ix_events_of_device",
    ),
    "many events within reach": (
        lambda s: s.events("w1", EventFilter(after=NOON, reach=REACH), limit=3),
        "events USING PRIMARY KEY",
        "pk_events",
    ),
    "few events within reach": (
        lambda s: s.events("w1", EventFilter(after=NOON, event_types=["rare"], reach=REACH), limit=3),
        "ix_events_of_device",
        "ix_events_of_device",
    ),
    "newest event within reach": (
        lambda s: s.event("w1", EventFilter(reach=REACH)),
        "ix_events_of_device",
        "ix_events_of_device",
    ),
    "search: somebody's": (
        lambda s: s.search_attempts("w1", AttemptFilter(status="success", reach=REACH), limit=3),
        "ix_attempts_of_device",
        "ix_attempts_of_device",
    ),
    "client session with a token": (
        lambda s: s.client_sessions.with_token("hash"),
        "client_sessions USING INDEX sqlite_autoindex",
        "uq_client_sessions_token_hash",
    ),
    "client session of a user": (
        lambda s: s.client_sessions.of_user("w1", "jane"),
        "ix_client_sessions_of_user",
        "ix_client_sessions_of_user",
    ),
    "client sessions": (
        lambda s: s.client_sessions.listed("w1", ClientSessionFilter(), limit=3),
        "ix_client_sessions_workspace_id_created_at_id",
        "ix_client_sessions_workspace_id_created_at_id",
    ),
    "key": (lambda s: s.key("hash of k1"), "keys USING INDEX sqlite_autoindex", "uq_keys_token_hash"),
    "change": (
        lambda s: s.apply(succeeding(sent_attempt())[1]),
        "attempts USING PRIMARY KEY",
        "pk_attempts",
    ),
}

#: In the order in which they are answered there is an index: nothing is sorted, but the few rows
#: that are not filed by device yet.
NEVER_SORTED = {
    *(f"search: {index}" for index in LED_BY),
    "attempts of a device",
    "attempts",
    "devices",
    "events",
    "events since",
    "newest event of a device",
}


ALSO_UNFILED = {"newest event of a device"}


async def test_questions_are_answered_by_their_index(sql_store: SqlStore, monkeypatch):
    """No question of the request path reads a table whole, or sorts what it pages through."""
    await fill(sql_store)
    watched = Watched(sql_store, monkeypatch)
    sqlite = watched.engine.dialect.name == "sqlite"
    for question, (ask, on_sqlite, on_postgresql) in QUESTIONS.items():
        await ask(sql_store)
        if question == "change" and sqlite:
            # A wave is written by triggers, whose plans SQLite does not tell: this is their statement.
            watched.sent.append(("update attempts set phase = 'sent' where id = 'a' and phase = 'sent'", ()))
        plans = watched.plans()
        assert (on_sqlite if sqlite else on_postgresql) in plans, f"{question}:\n{plans}"
        assert "Seq Scan" not in plans, f"{question}:\n{plans}"
        of_few = question.startswith("search: ") or question == "attempts of a device"
        if of_few and "workspace" not in question:
            # Of ten million attempts some are to be found, and not all walked through.
            assert "ix_attempts_of_workspace" not in plans, f"{question}:\n{plans}"
        if question in NEVER_SORTED and question not in ALSO_UNFILED:
            # Partitions that are each in order are merged, and only their keys are named.
            assert "Sort  (cost" not in plans, f"{question}:\n{plans}"
            assert "TEMP B-TREE" not in plans, f"{question}:\n{plans}"


async def fill(store: SqlStore) -> None:
    """Some thousand attempts and events of three devices; a few attempts are open."""
    for device in (1, 2, 3):
        for n in range(700):
            phase = Phase.SENT if n % 100 == 7 else Phase.FAILED
            store.accept(an_attempt(device=device, at=NOON + n, phase=phase))
        told = [an_event(device_id=f"w1_lock_{device}", created_at=NOON + n) for n in range(700)]
        await store.apply(Change(events=tuple(told)))
    await store.accept(an_attempt(id="a"))
    await store.add_key(a_key())
    if store._reader._engine.dialect.name == "postgresql":
        await store._writer.submit(lambda connection: connection.execute(text("analyze")))
