"""What may be done with attempts by whoever does not know where their engine runs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from thumbturn.actions.definition import Action, Ask
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt, Progress
from thumbturn.domain.client_session import Reach
from thumbturn.domain.idempotency import Keep
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.acceptance import AT_ONCE, Timing
from thumbturn.engine.live import LiveAttempts

A = TypeVar("A", Attempt, Progress)


class OwnerNeeded(Exception):
    """Only the process that owns the workspace's cell can do this. Nothing was done."""


class Ends(Protocol):
    """The ends of attempts, for those who wait for them."""

    async def settled(self, attempt: A, within: int) -> A | Attempt:
        """The attempt once it has ended; as given if it has not within so many µs, or the server stops."""

    async def all_settled(self, attempts: Iterable[Attempt], within: int) -> None:
        """Return when all of them have ended, after so many µs, or when the server stops."""


class Underway(Protocol):
    """A workspace's attempts: of the engine that runs here, or of one that runs elsewhere."""

    @property
    def live(self) -> LiveAttempts:
        """Where they are shown as they move."""

    @property
    def begun(self) -> Ends:
        """Where their ends are waited for."""

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
        """Accept an attempt (``acceptance.py``). Raises ``OwnerNeeded`` where only its owner can."""
