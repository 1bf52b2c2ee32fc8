"""What callers may set about thermostats beyond commanding them: presets, thresholds, daily programs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from thumbturn.domain.client_session import Reach, among
from thumbturn.domain.device import Device
from thumbturn.domain.presets import ClimatePresetInUse, without_preset
from thumbturn.domain.programs import DAILY, DailyProgramNotFound, goes_by_preset
from thumbturn.domain.refusals import (
    DeviceIsNotThermostat,
    DeviceNotFound,
    DeviceTypeNotSupported,
    DeviceUnmanaged,
)
from thumbturn.domain.schedule import Schedule
from thumbturn.engine.devices import Devices

#: As ``Engine.change_device``.
ChangeDevice = Callable[..., Awaitable[None]]


class Climate:
    """The thermostats of all workspaces. Every verb names the workspace, and the reach, of whoever asks."""

    def __init__(
        self,
        devices: Devices,
        change_device: ChangeDevice,
        review: Callable[[str], Awaitable[None]],
        schedules_of: Callable[[str], Iterable[Schedule]],
    ) -> None:
        self._devices = devices
        self._change_device = change_device
        self._review = review
        self._schedules_of = schedules_of

    def thermostat(self, workspace_id: str, device_id: str, reach: Reach = None) -> Device:
        """The thermostat. Raises ``DeviceNotFound``, ``DeviceUnmanaged`` or ``DeviceIsNotThermostat``."""
        device = self._devices.find(workspace_id, device_id, reach)
        if device is None:
            raise DeviceNotFound
        if not device.is_managed:
            raise DeviceUnmanaged
        if "thermostat" not in device.capabilities:
            raise DeviceIsNotThermostat
        return device

    def with_programs(self, workspace_id: str, device_id: str, reach: Reach = None) -> Device:
        """A thermostat that runs programs. Raises ``DeviceTypeNotSupported`` for another one."""
        device = self.thermostat(workspace_id, device_id, reach)
        if "thermostat_programs" not in device.capabilities:
            raise DeviceTypeNotSupported(f"{device.display_name} cannot run programs.")
        return device

    async def change(
        self,
        workspace_id: str,
        device_id: str,
        change: Callable[[Device], Device],
        reach: Reach = None,
        **made: str,
    ) -> None:
        """Change what is set about a thermostat; durable when this returns, with what follows from it.

        ``made`` are the ids of what it makes. Raises what ``thermostat`` and the change raise.
        """
        self.thermostat(workspace_id, device_id, reach)
        await self._change_device(workspace_id, device_id, change, **made)
        await self._review(device_id)

    def device_with_daily_program(self, workspace_id: str, program_id: str, reach: Reach = None) -> str:
        """The id of the thermostat that has it. Raises ``DailyProgramNotFound``."""
        for device in self._devices.of_workspace(workspace_id):
            if program_id in device.settings.get(DAILY, ()) and among(reach, device.connected_account_id):
                return device.id
        raise DailyProgramNotFound(data={"thermostat_daily_program_id": program_id})

    async def delete_preset(self, workspace_id: str, device_id: str, key: str, reach: Reach = None) -> None:
        """Delete a climate preset. Raises ``ClimatePresetInUse`` while a schedule or a program goes by it."""

        def change(device: Device) -> Device:
            if any(schedule.climate_preset_key == key for schedule in self._schedules_of(device_id)):
                raise ClimatePresetInUse("A schedule goes by the climate preset: change the schedule first.")
            if goes_by_preset(device, key):
                raise ClimatePresetInUse("A daily program has the climate preset in it: change that first.")
            return without_preset(device, key)

        await self.change(workspace_id, device_id, change, reach)
