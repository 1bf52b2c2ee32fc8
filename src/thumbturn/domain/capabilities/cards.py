"""The cards of a workspace's access control systems: which lie there, and for which access method they are.

It is no device that does this: whose a card is, is on record.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from thumbturn.domain.access import AcsCredential
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod


@runtime_checkable
class CardRegister(Protocol):
    """The cards of a workspace."""

    async def method(self, access_method_id: str) -> GrantedMethod | None:
        """An access method that shall have a card; ``None`` if it shall not any more."""

    async def free_card(self, method: GrantedMethod, card_number: str) -> AcsCredential | None:
        """The credential on a card in the method's system that is nobody else's, or that it has already."""

    async def assign(
        self, method: GrantedMethod, card: AcsCredential
    ) -> tuple[GrantedMethod, AccessGrant] | None:
        """The card is the method's now: as it is then, and its grant; ``None`` if the card or the method is
        somebody else's, or gone, meanwhile.
        """
