"""Secrets that must be read again, such as those that sign webhooks, are unreadable on disk.

AES-256-GCM by ``cryptography``. What is sealed names its key, so that keys can be changed: the first
key of the ring seals, every one of them opens. It is bound to a context (whose secret it is), so that
a row cannot be copied to another place and opened there.

The keys come from the settings, or from a file in the data folder that is made once and that its owner
alone can read. Whoever has only the database has no secrets.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from thumbturn.domain.ids import random_bytes

FILE_NAME = "encryption.key"
#: Of a key, in bytes.
LENGTH = 32

_VERSION = "v1"
_NONCE = 12


class KeyUnusable(Exception):
    """The encryption key is not one, or cannot be read. Says where it was looked for, never what it is."""


class CannotOpen(Exception):
    """Something sealed cannot be opened: its key is not in the ring, or it was tampered with."""


class Seal:
    """Seals and opens texts with a ring of keys of 32 bytes; the first one seals."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self._ring = {_name(key): AESGCM(key) for key in keys}
        if not self._ring:
            raise KeyUnusable("There is no encryption key.")
        self._first = next(iter(self._ring))
        #: What everything begins with that is sealed with the first key.
        self.beginning = f"{_VERSION}.{self._first}."

    def seal(self, text: str, context: str) -> str:
        """The text, unreadable without the key; different each time, and good in this context only."""
        nonce = random_bytes(_NONCE)
        sealed = self._ring[self._first].encrypt(nonce, text.encode(), context.encode())
        return f"{self.beginning}{b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, context: str) -> str:
        """The text that was sealed in this context. Raises ``CannotOpen``."""
        try:
            version, name, body = sealed.split(".")
            nonce_and_text = b64decode(body, validate=True)
        except ValueError:
            raise CannotOpen("This was not sealed by thumbturn.") from None
        key = self._ring.get(name)
        if version != _VERSION or key is None:
            raise CannotOpen(
                f"This was sealed with the encryption key {name}, which is not among those given."
            )
        try:
            return key.decrypt(nonce_and_text[:_NONCE], nonce_and_text[_NONCE:], context.encode()).decode()
        except (InvalidTag, ValueError):
            raise CannotOpen("This was changed after it was sealed, or belongs elsewhere.") from None


def given_keys(text: str) -> list[bytes]:
    """The keys in a setting: base64 of 32 bytes each, comma separated. Raises ``KeyUnusable``."""
    return [_key(each.strip(), "THUMBTURN_ENCRYPTION_KEY") for each in text.split(",")]


def kept_key(folder: Path) -> bytes | None:
    """The key in this folder, if there is one. Raises ``KeyUnusable``, ``OSError``."""
    path = folder / FILE_NAME
    if not path.exists():
        return None
    if path.stat().st_mode & 0o077:
        raise KeyUnusable(f"{path} can be read by others than its owner: `chmod 600` it, if nobody has.")
    return _key(path.read_text(errors="replace").strip(), str(path))


def new_key(folder: Path) -> bytes:
    """A new key, from now on kept in this folder. Raises ``OSError``."""
    key = random_bytes(LENGTH)
    _keep(folder / FILE_NAME, b64encode(key).decode())
    return key


def _keep(path: Path, text: str) -> None:
    # Put in place whole: a crash in between must not leave half a key behind.
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _key(text: str, where: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != LENGTH:
        raise KeyUnusable(f"{where} must be base64 of {LENGTH} bytes: `openssl rand -base64 {LENGTH}`.")
    return key


def _name(key: bytes) -> str:
    """What a key is called in what it sealed; says nothing of the key."""
    return hashlib.sha256(b"thumbturn key name" + key).hexdigest()[:8]
