"""What a sandbox workspace may do to its virtual devices: break them, heal them, begin again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from thumbturn.domain.climate import fitting_setting
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device
from thumbturn.domain.encoder import is_encoder
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.noise import NoNoiseThresholdInForce, is_in_force, thresholds_of
from thumbturn.domain.recording import Recording
from thumbturn.domain.refusals import (
    ConnectedAccountNotFound,
    DeviceIsNotThermostat,
    DeviceNotFound,
    DeviceTypeNotSupported,
    WorkspaceNotSandbox,
)
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.devices import Devices
from thumbturn.engine.moving import Moving
from thumbturn.engine.observations import Observations
from thumbturn.engine.ports import Seed, Store
from thumbturn.engine.sandbox_ports import SandboxWorld

WAS_RESET = "The sandbox was reset."
#: dB by which a burst of noise is above the threshold that it triggers.
LOUDER_BY = 5.0
HOME_IS_GONE = "The account that the sandbox began with was deleted: reset the sandbox to have it again"


class SandboxControls:
    """The sandbox's own verbs. Each returns after the events that it caused are durable.

    Raises ``WorkspaceNotSandbox`` elsewhere and ``DeviceNotFound`` for what is not this workspace's.
    """

    def __init__(
        self,
        *,
        world: SandboxWorld,
        moving: Moving,
        store: Store,
        devices: Devices,
        observations: Observations,
        clock: Clock,
    ) -> None:
        self._world = world
        self._moving = moving
        self._store = store
        self._devices = devices
        self._observations = observations
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
        device = self._find(workspace, device_id, or_encoder=True)
        self._world.inject_fault(device.id, fault, times=times, milliseconds=milliseconds)
        await self._observations.written()

    async def clear_faults(self, workspace: Workspace, device_id: str | None = None) -> None:
        """Heal one device, or all of the workspace."""
        _require_sandbox(workspace)
        if device_id is not None:
            self._find(workspace, device_id, or_encoder=True)
        among = [device.id for device in self._devices.of_workspace(workspace.id)]
        self._world.clear_faults(device_id, among)
        await self._observations.written()

    async def connect(self, workspace: Workspace, device_id: str) -> None:
        """The device comes online."""
        await self._do(workspace, device_id, self._world.connect, or_encoder=True)

    async def disconnect(self, workspace: Workspace, device_id: str) -> None:
        """The device goes offline."""
        await self._do(workspace, device_id, self._world.disconnect, or_encoder=True)

    async def remove(self, workspace: Workspace, device_id: str) -> None:
        """The device is taken out of its account, as by its owner."""
        await self._do(workspace, device_id, self._world.remove, or_encoder=True)

    async def lose_hub(self, workspace: Workspace, device_id: str) -> None:
        """The device's hub loses it: the device is offline."""
        await self._do(workspace, device_id, self._world.lose_hub)

    async def find_hub(self, workspace: Workspace, device_id: str) -> None:
        """The device's hub has it again."""
        await self._do(workspace, device_id, self._world.find_hub)

    async def owe(self, workspace: Workspace, device_id: str, *, is_unpaid: bool) -> None:
        """The device's maker wants to be paid before the device takes another command, or was."""
        await self._do(workspace, device_id, partial(self._world.owe, is_unpaid=is_unpaid))

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
        """Add virtual devices of a kind to the home that the sandbox began with.

        Raises ``ConnectedAccountNotFound`` if that was deleted.
        """
        _require_sandbox(workspace)
        return await self._add(
            workspace,
            lambda: self._world.more_devices(
                workspace.id, count, kind=kind, travel_milliseconds=travel_milliseconds, now=self._clock.now()
            ),
        )

    async def add_recorded_device(self, workspace: Workspace, recording: Recording) -> Device:
        """Add a virtual device that is like a recorded one, likewise."""
        _require_sandbox(workspace)

        def make() -> list[Device]:
            return [self._world.recorded_device(workspace.id, recording, self._clock.now())]

        [device] = await self._add(workspace, make)
        return device

    async def _add(self, workspace: Workspace, make: Callable[[], list[Device]]) -> list[Device]:
        async with self._moving.alone(workspace.id):
            new = make()
            home = await self._store.accounts.get(workspace.id, new[0].connected_account_id)
            if home is None:
                raise ConnectedAccountNotFound(HOME_IS_GONE)
            new = [replace(device, is_managed=home.manages_new_devices) for device in new]
            await self._store.add_devices(new, ())
            self._moving.move_in(new)
        return new

    async def reset(self, workspace_id: str) -> Evidence:
        """Put a workspace's devices back to how it began; their open attempts end."""
        seed = Seed((), ())

        async def begin_again() -> None:
            nonlocal seed
            seed = self._world.seed(workspace_id, self._clock.now())
            await self._store.reset_workspace(workspace_id, seed, ())

        async with self._moving.alone(workspace_id):
            await self._moving.move_out(workspace_id, None, WAS_RESET, begin_again)
            self._devices.labels.forget(workspace_id)
            self._devices.labels.follow(seed.accounts)
            self._moving.move_in(seed.devices)
        return Evidence.DEVICE_ACCEPTED

    async def _do(
        self,
        workspace: Workspace,
        device_id: str,
        what: Callable[[str], None],
        *,
        or_encoder: bool = False,
    ) -> None:
        what(self._find(workspace, device_id, or_encoder=or_encoder).id)
        await self._observations.written()

    def _thermostat(self, workspace: Workspace, device_id: str) -> Device:
        device = self._find(workspace, device_id)
        if "thermostat" not in device.capabilities:
            raise DeviceIsNotThermostat
        return device

    def _find(self, workspace: Workspace, device_id: str, *, or_encoder: bool = False) -> Device:
        """A device. To callers an encoder is none, but for what breaks it and its link."""
        _require_sandbox(workspace)
        device = self._devices.find(workspace.id, device_id)
        if device is None or (is_encoder(device) and not or_encoder):
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
