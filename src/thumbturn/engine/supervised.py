"""What looks after things for as long as the server runs must outlive whatever goes wrong on the way.

A database that is away for a moment says so, and that is a line in the log. Whatever else it says, or a bug,
is told there whole. Neither may be the end of looking: whoever looks sees that it came to nothing, and
looks again later.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from thumbturn.domain.errors import Refusal

log = structlog.get_logger(__name__)


class Look:
    """How a supervised block went."""

    #: What ended it before its end; ``None`` if nothing did.
    problem: Exception | None = None

    @property
    def failed(self) -> bool:
        """True if it did not come to its end."""
        return self.problem is not None

    @property
    def may_soon_pass(self) -> bool:
        """True for what is refused for a moment: no bug, and no damage."""
        return isinstance(self.problem, Refusal)


@contextmanager
def supervised(word: str, **ids: str) -> Iterator[Look]:
    """Catch whatever is raised in the block, and log it under this word with these ids."""
    look = Look()
    try:
        yield look
    except Refusal as refusal:
        look.problem = refusal
        told: dict[str, Any] = {**ids, "because": refusal.message}
        log.warning(word, **told)
    except Exception as problem:  # supervised: that is what this is for
        look.problem = problem
        log.exception(word, **ids)
