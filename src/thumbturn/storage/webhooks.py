"""Webhooks on record: which there are, and what each has still to be told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, case, delete, func, select, update

from thumbturn.domain.event import Event
from thumbturn.domain.webhook import Delivery, DisabledBecause, Webhook
from thumbturn.engine.webhook_ports import Backlog
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.hot import write_events
from thumbturn.storage.rows import encode
from thumbturn.storage.tables import events, webhook_deliveries, webhook_tries, webhooks, workspaces
from thumbturn.storage.webhook_rows import delivery_of, delivery_row, webhook_of, webhook_row
from thumbturn.storage.writer import UnknownWorkspace

#: So many waiting deliveries are counted; who has more need not know how many.
_COUNTED = 10_000


def add(connection: Connection, webhook: Webhook) -> Webhook:
    """Insert a webhook that begins behind its workspace's newest event."""
    newest = select(workspaces.c.event_sequence).where(workspaces.c.id == webhook.workspace_id)
    if connection.execute(newest).scalar() is None:
        raise UnknownWorkspace(webhook.workspace_id)
    insert_rows(connection, webhooks, [webhook_row(webhook)])
    values = {"begins_after": newest.scalar_subquery(), "cursor": newest.scalar_subquery()}
    connection.execute(update(webhooks).where(webhooks.c.id == webhook.id).values(values))
    return webhook_of(connection.execute(select(webhooks).where(webhooks.c.id == webhook.id)).one())


def get(connection: Connection, workspace_id: str, webhook_id: str) -> Webhook | None:
    """One webhook."""
    row = connection.execute(select(webhooks).where(*_mine(workspace_id, webhook_id))).one_or_none()
    return None if row is None else webhook_of(row)


def listed(connection: Connection, workspace_id: str) -> list[Webhook]:
    """The webhooks of a workspace, oldest first."""
    mine = webhooks.c.workspace_id == workspace_id
    query = select(webhooks).where(mine).order_by(webhooks.c.created_at, webhooks.c.id)
    return [webhook_of(row) for row in connection.execute(query)]


def enabled(connection: Connection) -> list[Webhook]:
    """The enabled webhooks of all workspaces."""
    query = select(webhooks).where(webhooks.c.disabled_at.is_(None)).order_by(webhooks.c.id)
    return [webhook_of(row) for row in connection.execute(query)]


def choose_types(
    connection: Connection, workspace_id: str, webhook_id: str, event_types: Sequence[str]
) -> Webhook | None:
    """Store which types a webhook is told."""
    chosen = update(webhooks).where(*_mine(workspace_id, webhook_id)).values(event_types=encode(event_types))
    connection.execute(chosen)
    return get(connection, workspace_id, webhook_id)


def rotate(
    connection: Connection, workspace_id: str, webhook_id: str, secret: str, until: int
) -> Webhook | None:
    """Store a new secret and keep the one before beside it."""
    rotated = update(webhooks).where(*_mine(workspace_id, webhook_id))
    values = {"previous_secret": webhooks.c.secret, "previous_secret_until": until, "secret": secret}
    connection.execute(rotated.values(values))
    return get(connection, workspace_id, webhook_id)


def remove(connection: Connection, workspace_id: str, webhook_id: str) -> bool:
    """Delete a webhook with everything that hangs on it."""
    if not connection.execute(delete(webhooks).where(*_mine(workspace_id, webhook_id))).rowcount:
        return False
    for table in (webhook_deliveries, webhook_tries):
        connection.execute(delete(table).where(table.c.webhook_id == webhook_id))
    return True


def disable(connection: Connection, webhook_id: str, at: int, because: DisabledBecause, event: Event) -> bool:
    """Disable an enabled webhook, and tell its workspace."""
    disabled = update(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.disabled_at.is_(None))
    done = connection.execute(disabled.values(disabled_at=at, disabled_because=because.value)).rowcount > 0
    if done:
        write_events(connection, [event])
    return done


def enable(
    connection: Connection, workspace_id: str, webhook_id: str, at: int, *, skip_missed: bool
) -> Webhook | None:
    """Enable a disabled webhook: what waits is due now, or forgotten."""
    found = get(connection, workspace_id, webhook_id)
    if found is None or found.is_enabled:
        return found
    waiting = webhook_deliveries.c.webhook_id == webhook_id
    values: dict[str, Any] = {"disabled_at": None, "disabled_because": None, "failing_since": None}
    if skip_missed:
        connection.execute(delete(webhook_deliveries).where(waiting))
        newest = select(workspaces.c.event_sequence).where(workspaces.c.id == workspace_id)
        values["cursor"] = newest.scalar_subquery()
    else:
        connection.execute(update(webhook_deliveries).where(waiting).values(tries=0, due_at=at))
    connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(values))
    return get(connection, workspace_id, webhook_id)


