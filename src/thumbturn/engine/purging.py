"""Forgets what was over long ago, a few at a time: attempts, events, tries of webhooks, and what has ended.

Each kind has its age (``domain/retention.py``) and its sweep, which goes from the oldest on to the first
that is to be kept. Sweeps take turns, and after each bite there is a pause of nineteen times its length, two
seconds at most. Where the database is slow or busy, bites become smaller until they are short again.

Nothing is forgotten in the first hour: a machine's clock may be wrong until somebody has set it.

Thermostat schedules, client sessions and connect webviews are removed as their owner would remove them,
and told as that. What is in force is never touched.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from thumbturn.domain.clock import MILLISECOND, Clock, seconds
from thumbturn.domain.retention import Ages
from thumbturn.engine.in_bites import InBites
from thumbturn.engine.ports import Store
from thumbturn.engine.retention_ports import Swept
from thumbturn.engine.supervised import supervised

#: Of each kind of what has ended, in a bite.
BITE = 20
#: Attempts, events or tries, in a bite at most: some milliseconds of the writer's time.
ROWS = 200
#: And at least, where so many take long.
FEWEST = 10
#: µs that a bite may take. After one that took longer, the next has half as many rows; after another, twice.
LONG = 100 * MILLISECOND
#: µs between two bites at least, and how many times as long as the bite before: they leave room for others.
PAUSE = 20 * MILLISECOND
REST = 19
#: µs until it is looked again whether anything is old.
ROUND = seconds(3_600)

_WORD = "what_has_ended_is_kept_longer"

#: Forgets what is older than a moment, from a place on, so many at most.
Forget = Callable[[int, str, int], Awaitable[Swept]]


class Purging(InBites):
    """A loop that runs beside everything else. Of several processes on one database, one needs to have it."""

    def __init__(self, store: Store, clock: Clock, ages: Ages) -> None:
        super().__init__(clock, pause=PAUSE, rest=REST, round=ROUND, word=_WORD)
        self._store = store
        self._ages = ages
        #: What is still to be swept in this round, and from where on; ``None`` between two rounds.
        self._sweeps: list[tuple[int, Forget, str]] | None = None
        self._rows = ROWS
        self._has_just_begun = False

    def start(self) -> None:
        """Make room now, and begin to look in an hour."""
        self._sweeps = None
        self._has_just_begun = True
        super().start()

    async def bite(self) -> bool:
        """Forget some of the kind whose turn it is; true if there may be more."""
        if self._sweeps is None:
            self._sweeps = await self._begin()
        if self._has_just_begun:
            self._has_just_begun, self._sweeps = False, []
        if self._sweeps:
            age, forget, place = self._sweeps.pop(0)
            began = self._clock.now()
            # What fails once is left until the next round: it must not keep the others from theirs.
            with supervised(_WORD):
                _, further = await forget(began - age, place, self._rows)
                if further is not None:
                    self._sweeps.append((age, forget, further))
            is_long = self._clock.now() - began > LONG
            self._rows = max(self._rows // 2, FEWEST) if is_long else min(self._rows * 2, ROWS)
        if self._sweeps:
            return True
        self._sweeps = None
        return False

    async def _begin(self) -> list[tuple[int, Forget, str]]:
        retention, ages = self._store.retention, self._ages
        with supervised(_WORD):
            await retention.make_room(self._clock.now())
        kinds: list[tuple[int, Forget]] = [
            (ages.attempts, retention.forget_attempts),
            (ages.events, retention.forget_events),
            (ages.deliveries, retention.forget_deliveries),
            (ages.ended, self._forget_ended),
        ]
        return [(age, forget, "") for age, forget in kinds if age > 0]

    async def _forget_ended(self, before: int, place: str, _most: int) -> Swept:
        store = self._store
        schedules = await store.schedules.over_before(before, BITE)
        for schedule in schedules:
            await store.schedules.remove(schedule.workspace_id, schedule.id)
        sessions = await store.client_sessions.ended_before(before, BITE)
        for session in sessions:
            deleted = session.deleted(self._clock.now())
            await store.client_sessions.remove(session.workspace_id, session.id, deleted)
        webviews = await store.webviews.made_before(before, BITE)
        for webview in webviews:
            await store.webviews.remove(webview.workspace_id, webview.id)
        found = (len(schedules), len(sessions), len(webviews))
        return Swept(sum(found), place if BITE in found else None)
