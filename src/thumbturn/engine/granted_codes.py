"""The access codes that access methods rest on, at each of their locks."""

from __future__ import annotations

import asyncio
from typing import Any

from thumbturn.domain.access_code import AccessCode, step
from thumbturn.domain.access_code_news import FAILED_TO_REMOVE, LATE_IN_SETTING
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod, code_id, code_times
from thumbturn.domain.asker import Asker
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import new_id
from thumbturn.engine.access_code_ports import AccessCodeStore
from thumbturn.engine.access_codes import AccessCodes, NewCode
from thumbturn.engine.code_refusals import DuplicateAccessCode
from thumbturn.engine.devices import Devices
from thumbturn.engine.standing import PinTaken, Standing


class GrantedCodes:
    """Codes of access methods."""

    def __init__(self, codes: AccessCodes, kept: AccessCodeStore, devices: Devices, clock: Clock) -> None:
        self._codes = codes
        self._kept = kept
        self._devices = devices
        self._clock = clock

    async def make_so(self, grant: AccessGrant, method: GrantedMethod, device_id: str) -> None:
        """Make, change or remove the code of a method at a lock.

        Raises ``PinTaken``, and what codes refuse.
        """
        now, workspace_id = self._clock.now(), grant.workspace_id
        code = await self._kept.get(code_id(method.id, device_id))
        asker = Asker(grant.id, "access_grant", None, new_id())
        starts_at, ends_at = code_times(grant)
        # A lock knows no code that begins later and never ends: that one is made when it begins.
        is_wanted = (
            method.is_wanted(grant, now)
            and device_id in method.device_ids
            and (ends_at is not None or grant.starts_at <= now)
        )
        if code is None:
            if is_wanted and self._devices.find(workspace_id, device_id) is not None:
                new = NewCode(
                    id=code_id(method.id, device_id),
                    pin=self._pin(method),
                    name=grant.display_name,
                    starts_at=starts_at,
                    ends_at=ends_at,
                )
                try:
                    await self._codes.create(workspace_id, device_id, new, asker)
                except DuplicateAccessCode:
                    raise PinTaken from None
        elif not is_wanted:
            # What ends by its time is removed by its lock's keeper.
            goes = method.is_removed(grant) or device_id not in method.device_ids or ends_at is None
            if goes and code.removed_at is None and self._devices.get(device_id) is not None:
                await self._codes.delete(workspace_id, code.id, asker)
        elif not code.is_over(now):
            changes = self._differing(grant, method, code)
            if changes:
                await self._codes.update(workspace_id, code.id, changes, asker)

    def _differing(self, grant: AccessGrant, method: GrantedMethod, code: AccessCode) -> dict[str, Any]:
        starts_at, ends_at = code_times(grant)
        changes: dict[str, Any] = {}
        if (code.starts_at, code.ends_at) != (starts_at, ends_at):
            changes |= {"starts_at": starts_at, "ends_at": ends_at}
        if code.name != grant.display_name:
            changes["name"] = grant.display_name
        if code.pin_key != self._codes.pins.key_of(code.device_id, self._pin(method)):
            changes["pin"] = self._pin(method)
        return changes

    def _pin(self, method: GrantedMethod) -> str:
        assert method.code is not None  # only methods with a PIN are at locks
        return self._codes.pins.open(method.code)

    async def look(self, grant: AccessGrant, method: GrantedMethod, standing: Standing) -> None:
        """Take in how the codes of a method stand, in the order of its locks."""
        locks = method.rests_on_devices
        codes = await asyncio.gather(*(self._kept.get(code_id(method.id, each)) for each in locks))
        for device_id, code in zip(locks, codes, strict=True):
            if code is not None and self._devices.get(device_id) is not None:
                self._take_in(code, grant, method, device_id, standing)

    def _take_in(
        self,
        code: AccessCode,
        grant: AccessGrant,
        method: GrantedMethod,
        device_id: str,
        standing: Standing,
    ) -> None:
        now = self._clock.now()
        if code.removed_at is not None or not code.is_certainly_off:
            standing.is_off = False
        is_going = code.is_over(now) or device_id not in method.device_ids
        errors = code.facts.errors
        if is_going:
            if device_id not in method.device_ids:
                standing.leaving_device_ids.append(device_id)
            if FAILED_TO_REMOVE in errors:
                standing.stuck[device_id], since = errors[FAILED_TO_REMOVE]
                standing.stuck_since.append(since)
            return
        held = code.facts.held
        if held is not None and held.pin_key == code.pin_key and not code.facts.is_uncertain:
            standing.at_device_ids.append(device_id)
        if held is not None:
            standing.is_behind |= step(code, now) is not None or bool(self._differing(grant, method, code))
        standing.problems += [message for message, _ in errors.values()]
        standing.is_late |= LATE_IN_SETTING in code.facts.warnings
