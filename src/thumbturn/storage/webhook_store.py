"""The ``WebhookStore`` of ``engine/webhook_ports.py`` on a SQL database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from thumbturn.domain.event import Event
from thumbturn.domain.webhook import Delivery, DisabledBecause, Try, Webhook
from thumbturn.engine.webhook_ports import Backlog, Progress, TryFilter
from thumbturn.storage import webhook_tries, webhooks

T = TypeVar("T")


class Do(Protocol):
    """Calls something with a connection, and answers what came of it."""

    def __call__(self, call: Callable[[Connection], T], /) -> Awaitable[T]:
        """What the call returns."""


class Write(Protocol):
    """As ``Do``, durably, for something that also writes these events."""

    def __call__(self, call: Callable[[Connection], T], told: Sequence[Event] = (), /) -> Awaitable[T]:
        """What the call returns."""


class ActOn(Protocol):
    """As ``Write``, together with the act of the call that is under way. ``made`` are its new ids."""

    def __call__(
        self, call: Callable[[Connection], T], told: Sequence[Event] = (), /, **made: str
    ) -> Awaitable[T]:
        """What the call returns."""


class SqlWebhooks:
    """The webhooks of a ``SqlStore``, which lends its ways to write and to read."""

    def __init__(self, write: Write, act: ActOn, read: Do) -> None:
        self._write = write
        self._act = act
        self._read = read

    async def add(self, webhook: Webhook) -> Webhook:
        return await self._act(lambda connection: webhooks.add(connection, webhook), webhook_id=webhook.id)

    async def get(self, workspace_id: str, webhook_id: str) -> Webhook | None:
        return await self._read(lambda connection: webhooks.get(connection, workspace_id, webhook_id))

    async def of_workspace(self, workspace_id: str) -> list[Webhook]:
        return await self._read(lambda connection: webhooks.listed(connection, workspace_id))

    async def enabled(self) -> list[Webhook]:
        return await self._read(webhooks.enabled)

    async def choose_types(
        self, workspace_id: str, webhook_id: str, event_types: Sequence[str]
    ) -> Webhook | None:
        return await self._act(
            lambda connection: webhooks.choose_types(connection, workspace_id, webhook_id, event_types)
        )

    async def rotate(self, workspace_id: str, webhook_id: str, secret: str, until: int) -> Webhook | None:
        return await self._act(
            lambda connection: webhooks.rotate(connection, workspace_id, webhook_id, secret, until)
        )

    async def remove(self, workspace_id: str, webhook_id: str) -> bool:
        return await self._act(lambda connection: webhooks.remove(connection, workspace_id, webhook_id))

    async def disable(self, webhook_id: str, at: int, because: DisabledBecause, event: Event) -> bool:
        return await self._write(
            lambda connection: webhooks.disable(connection, webhook_id, at, because, event), (event,)
        )

    async def enable(
        self, workspace_id: str, webhook_id: str, at: int, *, skip_missed: bool
    ) -> Webhook | None:
        return await self._act(
            lambda connection: webhooks.enable(
                connection, workspace_id, webhook_id, at, skip_missed=skip_missed
            )
        )

    async def record(self, progress: Progress) -> None:
        await self._write(lambda connection: webhook_tries.record(connection, progress))

    async def due(self, webhook_id: str, *, limit: int) -> list[Delivery]:
        return await self._read(lambda connection: webhooks.due(connection, webhook_id, limit))

    async def resend(self, deliveries: Sequence[Delivery]) -> None:
        await self._write(lambda connection: webhooks.resend(connection, deliveries))

    async def tries(
        self, webhook_id: str, wanted: TryFilter, *, before: int | None = None, limit: int
    ) -> list[Try]:
        return await self._read(
            lambda connection: webhook_tries.tries(connection, webhook_id, wanted, before, limit)
        )

    async def backlog(self, webhook: Webhook) -> Backlog:
        return await self._read(lambda connection: webhooks.backlog(connection, webhook))
