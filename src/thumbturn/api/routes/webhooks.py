"""``/webhooks``: who is told the workspace's events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, get_args

from pydantic import Field

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, REPLACE, WRITE, Answer, endpoint
from thumbturn.api.parameters import Parameters
from thumbturn.api.refusals import InvalidEventTypes
from thumbturn.api.wire.vocabulary import EventType
from thumbturn.api.wire.webhook import Webhook, webhook_json
from thumbturn.domain.webhook import EVERY_TYPE
from thumbturn.engine.webhooks import Webhooks

_KNOWN = frozenset({EVERY_TYPE, *get_args(EventType)})


class OfWebhook(Parameters):
    """One webhook."""

    webhook_id: str
    """The webhook."""


class WebhookCreate(Parameters):
    """A new webhook."""

    url: Annotated[str, Field(json_schema_extra={"format": "uri"})]
    """Where to tell it, by POST. It cannot be changed later."""
    event_types: list[str] = [EVERY_TYPE]  # noqa: RUF012 - pydantic copies it
    """What to tell: at least one type of events, or `*` for all."""


class WebhookUpdate(OfWebhook):
    """What a webhook shall be told."""

    event_types: list[str]
    """At least one type of events, or `*` for all."""


@endpoint({"webhook": Webhook}, methods=WRITE)
async def create(ask: WebhookCreate, caller: Caller, webhooks: Webhooks) -> Answer:
    """Makes a webhook: it is told what happens from now on."""
    event_types = _known(ask.event_types)
    webhook = await webhooks.create(caller.workspace.id, ask.url, event_types)
    return {"webhook": webhook_json(webhook, webhooks.secret_of(webhook))}


@endpoint({"webhook": Webhook})
async def get(ask: OfWebhook, caller: Caller, webhooks: Webhooks) -> Answer:
    """Returns a webhook."""
    webhook = await webhooks.get(caller.workspace.id, ask.webhook_id)
    return {"webhook": webhook_json(webhook, webhooks.secret_of(webhook))}


@endpoint({"webhooks": list[Webhook]})
async def list_(caller: Caller, webhooks: Webhooks) -> Answer:
    """Lists the workspace's webhooks, oldest first."""
    found = await webhooks.listed(caller.workspace.id)
    return {"webhooks": [webhook_json(each, webhooks.secret_of(each)) for each in found]}


@endpoint(methods=REPLACE)
async def update(ask: WebhookUpdate, caller: Caller, webhooks: Webhooks) -> Answer:
    """Chooses what a webhook is told from now on."""
    await webhooks.choose_types(caller.workspace.id, ask.webhook_id, _known(ask.event_types))
    return {}


@endpoint(methods=DELETE)
async def delete(ask: OfWebhook, caller: Caller, webhooks: Webhooks) -> Answer:
    """Deletes a webhook: from now on it is told nothing, and what waits for another try is dropped."""
    await webhooks.delete(caller.workspace.id, ask.webhook_id)
    return {}


def _known(event_types: Sequence[str]) -> Sequence[str]:
    if not event_types:
        raise InvalidEventTypes(
            'A webhook is told at least one type of events: name it, or "*" for all, or delete the webhook.'
        )
    unknown = [each for each in event_types if each not in _KNOWN]
    if unknown:
        raise InvalidEventTypes(
            f'No such event type: "{unknown[0][:100]}". Name types that /events/list knows, or "*" for all.',
            data={"event_types": unknown},
        )
    return list(dict.fromkeys(event_types))
