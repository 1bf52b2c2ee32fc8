"""Webhooks, deliveries and tries as rows, and back. See ``rows.py``."""

from __future__ import annotations

from pydantic_core import from_json

from thumbturn.domain.webhook import Delivery, DisabledBecause, Outcome, Try, Webhook
from thumbturn.storage.rows import Row, encode


def webhook_row(webhook: Webhook) -> Row:
    """The row of ``webhooks``, before its first try."""
    return (
        webhook.id,
        webhook.workspace_id,
        webhook.url,
        encode(webhook.event_types),
        webhook.secret,
        webhook.previous_secret,
        webhook.previous_secret_until,
        webhook.begins_after,
        webhook.cursor,
        webhook.failing_since,
        webhook.disabled_at,
        webhook.disabled_because,
        webhook.created_at,
        0,
    )


def webhook_of(row: Row) -> Webhook:
    """The webhook of a row of ``webhooks``."""
    return Webhook(
        id=row[0],
        workspace_id=row[1],
        url=row[2],
        event_types=tuple(from_json(row[3])),
        secret=row[4],
        previous_secret=row[5],
        previous_secret_until=row[6],
        begins_after=row[7],
        cursor=row[8],
        failing_since=row[9],
        disabled_at=row[10],
        disabled_because=None if row[11] is None else DisabledBecause(row[11]),
        created_at=row[12],
    )


def delivery_row(delivery: Delivery) -> Row:
    """The row of ``webhook_deliveries``."""
    return (delivery.webhook_id, delivery.sequence, delivery.event_id, delivery.tries, delivery.due_at)


def delivery_of(row: Row) -> Delivery:
    """The delivery of a row of ``webhook_deliveries``."""
    return Delivery(webhook_id=row[0], event_id=row[2], sequence=row[1], tries=row[3], due_at=row[4])


def try_row(made: Try, place: int) -> Row:
    """The row of ``webhook_tries`` at this place."""
    return (
        made.webhook_id,
        place,
        made.event_id,
        made.event_type,
        made.sequence,
        made.number,
        made.at,
        made.milliseconds,
        made.status,
        made.error,
        made.outcome,
        made.next_at,
    )


def try_of(row: Row) -> Try:
    """The try of a row of ``webhook_tries``."""
    return Try(
        webhook_id=row[0],
        event_id=row[2],
        event_type=row[3],
        sequence=row[4],
        number=row[5],
        at=row[6],
        milliseconds=row[7],
        status=row[8],
        error=row[9],
        outcome=Outcome(row[10]),
        next_at=row[11],
        place=row[1],
    )
