"""Letting go of connections on which nothing comes: a client that sends half a request, or none at all.

There is no timer for each request. All connections are looked at together now and then, and what is seen
of one twice, with enough time between, has lasted that long.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from thumbturn.domain.clock import SECOND, stopwatch

#: Between two looks, µs, or a quarter of the shortest patience, if that is less.
LOOK_EVERY = 2 * SECOND


class Awaited(NamedTuple):
    """What a client has still to send."""

    #: True in the middle of a request; false where none has begun.
    is_unfinished: bool
    #: The exchange it belongs to, or comes after; ``None`` before the first.
    exchange: object


class Watched(Protocol):
    """A connection."""

    #: What was awaited when it was last looked at, and since when that is so, µs.
    awaited: Awaited | None
    awaited_since: int

    def awaits(self) -> Awaited | None:
        """What its client has to send next; ``None`` while it is our turn."""

    def let_go(self, awaited: Awaited) -> None:
        """Close it: this was awaited for too long."""


class Patience:
    """Looks after all connections of a server."""

    def __init__(self, *, request_seconds: float, keep_alive_seconds: float) -> None:
        self._for_request = round(request_seconds * SECOND)
        self._for_next = round(keep_alive_seconds * SECOND)
        self._every = min(LOOK_EVERY, self._for_request // 4, self._for_next // 4)
        self._looked_at = 0

    def look(self, connections: Iterable[Watched]) -> None:
        """Let go of those on which nothing comes, if it is time to look."""
        now = stopwatch()
        if now - self._looked_at < self._every:
            return
        self._looked_at = now
        for connection in list(connections):
            awaited = connection.awaits()
            if awaited is None or awaited != connection.awaited:
                connection.awaited, connection.awaited_since = awaited, now
            elif now - connection.awaited_since >= (
                self._for_request if awaited.is_unfinished else self._for_next
            ):
                connection.let_go(awaited)
