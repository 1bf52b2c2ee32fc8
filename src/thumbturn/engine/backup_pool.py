"""Backup codes: codes that are at a lock already, for when another one cannot be set in time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import replace

from thumbturn.domain import access_code_news as news
from thumbturn.domain.access_code import CREATE, AccessCode, CodeStatus, looked_at, status
from thumbturn.domain.asker import Asker
from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.device_troubles import readiness
from thumbturn.domain.errors import Refusal
from thumbturn.domain.ids import new_id
from thumbturn.domain.pin import POOL_ENABLED, InvalidPin, NoPinLeft
from thumbturn.engine.access_code_ports import AccessCodeStore, CodeFilter
from thumbturn.engine.access_codes import AccessCodes, NewCode
from thumbturn.engine.code_keeper import CodeKeeper
from thumbturn.engine.code_refusals import AccessCodeIsOver, raise_for
from thumbturn.engine.devices import Devices

#: Backups that stand ready at a lock.
POOL_SIZE = 3
#: As ``Engine.change_device``.
ChangeDevice = Callable[..., Awaitable[None]]
_ALL = 10_000


class AccessCodeNotTimeBound(Refusal, type="access_code_not_time_bound", status=400):
    """Only a code with an end can have a backup in its place"""


class BackupNotFound(Refusal, type="backup_access_code_not_found", status=404):
    """There is no backup code at this lock now"""


class BackupPool:
    """The backup codes of all locks."""

    def __init__(
        self,
        *,
        codes: AccessCodes,
        devices: Devices,
        store: AccessCodeStore,
        keeper: CodeKeeper,
        change_device: ChangeDevice,
        observe: Callable[[Observation], None],
        clock: Clock,
    ) -> None:
        self._codes = codes
        self._devices = devices
        self._store = store
        self._keeper = keeper
        self._change_device = change_device
        self._observe = observe
        self._clock = clock

    async def use(self, device: Device) -> None:
        """Have backups stand ready at a lock from now on, if it can have any."""
        if not device.details.get("supports_backup_access_code_pool"):
            return
        if not device.settings.get(POOL_ENABLED):
            await self._change_device(
                device.workspace_id,
                device.id,
                lambda known: replace(known, settings={**known.settings, POOL_ENABLED: True}),
            )
        await self.fill(device)
        await self.review(device)

    async def review(self, device: Device) -> None:
        """See whether as many backups stand ready at a lock as shall, and have that known of it."""
        now = self._clock.now()
        ready = len(await self._ready(device.workspace_id, device.id))
        news = readiness(self._devices.get(device.id) or device, ready, POOL_SIZE, now)
        if news:
            self._observe(Observation(device.id, now, news))

    async def tend(self, device: Device) -> None:
        """Make up for backups that are gone, whoever took them, and see whether enough stand ready."""
        with suppress(InvalidPin, NoPinLeft):  # it takes no more: the device's warning says that some lack
            await self.fill(device)
        await self.review(device)

    async def fill(self, device: Device) -> None:
        """Make the backups that are missing. Raises ``InvalidPin``, ``NoPinLeft``."""
        # Whoever else fills it at this moment waits, and finds nothing missing.
        async with self._codes.changing_at(device.id):
            here = await self._backups(device.workspace_id, device.id)
            asker = Asker(device.id, "access_code", None, new_id())
            for _ in range(POOL_SIZE - len(here)):
                pin = await self._codes.new_pin((device,), None)
                made = self._codes.made(device, NewCode(name="Backup code"), pin)
                backup = replace(made, is_backup=True)
                with self._keeper.reserved(backup.id):
                    await self._codes.add((backup,))
                    await self._codes.program(CREATE, backup, asker)

    async def pull(
        self, workspace_id: str, access_code_id: str, reach: Reach = None
    ) -> tuple[AccessCode, AccessCode]:
        """The code, and a backup that lets in until the code's end; always the same one for the same code.

        Raises ``AccessCodeNotFound``, ``AccessCodeNotTimeBound``, ``AccessCodeIsOver``, ``BackupNotFound``.
        """
        code = await self._codes.get(workspace_id, access_code_id, reach)
        async with self._codes.changing_at(code.device_id):
            code = await self._codes.get(workspace_id, access_code_id, reach)
            if not code.is_time_bound:
                raise AccessCodeNotTimeBound(data={"access_code_id": code.id})
            now = self._clock.now()
            if code.is_over(now):
                raise AccessCodeIsOver(data={"access_code_id": code.id})
            if code.pulled_backup_id is not None:
                return code, await self._codes.get(workspace_id, code.pulled_backup_id, reach)
            ready = await self._ready(workspace_id, code.device_id)
            if not ready:
                raise BackupNotFound(data={"access_code_id": code.id})
            backup = looked_at(
                replace(ready[0], starts_at=now, ends_at=code.ends_at, stands_in_for=code.id), now
            )
            code = replace(code, pulled_backup_id=backup.id)
            told = news.tell(code, "backup_access_code_pulled", now, backup_access_code_id=backup.id)
            raise_for(await self._store.change((code, backup), self._codes.labels.on((told,))), code)
        self._keeper.due(backup.due_at)
        device = self._codes.device_of(code)
        if device is not None and device.settings.get(POOL_ENABLED):
            await self.tend(device)
        return code, backup

    async def ready_at(self, workspace_id: str, codes: Iterable[AccessCode]) -> frozenset[str]:
        """Those locks of these codes at which a backup stands ready, as far as a code may need one."""
        if not any(code.uses_backup_pool for code in codes):
            return frozenset()
        return frozenset(backup.device_id for backup in await self._ready(workspace_id, None))

    async def _ready(self, workspace_id: str, device_id: str | None) -> list[AccessCode]:
        """Those of them that let in."""
        now = self._clock.now()
        return [
            each
            for each in await self._backups(workspace_id, device_id)
            if status(each, now) is CodeStatus.SET
        ]

    async def _backups(self, workspace_id: str, device_id: str | None) -> list[AccessCode]:
        """The backups that stand in for no code."""
        wanted = CodeFilter(device_id=device_id, is_managed=True, is_backup=True)
        found = await self._store.listed(workspace_id, wanted, limit=_ALL)
        return [each for each in found if each.stands_in_for is None]
