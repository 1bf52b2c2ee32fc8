"""Forgetting what is over, for a store that has everything in memory."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile

from thumbturn.domain.attempt import Attempt, Mark
from thumbturn.engine.retention_ports import Swept
from thumbturn.testing.event_log import MemoryLog
from thumbturn.testing.webhooks import MemoryWebhooks


class MemoryRetention:
    """Implements ``engine.retention_ports.RetentionStore`` on the dictionaries of a ``MemoryStore``."""

    def __init__(
        self,
        attempts: dict[str, Attempt],
        late: dict[str, list[Mark]],
        events: Mapping[str, MemoryLog],
        webhooks: MemoryWebhooks,
    ) -> None:
        self._attempts = attempts
        self._late = late
        self._events = events
        self._webhooks = webhooks

    async def make_room(self, now: int) -> None:
        pass

    async def forget_attempts(self, before: int, place: str, most: int) -> Swept:
        some = sorted(id for id in self._attempts if id > place)[:most]
        gone = 0
        for attempt in [self._attempts[id] for id in some]:
            if attempt.phase.is_final and attempt.settled_at is not None and attempt.settled_at < before:
                del self._attempts[attempt.id]
                self._late.pop(attempt.id, None)
                gone += 1
        return Swept(gone, some[-1] if len(some) == most else None)

    async def forget_events(self, before: int, place: str, most: int) -> Swept:
        for id in sorted(id for id in self._events if id > place):
            owed = self._webhooks.still_owed(id)
            old = takewhile(
                lambda event: event.created_at < before and (owed is None or event.sequence < owed),  # noqa: B023
                self._events[id].behind(0, most),
            )
            if gone := len([*old]):
                self._events[id].forget(gone)
                return Swept(gone, place if gone == most else id)
        return Swept(0, None)

    async def forget_deliveries(self, before: int, place: str, most: int) -> Swept:
        gone = self._webhooks.forget_tries(before, most)
        return Swept(gone, place if gone == most else None)

    async def oldest_event(self, workspace_id: str) -> int:
        log = self._events.get(workspace_id)
        return 1 if log is None else log.forgotten + 1
