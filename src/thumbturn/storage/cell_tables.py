"""The tables by which many processes share one database (``engine/cells.py``).

Their rows are of the moment: none of them is worth anything once all processes have ended, except
``arrivals``, whose attempts are on record by themselves.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, SmallInteger, Table, Text

from thumbturn.storage.tables import metadata

#: The processes that work on this database; one that does not raise its beat is dead.
processes = Table(
    "processes",
    metadata,
    Column("id", Text, primary_key=True),
    # Words with commas in between.
    Column("roles", Text, nullable=False),
    Column("beat", BigInteger, nullable=False),
    # By the process's own clock, for people: nothing is decided by them.
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    # µs for which it acts after it was last heard of.
    Column("lease", BigInteger, nullable=False, server_default="5000000"),
)

#: Who may act for which cell. Each owner has an epoch of its own, higher than those before it.
leases = Table(
    "leases",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("cell", SmallInteger, primary_key=True, autoincrement=False),
    Column("owner", Text),
    Column("epoch", BigInteger, nullable=False),
)

#: Attempts that were accepted by a process which does not run them.
arrivals = Table(
    "arrivals",
    metadata,
    Column("attempt_id", Text, primary_key=True),
    Column("cell", SmallInteger, nullable=False, index=True),
)

#: Requests that only the owner of a cell can answer, and his answers. Sealed, for there are tokens and PINs.
forwarded_calls = Table(
    "forwarded_calls",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("cell", SmallInteger, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("request", Text, nullable=False),
    Column("taken_by", Text),
    Column("taken_at", BigInteger),
    Column("answer", Text),
    Index("ix_forwarded_calls_cell", "kind", "cell"),
)
