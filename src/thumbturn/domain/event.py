"""An event: an immutable fact that the workspace is told once.

Events are written in the same transaction as the change they tell of. The store gives each its
place in the workspace's gapless sequence at that moment; until then ``sequence`` is zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Event(NamedTuple):
    """One fact, as ``/events`` and webhooks tell it."""

    event_id: str
    event_type: str
    workspace_id: str
    #: When it happened in the world, µs.
    occurred_at: int
    #: When the server learned of it, µs.
    created_at: int
    #: What this type of event says beyond the common keys, in the wire's own names.
    payload: Mapping[str, Any]
    device_id: str | None = None
    connected_account_id: str | None = None
    action_attempt_id: str | None = None
    #: Its place among the workspace's events, from 1, without a gap. Given by the store.
    sequence: int = 0


class Recorded(NamedTuple):
    """An event where it stands on record. Its ``event.sequence`` says the same number."""

    sequence: int
    event: Event
