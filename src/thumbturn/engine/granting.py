"""Access grants with all that looks after them, put together."""

from __future__ import annotations

from thumbturn.domain.access import AcsCredential
from thumbturn.domain.access_grant import GrantedMethod
from thumbturn.domain.clock import Clock
from thumbturn.engine.access_codes import AccessCodes
from thumbturn.engine.access_grants import AccessGrants
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.card_desk import CardDesk
from thumbturn.engine.devices import Devices
from thumbturn.engine.grant_keeper import GrantKeeper
from thumbturn.engine.grant_pins import GrantPins
from thumbturn.engine.grant_plan import Planning
from thumbturn.engine.granted_codes import GrantedCodes
from thumbturn.engine.granted_credentials import GrantedCredentials
from thumbturn.engine.issuing import Issuing
from thumbturn.engine.ports import Store


class Granting:
    """What callers may do with grants, and who sees to them."""

    def __init__(
        self,
        store: Store,
        codes: AccessCodes,
        credentials: AcsCredentials,
        devices: Devices,
        clock: Clock,
    ) -> None:
        self._things = store.access
        self._clock = clock
        self._credentials = GrantedCredentials(credentials, store.access, codes.pins, clock)
        granted_codes = GrantedCodes(codes, store.access_codes, devices, clock)
        issuing = Issuing(granted_codes, self._credentials, devices)
        planning = Planning(GrantPins(codes, credentials), store.access, devices, store.spaces)
        self.keeper = GrantKeeper(store=store.access, planning=planning, issuing=issuing, clock=clock)
        credentials.changed = self.keeper.touched
        self.grants = AccessGrants(
            store=store.access,
            keeper=self.keeper,
            access=credentials.access,
            devices=devices,
            pins=codes.pins,
            clock=clock,
        )

    def card_desk(self, workspace_id: str) -> CardDesk:
        """The cards of a workspace."""
        return CardDesk(
            workspace_id,
            store=self._things,
            grants=self.grants,
            keeper=self.keeper,
            credentials=self._credentials,
            clock=self._clock,
        )

    async def follow(self, credential: AcsCredential) -> None:
        """Return when a method that rests on this credential stands as that does now."""
        if credential.access_method_id is None:
            return
        method = await self._things.get(GrantedMethod, credential.workspace_id, credential.access_method_id)
        if method is not None:
            await self.grants.wait_for((credential.workspace_id, method.access_grant_id))
