"""A webhook: an address that is told a workspace's events, and what became of each telling.

An event is told to a webhook in *tries*. The first comes at once; after a failure the next waits for a
time that grows (``schedule.py`` in ``webhooks``), until one succeeds or there is none left. What still
waits for its next try is a *delivery* on record. What was delivered at once leaves no delivery behind,
only its try: so a webhook costs little as long as all is well.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

#: Stands for every type of event.
EVERY_TYPE = "*"

#: The event that tells a workspace that one of its webhooks was disabled by the server.
WEBHOOK_DISABLED = "webhook.disabled"
#: The event that a webhook is sent on request, to see whether it works. It is in no workspace's log.
WEBHOOK_TEST = "webhook.test"


class DisabledBecause(StrEnum):
    """Why the server tells a webhook nothing any more."""

    #: The endpoint answered 410 Gone: it wants nothing any more.
    GONE = "gone"
    #: For days every try failed.
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address that is told the events of its workspace, as it is kept."""

    id: str
    workspace_id: str
    url: str
    #: The types that it is told; ``("*",)`` for all.
    event_types: tuple[str, ...]
    #: What its deliveries are signed with. Sealed: never in clear on disk.
    secret: str
    #: The secret before the last rotation, sealed, and the moment until which it signs, too. µs.
    previous_secret: str | None = None
    previous_secret_until: int | None = None
    #: The workspace's newest event when it was made: it is told what comes after that.
    begins_after: int = 0
    #: Every event up to this place is delivered, on record as a delivery that waits, or given up.
    cursor: int = 0
    #: When the first of its tries failed after which none succeeded. µs.
    failing_since: int | None = None
    disabled_at: int | None = None
    disabled_because: DisabledBecause | None = None
    created_at: int = 0

    @property
    def is_enabled(self) -> bool:
        """False when it is told nothing until somebody enables it."""
        return self.disabled_at is None

    @property
    def wants_every_type(self) -> bool:
        """True when it is told everything."""
        return EVERY_TYPE in self.event_types

    def wants(self, event_type: str) -> bool:
        """True when it is told events of this type."""
        return EVERY_TYPE in self.event_types or event_type in self.event_types


class Outcome(StrEnum):
    """What became of a try."""

    DELIVERED = "delivered"
    #: It will be tried again.
    FAILED = "failed"
    #: It was the last try.
    GIVEN_UP = "given_up"


class Delivery(NamedTuple):
    """An event that a webhook has still to be told, after a try that failed or because it was asked for."""

    webhook_id: str
    #: The event, and its place in its workspace's sequence.
    event_id: str
    sequence: int
    #: How many tries have failed.
    tries: int
    #: When to try next. µs.
    due_at: int


class Try(NamedTuple):
    """One time that an endpoint was asked to take an event."""

    webhook_id: str
    event_id: str
    event_type: str
    sequence: int
    #: 1 for the first.
    number: int
    #: When the request was made. µs.
    at: int
    milliseconds: float
    #: The HTTP status that the endpoint answered; ``None`` without an answer.
    status: int | None
    #: What went wrong, in a few words that are safe to show.
    error: str | None
    outcome: Outcome
    #: When it is tried again. µs.
    next_at: int | None
    #: True when the event was already on record as a delivery.
    was_waiting: bool = False
    #: Its place among its webhook's tries. Given by the store.
    place: int = 0
