"""Finding noise sensors, and the thresholds that they hold or shall hold."""

from __future__ import annotations

from collections.abc import Iterator

from thumbturn.actions.noise_thresholds import CREATION, ThresholdPut
from thumbturn.domain.client_session import Reach, among
from thumbturn.domain.device import Device
from thumbturn.domain.noise import NoiseThresholdNotFound, Threshold, thresholds_of
from thumbturn.domain.refusals import DeviceNotFound, DeviceTypeNotSupported, DeviceUnmanaged
from thumbturn.engine.devices import Devices
from thumbturn.engine.lanes import Lanes


class NoiseSensors:
    """The noise sensors of all workspaces. Every verb names the workspace, and the reach, of whoever asks."""

    def __init__(self, devices: Devices, lanes: Lanes) -> None:
        self._devices = devices
        self._lanes = lanes

    def sensor(self, workspace_id: str, device_id: str, reach: Reach = None) -> Device:
        """The noise sensor. Raises ``DeviceNotFound``, ``DeviceUnmanaged`` or ``DeviceTypeNotSupported``."""
        device = self._devices.find(workspace_id, device_id, reach)
        if device is None:
            raise DeviceNotFound
        if not device.is_managed:
            raise DeviceUnmanaged
        if "noise_detection" not in device.capabilities:
            raise DeviceTypeNotSupported(f"{device.display_name} is no noise sensor.")
        return device

    def thresholds(self, sensor: Device, *, is_programmed: bool | None = None) -> dict[str, Threshold]:
        """By id the thresholds that a sensor holds, and those that open attempts are to put there; or only
        the one or the other.
        """
        found: dict[str, Threshold] = {} if is_programmed is False else dict(thresholds_of(sensor))
        if is_programmed is not True:
            found |= {id: each for id, each in self._coming(sensor) if id not in thresholds_of(sensor)}
        return found

    def threshold(
        self, workspace_id: str, threshold_id: str, reach: Reach = None
    ) -> tuple[Device, Threshold]:
        """A threshold, and the sensor that holds it or shall. Raises ``NoiseThresholdNotFound``."""
        for device in self._devices.of_workspace(workspace_id):
            if "noise_detection" in device.capabilities and among(reach, device.connected_account_id):
                found = self.thresholds(device).get(threshold_id)
                if found is not None:
                    return device, found
        raise NoiseThresholdNotFound(data={"noise_threshold_id": threshold_id})

    def _coming(self, sensor: Device) -> Iterator[tuple[str, Threshold]]:
        lane = self._lanes.of(sensor.id)
        for run in () if lane is None else (lane.running, *lane.waiting):
            if run is not None and run.action.type == CREATION and isinstance(run.ask, ThresholdPut):
                yield run.ask.noise_threshold_id, run.ask.given()
