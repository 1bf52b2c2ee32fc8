"""Credential encoders: they read and write cards that somebody presents.

As with locks, a verb sends one command and answers how far it is known to have got. What came of it is
observed as ``card_read`` (``domain/encoder.py``), with the order that it is about: a card, or why not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from thumbturn.domain.access import AcsCredential
from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence


@runtime_checkable
class Encoder(Protocol):
    """An encoder."""

    async def scan(self, order: str) -> Evidence:
        """Read the card that is presented."""

    async def encode(self, order: str, credential: Mapping[str, Any]) -> Evidence:
        """Write this on the card that is presented."""

    async def read_card(self) -> Observation | None:
        """Ask the device itself, now, what it said last; ``None`` if it does not answer."""


class CredentialDesk(Encoder, Protocol):
    """An encoder with the credentials of its system at hand."""

    async def credential(self, credential_id: str) -> AcsCredential | None:
        """A credential of the encoder's system."""

    async def carried(self, card: Mapping[str, Any]) -> AcsCredential | None:
        """The credential on a card, if it is known here."""

    async def issue(self, credential_id: str, card_number: str) -> AcsCredential | None:
        """The credential is on this card now; what it is then, or ``None`` if it was deleted meanwhile."""

    async def done_by_this(
        self, *, credential_id: str | None = None, acs_user_id: str | None = None
    ) -> AcsCredential | None:
        """The credential with this id, or of this user, that this attempt has put on its card, or given to
        its user, as is on record; ``None`` if it has not.
        """

    async def assign(self, card_number: str, acs_user_id: str) -> AcsCredential | None:
        """The card is this user's now: its credential, or ``None`` if the user was deleted meanwhile."""
