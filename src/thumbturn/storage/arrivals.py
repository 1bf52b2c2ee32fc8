"""Attempts that were accepted by a process which does not run them, on their way to the one that does."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, delete, select

from thumbturn.domain.attempt import Attempt
from thumbturn.storage.cell_tables import arrivals
from thumbturn.storage.expressions import one_of
from thumbturn.storage.rows import attempt_of
from thumbturn.storage.tables import IS_OPEN, attempts

#: So many are taken in one transaction.
AT_ONCE = 500


def cells(connection: Connection) -> list[int]:
    """The cells for which something has arrived."""
    return list(connection.execute(select(arrivals.c.cell).distinct()).scalars())


def take(connection: Connection, cell: int, taken: Collection[str]) -> list[Attempt]:
    """Some that arrived for this cell and are open still, in order of acceptance.

    Whoever takes one has it once he says so, and is given it again until then. Should he die with it, it is
    found among all that are open.
    """
    _drop(connection, taken)
    waiting = select(arrivals.c.attempt_id).where(arrivals.c.cell == cell).limit(AT_ONCE)
    ids = list(connection.execute(waiting).scalars())
    if not ids:
        return []
    query = (
        select(attempts)
        .where(one_of(attempts.c.id, ids, connection.dialect), IS_OPEN)
        .order_by(attempts.c.accepted_at, attempts.c.id)
    )
    found = [attempt_of(row) for row in connection.execute(query)]
    # What has ended meanwhile is nobody's to run.
    _drop(connection, set(ids).difference(attempt.id for attempt in found))
    return found


def _drop(connection: Connection, ids: Collection[str]) -> None:
    if ids:
        connection.execute(delete(arrivals).where(one_of(arrivals.c.attempt_id, ids, connection.dialect)))
