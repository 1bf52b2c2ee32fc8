"""The cards of a workspace, as assigning one to an access method sees them.

Implements ``CardRegister`` of ``domain/capabilities/cards.py``.
"""

from __future__ import annotations

from dataclasses import replace

from thumbturn.domain.access import AcsCredential, told
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod
from thumbturn.domain.clock import Clock
from thumbturn.engine.access_grants import AccessGrants
from thumbturn.engine.access_ports import AccessStore, Wanted
from thumbturn.engine.grant_keeper import GrantKeeper
from thumbturn.engine.granted_credentials import GrantedCredentials


class CardDesk:
    """The cards of a workspace."""

    def __init__(
        self,
        workspace_id: str,
        *,
        store: AccessStore,
        grants: AccessGrants,
        keeper: GrantKeeper,
        credentials: GrantedCredentials,
        clock: Clock,
    ) -> None:
        self._workspace_id = workspace_id
        self._store = store
        self._grants = grants
        self._keeper = keeper
        self._credentials = credentials
        self._clock = clock

    async def method(self, access_method_id: str) -> GrantedMethod | None:
        """An access method that shall have a card; ``None`` if it shall not any more."""
        method = await self._store.get(GrantedMethod, self._workspace_id, access_method_id)
        if method is None:
            return None
        grant = await self._store.get(AccessGrant, self._workspace_id, method.access_grant_id)
        now = self._clock.now()
        return None if grant is None or not method.is_wanted(grant, now) else method

    async def free_card(self, method: GrantedMethod, card_number: str) -> AcsCredential | None:
        """The credential on a card in the method's system that is nobody else's, or that it has already."""
        wanted = Wanted(key=card_number, acs_system_ids=list(method.credentials))
        for card in await self._store.find(AcsCredential, self._workspace_id, wanted):
            if _can_have(method, card):
                return card
        return None

    async def assign(
        self, method: GrantedMethod, card: AcsCredential
    ) -> tuple[GrantedMethod, AccessGrant] | None:
        """The card is the method's now: as it is then, and its grant; ``None`` if the card or the method is
        somebody else's, or gone, meanwhile.
        """
        which = (self._workspace_id, method.access_grant_id)
        async with self._keeper.alone(which):
            if not await self._taken(method.id, card.id):
                return None
        await self._grants.wait_for(which)
        after = await self._store.get(GrantedMethod, self._workspace_id, method.id)
        grant = await self._store.get(AccessGrant, *which)
        return None if after is None or grant is None else (after, grant)

    async def _taken(self, method_id: str, card_id: str) -> bool:
        """Put on record whose the card is, whatever becomes of it meanwhile; false if it cannot be."""
        while True:
            method = await self.method(method_id)
            card = await self._store.get(AcsCredential, self._workspace_id, card_id)
            if method is None or card is None or not _can_have(method, card):
                return False
            if method.credentials.get(card.acs_system_id) == card.id:
                return True
            grant = await self._store.get(AccessGrant, self._workspace_id, method.access_grant_id)
            if grant is None:
                return False
            if await self._put_on_record(method, grant, card):
                return True

    async def _put_on_record(self, method: GrantedMethod, grant: AccessGrant, card: AcsCredential) -> bool:
        system_id, now = card.acs_system_id, self._clock.now()
        user = await self._credentials.user_of(grant, system_id)
        assigned = replace(
            card,
            acs_user_id=user.id,
            access_method_id=method.id,
            acs_entrance_ids=method.acs_entrance_ids,
            starts_at=grant.starts_at,
            ends_at=grant.ends_at,
            changed_at=None,
        )
        after = replace(method, credentials={**method.credentials, system_id: card.id})
        # What was made for it meanwhile, for a card that nobody presented, is not needed any more.
        unused = await self._store.get(AcsCredential, self._workspace_id, method.credentials[system_id])
        return await self._store.settle(
            self._workspace_id,
            changed=(assigned, after),
            gone=() if unused is None else (unused.id,),
            as_known=(card,),
            told=() if unused is None else (told("acs_credential.deleted", unused, now),),
        )


def _can_have(method: GrantedMethod, card: AcsCredential) -> bool:
    """True if the method may have this card: it lies there, and is nobody else's."""
    is_ours = card.access_method_id == method.id
    is_nobodys = card.access_method_id is None and card.acs_user_id is None
    return card.acs_system_id in method.credentials and card.issued_at is not None and (is_ours or is_nobodys)
