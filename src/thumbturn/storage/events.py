"""Questions about events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Dialect, Select, select

from thumbturn.domain.event import Event
from thumbturn.engine.ports import EventFilter
from thumbturn.storage.expressions import member, one_of
from thumbturn.storage.rows import event_of
from thumbturn.storage.tables import events


def newest(connection: Connection, workspace_id: str, wanted: EventFilter) -> Event | None:
    """The newest event of a workspace that fits."""
    query = _that_fit(workspace_id, wanted, connection.dialect).order_by(events.c.sequence.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else event_of(row)


def listed(
    connection: Connection, workspace_id: str, wanted: EventFilter, *, limit: int, offset: int
) -> list[Event]:
    """The events of a workspace that fit, in order of their sequence."""
    query = _that_fit(workspace_id, wanted, connection.dialect).order_by(events.c.sequence)
    return [event_of(row) for row in connection.execute(query.limit(limit).offset(offset))]


def _that_fit(workspace_id: str, wanted: EventFilter, dialect: Dialect) -> Select[Any]:
    columns = events.c
    query = select(events).where(columns.workspace_id == workspace_id)
    for column, values in (
        (columns.event_id, wanted.event_ids),
        (columns.event_type, wanted.event_types),
        (columns.device_id, wanted.device_ids),
    ):
        if values is not None:
            query = query.where(one_of(column, values, dialect))
    if wanted.connected_account_id is not None:
        query = query.where(columns.connected_account_id == wanted.connected_account_id)
    if wanted.after is not None:
        query = query.where(columns.created_at > wanted.after)
    if wanted.before is not None:
        query = query.where(columns.created_at < wanted.before)
    for key, value in wanted.payload.items():
        query = query.where(member(columns.payload, key, dialect) == value)
    return query
