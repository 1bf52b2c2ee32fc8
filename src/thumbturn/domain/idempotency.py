"""Being asked twice: what is kept of the first call with an ``Idempotency-Key``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import seconds

#: µs for which a key is taken. After that it is as if it had never been used.
KEPT_FOR = seconds(24 * 60 * 60)


class FirstAnswer(NamedTuple):
    """The answer to the first call with a key, or the note that this call is under way."""

    #: Whose key, and for which route: a hash, from which neither can be read.
    scope: str
    #: A keyed hash of the parameters, to tell a repetition from another call.
    fingerprint: str
    #: µs, by the server's clock.
    begun_at: int
    #: The attempt that the call began, if it did; the first, if it began several.
    attempt_id: str | None = None
    #: What was answered, as it may lie on a disk; ``None`` until that is known.
    body: str | None = None

    def is_over(self, now: int) -> bool:
        """True once its key is free again."""
        return self.begun_at <= now - KEPT_FOR


#: Makes the first answer of an attempt that is about to be accepted, or of several together.
Keep = Callable[[Attempt], FirstAnswer]
KeepAll = Callable[[Sequence[Attempt]], FirstAnswer]


class KeyTaken(Exception):
    """Raised instead of acting: there is a first answer for this key. Nothing was done."""
