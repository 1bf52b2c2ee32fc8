"""``/thumbturn/webhooks``: looking after webhooks, beyond the contract."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import Maybe, Moment
from thumbturn.api.refusals import EventNotFound
from thumbturn.api.routes.webhooks import OfWebhook
from thumbturn.api.wire.webhook import (
    Webhook,
    WebhookDelivery,
    WebhookState,
    delivery_json,
    state_json,
    webhook_json,
)
from thumbturn.domain import webhook as domain
from thumbturn.domain.clock import seconds, to_wire_exactly
from thumbturn.domain.event import Event
from thumbturn.engine.ports import EventFilter, Store
from thumbturn.engine.webhooks import Webhooks

_A_DAY = 86_400


class SecretRotate(OfWebhook):
    """Whose secret, and how long the old one stays good."""

    overlap_seconds: Annotated[int, Field(ge=0, le=30 * _A_DAY)] = _A_DAY
    """How long deliveries are signed with the old secret, too: the time to change it in the receiver."""


class WebhookEnable(OfWebhook):
    """Which webhook, and from where."""

    skip_missed: bool = False
    """True to leave out what it was not told while it was disabled. Else it goes on where it stopped."""


class EventsResend(OfWebhook):
    """What to send again: one event, or all since a moment."""

    event_id: Maybe[str] = None
    """This event of the workspace."""
    since: Maybe[Moment] = None
    """All that came after this moment and are of the webhook's types; at most 10,000 of them at once, the
    oldest first."""

    @model_validator(mode="after")
    def _one_of_them(self) -> EventsResend:
        if (self.event_id is None) == (self.since is None):
            raise ValueError("Exactly one of 'event_id' and 'since' is required")
        return self


@endpoint({"webhook_state": WebhookState})
async def state(ask: OfWebhook, caller: Caller, webhooks: Webhooks) -> Answer:
    """Says how a webhook is doing: whether it is enabled, since when it fails, what it is still owed."""
    webhook = await webhooks.get(caller.workspace.id, ask.webhook_id)
    backlog = await webhooks.backlog(webhook)
    return {"webhook_state": state_json(webhook, backlog)}


@endpoint({"webhook": Webhook}, methods=WRITE)
async def rotate_secret(ask: SecretRotate, caller: Caller, webhooks: Webhooks) -> Answer:
    """Gives a webhook a new secret. For a while deliveries carry a signature of the old one, too."""
    overlap = seconds(ask.overlap_seconds)
    webhook = await webhooks.rotate_secret(caller.workspace.id, ask.webhook_id, overlap)
    return {"webhook": webhook_json(webhook, webhooks.secret_of(webhook))}


@endpoint(methods=WRITE)
async def enable(ask: WebhookEnable, caller: Caller, webhooks: Webhooks) -> Answer:
    """Lets a webhook that was disabled be told events again."""
    await webhooks.enable(caller.workspace.id, ask.webhook_id, skip_missed=ask.skip_missed)
    return {}


@endpoint({"queued_count": int, "next_since": str | None}, methods=WRITE)
async def resend(ask: EventsResend, caller: Caller, webhooks: Webhooks, store: Store) -> Answer:
    """Sends a webhook events again. If there are more, `next_since` is the `since` to go on with."""
    webhook = await webhooks.get(caller.workspace.id, ask.webhook_id)
    if ask.event_id is not None:
        events = await _only(webhook, ask.event_id, store)
    else:
        events = await webhooks.told_since(webhook, ask.since or 0)
    again = await webhooks.send_again(webhook, events)
    return {
        "queued_count": again.how_many,
        "next_since": None if again.next_since is None else to_wire_exactly(again.next_since),
    }


@endpoint({"delivery": WebhookDelivery}, methods=WRITE)
async def test(ask: OfWebhook, caller: Caller, webhooks: Webhooks) -> Answer:
    """Sends a webhook one event of type `webhook.test`, now, and says how its endpoint answered."""
    webhook = await webhooks.get(caller.workspace.id, ask.webhook_id)
    return {"delivery": delivery_json(await webhooks.test(webhook))}


async def _only(webhook: domain.Webhook, event_id: str, store: Store) -> list[Event]:
    event = await store.event(webhook.workspace_id, EventFilter(event_ids=[event_id]))
    if event is None:
        raise EventNotFound
    if event.sequence <= webhook.begins_after:
        raise EventNotFound("Event not found among those since this webhook was made")
    return [event]
