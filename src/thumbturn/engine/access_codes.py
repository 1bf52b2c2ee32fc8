"""What callers may do with access codes. What follows from it at the locks is the keeper's affair."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakValueDictionary

from thumbturn.domain import access_code_news as news
from thumbturn.domain import pin as pins_of
from thumbturn.domain.access_code import (
    CONVERT,
    CREATE,
    DELETE,
    UPDATE,
    AccessCode,
    looked_at,
    step,
)
from thumbturn.domain.access_code_changes import told_of_removal, told_of_update
from thumbturn.domain.access_code_times import check_times
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.failures import DeviceOffline
from thumbturn.domain.ids import new_id
from thumbturn.domain.pin import check_pin
from thumbturn.domain.refusals import DeviceNotFound, DeviceTypeNotSupported, DeviceUnmanaged
from thumbturn.engine.acceptance import Timing
from thumbturn.engine.access_code_ports import AccessCodeStore, CodeFacts, CodeFilter
from thumbturn.engine.code_keeper import WAITS_FOR, Begin, CodeKeeper
from thumbturn.engine.code_refusals import AccessCodeIsOver, AccessCodeNotFound, LockIsOffline, raise_for
from thumbturn.engine.devices import Devices
from thumbturn.engine.pace import Pace
from thumbturn.engine.pins import Pins
from thumbturn.engine.stand_ins import StandIns

#: Cancels an attempt that was not sent yet. By whom is for its timeline.
Cancel = Callable[[str, str, str], Awaitable[Attempt]]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """What a new code shall be."""

    pin: str | None = None
    preferred_length: int | None = None
    name: str | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    is_external_modification_allowed: bool = False
    prefers_native: bool | None = None
    uses_backup_pool: bool = False
    waits_for_offline: bool = True
    common_code_key: str | None = None
    #: What it shall be called in the record, where that follows from what it is for.
    id: str | None = None


class AccessCodes:
    """The codes of all workspaces. Every verb names the workspace, and the reach, of whoever asks."""

    def __init__(
        self,
        *,
        store: AccessCodeStore,
        devices: Devices,
        keeper: CodeKeeper,
        begin: Begin,
        cancel: Cancel,
        pins: Pins,
        clock: Clock,
        pace: Pace | None = None,
    ) -> None:
        self._pace = pace
        self._store = store
        self._stand_ins = StandIns(store, devices.labels)
        self._devices = devices
        self.labels = devices.labels
        self._keeper = keeper
        self._begin = begin
        self._cancel = cancel
        self._clock = clock
        self.pins = pins
        #: Held while codes of a lock are changed; gone when nobody changes them any more.
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # finding ------------------------------------------------------------------------------------

    async def get(
        self, workspace_id: str, access_code_id: str, reach: Reach = None, *, is_managed: bool = True
    ) -> AccessCode:
        """One code; at a lock that is not managed none is. Raises ``AccessCodeNotFound``."""
        found = await self._store.get(access_code_id)
        device = None if found is None else self._devices.find(workspace_id, found.device_id, reach)
        if found is None or device is None or (found.is_managed and device.is_managed) is not is_managed:
            raise AccessCodeNotFound(data={"access_code_id": access_code_id})
        return found

    async def of_either_kind(self, workspace_id: str, access_code_id: str) -> AccessCode:
        """One code, managed or not. Raises ``AccessCodeNotFound``."""
        found = await self._store.get(access_code_id)
        if found is None or found.workspace_id != workspace_id:
            raise AccessCodeNotFound(data={"access_code_id": access_code_id})
        return found

    async def with_pin(
        self, workspace_id: str, device_id: str, pin: str, reach: Reach = None, *, is_managed: bool = True
    ) -> AccessCode:
        """The code of a lock with this PIN. Raises ``DeviceNotFound``, ``AccessCodeNotFound``."""
        (self.lock if is_managed else self.keypad)(workspace_id, device_id, reach)
        wanted = CodeFilter(
            device_id=device_id, pin_key=self.pins.key_of(device_id, pin), is_managed=is_managed
        )
        found = await self._store.listed(workspace_id, wanted, limit=1)
        if not found:
            raise AccessCodeNotFound(data={"device_id": device_id})
        return found[0]

    async def stands(self, code: AccessCode) -> AccessCode:
        """The code as it is on record now; as given if it is gone."""
        return await self._store.get(code.id) or code

    async def listed(
        self, workspace_id: str, wanted: CodeFilter, *, after: tuple[int, str] | None = None, limit: int
    ) -> list[AccessCode]:
        """The codes that fit, in order of (created_at, id)."""
        return await self._store.listed(workspace_id, wanted, after=after, limit=limit)

    def lock(self, workspace_id: str, device_id: str, reach: Reach = None) -> Device:
        """A lock that may be given codes. Raises ``DeviceUnmanaged``, and as ``keypad`` does."""
        device = self.keypad(workspace_id, device_id, reach)
        if not device.is_managed:
            raise DeviceUnmanaged
        return device

    def keypad(self, workspace_id: str, device_id: str, reach: Reach = None) -> Device:
        """A lock that takes codes, managed or not. Raises ``DeviceNotFound``, ``DeviceTypeNotSupported``."""
        device = self._devices.find(workspace_id, device_id, reach)
        if device is None:
            raise DeviceNotFound
        if "access_codes" not in device.capabilities:
            raise DeviceTypeNotSupported(f"{device.display_name} takes no access codes.")
        return device

    def device_of(self, code: AccessCode) -> Device | None:
        """The lock of a code."""
        return self._devices.get(code.device_id)

    # changing -----------------------------------------------------------------------------------

    async def create(
        self, workspace_id: str, device_id: str, new: NewCode, asker: Asker, reach: Reach = None
    ) -> tuple[AccessCode, Attempt]:
        """A new code, and the attempt that programs it when it is time.

        Raises ``DuplicateAccessCode``, ``InvalidPin``, ``InvalidCodeTimes``, ``LockIsOffline``, and what
        ``lock`` raises.
        """
        device = self.lock(workspace_id, device_id, reach)
        pin = new.pin or await self.new_pin((device,), new.preferred_length)
        code = self.made(device, new, pin)
        self.count(CREATE, (device,))
        with self._keeper.reserved(code.id):
            await self.add((code,))
            return code, await self.program(CREATE, code, asker)

    async def update(
        self,
        workspace_id: str,
        access_code_id: str,
        changes: Mapping[str, Any],
        asker: Asker,
        reach: Reach = None,
    ) -> Attempt:
        """Change what a code shall be; the attempt that makes it so at its lock.

        ``changes`` are fields of the code, and ``pin``, in clear. Raises as ``create`` does, and
        ``AccessCodeNotFound``, ``AccessCodeIsOver``.
        """
        known = await self.get(workspace_id, access_code_id, reach)
        return (await self.update_together((known,), changes, asker))[0]

    async def update_together(
        self, codes: Sequence[AccessCode], changes: Mapping[str, Any], asker: Asker
    ) -> list[Attempt]:
        """Change codes alike, all or none; the attempt for each, in order."""
        async with AsyncExitStack() as stack:
            for code in codes:
                stack.enter_context(self._keeper.reserved(code.id))
            for device_id in sorted({code.device_id for code in codes}):
                await stack.enter_async_context(self.changing_at(device_id))
            known = [await self.get(code.workspace_id, code.id) for code in codes]
            changed = [self._changed(code, changes) for code in known]
            self.count(UPDATE, [self.lock(code.workspace_id, code.device_id) for code in known])
            now = self._clock.now()
            told = [
                event
                for before, after in zip(known, changed, strict=True)
                for event in told_of_update(before, after, now, was_at_lock=not before.is_certainly_off)
            ]
            followed = await self._stand_ins.ending_with(changed, now)
            raise_for(await self._stand_ins.change(changed, told, followed), changed[0])
            for each in followed:
                self._keeper.due(each.backup.due_at)
            for code in changed:
                await self._supersede(code, asker)
            return [await self.program(UPDATE, code, asker) for code in changed]

    async def delete(
        self,
        workspace_id: str,
        access_code_id: str,
        asker: Asker,
        reach: Reach = None,
        *,
        is_managed: bool = True,
    ) -> Attempt:
        """Have a code and its backup removed from their lock and forgotten; what never was there, at once.

        Raises ``AccessCodeNotFound``, ``DeviceUnmanaged``.
        """
        known = await self.get(workspace_id, access_code_id, reach, is_managed=is_managed)
        self.count(DELETE, (self.lock(workspace_id, known.device_id, reach),))
        await self._supersede(known, asker)
        async with self.changing_at(known.device_id):
            code = await self.get(workspace_id, access_code_id, reach, is_managed=is_managed)
            now = self._clock.now()
            if code.removed_at is None:
                code = replace(code, removed_at=now, changed_at=now)
            told = [] if known.removed_at or not is_managed else told_of_removal(code, now)
            followed = await self._stand_ins.removed_with(code, now)
            raise_for(await self._stand_ins.change((looked_at(code, now),), told, followed), code)
            if code.is_certainly_off and not self._keeper.is_busy_with(code.id):
                await self._store.note((CodeFacts(code, is_gone=True),), self.labels.on(news.gone(code, now)))
        self._keeper.look(code.device_id, *(each.backup.id for each in followed))
        return await self.program(DELETE, code, asker, at_once=True)

    async def convert(
        self,
        workspace_id: str,
        access_code_id: str,
        asker: Asker,
        reach: Reach = None,
        *,
        may_be_modified: bool = False,
    ) -> Attempt:
        """Have a code that somebody set at its lock looked after from now on."""
        known = await self.get(workspace_id, access_code_id, reach, is_managed=False)
        self.lock(workspace_id, known.device_id, reach)
        changed = replace(known, is_external_modification_allowed=may_be_modified)
        raise_for(await self._store.change((changed,), ()), known)
        return await self.program(CONVERT, known, asker, at_once=True)

    async def generate(self, workspace_id: str, device_id: str, reach: Reach = None) -> AccessCode:
        """A code that its lock would take, and that is not made."""
        device = self.lock(workspace_id, device_id, reach)
        made = self.made(device, NewCode(), await self.new_pin((device,), None))
        # Nothing will be done about it.
        return made.but(left_alone_at=made.changed_at)

    # for those who make codes in other ways -----------------------------------------------------

    def count(self, action_type: str, devices: Sequence[Device]) -> None:
        """Count that somebody asks these locks for this. Raises ``RateLimited``."""
        if self._pace is not None:
            self._pace.take_all(action_type, devices)

    def made(self, device: Device, new: NewCode, pin: str) -> AccessCode:
        """The code that this makes, not stored. Raises for what may not be."""
        now = self._clock.now()
        check_pin(device, pin)
        check_times(new.starts_at, new.ends_at, now)
        if not new.waits_for_offline and not device.online:
            raise LockIsOffline(DeviceOffline.sentence, data={"device_id": device.id})
        id = new.id or new_id()
        code = AccessCode(
            id=id,
            workspace_id=device.workspace_id,
            device_id=device.id,
            connected_account_id=device.connected_account_id,
            name=new.name,
            pin=self.pins.seal(pin),
            pin_key=self.pins.key_of(device.id, pin),
            place=id,
            created_at=now,
            changed_at=now,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
            common_code_key=new.common_code_key,
            is_external_modification_allowed=new.is_external_modification_allowed,
            is_native=new.ends_at is not None and _is_native(device, prefers=new.prefers_native),
            uses_backup_pool=new.uses_backup_pool and _has_pool(device),
        )
        return looked_at(code, now)

    async def add(self, codes: Sequence[AccessCode]) -> None:
        """Store new codes, all or none. Raises ``DuplicateAccessCode``."""
        told = self.labels.on(news.tell(code, "created", code.created_at) for code in codes)
        raise_for(await self._store.add(codes, told), codes[0])
        for code in codes:
            self._keeper.due(code.due_at)

    def _changed(self, known: AccessCode, changes: Mapping[str, Any]) -> AccessCode:
        now = self._clock.now()
        if known.is_over(now):
            raise AccessCodeIsOver(data={"access_code_id": known.id})
        device = self.lock(known.workspace_id, known.device_id)
        given = dict(changes)
        prefers_native = given.pop("prefers_native", None)
        pin = given.pop("pin", None)
        if pin is not None:
            check_pin(device, pin)
            given |= {"pin": self.pins.seal(pin), "pin_key": self.pins.key_of(device.id, pin)}
            if given["pin_key"] == known.pin_key:
                given["pin"] = known.pin
        code = replace(known, **given, changed_at=now)
        if (code.starts_at, code.ends_at) != (known.starts_at, known.ends_at):
            check_times(code.starts_at, code.ends_at, now)
        is_native = code.ends_at is not None and _is_native(
            device, prefers=known.is_native or None if prefers_native is None else prefers_native
        )
        return looked_at(replace(code, is_native=is_native), now)

    async def program(
        self, action_type: str, code: AccessCode, asker: Asker, *, at_once: bool = False
    ) -> Attempt:
        """The attempt that does this for a code, held until it is time for that."""
        now = self._clock.now()
        is_later = not at_once and step(code, now) is None and code.programmed_at > now
        timing = Timing(code.programmed_at if is_later else None, WAITS_FOR)
        try:
            attempt = await self._begin(
                action_type, code.workspace_id, code.device_id, code.id, asker, timing
            )
            self._keeper.begun(attempt)
        finally:
            # What the code shall be is on record, also when no attempt could be begun for it.
            self._keeper.look(code.device_id, code.id)
        return attempt

    async def _supersede(self, code: AccessCode, asker: Asker) -> None:
        """Cancel what waits to be done for a code: something else is to be done for it now."""
        open_attempt = self._keeper.works_on(code.id)
        if open_attempt is not None:
            with suppress(Refusal):  # it was sent, or has ended: what follows finds out what came of it
                await self._cancel(code.workspace_id, open_attempt, asker.in_words())

    async def has_pin(self, device: Device, pin: str) -> bool:
        """True if a code of the lock has this PIN."""
        wanted = CodeFilter(device_id=device.id, pin_key=self.pins.key_of(device.id, pin))
        return bool(await self._store.listed(device.workspace_id, wanted, limit=1))

    async def new_pin(self, devices: Sequence[Device], length: int | None) -> str:
        """A PIN that all of these locks take, and that none has. Raises ``InvalidPin``, ``NoPinLeft``."""
        taken: set[str] = set()
        for device in devices:
            taken |= {code.pin_key for code in await self._store.of_device(device.id)}

        def is_free(pin: str) -> bool:
            return not any(self.pins.key_of(device.id, pin) in taken for device in devices)

        return pins_of.new_pin(devices, length, is_free)

    def changing_at(self, device_id: str) -> asyncio.Lock:
        """Held while codes of a lock are changed."""
        return self._changing.setdefault(device_id, asyncio.Lock())


def _is_native(device: Device, *, prefers: bool | None) -> bool:
    return prefers is not False and bool(device.details.get("has_native_scheduling"))


def _has_pool(device: Device) -> bool:
    return bool(device.details.get("supports_backup_access_code_pool"))
