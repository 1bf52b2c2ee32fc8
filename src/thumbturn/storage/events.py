"""Questions about events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Dialect, Select, or_, select

from thumbturn.domain.event import Event, Recorded
from thumbturn.engine.ports import EventFilter
from thumbturn.storage.devices import ids_within
from thumbturn.storage.expressions import can_be_stored, member, one_of, within
from thumbturn.storage.filing import both_halves
from thumbturn.storage.rows import encode, event_of
from thumbturn.storage.tables import events, workspaces

#: Of so many devices, the events are found by device.
_FEW_DEVICES = 1_000
#: For a page of somebody's events, so many times as many of the whole workspace's are looked at first.
_AS_MANY = 5


def newest(connection: Connection, workspace_id: str, wanted: EventFilter) -> Event | None:
    """The newest event of a workspace that fits."""
    if wanted.event_ids is not None:
        found = _chosen(connection, workspace_id, wanted)
        return found[-1] if found else None
    wanted = _by_its_devices(connection, workspace_id, wanted)
    newest_first = [column.desc() for column in _order(wanted)]
    found = _found(connection, workspace_id, wanted, lambda query: query.order_by(*newest_first).limit(1))
    return found[-1] if found else None


def listed(
    connection: Connection, workspace_id: str, wanted: EventFilter, *, limit: int, offset: int
) -> list[Event]:
    """The events of a workspace that fit, in order of their sequence."""
    if wanted.event_ids is not None:
        return _chosen(connection, workspace_id, wanted)[offset : offset + limit]
    if wanted.reach is not None and _by_time(wanted):
        found = _among_the_first(connection, workspace_id, wanted, limit + offset)
        if len(found) == limit + offset:
            return sorted(found[offset:], key=_sequence)
    wanted = _by_its_devices(connection, workspace_id, wanted)
    if _by_device(wanted):
        # Each half may hold any part of the page, so the offset is counted when they are together.
        found = _found(
            connection,
            workspace_id,
            wanted,
            lambda query: query.order_by(*_order(wanted)).limit(limit + offset),
        )
        if _by_time(wanted):
            found.sort(key=lambda event: (event.created_at, event.sequence))
        return sorted(found[offset : offset + limit], key=_sequence)
    return _found(
        connection,
        workspace_id,
        wanted,
        lambda query: query.order_by(*_order(wanted)).limit(limit).offset(offset),
    )


def after(connection: Connection, workspace_id: str, sequence: int, limit: int) -> list[Recorded]:
    """The events of a workspace behind a place in its sequence, in order.

    Whoever takes a number holds the workspace's row until his commit: a number that is seen has no
    number before it that is still to come.
    """
    query = (
        select(events)
        .where(events.c.workspace_id == workspace_id, events.c.sequence > sequence)
        .order_by(events.c.sequence)
        .limit(limit)
    )
    return [Recorded(row[1], event_of(row)) for row in connection.execute(query)]


def last(connection: Connection, workspace_id: str) -> int:
    """The place of a workspace's newest event; 0 if there is none."""
    query = select(workspaces.c.event_sequence).where(workspaces.c.id == workspace_id)
    return connection.execute(query).scalar() or 0


def _found(
    connection: Connection,
    workspace_id: str,
    wanted: EventFilter,
    finish: Callable[[Select[Any]], Select[Any]],
) -> list[Event]:
    query = _in_workspace(workspace_id, wanted, connection.dialect)
    rows: Sequence[Any] = (
        both_halves(connection, query, finish)
        if _by_device(wanted)
        else connection.execute(finish(query)).all()
    )
    return sorted({row[2]: event_of(row) for row in rows}.values(), key=_sequence)


def _chosen(connection: Connection, workspace_id: str, wanted: EventFilter) -> list[Event]:
    # Found by their ids alone: were the workspace in the query, SQLite would walk all its events.
    query = _that_fit(wanted, connection.dialect).where(
        one_of(events.c.event_id, wanted.event_ids or (), connection.dialect)
    )
    found = [event_of(row) for row in connection.execute(query)]
    return sorted([event for event in found if event.workspace_id == workspace_id], key=_sequence)


