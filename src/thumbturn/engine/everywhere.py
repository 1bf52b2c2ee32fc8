"""The attempts of a workspace whose engine runs here now, and may run elsewhere before they have ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from thumbturn.actions.definition import Action, Ask
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt, Progress
from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock
from thumbturn.domain.idempotency import Keep
from thumbturn.domain.refusals import Fenced
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.acceptance import AT_ONCE, Timing
from thumbturn.engine.elsewhere import Elsewhere
from thumbturn.engine.engine import Engine

A = TypeVar("A", Attempt, Progress)


class Everywhere:
    """Implements ``Underway``: by the engine as long as it may act, and then by what is on record."""

    def __init__(self, engine: Engine, elsewhere: Elsewhere, clock: Clock) -> None:
        #: Where they are shown as they move, in whichever process.
        self.live = elsewhere.live
        #: Where their ends are waited for, whichever process ends them.
        self.begun = EndsEverywhere(engine, elsewhere, clock)
        self._engine = engine
        self._elsewhere = elsewhere

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
        """Accept an attempt, also if the engine has just lost its cell: for whoever has it then."""
        try:
            return await self._engine.begin(
                action, ask, workspace, asked_by, timing=timing, keep=keep, reach=reach
            )
        except Fenced:
            return await self._elsewhere.begin(
                action, ask, workspace, asked_by, timing=timing, keep=keep, reach=reach
            )


class EndsEverywhere:
    """Implements ``Ends``."""

    def __init__(self, engine: Engine, elsewhere: Elsewhere, clock: Clock) -> None:
        self._engine = engine
        self._elsewhere = elsewhere
        self._clock = clock

    async def settled(self, attempt: A, within: int) -> A | Attempt:
        """The attempt once it has ended; as given if it has not within so many µs, or the server stops."""
        until = self._clock.now() + within
        found = await self._engine.begun.settled(attempt, within)
        left = until - self._clock.now()
        if found.phase.is_final or left <= 0:
            return found
        # Its engine stopped: it goes on elsewhere.
        return await self._elsewhere.begun.settled(attempt, left)

    async def all_settled(self, attempts: Iterable[Attempt], within: int) -> None:
        """Return when all of them have ended, after so many µs, or when the server stops."""
        waited_for, until = list(attempts), self._clock.now() + within
        await self._engine.begun.all_settled(waited_for, within)
        if (left := until - self._clock.now()) > 0 and not self._engine.is_running:
            await self._elsewhere.begun.all_settled(waited_for, left)
