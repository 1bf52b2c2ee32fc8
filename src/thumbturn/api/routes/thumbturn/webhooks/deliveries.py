"""``/thumbturn/webhooks/deliveries``: what became of telling a webhook."""

from __future__ import annotations

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe
from thumbturn.api.wire.pagination import Pagination
from thumbturn.api.wire.webhook import Status, WebhookDelivery, delivery_json
from thumbturn.domain.webhook import Outcome
from thumbturn.engine.webhook_ports import TryFilter
from thumbturn.engine.webhooks import Webhooks


class DeliveryList(Listing):
    """Which tries."""

    webhook_id: str
    """Of this webhook."""
    event_id: Maybe[str] = None
    """Only those of this event."""
    status: Maybe[Status] = None
    """Only those that ended so."""


@endpoint({"deliveries": list[WebhookDelivery], "pagination": Pagination})
async def list_(ask: DeliveryList, caller: Caller, webhooks: Webhooks, pages: Pages) -> Answer:
    """Lists every try to tell a webhook something, newest first: 10,000 of them are kept, for 90 days."""
    webhook = await webhooks.get(caller.workspace.id, ask.webhook_id)
    wanted = TryFilter(event_id=ask.event_id, outcome=None if ask.status is None else Outcome(ask.status))
    before = None if pages.after is None else pages.after[0]
    found = await webhooks.tries(webhook, wanted, before=before, limit=ask.most + 1)
    page, pagination = pages.turn(found, ask.most, lambda made: (made.place, made.event_id))
    return {"deliveries": [delivery_json(each) for each in page], "pagination": pagination}
