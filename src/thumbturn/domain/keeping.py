"""What may stand in a recording, position by position.

A rule takes what a hub said in one place and gives what is kept of it. Whatever no rule names is left out, so
that a secret gets into a recording only through a rule that was written for its place; and no rule keeps a
free text but ``model_text``, which is for what a maker calls his device.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

#: What a rule gives for what is not kept.
LEFT_OUT: Final = object()
Rule = Callable[[Any], Any]

#: Words of a protocol have letters and no digits: no PIN, address or number of anybody is one.
_WORD = re.compile(r"[A-Za-z][A-Za-z_ ./()-]{0,79}|")
_VERSION = re.compile(r"\d{1,5}(\.\d{1,5}){0,3}")
_LONGEST_TEXT, _MOST_ITEMS = 80, 400


def flag(said: Any) -> Any:
    """True or false."""
    return said if isinstance(said, bool) else LEFT_OUT


def nothing(said: Any) -> Any:
    """Null."""
    return said if said is None else LEFT_OUT


def word(said: Any) -> Any:
    """A word of a protocol."""
    return said if isinstance(said, str) and _WORD.fullmatch(said) else LEFT_OUT


def version(said: Any) -> Any:
    """The version of a program."""
    return said if isinstance(said, str) and _VERSION.fullmatch(said) else LEFT_OUT


def model_text(said: Any) -> Any:
    """What a maker calls himself or his device, as the hub's own table of models has it."""
    if not isinstance(said, str):
        return LEFT_OUT
    return "".join(each for each in said[:_LONGEST_TEXT] if each.isprintable())


def number(least: float, most: float) -> Rule:
    """A number between these."""

    def rule(said: Any) -> Any:
        is_number = isinstance(said, int | float) and not isinstance(said, bool) and math.isfinite(said)
        return said if is_number and least <= said <= most else LEFT_OUT

    return rule


def whole(least: int, most: int) -> Rule:
    """A whole number between these."""
    within = number(least, most)
    return lambda said: within(said) if isinstance(said, int) else LEFT_OUT


def one_of(*words: Any) -> Rule:
    """One of these very values."""
    return lambda said: said if isinstance(said, str | int | None) and said in words else LEFT_OUT


def always(value: Any) -> Rule:
    """This, whatever was said."""
    return lambda said: value


def first_of(*rules: Rule) -> Rule:
    """What the first of these keeps."""

    def rule(said: Any) -> Any:
        for each in rules:
            kept = each(said)
            if kept is not LEFT_OUT:
                return kept
        return LEFT_OUT

    return rule


def fields(rules: Mapping[str, Rule]) -> Rule:
    """An object, with what these keep of its fields."""

    def rule(said: Any) -> Any:
        if not isinstance(said, dict):
            return LEFT_OUT
        kept = {name: each(said[name]) for name, each in rules.items() if name in said}
        return {name: value for name, value in kept.items() if value is not LEFT_OUT}

    return rule


def numbered(rule_of_each: Rule, last: int) -> Rule:
    """An object whose names are numbers up to this one."""

    def rule(said: Any) -> Any:
        if not isinstance(said, dict):
            return LEFT_OUT
        kept = {}
        for name in list(said)[:_MOST_ITEMS]:
            if name.isascii() and name.isdecimal() and len(name) <= len(str(last)) and int(name) <= last:
                kept[str(int(name))] = rule_of_each(said[name])
        return {name: value for name, value in kept.items() if value is not LEFT_OUT}

    return rule


def each_of(rule_of_each: Rule, most: int = _MOST_ITEMS) -> Rule:
    """A list, with what this keeps of each."""

    def rule(said: Any) -> Any:
        if not isinstance(said, list):
            return LEFT_OUT
        return [kept for each in said[:most] if (kept := rule_of_each(each)) is not LEFT_OUT]

    return rule


class StandIns:
    """What stands in the place of secrets: the first one is always the same, and so on."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def pin(self, pin: str) -> str:
        """A PIN of the same length; what a lock shows in the place of a PIN stays."""
        if not pin or (not pin.isalnum() and len(set(pin)) == 1):
            return pin[:10]
        if pin not in self._known:
            number = len(self._known) + 1
            self._known[pin] = str(10 ** (min(len(pin), 10) - 1) + number)[-10:]
        return self._known[pin]

    def rule(self, said: Any) -> Any:
        """For a place where a lock has a PIN."""
        if said is None:
            return None
        if isinstance(said, int) and not isinstance(said, bool):
            said = str(said)
        return self.pin(said) if isinstance(said, str) else "hidden"
