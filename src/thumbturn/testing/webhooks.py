"""Webhooks that are forgotten when the process ends, and an endpoint that answers as a test wants."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from thumbturn.domain.event import Event
from thumbturn.domain.webhook import Delivery, DisabledBecause, Outcome, Try, Webhook
from thumbturn.engine.webhook_ports import Backlog, Progress, TryFilter
from thumbturn.testing.event_log import MemoryLog


class MemoryWebhooks:
    """Implements ``engine.webhook_ports.WebhookStore`` with dictionaries."""

    def __init__(self, events: Mapping[str, MemoryLog], tell: Callable[[Sequence[Event]], None]) -> None:
        self._events = events
        self._tell = tell
        self._webhooks: dict[str, Webhook] = {}
        self._deliveries: dict[tuple[str, int], Delivery] = {}
        self._tries: list[Try] = []
        self._places: Counter[str] = Counter()

    async def add(self, webhook: Webhook) -> Webhook:
        newest = self._events[webhook.workspace_id].newest
        self._webhooks[webhook.id] = replace(webhook, begins_after=newest, cursor=newest)
        return self._webhooks[webhook.id]

    async def get(self, workspace_id: str, webhook_id: str) -> Webhook | None:
        found = self._webhooks.get(webhook_id)
        return found if found is not None and found.workspace_id == workspace_id else None

    async def of_workspace(self, workspace_id: str) -> list[Webhook]:
        found = [each for each in self._webhooks.values() if each.workspace_id == workspace_id]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    async def enabled(self) -> list[Webhook]:
        return sorted((each for each in self._webhooks.values() if each.is_enabled), key=lambda each: each.id)

    async def choose_types(
        self, workspace_id: str, webhook_id: str, event_types: Sequence[str]
    ) -> Webhook | None:
        found = await self.get(workspace_id, webhook_id)
        return None if found is None else self.put(replace(found, event_types=tuple(event_types)))

    async def rotate(self, workspace_id: str, webhook_id: str, secret: str, until: int) -> Webhook | None:
        found = await self.get(workspace_id, webhook_id)
        if found is None:
            return None
        before = found.secret
        return self.put(replace(found, secret=secret, previous_secret=before, previous_secret_until=until))

    async def remove(self, workspace_id: str, webhook_id: str) -> bool:
        if await self.get(workspace_id, webhook_id) is None:
            return False
        del self._webhooks[webhook_id]
        self._deliveries = {key: each for key, each in self._deliveries.items() if key[0] != webhook_id}
        self._tries = [each for each in self._tries if each.webhook_id != webhook_id]
        return True

    async def disable(self, webhook_id: str, at: int, because: DisabledBecause, event: Event) -> bool:
        found = self._webhooks.get(webhook_id)
        if found is None or not found.is_enabled:
            return False
        self.put(replace(found, disabled_at=at, disabled_because=because))
        self._tell([event])
        return True

    async def enable(
        self, workspace_id: str, webhook_id: str, at: int, *, skip_missed: bool
    ) -> Webhook | None:
        found = await self.get(workspace_id, webhook_id)
        if found is None or found.is_enabled:
            return found
        cursor = self._events[workspace_id].newest if skip_missed else found.cursor
        for key in [key for key in self._deliveries if key[0] == webhook_id]:
            waiting = self._deliveries.pop(key)
            if not skip_missed:
                self._deliveries[key] = waiting._replace(tries=0, due_at=at)
        return self.put(
            replace(found, disabled_at=None, disabled_because=None, failing_since=None, cursor=cursor)
        )

    async def record(self, progress: Progress) -> None:
        for made in progress.tries:
            if made.webhook_id not in self._webhooks:
                continue
            self._places[made.webhook_id] += 1
            self._tries.append(made._replace(place=self._places[made.webhook_id], was_waiting=False))
            self._put_off(made)
        for id, cursor in progress.cursors.items():
            if id in self._webhooks:
                known = self._webhooks[id]
                self.put(replace(known, cursor=max(known.cursor, cursor)))
        for id, since in progress.failing.items():
            if id in self._webhooks:
                self.put(replace(self._webhooks[id], failing_since=since))

    def _put_off(self, made: Try) -> None:
        place = made.webhook_id, made.sequence
        waiting = self._deliveries.get(place)
        if made.was_waiting and waiting is not None and waiting.tries == made.number - 1:
            del self._deliveries[place]
        if made.outcome is Outcome.FAILED:
            assert made.next_at is not None
            again = Delivery(made.webhook_id, made.event_id, made.sequence, made.number, made.next_at)
            self._deliveries.setdefault(place, again)

    async def due(self, webhook_id: str, *, limit: int) -> list[Delivery]:
        found = [each for each in self._deliveries.values() if each.webhook_id == webhook_id]
        return sorted(found, key=lambda each: (each.due_at, each.sequence))[:limit]

    async def resend(self, deliveries: Sequence[Delivery]) -> None:
        for each in deliveries:
            if each.webhook_id in self._webhooks:
                self._deliveries[each.webhook_id, each.sequence] = each

    async def tries(
        self, webhook_id: str, wanted: TryFilter, *, before: int | None = None, limit: int
    ) -> list[Try]:
        found = [
            each
            for each in self._tries
            if each.webhook_id == webhook_id
            and (before is None or each.place < before)
            and (wanted.event_id is None or each.event_id == wanted.event_id)
            and (wanted.outcome is None or each.outcome is wanted.outcome)
        ]
        return sorted(found, key=lambda each: -each.place)[:limit]

    def forget_tries(self, before: int, most: int) -> int:
        """Forget tries that were made before this moment, so many at most; how many it were."""
        old = [each for each in self._tries if each.at < before][:most]
        self._tries = [each for each in self._tries if each not in old]
        return len(old)

    def still_owed(self, workspace_id: str) -> int | None:
        """The place of the first event that an enabled webhook has still to be told; None without one."""
        places: list[int] = []
        for webhook in self._webhooks.values():
            if webhook.workspace_id == workspace_id and webhook.is_enabled:
                places.append(webhook.cursor + 1)
                places += [sequence for id, sequence in self._deliveries if id == webhook.id]
        return min(places, default=None)

    async def backlog(self, webhook: Webhook) -> Backlog:
        waiting = [key for key in self._deliveries if key[0] == webhook.id]
        known = self._webhooks.get(webhook.id)
        if known is None:
            return Backlog(len(waiting), 0)
        log = self._events[known.workspace_id]
        return Backlog(len(waiting), log.newest - max(known.cursor, log.forgotten))

    def every(self) -> list[Webhook]:
        """The webhooks of all workspaces."""
        return list(self._webhooks.values())

    def put(self, webhook: Webhook) -> Webhook:
        """Remember it as it is now."""
        self._webhooks[webhook.id] = webhook
        return webhook
