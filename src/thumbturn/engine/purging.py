"""Forgets what ended long ago, a few at a time: thermostat schedules, client sessions, connect webviews.

Each is removed as its owner would remove it, and told as that. What is in force is never touched.
"""

from __future__ import annotations

from thumbturn.domain.clock import MILLISECOND, Clock, seconds
from thumbturn.engine.in_bites import InBites
from thumbturn.engine.ports import Store

#: Of each kind, between two pauses.
BITE = 20
#: µs between two bites: they leave room for others.
PAUSE = 100 * MILLISECOND
#: µs until it is looked again whether anything is old.
ROUND = seconds(3_600)


class Purging(InBites):
    """A loop that runs beside everything else."""

    def __init__(self, store: Store, clock: Clock, keep: int) -> None:
        super().__init__(clock, pause=PAUSE, round=ROUND, word="what_has_ended_is_kept_longer")
        self._store = store
        #: µs for which what has ended is kept; 0 for ever.
        self._keep = keep

    def start(self) -> None:
        """Begin to look, now and every hour."""
        if self._keep > 0:
            super().start()

    async def bite(self) -> bool:
        """Forget the oldest of each kind; true if there may be more."""
        now = self._clock.now()
        before, store = now - self._keep, self._store
        schedules = await store.schedules.over_before(before, BITE)
        for schedule in schedules:
            await store.schedules.remove(schedule.workspace_id, schedule.id)
        sessions = await store.client_sessions.ended_before(before, BITE)
        for session in sessions:
            await store.client_sessions.remove(session.workspace_id, session.id, session.deleted(now))
        webviews = await store.webviews.made_before(before, BITE)
        for webview in webviews:
            await store.webviews.remove(webview.workspace_id, webview.id)
        return BITE in (len(schedules), len(sessions), len(webviews))
