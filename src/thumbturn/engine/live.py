"""Attempts as they move, for whoever looks on.

This is for people who watch, and not for programs that must know: it is neither numbered nor kept, and
who is too slow misses some. The end of an attempt is on record when it is shown here; a stage on the way
may not be yet. Who must not miss anything follows the events (``feed.py``).
"""

from __future__ import annotations

from typing import NamedTuple, Self

from thumbturn.domain.attempt import Attempt, Phase
from thumbturn.engine.ring import Ring, Wakes

_STAGE = {
    Phase.QUEUED: "accepted",
    Phase.SENT: "sent",
    Phase.CONFIRMING: "confirming",
    Phase.SUCCEEDED: "settled",
    Phase.FAILED: "settled",
}


class Moved(NamedTuple):
    """An attempt as it stood when it reached a stage."""

    attempt: Attempt
    #: accepted, sent, confirming or settled.
    stage: str
    #: When, in µs since 1970 UTC.
    at: int


def as_it_stands(attempt: Attempt) -> Moved:
    """The attempt at the stage that it is in."""
    return Moved(attempt, _STAGE[attempt.phase], attempt.marks[-1].at)


class LiveAttempts:
    """Where the engine shows attempts. It asks ``watched`` first, so that nobody's looking costs nothing."""

    def __init__(self) -> None:
        #: By workspace, those that somebody looks at.
        self.watched: dict[str, Ring[Moved]] = {}

    def watch(self, workspace_id: str, wake: Wakes) -> Watcher:
        """Look at a workspace's attempts from now on. ``wake`` is set whenever one moves."""
        return Watcher(self, workspace_id, self.watched.setdefault(workspace_id, Ring()), wake)

    def watchers(self, workspace_id: str) -> int:
        """How many look at this workspace's attempts."""
        ring = self.watched.get(workspace_id)
        return 0 if ring is None else ring.readers

    def accepted(self, attempt: Attempt) -> None:
        """A new attempt is on record; it may be sent already."""
        if ring := self.watched.get(attempt.workspace_id):
            moved = [Moved(attempt, "accepted", attempt.accepted_at)]
            if attempt.phase is not Phase.QUEUED:
                moved.append(as_it_stands(attempt))
            ring.add(moved)

    def moved(self, attempt: Attempt) -> None:
        """An attempt has reached another phase."""
        if ring := self.watched.get(attempt.workspace_id):
            ring.add([as_it_stands(attempt)])


class Watcher:
    """Sees a workspace's attempts move. Use it in a ``with``."""

    def __init__(self, live: LiveAttempts, workspace_id: str, ring: Ring[Moved], wake: Wakes) -> None:
        self._live = live
        self._workspace_id = workspace_id
        self._ring = ring
        self._wake = wake
        self._seen = ring.last
        ring.wake(wake)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._ring.let_go(self._wake):
            self._live.watched.pop(self._workspace_id, None)

    def ready(self, limit: int) -> tuple[list[Moved], bool]:
        """Up to so many moves that were not seen yet, and whether some before them were missed."""
        found = self._ring.behind(self._seen, limit)
        is_missing = found is None
        if found is None:
            self._seen = self._ring.first - 1
            found = self._ring.behind(self._seen, limit) or []
        self._seen += len(found)
        return found, is_missing
