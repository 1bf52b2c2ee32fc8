"""Questions about attempts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select, Text, bindparam, func, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from thumbturn.domain.attempt import Attempt, Progress
from thumbturn.domain.client_session import Reach
from thumbturn.engine.ports import Timeline
from thumbturn.storage.expressions import many, one_of, unled, within
from thumbturn.storage.filing import both_halves
from thumbturn.storage.rows import PROGRESS, attempt_of, mark_of, progress_of
from thumbturn.storage.scope import Scope, everywhere
from thumbturn.storage.tables import IS_OPEN, attempts, late_marks


def by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, Attempt]:
    """The attempts of these ids, in any workspace."""
    statement = _by_ids(connection.dialect, tuple(attempts.c.keys()))
    rows = connection.exec_driver_sql(statement, (many(ids, connection.dialect),)).all()
    return {row[0]: attempt_of(row) for row in rows}


def progress_by_ids(connection: Connection, ids: Sequence[str]) -> dict[str, Progress]:
    """How far the attempts of these ids have come, in any workspace."""
    statement = _by_ids(connection.dialect, PROGRESS)
    rows = connection.exec_driver_sql(statement, (many(ids, connection.dialect),)).all()
    return {row[0]: progress_of(row) for row in rows}


@lru_cache(maxsize=256)
def _by_ids(dialect: Dialect, names: tuple[str, ...]) -> str:
    # Compiled once: the statement is always the same, and reads by id are the most frequent.
    columns = [attempts.c[name] for name in names]
    query = select(*columns)
    if dialect.name == "sqlite":
        query = query.where(one_of(attempts.c.id, (), dialect))
    else:
        # Id by id PostgreSQL looks only into the partition in which it must be, of an array into all.
        listed = (
            func.unnest(bindparam("ids", type_=ARRAY(Text)))
            .table_valued("id", name="wanted")
            .render_derived()
        )
        query = query.select_from(listed.join(attempts, attempts.c.id == listed.c.id))
    return str(query.compile(dialect=dialect))


def listed(
    connection: Connection,
    workspace_id: str,
    *,
    device_id: str | None,
    action_types: Sequence[str] | None,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Attempt]:
    """The attempts of a workspace in order of (accepted_at, id)."""
    columns = attempts.c
    here = columns.workspace_id == workspace_id
    query = select(attempts)
    if action_types is not None:
        query = query.where(one_of(columns.action_type, action_types, connection.dialect))
    if after is not None:
        query = query.where(tuple_(columns.accepted_at, columns.id) > after)

    def first(question: Select[Any]) -> Select[Any]:
        return question.order_by(columns.accepted_at, columns.id).limit(limit)

    if device_id is None:
        return [attempt_of(row) for row in connection.execute(first(query.where(here)))]
    of_device = query.where(columns.device_id == device_id, unled(columns.workspace_id, workspace_id))
    rows = both_halves(connection, of_device, first, (here,))
    found = {row[0]: attempt_of(row) for row in rows}
    return sorted(found.values(), key=_order)[:limit]


def chosen(
    connection: Connection,
    workspace_id: str,
    ids: Sequence[str],
    *,
    device_id: str | None,
    action_types: Sequence[str] | None,
    after: tuple[int, str] | None,
    limit: int,
) -> list[Attempt]:
    """As ``listed``, among these ids only.

    They are few, so they are fetched by their key and looked at here: asked for both an id and an
    order, SQLite would walk the whole workspace in that order.
    """
    found = [
        attempt
        for attempt in by_ids(connection, ids).values()
        if attempt.workspace_id == workspace_id
        and (device_id is None or attempt.device_id == device_id)
        and (action_types is None or attempt.action_type in action_types)
        and (after is None or (attempt.accepted_at, attempt.id) > after)
    ]
    return sorted(found, key=_order)[:limit]


def _order(attempt: Attempt) -> tuple[int, str]:
    return attempt.accepted_at, attempt.id


def of_batch(connection: Connection, workspace_id: str, batch_id: str, reach: Reach = None) -> list[Attempt]:
    """The attempts of a batch, in order of acceptance."""
    columns = attempts.c
    query = (
        select(attempts)
        .where(columns.batch_id == batch_id, columns.workspace_id == workspace_id)
        .where(*within(columns.connected_account_id, reach, connection.dialect))
        .order_by(columns.accepted_at, columns.id)
    )
    return [attempt_of(row) for row in connection.execute(query)]


def open_count(connection: Connection, workspace_id: str, most: int) -> int:
    """How many are open in a workspace; at most so many are counted."""
    some = select(attempts.c.id).where(attempts.c.workspace_id == workspace_id, IS_OPEN).limit(most)
    return connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()


def unfinished(connection: Connection, scope: Scope = everywhere) -> list[Attempt]:
    """Every open attempt, in order of acceptance."""
    query = select(attempts).where(IS_OPEN).order_by(attempts.c.accepted_at, attempts.c.id)
    query = scope(query, attempts.c.workspace_id)
    return [attempt_of(row) for row in connection.execute(query)]


def timeline(
    connection: Connection, workspace_id: str, attempt_id: str, reach: Reach = None
) -> Timeline | None:
    """One attempt with its late marks."""
    query = (
        select(attempts, late_marks)
        .outerjoin(late_marks, late_marks.c.attempt_id == attempts.c.id)
        .where(attempts.c.id == attempt_id, attempts.c.workspace_id == workspace_id)
        .where(*within(attempts.c.connected_account_id, reach, connection.dialect))
        .order_by(late_marks.c.n)
    )
    rows = connection.execute(query).all()
    if not rows:
        return None
    first_late = len(attempts.c)
    late = [row[first_late:] for row in rows if row[first_late] is not None]
    return Timeline(attempt_of(rows[0]), tuple([mark_of(mark[2:]) for mark in late]))
