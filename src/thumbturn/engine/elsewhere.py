"""The attempts of workspaces whose engine runs in another process.

A command is looked at against its device as it is on record, and stored with a note for the engine that
will run it: also while there is none, for whoever owns the cell next finds it. The end of an attempt is heard
of by a notice, and looked for once a second besides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TypeVar

from thumbturn.actions.definition import Action, Ask
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt, Progress
from thumbturn.domain.client_session import Reach, among
from thumbturn.domain.clock import SECOND, Clock
from thumbturn.domain.device import Device
from thumbturn.domain.idempotency import Keep, KeyTaken
from thumbturn.domain.refusals import Fenced, Overloaded, StorageUnavailable, TooManyOpenAttempts
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.acceptance import (
    AT_ONCE,
    MAY_BE_ON_RECORD,
    MOST_OPEN,
    Command,
    Timing,
    admitted,
    new_attempt,
)
from thumbturn.engine.cells import Cells
from thumbturn.engine.notices import About, Notices, word_of
from thumbturn.engine.pace import Pace
from thumbturn.engine.ports import Store
from thumbturn.engine.showing import LiveEverywhere
from thumbturn.engine.supervised import supervised
from thumbturn.engine.underway import OwnerNeeded
from thumbturn.engine.waiting import Waiting

A = TypeVar("A", Attempt, Progress)

#: How often it is counted anew how many attempts a workspace has open, µs; if they are many, and if not.
COUNTED_EVERY, COUNTED_SELDOM = SECOND, 30 * SECOND


class Elsewhere:
    """Implements ``Underway`` for every workspace whose engine does not run here."""

    def __init__(
        self, *, store: Store, cells: Cells, notices: Notices, pace: Pace | None, clock: Clock
    ) -> None:
        #: Where they are shown as they move, as far as is heard of it.
        self.live = LiveEverywhere()
        #: Where their ends are waited for.
        self.begun = EndsElsewhere(store, notices, clock)
        self._store = store
        self._cells = cells
        self._notices = notices
        self._pace = pace
        self._clock = clock
        self._last_accepted = 0
        #: By workspace, how many are open, and since when that is known.
        self._open: dict[str, tuple[int, int]] = {}

    async def begin(
        self,
        action: Action,
        ask: Ask,
        workspace: Workspace,
        asked_by: Asker | None = None,
        *,
        timing: Timing = AT_ONCE,
        keep: Keep | None = None,
        reach: Reach = None,
    ) -> Attempt:
        """Accept an attempt, as ``Acceptance.begin`` does; it is run by the engine that has its workspace.

        Raises ``OwnerNeeded`` for what is counted there, or needs what is never written down.
        """
        if action.secrets:
            raise OwnerNeeded
        await self._make_room(workspace.id)
        device = await self._device(action, ask, workspace, reach)
        device = admitted(action, device, workspace)
        if device is not None:
            if self._pace is not None and self._pace.limits(action.type, device):
                raise OwnerNeeded
            ask = ask if action.fit is None else action.fit(ask, device)
        now = self._last_accepted = max(self._clock.now(), self._last_accepted + 1)
        attempt = new_attempt(Command(action, ask, timing), device, workspace, asked_by, now)
        cell = self._cells.cell_of(workspace.id)
        try:
            is_new = await self._store.accept_for(cell, attempt, None if keep is None else keep(attempt))
        except (Fenced, Overloaded):
            raise
        except StorageUnavailable as problem:
            # Whoever runs it may have taken it already: nothing of it can be called back.
            raise StorageUnavailable(MAY_BE_ON_RECORD, headers={"Retry-After": "1"}) from problem
        if not is_new:
            raise KeyTaken
        self._notices.say(About.ARRIVALS, str(cell))
        return attempt

    async def _device(self, action: Action, ask: Ask, workspace: Workspace, reach: Reach) -> Device | None:
        if not action.concerns_device:
            return None
        device_id: str = ask.device_id  # type: ignore[attr-defined]
        device = await self._store.device(workspace.id, device_id)
        return device if device is not None and among(reach, device.connected_account_id) else None

    async def _make_room(self, workspace_id: str) -> None:
        count, known_since = self._open.get(workspace_id, (0, 0))
        now = self._clock.now()
        if now - known_since > (COUNTED_EVERY if count > MOST_OPEN // 2 else COUNTED_SELDOM):
            if len(self._open) >= MOST_OPEN:
                self._open.clear()
            count, known_since = await self._store.open_count(workspace_id, MOST_OPEN), now
        if count >= MOST_OPEN:
            raise TooManyOpenAttempts
        self._open[workspace_id] = count + 1, known_since


class EndsElsewhere:
    """Implements ``Ends`` by looking at the record."""

    def __init__(self, store: Store, notices: Notices, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._waiting = Waiting(clock)
        #: By id of an attempt, its workspace and how many wait for it.
        self._awaited: dict[str, tuple[str, int]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._to_look_at: set[str] = set()
        notices.hear(About.ENDS, self._heard)

    async def settled(self, attempt: A, within: int) -> A | Attempt:
        """The attempt once it has ended; as given if it has not within so many µs, or the server stops."""
        workspace_id, count = self._awaited.get(attempt.id, (attempt.workspace_id, 0))
        self._awaited[attempt.id] = workspace_id, count + 1
        ending = asyncio.ensure_future(self._waiting.end_of(attempt.id, within))
        try:
            # It may have ended before anybody here waited for it: whoever waits is looked for from now on.
            self._look((attempt.id,))
            return await ending or attempt
        finally:
            ending.cancel()
            _, count = self._awaited[attempt.id]
            if count > 1:
                self._awaited[attempt.id] = workspace_id, count - 1
            else:
                del self._awaited[attempt.id]

    async def all_settled(self, attempts: Iterable[Attempt], within: int) -> None:
        """Return when all of them have ended, after so many µs, or when the server stops."""
        await asyncio.gather(*(self.settled(each, within) for each in attempts))

    def dismiss_waiting(self) -> None:
        """Answer all who wait with what there is, and let nobody wait any more: the server will stop."""
        self._waiting.dismiss()

    def _heard(self, words: frozenset[str] | None) -> None:
        self._look([id for id in self._awaited if words is None or word_of(id) in words])

    def _look(self, ids: Iterable[str]) -> None:
        self._to_look_at.update(ids)
        if self._to_look_at and (self._looking is None or self._looking.done()):
            self._looking = asyncio.get_running_loop().create_task(self._look_at_all())

    async def _look_at_all(self) -> None:
        while self._to_look_at:
            ids, self._to_look_at = self._to_look_at, set()
            with supervised("ends_are_looked_for_again"):
                await asyncio.gather(*(self._look_at(id) for id in ids))

    async def _look_at(self, id: str) -> None:
        if id not in self._awaited:
            return
        attempt = await self._store.attempt(self._awaited[id][0], id)
        if attempt is not None and attempt.phase.is_final:
            self._waiting.tell(attempt)
