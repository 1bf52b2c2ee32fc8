"""Custom metadata: what callers attach to devices and accounts, and how a change of it is taken over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import Field

from thumbturn.api.refusals import InvalidInput

#: How much custom metadata a thing may carry: it is kept in memory, and sent with each look at it.
MOST_KEYS = 50
LONGEST_KEY = 500

#: Values to set, by their keys; null erases a key.
MetadataChange: TypeAlias = dict[str, Annotated[str, Field(max_length=500)] | bool | None]


def merged(before: Mapping[str, str | bool], change: MetadataChange) -> dict[str, str | bool]:
    """The metadata after the change. Raises ``InvalidInput`` if it became too much."""
    kept = {key: value for key, value in {**before, **change}.items() if value is not None}
    if len(kept) > MOST_KEYS or any(len(key) > LONGEST_KEY for key in kept):
        problem = f"Must hold at most {MOST_KEYS} keys of at most {LONGEST_KEY} characters"
        raise InvalidInput.of("custom_metadata", problem)
    return kept
