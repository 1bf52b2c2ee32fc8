"""What all webhooks' deliveries have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from thumbturn.domain.clock import Clock
from thumbturn.domain.event import Event
from thumbturn.engine.feed import Feed
from thumbturn.engine.meters import WebhookMeters
from thumbturn.engine.ports import Store
from thumbturn.engine.webhook_ports import Seal
from thumbturn.webhooks.pace import Pace
from thumbturn.webhooks.record import Record
from thumbturn.webhooks.schedule import Schedule
from thumbturn.webhooks.shares import Shares

if TYPE_CHECKING:
    from thumbturn.webhooks.post import Posted

#: Sends a body with headers to an address. It never raises for what the network does.
Post = Callable[[str, Mapping[str, str], bytes], Awaitable["Posted"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What it takes to deliver."""

    store: Store
    feed: Feed
    clock: Clock
    seal: Seal
    post: Post
    #: An event as JSON, as the wire has it.
    written: Callable[[Event], str]
    schedule: Schedule
    record: Record
    pace: Pace
    #: Those of ``record``, too.
    meters: WebhookMeters
    shares: Shares = field(default_factory=Shares)
    #: The W3C ``traceparent`` of an attempt, as long as it is known; ``None`` where nothing is traced.
    traceparent: Callable[[str], str | None] | None = None
    #: Brings what ``post`` needs, so that the first post need not wait for it; ``None`` if it needs nothing.
    prepare: Callable[[], Awaitable[object]] | None = None
