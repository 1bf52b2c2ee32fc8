"""The few questions that are asked of whatever a hub says: it may be anything, and is believed nothing."""

from __future__ import annotations

from typing import Any, TypeGuard

#: Names are short, and so is whatever else is shown of a hub's words.
LONGEST_TEXT = 255


def is_number(value: Any) -> TypeGuard[int]:
    """True for a whole number that is one: JSON's booleans are not, and none that no device has."""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 53


def text_of(value: Any) -> str:
    """A text, fit to be kept; empty for what is none."""
    text = value if isinstance(value, str) else ""
    # A name is anybody's text, and a database does not take every one.
    return "".join(
        each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text[:LONGEST_TEXT]
    )
