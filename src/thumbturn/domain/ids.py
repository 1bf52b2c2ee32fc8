"""Where ids and secrets come from, and nothing else does.

Ids are UUIDv7: they sort by the time they were made, so that an index over ten million of them
still writes to few pages. Ids that come from outside are opaque strings and are never parsed.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uuid_utils

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def _uuid7() -> str:
    return str(uuid_utils.uuid7())


_source: Callable[[], str] = _uuid7


def new_id() -> str:
    """A fresh id, unlike every other."""
    return _source()


def new_secret(length: int = 40) -> str:
    """A random string of letters and digits, fit for a token (over 5.8 bits a character)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


@contextmanager
def seeded_ids(seed: int) -> Iterator[None]:
    """Inside the block, ids follow from the seed alone: for simulations that must repeat."""
    global _source
    before, chance, counter = _source, random.Random(seed), 0

    def next_id() -> str:
        nonlocal counter
        counter += 1
        head = f"{counter:012x}-7{chance.getrandbits(12):03x}"
        tail = f"{0x8000 | chance.getrandbits(14):04x}-{chance.getrandbits(48):012x}"
        return f"{head[:8]}-{head[8:]}-{tail}"

    _source = next_id
    try:
        yield
    finally:
        _source = before
