"""The devices this process speaks for, as it knows them now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from thumbturn.domain.client_session import Reach
from thumbturn.domain.device import Device
from thumbturn.engine.labels import Labels


class Devices:
    """Every owned device in memory: read on every command, written by every report."""

    def __init__(self) -> None:
        self._by_id: dict[str, Device] = {}
        #: What events about them carry.
        self.labels = Labels(self._by_id.get)
        #: Those of which somebody wants to know that they changed, and who: called with before and after.
        self._watched: dict[str, Callable[[Device, Device], None]] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Device]:
        return iter(self._by_id.values())

    def get(self, device_id: str) -> Device | None:
        """The device with this id, whosever it is."""
        return self._by_id.get(device_id)

    def find(self, workspace_id: str, device_id: str, reach: Reach = None) -> Device | None:
        """The device with this id, if it is this workspace's, and somebody with this reach sees it."""
        device = self._by_id.get(device_id)
        if device is None or device.workspace_id != workspace_id:
            return None
        return device if reach is None or device.connected_account_id in reach else None

    def of_workspace(self, workspace_id: str) -> list[Device]:
        """All devices of a workspace."""
        return [device for device in self._by_id.values() if device.workspace_id == workspace_id]

    def put(self, devices: Iterable[Device]) -> None:
        """Know these devices as they are here, in place of what was known of them."""
        for device in devices:
            if device.id in self._watched and device.id in self._by_id:
                self._watched[device.id](self._by_id[device.id], device)
            self._by_id[device.id] = device

    def watch(self, device_id: str, tell: Callable[[Device, Device], None] | None) -> None:
        """Tell of each change of a device; ``None`` tells of none any more."""
        if tell is None:
            self._watched.pop(device_id, None)
        else:
            self._watched[device_id] = tell

    def drop(self, device_ids: Iterable[str]) -> None:
        """Know these no longer."""
        for device_id in device_ids:
            self._by_id.pop(device_id, None)
