"""What webhooks need from outside: a store of their own, and whoever delivers.

As in ``ports.py``, writes return only after they are durable, and what a caller causes is scoped to his
workspace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from thumbturn.domain.event import Event
from thumbturn.domain.webhook import Delivery, DisabledBecause, Outcome, Try, Webhook
from thumbturn.engine.meters import WebhookMeters


@dataclass(frozen=True, slots=True, kw_only=True)
class TryFilter:
    """Which tries of a webhook; ``None`` means any."""

    event_id: str | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What became of some tries, and how far that brings their webhooks. Written together or not at all.

    A webhook that was deleted meanwhile is left out.
    """

    #: In the order in which they ended.
    tries: Sequence[Try] = ()
    #: By webhook, the place up to which every event is dealt with. A cursor never goes back.
    cursors: Mapping[str, int] = field(default_factory=dict)
    #: By webhook, since when every try failed; ``None`` when one succeeded.
    failing: Mapping[str, int | None] = field(default_factory=dict)


class Backlog(NamedTuple):
    """What a webhook has still to be told."""

    #: Deliveries that wait for another try.
    waiting: int
    #: Events behind its cursor that are on record, of any type.
    behind: int


class WebhookStore(Protocol):
    """The webhooks on record. Raises as ``Store`` does."""

    async def add(self, webhook: Webhook) -> Webhook:
        """Remember a new webhook; it begins behind the workspace's newest event, as it is returned."""

    async def get(self, workspace_id: str, webhook_id: str) -> Webhook | None:
        """One webhook."""

    async def of_workspace(self, workspace_id: str) -> list[Webhook]:
        """The webhooks of a workspace, oldest first."""

    async def enabled(self) -> list[Webhook]:
        """The webhooks of all workspaces that are not disabled, for the start of their delivery."""

    async def choose_types(
        self, workspace_id: str, webhook_id: str, event_types: Sequence[str]
    ) -> Webhook | None:
        """Store which types it is told; the webhook, or ``None`` if there is none such."""

    async def rotate(self, workspace_id: str, webhook_id: str, secret: str, until: int) -> Webhook | None:
        """Store a new sealed secret; the one before goes on signing until this moment, µs."""

    async def remove(self, workspace_id: str, webhook_id: str) -> bool:
        """Forget a webhook with its deliveries and tries; ``False`` if there is none such."""

    async def disable(self, webhook_id: str, at: int, because: DisabledBecause, event: Event) -> bool:
        """Disable an enabled webhook and tell its workspace; ``False`` if it is not there or not enabled."""

    async def enable(
        self, workspace_id: str, webhook_id: str, at: int, *, skip_missed: bool
    ) -> Webhook | None:
        """Let a webhook be told events again; the webhook, or ``None`` if there is none such.

        What waits is due at ``at`` with all its tries before it; with ``skip_missed`` it is forgotten,
        and so is everything behind the cursor. One that is enabled is left as it is.
        """

    async def record(self, progress: Progress) -> None:
        """Remember what became of tries. What was asked for anew while a try was on its way stays due."""

    async def due(self, webhook_id: str, *, limit: int) -> list[Delivery]:
        """The deliveries that are due first, in order of (due_at, sequence)."""

    async def resend(self, deliveries: Sequence[Delivery]) -> None:
        """Remember deliveries, each instead of an earlier one of the same event."""

    async def tries(
        self, webhook_id: str, wanted: TryFilter, *, before: int | None = None, limit: int
    ) -> list[Try]:
        """Tries of a webhook, newest first, behind the place ``before``."""

    async def backlog(self, webhook: Webhook) -> Backlog:
        """What a webhook has still to be told."""


class Delivering(NamedTuple):
    """How deliveries go, of all workspaces."""

    #: Webhooks that are told what happens, and those of them whose most recent try failed.
    webhooks: int
    failing: int
    meters: WebhookMeters


class Deliverer(Protocol):
    """Tells webhooks what they are to be told."""

    def delivering(self) -> Delivering:
        """How that goes."""

    def follow(self, webhook: Webhook) -> None:
        """From now on deliver to this webhook, as it is now; not at all when it is disabled."""

    async def forget(self, webhook_id: str) -> None:
        """Deliver nothing more to it; what is on its way is given up."""

    def wake(self, webhook_id: str) -> None:
        """Something of it may be due now."""

    async def written(self) -> None:
        """Returns when what became of every try so far is on record."""

    async def test(self, webhook: Webhook, event: Event) -> Try:
        """Send it this event once, at once; what came of it, which goes on no record."""


class Seal(Protocol):
    """Keeps secrets that must be read again, so that whoever has the disk has not the secrets."""

    def seal(self, text: str, context: str) -> str:
        """The text, unreadable without the key, and good in this context only."""

    def open(self, sealed: str, context: str) -> str:
        """The text that was sealed in this context."""


class Targets(Protocol):
    """Knows where webhooks may go."""

    def check(self, url: str) -> object:
        """Raises the refusal of an address that no webhook may have."""
