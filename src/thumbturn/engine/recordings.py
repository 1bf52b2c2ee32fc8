"""Recording real devices while the server runs: what is said over their hubs' links, secrets removed.

A recording begins with a look at the hub over a connection of its own, as it would greet a server that
starts, and with reading the device over the link that stands: nothing of that link is interrupted. It is kept
in this process only, for as long as somebody may fetch it.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any, Final, cast

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.hub import HubUnreachable
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import ConnectedAccountNotFound, DeviceNotFound
from thumbturn.engine.devices import Devices
from thumbturn.engine.hub_offer import Link
from thumbturn.engine.hubs import ANSWERS_WITHIN
from thumbturn.engine.overheard import Overheard
from thumbturn.engine.pins import Pins
from thumbturn.engine.ports import Store
from thumbturn.engine.tape import LONGEST, Tape
from thumbturn.engine.taps import Recordable
from thumbturn.engine.webhook_ports import Seal

#: Of one workspace at a time: each may take some megabytes.
MOST_AT_ONCE: Final = 4
#: µs after its end in which it can be fetched.
_FETCHED_WITHIN: Final = seconds(60 * 60)
_SCENE: Final = re.compile(r"[a-z][a-z_ ]{0,39}")


class CannotBeRecorded(Refusal, type="device_cannot_be_recorded", status=400):
    """Only a device behind a hub that is linked here can be recorded."""


class RecordingNotFound(Refusal, type="recording_not_found", status=404):
    """There is no such recording: it was fetched, or began an hour ago, or the server was restarted."""


class TooManyRecordings(Refusal, type="too_many_recordings", status=429):
    """A workspace makes at most 4 recordings at a time, and one of a device. Stop one of them first."""


class SceneNotNamed(Refusal, type="scene_name_invalid", status=400):
    """A scene's name has at most 40 small letters, blanks and underscores, such as "unlock by hand"."""


@dataclass(frozen=True, slots=True)
class Running:
    """A recording that is being made."""

    id: str
    workspace_id: str
    account_id: str
    tape: Tape


class Recordings:
    """The recordings that are made in this process. Each is its workspace's, and nobody else's."""

    def __init__(
        self, store: Store, hubs: dict[str, Any], devices: Devices, pins: Pins, seal: Seal, clock: Clock
    ) -> None:
        """``hubs`` are the drivers whose devices can be recorded, by their names."""
        self._accounts = store.accounts
        self._drivers = {name: each for name, each in hubs.items() if isinstance(each, Overheard)}
        self._devices = devices
        self._pins = pins
        self._seal = seal
        self._clock = clock
        self._running: dict[str, Running] = {}

    async def start(
        self, workspace_id: str, account_id: str, device_id: str | None = None, origin: str = "home"
    ) -> Running:
        """Record the device from now on; it need not be named if it is the only one of its account.

        Raises ``ConnectedAccountNotFound``, ``DeviceNotFound``, ``CannotBeRecorded``, ``TooManyRecordings``
        and what a look at its hub raises.
        """
        account = await self._accounts.get(workspace_id, account_id)
        if account is None:
            raise ConnectedAccountNotFound
        driver = self._drivers.get(account.driver)
        if driver is None or account.hub is None or not hasattr(driver, "cleaner"):
            raise CannotBeRecorded
        device = self._device(workspace_id, account_id, device_id)
        self._clear_away()
        mine = [each for each in self._running.values() if each.workspace_id == workspace_id]
        if len(mine) >= MOST_AT_ONCE or any(each.tape.device.id == device.id for each in mine):
            raise TooManyRecordings
        settings = Link.opened(account, self._seal).settings
        recordable = cast("Recordable", driver)
        cleaner = recordable.cleaner(device.address, settings)
        tape = Tape(device, cleaner, self._pins, self._clock, origin)
        running = Running(new_id(), workspace_id, account_id, tape)
        self._running[running.id] = running
        try:
            looking = asyncio.ensure_future(recordable.look_aloud(settings, tape))
            try:
                if not await self._clock.wait(looking, ANSWERS_WITHIN):
                    raise HubUnreachable("The hub did not answer in time.")
                looking.result()
            finally:
                looking.cancel()
        except BaseException:
            self._running.pop(running.id, None)
            raise
        driver.tapes[device.id] = tape
        recordable.taps.open(account_id, tape)
        recordable.refresh((device.id,))
        return running

    def begin_scene(self, workspace_id: str, recording_id: str, name: str) -> Running:
        """What comes from now on is about this. Raises ``RecordingNotFound`` and ``SceneNotNamed``."""
        if _SCENE.fullmatch(name) is None:
            raise SceneNotNamed
        running = self._find(workspace_id, recording_id)
        running.tape.begin_scene(name)
        return running

    def stop(self, workspace_id: str, recording_id: str) -> dict[str, Any]:
        """The recording, which goes on no more and is forgotten here. Raises ``RecordingNotFound``."""
        running = self._find(workspace_id, recording_id)
        self._end(running)
        return running.tape.recording()

    # inside -------------------------------------------------------------------------------------

    def _find(self, workspace_id: str, recording_id: str) -> Running:
        self._clear_away()
        running = self._running.get(recording_id)
        if running is None or running.workspace_id != workspace_id:
            raise RecordingNotFound
        return running

    def _device(self, workspace_id: str, account_id: str, device_id: str | None) -> Device:
        behind = [
            each
            for each in self._devices.of_workspace(workspace_id)
            if each.connected_account_id == account_id and device_id in {None, each.id}
        ]
        if not behind:
            raise DeviceNotFound
        if len(behind) > 1:
            raise CannotBeRecorded("There are several devices behind this account: name one of them.")
        return behind[0]

    def _end(self, running: Running) -> None:
        self._running.pop(running.id, None)
        device = running.tape.device
        driver = self._drivers[device.driver]
        if driver.tapes.get(device.id) is running.tape:
            del driver.tapes[device.id]
        cast("Recordable", driver).taps.close(running.account_id, running.tape)

    def _clear_away(self) -> None:
        """End those that nobody fetches."""
        oldest = self._clock.now() - LONGEST - _FETCHED_WITHIN
        for each in list(self._running.values()):
            if each.tape.began_at < oldest:
                self._end(each)
