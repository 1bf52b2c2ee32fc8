"""What the engine tells somebody who traces attempts. ``tracing`` implements it; usually nobody does."""

from __future__ import annotations

from typing import Protocol

from thumbturn.actions.definition import Perform
from thumbturn.engine.run import Run


class Traces(Protocol):
    """Follows attempts on their way."""

    def entered(self, run: Run) -> None:
        """An attempt is open from now on. It was asked for by whatever the present task is about."""

    def traced(self, run: Run) -> Perform:
        """What the run performs, so that the command is seen while it is performed."""

    def left(self, run: Run) -> None:
        """It has ended, durably; or it was never accepted."""

    def traceparent(self, action_attempt_id: str) -> str | None:
        """The W3C ``traceparent`` under which to tell others of this attempt, while it is remembered."""
