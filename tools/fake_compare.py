"""In what two servers differ that were asked the same.

What has to differ is not looked at: times, and ids that were made for the occasion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from thumbturn.worlds.fake_seam_connect.facts import facts

ONLY_THERE, ONLY_HERE, VALUE = "only in the fake", "only here", "another value"

_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
#: The words for one thing and the same, by the names that answers have for it, one or many.
_CALLED = {"lock": "device", "thermostat": "device"}


class Found(NamedTuple):
    """A difference."""

    #: The call that showed it.
    call: str
    #: Where in the answer: ``status``, or a path as ``device.properties.locked``, of one and of many alike.
    place: str
    what: str
    theirs: Any = None
    ours: Any = None


def differences(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[Found]:
    """How the answers of this server differ from those of the fake, by the names of the calls."""
    known = frozenset(_texts(facts()))
    for call, answer in theirs.items():
        if answer["status"] != ours[call]["status"]:
            # What the bodies say of it differs too.
            yield Found(call, "status", VALUE, answer["status"], ours[call]["status"])
            continue
        bodies = (_noun(_plain(answer["body"], known)), _noun(_plain(ours[call]["body"], known)))
        for place, what, one, other in _compare("", *bodies):
            yield Found(call, place, what, one, other)


def _compare(place: str, theirs: Any, ours: Any) -> Iterator[tuple[str, str, Any, Any]]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in theirs.keys() | ours.keys():
            inner = f"{place}.{name}" if place else name
            if name not in ours:
                yield inner, ONLY_THERE, theirs[name], None
            elif name not in theirs:
                yield inner, ONLY_HERE, None, ours[name]
            else:
                yield from _compare(inner, theirs[name], ours[name])
    elif _is_of_objects(theirs) and _is_of_objects(ours) and len(theirs) == len(ours):
        # An answer without any of a kind says nothing of them.
        for one, other in zip(theirs, ours, strict=True):
            yield from _compare(place, one, other)
    elif theirs != ours:
        yield place, VALUE, theirs, ours


def _is_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, dict) for each in value)


def _plain(value: Any, known: frozenset[str], name: str = "") -> Any:
    """The value with what has to differ made alike."""
    if isinstance(value, dict):
        return {key: _plain(each, known, key) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each, known, name) for each in value]
    if isinstance(value, str):
        if _TIME.fullmatch(value):
            return "<time>"
        if re.search(r"_ids?$", name) and value not in known:
            return "<id>"
    return value


def _noun(body: Any) -> Any:
    """The body with one thing and many under one name."""
    if not isinstance(body, dict):
        return body
    singular = {name: name.removesuffix("s") if isinstance(body[name], list) else name for name in body}
    return {_CALLED.get(one, one): body[name] for name, one in singular.items()}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
