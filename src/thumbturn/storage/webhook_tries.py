"""Every try to tell a webhook something: written many at a time, kept for a while."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from sqlalchemy import Connection, delete, select

from thumbturn.domain.webhook import Delivery, Outcome, Try
from thumbturn.engine.webhook_ports import Progress, TryFilter
from thumbturn.storage.bulk import insert_rows
from thumbturn.storage.tables import webhook_tries
from thumbturn.storage.webhook_rows import try_of, try_row
from thumbturn.storage.webhooks import advance, put_off

#: Tries of one webhook that are kept. What is older goes, so many at a time.
KEPT = 10_000
_GO_TOGETHER = 256


def record(connection: Connection, progress: Progress) -> None:
    """Write what became of tries, what waits for another, and how far that brings the webhooks."""
    by_webhook = {
        webhook_id: list(made)
        for webhook_id, made in groupby(sorted(progress.tries, key=_webhook), key=_webhook)
    }
    deliveries: list[Delivery] = []
    done: list[tuple[str, int, int]] = []
    # In one order everywhere, so that two processes cannot wait for each other.
    for webhook_id in sorted({*by_webhook, *progress.cursors, *progress.failing}):
        made = by_webhook.get(webhook_id, [])
        values: dict[str, Any] = {}
        if webhook_id in progress.cursors:
            values["cursor"] = progress.cursors[webhook_id]
        if webhook_id in progress.failing:
            values["failing_since"] = progress.failing[webhook_id]
        in_all = advance(connection, webhook_id, len(made), values)
        if in_all is None:
            continue  # it was deleted
        _insert(connection, webhook_id, made, in_all)
        deliveries += [_still_to_do(each) for each in made if each.outcome is Outcome.FAILED]
        done += [(each.webhook_id, each.sequence, each.number - 1) for each in made if each.was_waiting]
    put_off(connection, deliveries, done)


def tries(
    connection: Connection, webhook_id: str, wanted: TryFilter, before: int | None, limit: int
) -> list[Try]:
    """Tries of a webhook, newest first."""
    columns = webhook_tries.c
    query = select(webhook_tries).where(columns.webhook_id == webhook_id)
    if before is not None:
        query = query.where(columns.place < before)
    if wanted.event_id is not None:
        query = query.where(columns.event_id == wanted.event_id)
    if wanted.outcome is not None:
        query = query.where(columns.outcome == wanted.outcome.value)
    return [try_of(row) for row in connection.execute(query.order_by(columns.place.desc()).limit(limit))]


def _insert(connection: Connection, webhook_id: str, made: list[Try], in_all: int) -> None:
    first = in_all - len(made) + 1
    insert_rows(connection, webhook_tries, [try_row(each, first + n) for n, each in enumerate(made)])
    if in_all // _GO_TOGETHER != (first - 1) // _GO_TOGETHER:
        old = (webhook_tries.c.webhook_id == webhook_id, webhook_tries.c.place <= in_all - KEPT)
        connection.execute(delete(webhook_tries).where(*old))


def _still_to_do(failed: Try) -> Delivery:
    assert failed.next_at is not None
    return Delivery(
        webhook_id=failed.webhook_id,
        event_id=failed.event_id,
        sequence=failed.sequence,
        tries=failed.number,
        due_at=failed.next_at,
    )


def _webhook(made: Try) -> str:
    return made.webhook_id
