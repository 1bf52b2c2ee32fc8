"""What a workspace may do with its webhooks. The deliveries themselves go on by themselves."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import NamedTuple
from weakref import WeakValueDictionary

from thumbturn.domain.clock import Clock
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id, random_bytes
from thumbturn.domain.refusals import TooManyWebhooks, WebhookIsDisabled, WebhookNotFound
from thumbturn.domain.webhook import WEBHOOK_TEST, Delivery, Try, Webhook
from thumbturn.engine.ports import EventFilter, Store
from thumbturn.engine.secrets import sealed_for
from thumbturn.engine.webhook_ports import Backlog, Deliverer, Delivering, Seal, Targets, TryFilter

#: Each is a queue of its own that is worked on all the time.
MOST_IN_A_WORKSPACE = 100
#: What one call may ask to be sent again.
MOST_SENT_AGAIN = 10_000
_SECRET_BYTES = 32


class SentAgain(NamedTuple):
    """What will be sent again."""

    how_many: int
    #: If there are more, the moment after which they came, µs: none of them came before it or in it. Of those
    #: that are sent again now, some may have come after it, too.
    next_since: int | None


class Webhooks:
    """The webhooks of all workspaces. ``WebhookNotFound`` is raised for what is not the given workspace's."""

    def __init__(
        self, *, store: Store, deliverer: Deliverer, seal: Seal, targets: Targets, clock: Clock
    ) -> None:
        self._store = store
        self._deliverer = deliverer
        self._seal = seal
        self._targets = targets
        self._clock = clock
        self._making: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def delivering(self) -> Delivering:
        """How deliveries go, of all workspaces."""
        return self._deliverer.delivering()

    async def create(self, workspace_id: str, url: str, event_types: Sequence[str]) -> Webhook:
        """A new webhook; it is told what happens from now on.

        Raises ``TooManyWebhooks``, and the refusal of an address where no webhook may go.
        """
        self._targets.check(url)
        making = self._making.get(workspace_id)
        if making is None:
            making = self._making[workspace_id] = asyncio.Lock()
        # One after the other, so that many at once are not more than there may be.
        async with making:
            return await self._add(workspace_id, url, event_types)

    async def _add(self, workspace_id: str, url: str, event_types: Sequence[str]) -> Webhook:
        if len(await self._store.webhooks.of_workspace(workspace_id)) >= MOST_IN_A_WORKSPACE:
            raise TooManyWebhooks
        id = new_id()
        webhook = Webhook(
            id=id,
            workspace_id=workspace_id,
            url=url,
            event_types=tuple(event_types),
            secret=self._new_secret(id),
            created_at=self._clock.now(),
        )
        added = await self._store.webhooks.add(webhook)
        self._deliverer.follow(added)
        return added

    async def get(self, workspace_id: str, webhook_id: str) -> Webhook:
        """One webhook."""
        return _found(await self._store.webhooks.get(workspace_id, webhook_id))

    async def listed(self, workspace_id: str) -> list[Webhook]:
        """The workspace's webhooks, oldest first."""
        return await self._store.webhooks.of_workspace(workspace_id)

    async def choose_types(self, workspace_id: str, webhook_id: str, event_types: Sequence[str]) -> None:
        """From now on tell it events of these types."""
        changed = await self._store.webhooks.choose_types(workspace_id, webhook_id, event_types)
        self._deliverer.follow(_found(changed))

    async def delete(self, workspace_id: str, webhook_id: str) -> None:
        """Tell it nothing more, and forget it."""
        if not await self._store.webhooks.remove(workspace_id, webhook_id):
            raise WebhookNotFound
        await self._deliverer.forget(webhook_id)

    async def rotate_secret(self, workspace_id: str, webhook_id: str, overlap: int) -> Webhook:
        """Sign with a new secret; the one before signs beside it for so long, µs."""
        until = self._clock.now() + overlap
        rotated = await self._store.webhooks.rotate(
            workspace_id, webhook_id, self._new_secret(webhook_id), until
        )
        self._deliverer.follow(_found(rotated))
        return _found(rotated)

    async def enable(self, workspace_id: str, webhook_id: str, *, skip_missed: bool) -> Webhook:
        """Tell it again what happens: also what it missed, or only what is to come."""
        await self._deliverer.written()
        enabled = await self._store.webhooks.enable(
            workspace_id, webhook_id, self._clock.now(), skip_missed=skip_missed
        )
        self._deliverer.follow(_found(enabled))
        return _found(enabled)

    async def send_again(self, webhook: Webhook, events: Sequence[Event]) -> SentAgain:
        """Send these events of its workspace again, with all tries before them.

        Of more than ``MOST_SENT_AGAIN`` only the first are taken. Raises ``WebhookIsDisabled``.
        """
        if not webhook.is_enabled:
            raise WebhookIsDisabled
        now, some, more = self._clock.now(), events[:MOST_SENT_AGAIN], events[MOST_SENT_AGAIN:]
        again = [Delivery(webhook.id, each.event_id, each.sequence, 0, now) for each in some]
        await self._store.webhooks.resend(again)
        self._deliverer.wake(webhook.id)
        return SentAgain(len(some), more[0].created_at - 1 if more else None)

    async def told_since(self, webhook: Webhook, moment: int) -> list[Event]:
        """What it was told, or should have been, of what happened after a moment, µs, as the server learned
        of it; at least one more than is sent again at a time, if there are so many.
        """
        await self._deliverer.written()
        stands = await self.get(webhook.workspace_id, webhook.id)
        wanted, seen = EventFilter(after=moment, event_types=_chosen(stands)), 0
        told: list[Event] = []
        while len(told) <= MOST_SENT_AGAIN:
            page = await self._store.events(webhook.workspace_id, wanted, limit=MOST_SENT_AGAIN, offset=seen)
            told += [each for each in page if stands.begins_after < each.sequence <= stands.cursor]
            seen += len(page)
            if len(page) < MOST_SENT_AGAIN:
                break
        return sorted(told, key=lambda event: (event.created_at, event.sequence))

    async def test(self, webhook: Webhook) -> Try:
        """Send it one event that says nothing, now; what came of it. It goes on no record."""
        now = self._clock.now()
        event = Event(
            event_id=new_id(),
            event_type=WEBHOOK_TEST,
            workspace_id=webhook.workspace_id,
            occurred_at=now,
            created_at=now,
            payload={"webhook_id": webhook.id},
        )
        return await self._deliverer.test(webhook, event)

    async def tries(
        self, webhook: Webhook, wanted: TryFilter, *, before: int | None, limit: int
    ) -> list[Try]:
        """Every try to tell it something that is still on record, newest first."""
        await self._deliverer.written()
        return await self._store.webhooks.tries(webhook.id, wanted, before=before, limit=limit)

    async def backlog(self, webhook: Webhook) -> Backlog:
        """What it has still to be told."""
        await self._deliverer.written()
        return await self._store.webhooks.backlog(webhook)

    def secret_of(self, webhook: Webhook) -> str:
        """The secret that its deliveries are signed with, in clear."""
        return self._seal.open(webhook.secret, sealing_context(webhook.id))

    def _new_secret(self, webhook_id: str) -> str:
        secret = base64.b64encode(random_bytes(_SECRET_BYTES)).decode()
        return self._seal.seal(f"whsec_{secret}", sealing_context(webhook_id))


def sealing_context(webhook_id: str) -> str:
    """What a webhook's secret is sealed for: in another webhook's row it cannot be opened."""
    return sealed_for("webhook", webhook_id)


def _chosen(webhook: Webhook) -> Sequence[str] | None:
    return None if webhook.wants_every_type else webhook.event_types


def _found(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise WebhookNotFound
    return webhook
