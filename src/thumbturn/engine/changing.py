"""What people change of a device: its name, its metadata, its settings, and whether it is managed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from weakref import WeakValueDictionary

from thumbturn.domain.access_code_news import handed_over
from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device, told_of_change
from thumbturn.domain.encoder import is_encoder
from thumbturn.domain.event import Event
from thumbturn.domain.refusals import DeviceNotFound
from thumbturn.engine.devices import Devices
from thumbturn.engine.ports import Store


class Changing:
    """Changes of one device are made one after the other, so that none undoes another."""

    def __init__(
        self, store: Store, devices: Devices, came_back: Callable[[str], None], clock: Clock
    ) -> None:
        self._store = store
        self._devices = devices
        self._came_back = came_back
        self._clock = clock
        #: Held while a device is changed; gone when nobody changes it any more.
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def change_device(
        self,
        workspace_id: str,
        device_id: str,
        change: Callable[[Device], Device],
        reach: Reach = None,
        **made: str,
    ) -> None:
        """Change a device's nickname, metadata or whether it is managed, store that, and tell it.

        ``made`` are the ids of what this makes, for the audit trail. Raises ``DeviceNotFound``.
        """
        async with self._changing.setdefault(device_id, asyncio.Lock()):
            before = self._known(workspace_id, device_id, reach)
            changed = change(before)
            told: Sequence[Event] = told_of_change(before, changed, self._clock.now())
            if before.is_managed is not changed.is_managed and "access_codes" in before.capabilities:
                # Its codes are managed as long as it is.
                codes = await self._store.access_codes.of_device(device_id)
                told = [*told, *handed_over(codes, self._clock.now(), is_managed=changed.is_managed)]
            told = self._devices.labels.on(told)
            if not await self._store.update_device(changed, told, **made):
                raise DeviceNotFound
            # It may have reported something since it was read: only what people change is taken over.
            self._devices.put(
                (
                    replace(
                        self._known(workspace_id, device_id),
                        nickname=changed.nickname,
                        custom_metadata=changed.custom_metadata,
                        is_managed=changed.is_managed,
                        settings=changed.settings,
                    ),
                )
            )
        if changed.is_managed and not before.is_managed:
            self._came_back(device_id)

    def _known(self, workspace_id: str, device_id: str, reach: Reach = None) -> Device:
        device = self._devices.find(workspace_id, device_id, reach)
        if device is None or is_encoder(device):
            raise DeviceNotFound
        return device
