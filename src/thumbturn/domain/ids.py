"""Where ids and secrets come from, and nothing else does.

Ids are UUIDv7: they sort by the time they were made, so that an index over ten million of them
still writes to few pages. Ids that come from outside are opaque strings and are never parsed.
"""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uuid_utils

#: The root of the ids that are made from names.
_NAMED = uuid_utils.UUID("8c9c2f0e-6f0b-5d0c-9d55-7c1d0c1b6a42")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"


def _uuid7() -> str:
    return str(uuid_utils.uuid7())


_source: Callable[[], str] = _uuid7


def new_id() -> str:
    """A fresh id, unlike every other."""
    return _source()


def named_id(namespace: str, name: str) -> str:
    """The id of this name in this namespace: always the same for the same two strings."""
    return str(uuid_utils.uuid5(uuid_utils.uuid5(_NAMED, namespace), name))


def is_id(text: str) -> bool:
    """True for what ``new_id`` and ``named_id`` make."""
    return _ID.fullmatch(text) is not None


def chance(seed: int, name: str) -> random.Random:
    """A source of chance that follows from the seed and the name alone.

    Give each thing its own: then what one of them draws does not depend on when another draws.
    """
    return random.Random(f"{seed}/{name}")


def new_secret(length: int = 40) -> str:
    """A random string of letters and digits, fit for a token (over 5.8 bits a character)."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def random_digits(length: int) -> str:
    """So many digits that nobody can guess."""
    return "".join(secrets.choice("0123456789") for _ in range(length))


def random_bytes(length: int) -> bytes:
    """Random bytes, fit for keys."""
    return secrets.token_bytes(length)


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
