"""A webhook, and what became of each try to tell it something."""

from __future__ import annotations

from typing import Literal, cast

from typing_extensions import TypedDict

from thumbturn.domain import webhook as domain
from thumbturn.domain.clock import to_wire
from thumbturn.engine.webhook_ports import Backlog

Status = Literal["delivered", "failed", "given_up"]


class Webhook(TypedDict):
    """An address that is told the workspace's events. ``secret`` is what their signatures are made with."""

    webhook_id: str
    url: str
    event_types: list[str]
    secret: str


class WebhookState(TypedDict):
    """How a webhook is doing.

    ``failing_since`` is null unless its newest try failed. ``waiting_count`` counts the deliveries that wait
    for another try, ``behind_count`` the events that were not looked at yet.
    """

    webhook_id: str
    is_enabled: bool
    disabled_at: str | None
    disabled_because: Literal["gone", "failing"] | None
    failing_since: str | None
    waiting_count: int
    behind_count: int
    previous_secret_signs_until: str | None


class WebhookDelivery(TypedDict):
    """One try to tell a webhook of an event.

    ``status`` is ``failed`` when it will be tried again and ``given_up`` after the last try; ``http_status``
    is null when the endpoint did not answer, and ``error`` says then why.
    """

    webhook_id: str
    event_id: str
    event_type: str
    try_number: int
    tried_at: str
    status: Status
    http_status: int | None
    milliseconds: float
    error: str | None
    next_try_at: str | None


def webhook_json(webhook: domain.Webhook, secret: str) -> Webhook:
    """The webhook as the wire has it."""
    return {
        "webhook_id": webhook.id,
        "url": webhook.url,
        "event_types": list(webhook.event_types),
        "secret": secret,
    }


def state_json(webhook: domain.Webhook, backlog: Backlog) -> WebhookState:
    """The webhook's state as the wire has it."""
    return {
        "webhook_id": webhook.id,
        "is_enabled": webhook.is_enabled,
        "disabled_at": _moment(webhook.disabled_at),
        "disabled_because": cast("Literal['gone', 'failing'] | None", webhook.disabled_because),
        "failing_since": _moment(webhook.failing_since),
        "waiting_count": backlog.waiting,
        "behind_count": backlog.behind,
        "previous_secret_signs_until": _moment(webhook.previous_secret_until),
    }


def delivery_json(made: domain.Try) -> WebhookDelivery:
    """The try as the wire has it."""
    return {
        "webhook_id": made.webhook_id,
        "event_id": made.event_id,
        "event_type": made.event_type,
        "try_number": made.number,
        "tried_at": to_wire(made.at),
        "status": made.outcome.value,
        "http_status": made.status,
        "milliseconds": made.milliseconds,
        "error": made.error,
        "next_try_at": _moment(made.next_at),
    }


def _moment(at: int | None) -> str | None:
    return None if at is None else to_wire(at)
