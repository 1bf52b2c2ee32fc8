"""Makes what an access method rests on, as its grant has it, and sees how that stands.

What is there already is left as it is, what differs is put right, what shall be no more is removed. So it can
be done again at any time, and after a crash it goes on where it ended.
"""

from __future__ import annotations

import asyncio

from thumbturn.domain.access_grant import AccessGrant, GrantedMethod
from thumbturn.domain.encoder import is_encoder
from thumbturn.domain.errors import Refusal
from thumbturn.engine.code_refusals import AccessCodeNotFound
from thumbturn.engine.devices import Devices
from thumbturn.engine.granted_codes import GrantedCodes
from thumbturn.engine.granted_credentials import GrantedCredentials
from thumbturn.engine.standing import PinTaken, Standing

#: Locks of a method for which something is put on record at a time.
AT_A_TIME = 32


class Issuing:
    """What access methods rest on."""

    def __init__(self, codes: GrantedCodes, credentials: GrantedCredentials, devices: Devices) -> None:
        self._codes = codes
        self._credentials = credentials
        self._devices = devices

    async def make_so(self, grant: AccessGrant, method: GrantedMethod) -> Standing:
        """Make what is missing, change what differs, remove what shall go; how it stands then."""
        standing, room = Standing(), asyncio.Semaphore(AT_A_TIME)

        async def at_lock(device_id: str) -> Refusal | PinTaken | None:
            try:
                async with room:
                    await self._codes.make_so(grant, method, device_id)
            except AccessCodeNotFound:
                return None  # it went meanwhile: that is looked at again
            except (PinTaken, Refusal) as refused:
                return refused
            return None

        locks = method.rests_on_devices
        # One lock does not wait for the record of another; what is said of them is in their order.
        refusals = await asyncio.gather(*(at_lock(each) for each in locks))
        for device_id, refused in zip(locks, refusals, strict=True):
            if isinstance(refused, PinTaken):
                standing.taken.add(device_id)
            elif refused is not None:
                standing.refused(refused)
        await self._codes.look(grant, method, standing)
        for system_id in method.credentials:
            try:
                await self._credentials.make_so(grant, method, system_id)
            except PinTaken:
                standing.taken.add(system_id)
            except Refusal as refusal:
                standing.refused(refusal)
            await self._credentials.look(grant, method, system_id, standing)
        return standing

    def has_encoder(self, method: GrantedMethod) -> bool:
        """True if a card of this method can be written where it is for."""
        here = self._devices.of_workspace(method.workspace_id) if method.mode == "card" else ()
        return any(is_encoder(each) and each.details["acs_system_id"] in method.credentials for each in here)
