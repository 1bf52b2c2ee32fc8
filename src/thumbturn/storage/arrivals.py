"""Attempts that were accepted by a process which does not run them, on their way to the one that does."""

from __future__ import annotations

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


def take(connection: Connection, cell: int) -> list[Attempt]:
    """Some that arrived for this cell and are open still, in order of acceptance; each is given once.

    Whoever takes one has it: should he die with it, it is found among all that are open.
    """
    waiting = (
        select(arrivals.c.attempt_id)
        .where(arrivals.c.cell == cell)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    taken = delete(arrivals).where(arrivals.c.attempt_id.in_(waiting)).returning(arrivals.c.attempt_id)
    ids = list(connection.execute(taken).scalars())
    if not ids:
        return []
    query = (
        select(attempts)
        .where(one_of(attempts.c.id, ids, connection.dialect), IS_OPEN)
        .order_by(attempts.c.accepted_at, attempts.c.id)
    )
    return [attempt_of(row) for row in connection.execute(query)]
