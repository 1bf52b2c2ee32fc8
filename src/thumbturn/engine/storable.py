"""What devices and drivers say, made fit for every database.

A text from outside may hold what none can keep: half of a surrogate pair, or, for PostgreSQL, a NUL. Such
a text must not keep the attempt that it is about from its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from thumbturn.engine.ports import Change, Transition

#: Stands where something was that cannot be kept.
_ODD = "\N{REPLACEMENT CHARACTER}"


def storable_text(text: str) -> str:
    """The text as it can be kept everywhere; nearly always the same."""
    if text.isprintable():
        return text
    return "".join(_ODD if each == "\0" or "\ud800" <= each <= "\udfff" else each for each in text)


def storable(change: Change) -> Change:
    """The change with every text in it as it can be kept everywhere."""
    return Change(
        tuple(_transition(each) for each in change.transitions),
        tuple(replace(device, state=_value(device.state)) for device in change.devices),
        tuple(event._replace(payload=_value(event.payload)) for event in change.events),
        change.codes,
        change.names_codes,
    )


def _transition(transition: Transition) -> Transition:
    attempt, came_from = transition
    failure = attempt.failure and (attempt.failure[0], storable_text(attempt.failure[1]))
    marks = tuple(mark._replace(note=storable_text(mark.note)) for mark in attempt.marks)
    mended = attempt._replace(result=_value(attempt.result), failure=failure, marks=marks)
    return Transition(mended, came_from)


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, Mapping):
        return {_value(key): _value(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_value(each) for each in value]
    return value
