"""Codes that several locks have in common: made together, or not at all, and changed together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, Literal

from thumbturn.domain.access_code import CREATE, AccessCode
from thumbturn.domain.asker import Asker
from thumbturn.domain.client_session import Reach
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.ids import new_id
from thumbturn.domain.pin import InvalidPin, NoPinLeft, check_pin
from thumbturn.engine.access_code_ports import CodeFilter
from thumbturn.engine.access_codes import AccessCodes, NewCode
from thumbturn.engine.code_keeper import CodeKeeper
from thumbturn.engine.code_refusals import AccessCodeNotFound, DuplicateAccessCode

#: Locks of one call, and codes that are changed by one.
MOST_TOGETHER = 500
#: What to do about locks that cannot have the same PIN as the others: refuse all, or make up one for each.
WhenNotShared = Literal["throw", "create_random_code"]


class TooManyCodesTogether(Refusal, type="too_many_access_codes", status=400):
    """More than 500 codes have this key in common: they cannot be changed together"""


class SeveralCodes:
    """Codes that have a PIN in common."""

    def __init__(self, codes: AccessCodes, keeper: CodeKeeper) -> None:
        self._codes = codes
        self._keeper = keeper

    async def create(
        self,
        workspace_id: str,
        device_ids: Sequence[str],
        new: NewCode,
        when_not_shared: WhenNotShared,
        asker: Asker,
        reach: Reach = None,
    ) -> list[AccessCode]:
        """A code for each of these locks, all or none. Raises as ``AccessCodes.create`` does."""
        devices = [self._codes.lock(workspace_id, each, reach) for each in dict.fromkeys(device_ids)]
        shared, alone = await self._sharing(devices, new, when_not_shared)
        pin, key = new.pin, None
        if shared and pin is None:
            pin, key = await self._codes.new_pin(shared, new.preferred_length), new_id()
        made = {
            device.id: self._codes.made(device, replace(new, common_code_key=key), pin or "")
            for device in shared
        }
        for device in alone:
            own = await self._codes.new_pin((device,), None)
            made[device.id] = self._codes.made(device, new, own)
        codes = [made[device.id] for device in devices]
        self._codes.count(CREATE, devices)
        with ExitStack() as reserved:
            for code in codes:
                reserved.enter_context(self._keeper.reserved(code.id))
            await self._codes.add(codes)
            for code in codes:
                await self._codes.program(CREATE, code, asker)
        return codes

    async def update(
        self,
        workspace_id: str,
        common_code_key: str,
        changes: Mapping[str, Any],
        asker: Asker,
        reach: Reach = None,
    ) -> None:
        """Change the codes that have this key in common, all or none. Raises as ``AccessCodes.update``, and
        ``TooManyCodesTogether``.
        """
        wanted = CodeFilter(common_code_key=common_code_key, is_managed=True, reach=reach)
        codes = await self._codes.listed(workspace_id, wanted, limit=MOST_TOGETHER + 1)
        if not codes:
            raise AccessCodeNotFound(data={"common_code_key": common_code_key})
        if len(codes) > MOST_TOGETHER:
            raise TooManyCodesTogether(data={"common_code_key": common_code_key})
        await self._codes.update_together(codes, changes, asker)

    async def _sharing(
        self, devices: Sequence[Device], new: NewCode, when_not_shared: WhenNotShared
    ) -> tuple[list[Device], list[Device]]:
        """The locks that share a PIN, and those that get one of their own."""
        if when_not_shared == "throw":
            return list(devices), []
        if new.pin is None:
            try:
                await self._codes.new_pin(devices, new.preferred_length)
            except (InvalidPin, NoPinLeft):
                return [], list(devices)
            return list(devices), []
        alone = [device for device in devices if not await self._takes(device, new.pin)]
        return [device for device in devices if device not in alone], alone

    async def _takes(self, device: Device, pin: str) -> bool:
        try:
            check_pin(device, pin)
            if await self._codes.has_pin(device, pin):
                raise DuplicateAccessCode
        except Refusal:
            return False
        return True
