"""Finding noise sensors and the thresholds that they hold."""

from __future__ import annotations

from thumbturn.domain.client_session import Reach, among
from thumbturn.domain.device import Device
from thumbturn.domain.noise import NoiseThresholdNotFound, thresholds_of
from thumbturn.domain.refusals import DeviceNotFound, DeviceTypeNotSupported, DeviceUnmanaged
from thumbturn.engine.devices import Devices


class NoiseSensors:
    """The noise sensors of all workspaces. Every verb names the workspace, and the reach, of whoever asks."""

    def __init__(self, devices: Devices) -> None:
        self._devices = devices

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

    def with_threshold(self, workspace_id: str, threshold_id: str, reach: Reach = None) -> Device:
        """The noise sensor that holds this threshold. Raises ``NoiseThresholdNotFound``."""
        for device in self._devices.of_workspace(workspace_id):
            if threshold_id in thresholds_of(device) and among(reach, device.connected_account_id):
                return device
        raise NoiseThresholdNotFound(data={"noise_threshold_id": threshold_id})
