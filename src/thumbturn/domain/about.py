"""What the present task is about: a request, an attempt, or both. For what is logged meanwhile.

Whoever begins a task says so once; whoever writes a log line asks. A task that was begun by another
inherits what that one was about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Protocol


class Subject(Protocol):
    """Something that a task can be about."""

    def ids(self) -> Mapping[str, str]:
        """The ids by which it is found again, under the names that they have in a log line."""

    def secrets(self) -> Iterable[str]:
        """What must not be written down when it is spoken of: tokens and PINs that came with it."""


#: The request that is being answered, or that caused the task.
REQUEST: ContextVar[Subject | None] = ContextVar("thumbturn_request", default=None)
#: The attempt that is being performed.
ATTEMPT: ContextVar[Subject | None] = ContextVar("thumbturn_attempt", default=None)
