"""Connections to the two databases, set up so that a commit is a promise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from thumbturn.domain.refusals import StorageUnavailable

#: Seconds that SQLite waits for another process's transaction, and PostgreSQL for a connection.
_PATIENCE = 5

#: Seconds after which PostgreSQL gives up a transaction that a process has left standing: one that was
#: stopped in the middle of it must not keep the rows that it had locked.
ABANDONED_AFTER = 3

#: How PostgreSQL is connected to: one that is not heard of is not waited for, for the quarter of an hour
#: that the system would. What was sent must have come there in so many ms; a quiet connection is asked for
#: a sign of life after some seconds, and given up if there is none. On a unix socket it means nothing.
CONNECTED: dict[str, Any] = {
    "connect_timeout": _PATIENCE,
    "tcp_user_timeout": 5_000,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}

#: Statements that a connection to SQLite keeps prepared: each kind of bulk write, for each number of rows.
_PREPARED = 512

_SQLITE_UNREACHABLE = (
    "SQLITE_BUSY",
    "SQLITE_CANTOPEN",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_LOCKED",
    "SQLITE_READONLY",
)
# Connection, resources, operator intervention, system error: the classes that are nobody's fault.
# And that a transaction was left standing for too long, which ends its connection.
_POSTGRESQL_UNREACHABLE = ("08", "25P03", "53", "57", "58")

_UNKNOWN_KIND = "The database must be sqlite:///FILE or postgresql://HOST/NAME."

# Everything here is found by an index, in the index's own order. Plans are kept, and one that was made
# while a table was still empty would read it whole for ever after; and where a page is asked for, a
# bitmap would be made of all that might be on it. So no plan is bettered by knowing what is asked for, and
# each is made once: planning for all partitions anew takes longer than most questions.
_POSTGRESQL_OPTIONS = (
    "-c synchronous_commit=on -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"
    " -c enable_bitmapscan=off -c plan_cache_mode=force_generic_plan"
)


#: In the query of a URL: there is a transaction pooler, and nothing may be left to the session.
_POOLED = "pooled"


class DatabaseUnusable(ValueError):
    """There is no working with the database: its URL, its server or its file stands in the way."""

    @classmethod
    def at(cls, url: URL, problem: BaseException) -> DatabaseUnusable:
        """The database at this URL cannot be used, for the reason that it gave. Shows no password."""
        original = problem.orig if isinstance(problem, DBAPIError) else problem
        reason = " ".join(str(original).split())
        shown = direct(url).set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
        return cls(f"The database {shown} cannot be used: {reason}")


def parse_url(url: str) -> URL:
    """The URL with the driver that is used here; ``postgres://`` and ``postgresql://`` are the same.

    Raises ``DatabaseUnusable`` for any other database, and for SQLite without a file.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Not with the URL in it: there may be a password.
        raise DatabaseUnusable(_UNKNOWN_KIND) from None
    name = parsed.get_backend_name()
    if name in ("postgresql", "postgres"):
        return parsed.set(drivername="postgresql+psycopg")
    if name == "sqlite" and parsed.database not in (None, "", ":memory:"):
        return parsed.set(drivername="sqlite")
    raise DatabaseUnusable(_UNKNOWN_KIND)


def behind_pooler(url: URL) -> URL:
    """The URL of the same database for connections that go to somebody else after each transaction.

    Statements are not prepared then, and no planner's settings are sent: they are the role's
    (docs/many-processes.md).
    """
    return url.update_query_dict({_POOLED: "true"})


def direct(url: URL) -> URL:
    """The URL as others understand it, who know nothing of ``behind_pooler``."""
    return url.difference_update_query([_POOLED])


def sqlite_file(url: URL) -> Path | None:
    """The file of the database at this URL; None if it is a server's."""
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def writing_engine(url: URL, *, abandoned_after: int | None = None) -> Engine:
    """An engine whose transactions are durable when their commit returns.

    PostgreSQL ends one in which nothing was asked for so many seconds.
    """
    more = "" if abandoned_after is None else f" -c idle_in_transaction_session_timeout={abandoned_after}s"
    engine = _engine(url, more)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "begin", _begin_immediate)
    return engine


def reading_engine(url: URL) -> Engine:
    """An engine without transactions: each statement sees all that was committed before it."""
    return _engine(url, isolation_level="AUTOCOMMIT")


def is_unreachable(problem: BaseException) -> bool:
    """True when the database, not the statement, is the problem: another time it may go well."""
    original: BaseException | None = problem
    if isinstance(problem, DBAPIError):
        if problem.connection_invalidated:
            return True
        original = problem.orig
    sqlite_name = getattr(original, "sqlite_errorname", None)
    if sqlite_name is not None:
        return bool(sqlite_name.startswith(_SQLITE_UNREACHABLE))
    state = getattr(original, "sqlstate", None)
    if state is not None:
        return bool(state.startswith(_POSTGRESQL_UNREACHABLE))
    # psycopg gives no code when there is no server to give one.
    return isinstance(problem, OperationalError)


def unavailable(problem: BaseException) -> StorageUnavailable:
    """The refusal for an unreachable database."""
    refusal = StorageUnavailable(headers={"Retry-After": "1"})
    refusal.__cause__ = problem
    return refusal


def stopping() -> StorageUnavailable:
    """The refusal of a store that was closed."""
    return StorageUnavailable("The server is stopping. Nothing was done.", headers={"Retry-After": "1"})


def _engine(url: URL, more_settings: str = "", **options: Any) -> Engine:
    # Every thread keeps a connection of its own for as long as it lives: there is nothing to pool.
    if url.get_backend_name() == "sqlite":
        engine = create_engine(
            url,
            poolclass=NullPool,
            hide_parameters=True,  # what is written is no affair of the log
            connect_args={"timeout": _PATIENCE, "cached_statements": _PREPARED},
            **options,
        )
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        settings = _POSTGRESQL_OPTIONS + more_settings
        engine = create_engine(
            direct(url),
            poolclass=NullPool,
            hide_parameters=True,
            paramstyle="format",
            connect_args={
                **CONNECTED,
                **({"prepare_threshold": None} if _POOLED in url.query else {"options": settings}),
            },
            **options,
        )
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # sqlite3 would begin transactions by its own rules
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "cache_size=-8192",  # KiB, for each connection; behind it stands the system's own cache
    ):
        connection.execute(f"pragma {pragma}")


def _begin_immediate(connection: Connection) -> None:
    # A transaction that reads first and writes later could find, half-way, that it may not.
    connection.exec_driver_sql("begin immediate")
