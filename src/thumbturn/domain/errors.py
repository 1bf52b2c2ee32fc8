"""What can go wrong, in three families.

* ``Refusal``: the caller's fault. No attempt exists; the answer has a 4xx status (or 503 when the
  server asks for patience).
* ``Failure``: the world's fault. The attempt ends in ``error``; the HTTP answer stays 200.
* Anything else is a bug of ours: 500 with a request id, and nothing of the inside shown.

A class declares its wire ``type``; its docstring's first paragraph is the message unless one is
given. A failure also says what to do next. Classes register themselves, so the catalogue in the docs
is generated and never behind.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar, Self

REFUSALS: dict[str, type[Refusal]] = {}
FAILURES: dict[str, type[Failure]] = {}


def _sentence(subject: type) -> str:
    text = inspect.cleandoc(subject.__doc__ or subject.__name__)
    return " ".join(text.split("\n\n")[0].split())


class Refusal(Exception):
    """The request was refused."""

    type: ClassVar[str] = "invalid_input"
    status: int = 400
    #: The message when none is given: the class's docstring.
    sentence: ClassVar[str] = "The request was refused."

    def __init_subclass__(cls, *, type: str, status: int) -> None:
        known = REFUSALS.setdefault(type, cls)
        if known is not cls:
            raise TypeError(f"refusal type {type!r} is declared by {known} and by {cls}")
        cls.type, cls.status, cls.sentence = type, status, _sentence(cls)

    def __init__(
        self,
        message: str | None = None,
        *,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        status: int | None = None,
    ) -> None:
        """A refusal with the class's message and status, where no others are given."""
        self.message = message or self.sentence
        self.status = status or type(self).status
        #: Echoes the ids at fault.
        self.data = data
        self.headers = headers or {}
        super().__init__(self.message)


class Failure(Exception):
    """The device did not do what was asked, for a reason that is not known."""

    type: ClassVar[str] = "uncategorized_error"
    sentence: ClassVar[str] = "The device did not do what was asked, for a reason that is not known."
    #: True when the device may have acted all the same. A reason that is not known excludes nothing.
    may_have_acted: ClassVar[bool] = True
    #: What to do next, in one sentence.
    advice: ClassVar[str] = (
        "Look at the device before you ask again, and look into the server's log for what broke."
    )

    def __init_subclass__(cls, *, type: str, advice: str, may_have_acted: bool = False) -> None:
        known = FAILURES.setdefault(type, cls)
        if known is not cls:
            raise TypeError(f"failure type {type!r} is declared by {known} and by {cls}")
        cls.type, cls.sentence, cls.may_have_acted = type, _sentence(cls), may_have_acted
        cls.advice = advice

    def __init__(self, message: str | None = None) -> None:
        self.message = message or self.sentence
        super().__init__(self.message)

    @classmethod
    def because(cls, detail: str) -> Self:
        """This failure with a detail behind its sentence."""
        return cls(f"{cls.sentence} {detail}")


FAILURES[Failure.type] = Failure
