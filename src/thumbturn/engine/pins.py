"""PINs on record: sealed with a key of their own, and told apart by a keyed hash.

PINs are in many places: in a code, in what its lock holds, in events. So they are sealed with a key
that never changes and that is on record itself, sealed with the server's encryption key. When that is
changed, this one secret is sealed anew, and no PIN is touched (ADR 0017).

The hash says whether two PINs at one lock are the same, which is all that has to be asked of a PIN on
record. At another lock the same PIN has another hash.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Protocol

from thumbturn.domain.ids import random_bytes
from thumbturn.engine.secrets import sealed_for
from thumbturn.sealing import LENGTH, Seal

_ID = "pins"
_CONTEXT = "pin"


class DataKeyStore(Protocol):
    """Keys that are on record, sealed."""

    async def keep_key(self, id: str, sealed: str) -> str:
        """Store a key unless there is one by this id; the one that is there then."""


class Pins:
    """Seals and opens PINs, and tells them apart."""

    def __init__(self, key: bytes) -> None:
        self._seal = Seal([_part(key, b"sealing")])
        self._hash = _part(key, b"telling apart")

    def seal(self, pin: str) -> str:
        """The PIN, unreadable without the key."""
        return self._seal.seal(pin, _CONTEXT)

    def open(self, sealed: str) -> str:
        """The PIN that was sealed. Raises ``CannotOpen``."""
        return self._seal.open(sealed, _CONTEXT)

    def key_of(self, device_id: str, pin: str) -> str:
        """What tells this PIN from the others of the lock."""
        return hmac.new(self._hash, f"{device_id}\0{pin}".encode(), sha256).hexdigest()[:32]


def new_pins() -> Pins:
    """With a key that nobody keeps: for what shall not outlive the process."""
    return Pins(random_bytes(LENGTH))


async def open_pins(store: DataKeyStore, seal: Seal) -> Pins:
    """The PINs of this database. Its key is made when it is first needed."""
    context = sealed_for("data_key", _ID)
    kept = await store.keep_key(_ID, seal.seal(random_bytes(LENGTH).hex(), context))
    return Pins(bytes.fromhex(seal.open(kept, context)))


def _part(key: bytes, purpose: bytes) -> bytes:
    return hmac.new(key, purpose, sha256).digest()
