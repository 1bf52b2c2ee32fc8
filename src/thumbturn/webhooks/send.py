"""One request to a webhook's endpoint: the event, signed, and what the endpoint made of it."""

from __future__ import annotations

from typing import NamedTuple

from thumbturn.domain.event import Event
from thumbturn.domain.webhook import Webhook
from thumbturn.engine.webhooks import sealing_context
from thumbturn.webhooks.means import Means
from thumbturn.webhooks.sign import Signature

_LONGEST_ERROR = 200


class Sent(NamedTuple):
    """What came of a request. It was taken if there is no error."""

    status: int | None
    milliseconds: float
    error: str | None


class Sender:
    """Sends events to one webhook as it is now."""

    def __init__(self, webhook: Webhook, means: Means) -> None:
        self._webhook = webhook
        self._means = means
        self._signs_with_both_until = 0
        self._signature = self._sign(means.clock.now())

    async def send(self, event: Event) -> Sent:
        """Send it this event, once, as soon as its workspace has a request to spare."""
        async with self._means.shares.of(self._webhook.workspace_id):
            return await self._send(event)

    async def _send(self, event: Event) -> Sent:
        now = self._means.clock.now()
        if 0 < self._signs_with_both_until <= now:
            self._signature = self._sign(now)
        body = self._means.written(event)
        headers = self._signature.headers(event.event_id, body, now)
        headers["content-type"] = "application/json"
        traceparent = self._means.traceparent
        if traceparent is not None and event.action_attempt_id is not None:
            trace = traceparent(event.action_attempt_id)
            if trace is not None:
                headers["traceparent"] = trace
        posted = await self._means.post(self._webhook.url, headers, body.encode())
        return Sent(posted.status, round(posted.milliseconds, 3), _error(posted.status, posted.error))

    def _sign(self, now: int) -> Signature:
        webhook, context = self._webhook, sealing_context(self._webhook.id)
        secrets, until = [webhook.secret], webhook.previous_secret_until
        self._signs_with_both_until = 0
        if webhook.previous_secret is not None and until is not None and until > now:
            self._signs_with_both_until = until
            secrets.append(webhook.previous_secret)
        return Signature(self._means.seal.open(each, context) for each in secrets)


def _error(status: int | None, error: str | None) -> str | None:
    """Why it was not taken, fit to be stored and shown."""
    if status is not None and 200 <= status < 300:
        return None  # whatever became of the rest of the answer
    if error is not None:
        return "".join(each if each.isprintable() else " " for each in error)[:_LONGEST_ERROR]
    if status is None:
        return "no answer"
    followed = ", and redirects are not followed" if 300 <= status < 400 else ""
    return f"answered {status}{followed}"
