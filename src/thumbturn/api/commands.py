"""What every call that begins an attempt takes beside its action's own parameters.

These are about the answer and the time, and not about what the device shall do: they are no part of
what is stored as asked.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any

from pydantic import Field, create_model

from thumbturn.actions import Way
from thumbturn.api.parameters import Maybe, MomentWithZone
from thumbturn.api.refusals import InvalidInput
from thumbturn.domain.clock import SECOND, Clock, seconds
from thumbturn.engine.acceptance import AT_ONCE, Timing

#: The parameters that say when a command shall be sent.
ABOUT_TIME = ("deadline_seconds", "not_before")
#: A week, in seconds.
LONGEST_DEADLINE = 604_800
#: How far ahead a command may be asked for: nobody remembers longer that a door will open.
FARTHEST_START = seconds(31 * 24 * 3_600)
#: The clocks of caller and server differ, and a request takes its time: this much in the past is now.
STILL_NOW = seconds(60)


_SYNC = Annotated[bool, Field(exclude=True, description="Answer only when the attempt has ended.")]
_DEADLINE = Annotated[
    Maybe[Annotated[int, Field(ge=1, le=LONGEST_DEADLINE)]],
    Field(
        exclude=True,
        description="Seconds in which it may be sent, counted from not_before or else from acceptance; "
        "without it, the action's own deadline.",
    ),
]
_NOT_BEFORE = Annotated[
    Maybe[MomentWithZone],
    Field(exclude=True, description="Send it at this moment or later, at most 31 days ahead."),
]


@cache
def ask_of(way: Way) -> Any:
    """The model of what the endpoint of this way takes."""
    more: dict[str, Any] = {"deadline_seconds": (_DEADLINE, None), "not_before": (_NOT_BEFORE, None)}
    if way.takes_sync:
        more["sync"] = (_SYNC, False)
    return create_model(way.ask.__name__, __base__=way.ask, **more)


def timing_of(ask: Any, clock: Clock) -> Timing:
    """When the command shall be sent. Raises ``InvalidInput`` for a moment that is past or too far away."""
    if ask.deadline_seconds is None and ask.not_before is None:
        return AT_ONCE
    not_before: int | None = ask.not_before
    if not_before is not None:
        now = clock.now()
        if not_before < now - STILL_NOW:
            raise InvalidInput.of("not_before", "Must not be in the past")
        if not_before > now + FARTHEST_START:
            raise InvalidInput.of("not_before", "Must be at most 31 days ahead")
    deadline = None if ask.deadline_seconds is None else ask.deadline_seconds * SECOND
    return Timing(not_before, deadline)
