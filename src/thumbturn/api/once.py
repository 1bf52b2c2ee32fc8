"""How an endpoint that begins an attempt sees to it that its call acts once (``idempotency.py``)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from thumbturn.domain.attempt import Attempt
from thumbturn.domain.idempotency import Keep, KeepAll

AnswerOf = Callable[[Attempt], Mapping[str, Any]]
AnswerOfAll = Callable[[Sequence[Attempt]], Mapping[str, Any]]


class Begin(Protocol):
    """Begins an attempt, and keeps with it what ``keep`` makes of it."""

    def __call__(self, *, keep: Keep | None = None) -> Awaitable[Attempt]:
        """The accepted attempt. Raises ``KeyTaken`` if what shall be kept is on record already."""


class BeginAll(Protocol):
    """Begins attempts together, and keeps with them what ``keep`` makes of them."""

    def __call__(self, *, keep: KeepAll | None = None) -> Awaitable[Sequence[Attempt]]:
        """The accepted attempts. Raises ``KeyTaken`` as ``Begin`` does."""


class Once:
    """What such an endpoint begins its attempt through; this one without a key, for any number of times."""

    __slots__ = ()

    def attempt(self, begin: Begin, answer_of: AnswerOf) -> Awaitable[Attempt]:
        """The attempt of this call. ``answer_of`` says what is answered while nobody waits for its end."""
        return begin()

    def attempts(self, begin: BeginAll, answer_of: AnswerOfAll) -> Awaitable[Sequence[Attempt]]:
        """The attempts of a call that begins several together."""
        return begin()


ANY_NUMBER_OF_TIMES = Once()
