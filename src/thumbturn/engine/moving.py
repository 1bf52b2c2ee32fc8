"""Devices move in and out: from when on the server speaks for them, and how it stops to.

Whatever replaces or removes devices of a workspace does it alone (``alone``): a sandbox that is reset while
an account of it is deleted must not end with one half of each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from weakref import WeakValueDictionary

from thumbturn.domain.attempt import Failed, Phase
from thumbturn.domain.device import Device
from thumbturn.domain.failures import DeviceRemoved, OutcomeUnknown
from thumbturn.engine.devices import Devices
from thumbturn.engine.dispatch import Dispatch
from thumbturn.engine.lanes import Lanes
from thumbturn.engine.ports import Driver
from thumbturn.engine.run import Run
from thumbturn.engine.sandbox_ports import SandboxWorld


class Moving:
    """Takes devices over, and lets go of them for good."""

    def __init__(
        self,
        *,
        world: SandboxWorld,
        drivers: Mapping[str, Driver],
        devices: Devices,
        lanes: Lanes,
        dispatch: Dispatch,
        forget: Callable[[Sequence[str]], None],
    ) -> None:
        self._world = world
        self._drivers = drivers
        self._devices = devices
        self._lanes = lanes
        self._dispatch = dispatch
        self._forget = forget
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def alone(self, workspace_id: str) -> asyncio.Lock:
        """Held while devices of this workspace move."""
        return self._locks.setdefault(workspace_id, asyncio.Lock())

    def move_in(self, devices: Sequence[Device]) -> None:
        """Speak for these devices from now on. They are stored already."""
        self._devices.put(devices)
        for driver in self._drivers.values():
            driver.attach([device for device in devices if device.driver == driver.name])

    async def move_out(
        self, workspace_id: str, account_id: str | None, because: str, write: Callable[[], Awaitable[None]]
    ) -> None:
        """Let go of the devices of a workspace, or of one of its accounts; ``write`` puts it on record.

        Their open attempts end before that, and say ``because``. If it cannot be written, the devices stay.
        """
        # From here on no command reaches them and they report nothing, so that nothing from before
        # is written after it. An attempt that is begun meanwhile finds its device removed.
        leaving = set(self._detach(workspace_id, account_id))
        try:
            open_runs = [
                run for run in self._dispatch.open.values() if (run.attempt.device_id or "") in leaving
            ]
            # Shielded: what has begun to end must end, also when all this is given up meanwhile.
            await asyncio.shield(asyncio.gather(*(self._end(run, because) for run in open_runs)))
            await write()
        except BaseException:  # also when it is given up: the devices stay, whatever the reason
            self.move_in(self._of(workspace_id, account_id))
            raise
        old = self._detach(workspace_id, account_id)
        self._world.forget(old)
        self._devices.drop(old)
        self._forget(old)
        for device_id in old:
            self._lanes.forget(device_id)

    async def _end(self, run: Run, because: str) -> None:
        failure = DeviceRemoved if run.attempt.phase is Phase.QUEUED else OutcomeUnknown
        await self._dispatch.end(run, Failed(failure.type, f"{failure.sentence} {because}"))

    def _detach(self, workspace_id: str, account_id: str | None) -> list[str]:
        ids = [device.id for device in self._of(workspace_id, account_id)]
        for driver in self._drivers.values():
            driver.detach(ids)
        return ids

    def _of(self, workspace_id: str, account_id: str | None) -> list[Device]:
        return [
            device
            for device in self._devices.of_workspace(workspace_id)
            if account_id is None or device.connected_account_id == account_id
        ]