def due(connection: Connection, webhook_id: str, limit: int) -> list[Delivery]:
    """The deliveries of a webhook that are due first."""
    columns = webhook_deliveries.c
    query = (
        select(webhook_deliveries)
        .where(columns.webhook_id == webhook_id)
        .order_by(columns.due_at, columns.sequence)
        .limit(limit)
    )
    return [delivery_of(row) for row in connection.execute(query)]


def put_off(
    connection: Connection, deliveries: Sequence[Delivery], done: Iterable[tuple[str, int, int]]
) -> None:
    """Delete what was done (a webhook, a place and how many tries came before), then insert.

    What was asked for anew while a try was on its way stays as it was asked for.
    """
    columns = webhook_deliveries.c
    gone = [dict(zip(("b_webhook", "b_sequence", "b_tries"), each, strict=True)) for each in done]
    if gone:
        this_one = (columns.webhook_id == bindparam("b_webhook"), columns.sequence == bindparam("b_sequence"))
        had = columns.tries == bindparam("b_tries")
        connection.execute(delete(webhook_deliveries).where(*this_one, had), gone)
    new = {(each.webhook_id, each.sequence): each for each in deliveries}
    for webhook_id in {each.webhook_id for each in deliveries}:
        sequences = [sequence for id, sequence in new if id == webhook_id]
        there = select(columns.sequence).where(columns.webhook_id == webhook_id)
        for (sequence,) in connection.execute(there.where(columns.sequence.in_(sequences))).all():
            del new[webhook_id, sequence]
    insert_rows(connection, webhook_deliveries, [delivery_row(each) for each in new.values()])


def resend(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Insert deliveries of webhooks that are still there, each instead of an earlier one of its event."""
    known = {each.webhook_id for each in deliveries}
    known = {id for id in known if connection.execute(select(webhooks.c.id).where(webhooks.c.id == id)).all()}
    kept = {(each.webhook_id, each.sequence): each for each in deliveries if each.webhook_id in known}
    if kept:
        columns = webhook_deliveries.c
        this_one = (columns.webhook_id == bindparam("b_webhook"), columns.sequence == bindparam("b_sequence"))
        gone = [{"b_webhook": webhook_id, "b_sequence": sequence} for webhook_id, sequence in kept]
        connection.execute(delete(webhook_deliveries).where(*this_one), gone)
    insert_rows(connection, webhook_deliveries, [delivery_row(each) for each in kept.values()])


def backlog(connection: Connection, webhook: Webhook) -> Backlog:
    """What a webhook has still to be told."""
    some = select(webhook_deliveries.c.sequence).where(webhook_deliveries.c.webhook_id == webhook.id)
    waiting = connection.execute(select(func.count()).select_from(some.limit(_COUNTED).subquery())).scalar()
    stands = (
        select(workspaces.c.event_sequence, webhooks.c.cursor)
        .join(webhooks, webhooks.c.workspace_id == workspaces.c.id)
        .where(webhooks.c.id == webhook.id)
    )
    newest, cursor = connection.execute(stands).one_or_none() or (0, 0)
    # What is on record no more is told to nobody.
    mine = events.c.workspace_id == webhook.workspace_id
    next_one = select(events.c.sequence).where(mine, events.c.sequence > cursor).order_by(events.c.sequence)
    first: int | None = connection.execute(next_one.limit(1)).scalar()
    return Backlog(waiting or 0, 0 if first is None else newest + 1 - first)


def advance(connection: Connection, webhook_id: str, tries: int, values: dict[str, Any]) -> int | None:
    """Store how far a webhook is after so many tries; how many it had in all, or ``None`` if it is gone.

    A cursor in ``values`` never goes back.
    """
    values = {**values, "tries_made": webhooks.c.tries_made + tries}
    if "cursor" in values:
        cursor, to = webhooks.c.cursor, values["cursor"]
        values["cursor"] = case((cursor < to, to), else_=cursor)
    advanced = update(webhooks).where(webhooks.c.id == webhook_id).values(values)
    made: int | None = connection.execute(advanced.returning(webhooks.c.tries_made)).scalar()
    return made


def _mine(workspace_id: str, webhook_id: str) -> tuple[ColumnElement[bool], ...]:
    return webhooks.c.id == webhook_id, webhooks.c.workspace_id == workspace_id
