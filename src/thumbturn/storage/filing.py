"""Indices by device and by type, filled many rows at a time.

An index by device is written to in as many places as there are devices: on SQLite each accepted
attempt made two more pages dirty by itself, and these were most of what a commit had to bring to
the disk. So a new row is not in it (``filed = 0``); it is found through a small index in the order
of arrival. When enough have gathered they are filed together (``filed = 1``), many to a page.

Whoever asks for a device's rows asks the unfiled ones first and the filed ones then, and sees each
once. PostgreSQL writes differences and not pages: there every row is filed from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select, tuple_, update

from thumbturn.storage.tables import IS_FILED, IS_UNFILED, attempts, events

#: Rows of each table that are filed in one transaction: some ten milliseconds of work, or fifteen times as
#: much where there are more devices than that and millions of attempts: then each row has a page to itself.
AT_ONCE = 2_000


def file_rows(connection: Connection) -> bool:
    """File the oldest unfiled rows; true if there may be more."""
    old_attempts = (
        select(attempts.c.id).where(IS_UNFILED).order_by(attempts.c.accepted_at, attempts.c.id).limit(AT_ONCE)
    )
    old_events = (
        select(events.c.workspace_id, events.c.sequence)
        .where(IS_UNFILED)
        .order_by(events.c.workspace_id, events.c.sequence)
        .limit(AT_ONCE)
    )
    filed = connection.execute(update(attempts).where(attempts.c.id.in_(old_attempts)).values(filed=1))
    key = tuple_(events.c.workspace_id, events.c.sequence)
    told = connection.execute(update(events).where(key.in_(old_events)).values(filed=1))
    return max(filed.rowcount, told.rowcount) == AT_ONCE


def both_halves(
    connection: Connection,
    query: Select[Any],
    finish: Callable[[Select[Any]], Select[Any]],
    led_by: tuple[ColumnElement[bool], ...] = (),
) -> list[Sequence[Any]]:
    """The rows of a query by device, unfiled and filed, each in the order and number of ``finish``.

    ``led_by`` is what the index of the filed begins with, and the query does not say in so many words: it
    would lead SQLite through all that is filed in search of what is not.

    A row that is filed between the two questions comes twice, never not at all.
    """
    if connection.dialect.name == "postgresql":
        # There is none that is not: to ask for them would be to look into each partition for nothing.
        return [*connection.execute(finish(query.where(IS_FILED, *led_by))).all()]
    unfiled = connection.execute(finish(query.where(IS_UNFILED))).all()
    filed = connection.execute(finish(query.where(IS_FILED, *led_by))).all()
    return [*unfiled, *filed]
