"""What a sandbox workspace may do to its virtual devices: break them, heal them, begin again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from thumbturn.domain.attempt import Failed, Phase
from thumbturn.domain.climate import fitting_setting
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import DeviceRemoved, OutcomeUnknown
from thumbturn.domain.noise import NoNoiseThresholdInForce, is_in_force, thresholds_of
from thumbturn.domain.refusals import (
    DeviceIsNotThermostat,
    DeviceNotFound,
    DeviceTypeNotSupported,
    WorkspaceNotSandbox,
)
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.devices import Devices
from thumbturn.engine.dispatch import Dispatch
from thumbturn.engine.lanes import Lanes
from thumbturn.engine.observations import Observations
from thumbturn.engine.ports import Driver, Store
from thumbturn.engine.run import Run
from thumbturn.engine.sandbox_ports import SandboxWorld

WAS_RESET = "The sandbox was reset."
#: dB by which a burst of noise is above the threshold that it triggers.
LOUDER_BY = 5.0


class SandboxControls:
    """The sandbox's own verbs. Each returns after the events that it caused are durable.

    Raises ``WorkspaceNotSandbox`` elsewhere and ``DeviceNotFound`` for what is not this workspace's.
    """

    def __init__(
        self,
        *,
        world: SandboxWorld,
        drivers: Mapping[str, Driver],
        store: Store,
        devices: Devices,
        lanes: Lanes,
        dispatch: Dispatch,
        observations: Observations,
        forget: Callable[[Sequence[str]], None],
        clock: Clock,
    ) -> None:
        self._world = world
        self._drivers = drivers
        self._store = store
        self._devices = devices
        self._lanes = lanes
        self._dispatch = dispatch
        self._observations = observations
        self._forget = forget
        self._clock = clock

    @property
    def faults(self) -> Mapping[str, str]:
        """The faults there are, and what each means."""
        return self._world.faults

    async def inject_fault(
        self,
        workspace: Workspace,
        device_id: str,
        fault: str,
        times: int | None = None,
        milliseconds: int | None = None,
    ) -> None:
        """Make a device misbehave, so many times or until cleared."""
        device = self._find(workspace, device_id)
        self._world.inject_fault(device.id, fault, times=times, milliseconds=milliseconds)
        await self._observations.written()

    async def clear_faults(self, workspace: Workspace, device_id: str | None = None) -> None:
        """Heal one device, or all of the workspace."""
        _require_sandbox(workspace)
        if device_id is not None:
            self._find(workspace, device_id)
        among = [device.id for device in self._devices.of_workspace(workspace.id)]
        self._world.clear_faults(device_id, among)
        await self._observations.written()

    async def connect(self, workspace: Workspace, device_id: str) -> None:
        """The device comes online."""
        await self._do(workspace, device_id, self._world.connect)

    async def disconnect(self, workspace: Workspace, device_id: str) -> None:
        """The device goes offline."""
        await self._do(workspace, device_id, self._world.disconnect)

    async def remove(self, workspace: Workspace, device_id: str) -> None:
        """The device is taken out of its account, as by its owner."""
        await self._do(workspace, device_id, self._world.remove)

    async def swing_door(self, workspace: Workspace, device_id: str, *, is_open: bool) -> None:
        """Open or close a door by hand; ``DeviceTypeNotSupported`` where there is no door contact."""
        await self._do(workspace, device_id, partial(self._world.swing_door, is_open=is_open))

    async def adjust_climate(self, workspace: Workspace, device_id: str, wanted: Mapping[str, Any]) -> None:
        """Set a thermostat by hand; refused as ``SET_HVAC_MODE`` is for what it cannot be set to."""
        device = self._thermostat(workspace, device_id)
        self._world.adjust_climate(device.id, fitting_setting(device, wanted))
        await self._observations.written()

    async def reach_temperature(self, workspace: Workspace, device_id: str, celsius: float) -> None:
        """Make it this warm where a thermostat is."""
        self._world.reach_temperature(self._thermostat(workspace, device_id).id, celsius)
        await self._observations.written()

    async def make_noise(self, workspace: Workspace, device_id: str, decibels: float) -> None:
        """From now on it is this loud where a noise sensor is."""
        await self._do(workspace, device_id, partial(self._world.make_noise, decibels=decibels))

    async def trigger_noise_threshold(self, workspace: Workspace, device_id: str) -> None:
        """Be louder, for some seconds, than every threshold of a noise sensor that is in force.

        Raises ``NoNoiseThresholdInForce`` if there is none.
        """
        device = self._find(workspace, device_id)
        if "noise_detection" not in device.capabilities:
            raise DeviceTypeNotSupported
        now = self._clock.now()
        levels = [
            threshold["noise_threshold_decibels"]
            for threshold in thresholds_of(device).values()
            if is_in_force(threshold, now)
        ]
        if not levels:
            raise NoNoiseThresholdInForce(data={"device_id": device_id})
        await self._do(workspace, device_id, partial(self._world.burst, decibels=max(levels) + LOUDER_BY))

    async def add_devices(
        self, workspace: Workspace, count: int, kind: str, travel_milliseconds: int
    ) -> list[Device]:
        """Add virtual devices of a kind."""
        _require_sandbox(workspace)
        new = self._world.more_devices(
            workspace.id, count, kind=kind, travel_milliseconds=travel_milliseconds, now=self._clock.now()
        )
        await self._store.add_devices(new, ())
        self.attach(new)
        return new

    async def reset(self, workspace_id: str) -> Evidence:
        """Put a workspace's devices back to how it began; their open attempts end."""
        # From here on no command reaches them and they report nothing, so that nothing from before
        # the reset is written after it. An attempt that is begun meanwhile finds its device removed.
        self._detach(workspace_id)
        try:
            open_runs = [
                run
                for run in self._dispatch.open.values()
                if run.attempt.workspace_id == workspace_id and run.attempt.device_id is not None
            ]
            # Shielded: what has begun to end must end, also when the reset is given up meanwhile.
            await asyncio.shield(asyncio.gather(*(self._end(run) for run in open_runs)))
            seed = self._world.seed(workspace_id, self._clock.now())
            await self._store.reset_workspace(workspace_id, seed, ())
        except BaseException:
            self.attach(self._devices.of_workspace(workspace_id))
            raise
        old = self._detach(workspace_id)
        self._world.forget(old)
        self._devices.drop(old)
        self._forget(old)
        for device_id in old:
            self._lanes.forget(device_id)
        self.attach(seed.devices)
        return Evidence.DEVICE_ACCEPTED

    async def _end(self, run: Run) -> None:
        failure = DeviceRemoved if run.attempt.phase is Phase.QUEUED else OutcomeUnknown
        await self._dispatch.end(run, Failed(failure.type, f"{failure.sentence} {WAS_RESET}"))

    def _detach(self, workspace_id: str) -> list[str]:
        ids = [device.id for device in self._devices.of_workspace(workspace_id)]
        for driver in self._drivers.values():
            driver.detach(ids)
        return ids

    def attach(self, devices: Sequence[Device]) -> None:
        """Speak for these devices from now on. They are stored already."""
        self._devices.put(devices)
        for driver in self._drivers.values():
            driver.attach([device for device in devices if device.driver == driver.name])

    async def _do(self, workspace: Workspace, device_id: str, what: Callable[[str], None]) -> None:
        what(self._find(workspace, device_id).id)
        await self._observations.written()

    def _thermostat(self, workspace: Workspace, device_id: str) -> Device:
        device = self._find(workspace, device_id)
        if "thermostat" not in device.capabilities:
            raise DeviceIsNotThermostat
        return device

    def _find(self, workspace: Workspace, device_id: str) -> Device:
        _require_sandbox(workspace)
        device = self._devices.find(workspace.id, device_id)
        if device is None:
            raise DeviceNotFound
        return device


class ResettableSandbox:
    """The ``Sandbox`` capability of one workspace."""

    def __init__(self, reset: Callable[[], Awaitable[Evidence]]) -> None:
        self._reset = reset

    async def reset(self) -> Evidence:
        """Put every device, account and fault back to how the workspace began."""
        return await self._reset()


def _require_sandbox(workspace: Workspace) -> None:
    if not workspace.is_sandbox:
        raise WorkspaceNotSandbox