def _in_workspace(workspace_id: str, wanted: EventFilter, dialect: Dialect) -> Select[Any]:
    query, its_workspace = _that_fit(wanted, dialect), events.c.workspace_id
    if _by_device(wanted):
        # An expression is no indexed column: this keeps SQLite from walking all of the workspace's
        # events where a device's few are asked for.
        return query.where(its_workspace.concat("") == workspace_id)
    return query.where(its_workspace == workspace_id)


def _among_the_first(
    connection: Connection, workspace_id: str, wanted: EventFilter, limit: int
) -> list[Event]:
    """Up to so many events that fit, in order of time, of the first that the workspace was told then.

    Whoever sees much of what goes on finds his page here, and need not have all his events sorted.
    """
    columns = events.c
    first = (
        select(columns.sequence)
        .where(columns.workspace_id == workspace_id, *_times(wanted))
        .order_by(*_order(wanted))
        .limit(_AS_MANY * limit)
    )
    # Of these, without a word of time: no database shall think of walking the index by time again.
    query = _that_fit(replace(wanted, after=None, before=None), connection.dialect).where(
        columns.workspace_id == workspace_id, columns.sequence.in_(first)
    )
    found = connection.execute(query.order_by(columns.created_at + 0, columns.sequence).limit(limit))
    return [event_of(row) for row in found]


def _by_its_devices(connection: Connection, workspace_id: str, wanted: EventFilter) -> EventFilter:
    """The same question, asked by the devices of somebody who sees a few: of all events of a workspace
    his may be one in a million.
    """
    if wanted.device_ids is not None:
        return wanted
    return replace(wanted, device_ids=ids_within(connection, workspace_id, wanted.reach, _FEW_DEVICES))


def _by_device(wanted: EventFilter) -> bool:
    return wanted.device_ids is not None and (wanted.reach is not None or not _by_time(wanted))


def _by_time(wanted: EventFilter) -> bool:
    return wanted.after is not None or wanted.before is not None


def _times(wanted: EventFilter) -> list[ColumnElement[bool]]:
    at = events.c.created_at
    return [
        *([at > wanted.after] if wanted.after is not None else ()),
        *([at < wanted.before] if wanted.before is not None else ()),
    ]


def _order(wanted: EventFilter) -> tuple[ColumnElement[int], ...]:
    # Sequence and time run together but for the events of one moment. Where a time is asked for,
    # pages are cut in the order of time, because only that order has an index that begins there.
    return (events.c.created_at, events.c.sequence) if _by_time(wanted) else (events.c.sequence,)


def _sequence(event: Event) -> int:
    return event.sequence


def _that_fit(wanted: EventFilter, dialect: Dialect) -> Select[Any]:
    columns = events.c
    query = select(events)
    if wanted.event_types is not None:
        query = query.where(one_of(columns.event_type, wanted.event_types, dialect))
    if wanted.device_ids is not None and len(wanted.device_ids) == 1:
        # One device has an index in the order of the sequence; several have to be sorted.
        query = query.where(columns.device_id == wanted.device_ids[0])
    elif wanted.device_ids is not None:
        query = query.where(one_of(columns.device_id, wanted.device_ids, dialect))
    if wanted.connected_account_id is not None:
        query = query.where(columns.connected_account_id == wanted.connected_account_id)
    query = query.where(*_times(wanted))
    if wanted.access_code_ids is not None:
        about = member(columns.payload, "access_code_id", dialect)
        query = query.where(one_of(about, wanted.access_code_ids, dialect))
    if wanted.access_grant_ids is not None:
        query = query.where(_of_grants(wanted.access_grant_ids, dialect))
    for key, values in wanted.payload_among.items():
        query = query.where(one_of(member(columns.payload, key, dialect), values, dialect))
    return query.where(*within(columns.connected_account_id, wanted.reach, dialect))


def _of_grants(ids: Sequence[str], dialect: Dialect) -> ColumnElement[bool]:
    """The event names one of these grants, alone or in a list, whose JSON is looked through for its id."""
    alone = one_of(member(events.c.payload, "access_grant_id", dialect), ids, dialect)
    listed = member(events.c.payload, "access_grant_ids", dialect)
    return or_(alone, *(listed.contains(encode(id), autoescape=True) for id in ids if can_be_stored(id)))
