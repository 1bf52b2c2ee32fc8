"""Our database, read to see for oneself that what was answered was kept and settled.

Where it is, is a data directory with an SQLite file, or the URL of a database on PostgreSQL.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

import psycopg

from bench.rows import BenchError

ATTEMPTS = "attempts"
ID = "id"
PHASE = "phase"
SUCCEEDED = "succeeded"
#: Written out, so that a partial index over open work with the same words serves the question.
OPEN = "('queued', 'sent', 'confirming')"

#: Seconds without an open attempt, after which no more is on its way.
QUIET = 0.2

#: A data directory, or the URL of a database.
Where: TypeAlias = Path | str
#: Takes a query without parameters and gives its rows.
Ask: TypeAlias = Callable[[str], list[Any]]

EVENTS = "events"
EVENT_ID = "event_id"
SEQUENCE = "sequence"
WORKSPACE = "workspace_id"
FILED = "filed"


@dataclass(frozen=True, slots=True)
class Census:
    """How many attempts there are."""

    total: int
    succeeded: int


def find(data: Path) -> Path:
    """The SQLite file in a data directory."""
    for path in sorted(data.iterdir()):
        if path.is_file():
            with path.open("rb") as file:
                if file.read(15) == b"SQLite format 3":
                    return path
    raise BenchError("there is no SQLite file in the data directory")


@contextmanager
def reading(data: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write."""
    with closing(sqlite3.connect(f"file:{find(data)}?mode=ro", uri=True, timeout=10)) as connection:
        yield connection


@contextmanager
def asking(where: Where) -> Iterator[Ask]:
    """Ask either kind of database; each question sees what was committed before it."""
    if isinstance(where, Path):
        with reading(where) as file:
            yield lambda query: file.execute(query).fetchall()
    else:
        with psycopg.connect(where, autocommit=True) as connection:
            yield lambda query: connection.execute(query.encode()).fetchall()


def census(where: Where) -> Census:
    """The attempts that are on record now."""
    with asking(where) as ask:
        counts = dict(ask(f"select {PHASE}, count(*) from {ATTEMPTS} group by {PHASE}"))
    return Census(sum(counts.values()), counts.get(SUCCEEDED, 0))


def wait_until_settled(where: Where, within: float = 60.0, standing: int = 0) -> float:
    """Return the seconds it took until no attempt was open any more, and stayed so for ``QUIET`` seconds.

    Not counting those that are ``standing`` open all the while.

    A busy server may still have requests before it, of a load that has hung up: those come later.
    """
    started = time.perf_counter()
    settled_at: float | None = None
    with asking(where) as ask:
        while settled_at is None or time.perf_counter() - settled_at < QUIET:
            if ask(f"select 1 from {ATTEMPTS} where {PHASE} in {OPEN} limit 1 offset {standing}"):
                settled_at = None
                if time.perf_counter() - started > within:
                    raise BenchError(f"attempts were still open {within:g} s after the last request")
            elif settled_at is None:
                settled_at = time.perf_counter()
            time.sleep(0.005)
    return settled_at - started


def some_ids(data: Path, count: int) -> list[str]:
    """Ids of attempts from all over the file, as the wire spells them."""
    with reading(data) as connection:
        every = f"select {ID} from {ATTEMPTS} order by random() limit ?"
        return [as_text(one) for (one,) in connection.execute(every, (count,))]


def as_text(key: str | bytes) -> str:
    """An id as the wire spells it, whichever way the file does."""
    return str(UUID(bytes=key)) if isinstance(key, bytes) else key
