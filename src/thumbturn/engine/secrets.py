"""The secrets on record that must be read again: with which key they open, and how keys are changed.

A server that cannot read its own secrets must not start: it would sign with nothing, and what it sealed
next would be under another key. So at start whatever is not sealed with the first key of the ring is
opened and sealed anew. Then an older key may go; and who gave the wrong one hears of it at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from thumbturn.sealing import FILE_NAME, CannotOpen, Seal, given_keys, kept_key, new_key

#: Secrets that are sealed anew at a time.
_AT_A_TIME = 500


class SecretsLocked(Exception):
    """The database holds secrets, and the key that opens them is not there."""


class KeptSecret(NamedTuple):
    """A secret on record."""

    #: Of what: ``webhook`` or ``client_session``.
    kind: str
    #: Whose.
    id: str
    #: Which of its own.
    field: str
    sealed: str

    @property
    def context(self) -> str:
        """What it is sealed for."""
        return sealed_for(self.kind, self.id)


class SecretStore(Protocol):
    """All sealed secrets on record, of whatever they are."""

    async def others(self, beginning: str | None, *, limit: int) -> list[KeptSecret]:
        """Those that do not begin like this; any, with ``None``."""

    async def replace(self, renewed: Sequence[tuple[KeptSecret, str]]) -> None:
        """Store another text for each that is still as it was."""


def sealed_for(kind: str, id: str) -> str:
    """The context of a secret: what was sealed for one thing cannot be opened for another."""
    return f"{kind}:{id}"


async def open_seal(store: SecretStore, given: str | None, folder: Path) -> Seal:
    """The seal that opens every secret on record.

    ``given`` are the keys of the setting, ``folder`` holds or gets the key file. A key in the folder opens
    also when others are given, so that one can move from the file to the setting.

    Raises ``KeyUnusable`` and ``OSError`` for keys that cannot be read, and ``SecretsLocked``.
    """
    kept = kept_key(folder)
    keys = [*(given_keys(given) if given is not None else ()), *([kept] if kept is not None else ())]
    if not keys:
        if await store.others(None, limit=1):
            raise SecretsLocked(_locked("No encryption key is there.", folder))
        keys = [new_key(folder)]
    seal = Seal(keys)
    while others := await store.others(seal.beginning, limit=_AT_A_TIME):
        try:
            renewed = [
                (each, seal.seal(seal.open(each.sealed, each.context), each.context)) for each in others
            ]
        except CannotOpen as reason:
            raise SecretsLocked(_locked(str(reason), folder)) from None
        await store.replace(renewed)
    return seal


def _locked(reason: str, folder: Path) -> str:
    return (
        f"The secrets in the database cannot be opened. {reason} Start with the key that they were sealed "
        f"with: in THUMBTURN_ENCRYPTION_KEY, or in the file {folder / FILE_NAME}."
    )
