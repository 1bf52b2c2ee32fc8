"""The driver ``virtual``: commands virtual devices, and does to them what a sandbox may.

Implements ``Driver`` of ``engine/ports.py`` and ``SandboxWorld`` of ``engine/sandbox_ports.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from thumbturn.actions.definition import CAPABILITY_WORD
from thumbturn.domain.access import Thing
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.ids import new_id
from thumbturn.domain.recording import Recording
from thumbturn.domain.refusals import DeviceIsNotThermostat, DeviceTypeNotSupported
from thumbturn.drivers.virtual import access, seeds
from thumbturn.drivers.virtual.beginnings import Beginnings
from thumbturn.drivers.virtual.encoders import VirtualEncoder
from thumbturn.drivers.virtual.faults import FAULTS, KINDS
from thumbturn.drivers.virtual.journal import Journal
from thumbturn.drivers.virtual.link import Link
from thumbturn.drivers.virtual.locks import VirtualLock
from thumbturn.drivers.virtual.noise_sensors import VirtualNoiseSensor
from thumbturn.drivers.virtual.recorded import recorded_device
from thumbturn.drivers.virtual.thermostats import VirtualThermostat
from thumbturn.drivers.virtual.world import World
from thumbturn.engine.pins import Pins, new_pins
from thumbturn.engine.ports import Seed

C = TypeVar("C")


class VirtualDriver:
    """Virtual devices, and the world they stand in.

    ``chance_seed`` decides what is left to chance: the same seed, the same run. ``journal`` is the
    file in which the world outlives the process; without it everything begins anew each time. ``pins``
    are those of the server, so that what its keypads hold can be read again; without them it cannot.
    ``beginnings`` says how its workspaces begin.
    """

    name = seeds.DRIVER
    #: Every virtual device has a hub to itself.
    commands_at_once: int | None = None

    def __init__(
        self,
        clock: Clock,
        chance_seed: int,
        journal: Path | None,
        pins: Pins | None = None,
        beginnings: Beginnings = seeds,
    ) -> None:
        self._beginnings = beginnings
        self._world = World(clock, chance_seed, Journal(journal), pins or new_pins())
        self._links: dict[str, Link] = {}
        self._things: dict[str, VirtualLock | VirtualThermostat | VirtualNoiseSensor | VirtualEncoder] = {}

    # Driver -------------------------------------------------------------------------------------

    async def start(self, observe: Callable[[Observation], None]) -> None:
        """Begin to report; first of all what is not as it was believed to be."""
        self._world.open(observe)
        for device_id in self._links:
            self._wake(device_id)

    async def stop(self) -> None:
        """Let go of every device, and of the journal."""
        await self._world.close()

    def attach(self, devices: Iterable[Device]) -> None:
        """Speak to these devices. They stand where the journal says, else as they are believed to."""
        for device in devices:
            self.detach((device.id,))
            link = self._links[device.id] = Link(device, self._world)
            if "lock" in device.capabilities:
                self._things[device.id] = VirtualLock(device, link, self._world)
            elif "thermostat" in device.capabilities:
                self._things[device.id] = VirtualThermostat(device, link, self._world)
            elif "noise_detection" in device.capabilities:
                self._things[device.id] = VirtualNoiseSensor(device, link, self._world)
            elif "encoder" in device.capabilities:
                self._things[device.id] = VirtualEncoder(device, link, self._world)
            if self._world.is_open:
                self._wake(device.id)

    def detach(self, device_ids: Iterable[str]) -> None:
        """Speak to these devices no more. They stay where they stand."""
        for device_id in device_ids:
            self._links.pop(device_id, None)
            thing = self._things.pop(device_id, None)
            if thing is not None:
                thing.still()

    def refresh(self, device_ids: Iterable[str]) -> None:
        """Have these devices report how they are now."""
        for device_id in device_ids:
            if device_id in self._links:
                self._links[device_id].on_return()

    def links(self) -> Mapping[str, bool]:
        """One link, to the world that all its devices stand in."""
        return {"world": self._world.is_open}

    def offer(self, device: Device, capability: type[C]) -> C | None:
        """The device's capability, to command it by; ``None`` if it has no such thing."""
        if CAPABILITY_WORD.get(capability) in device.capabilities:
            return cast("C | None", self._things.get(device.id))
        return None

    # SandboxWorld -------------------------------------------------------------------------------

    @property
    def faults(self) -> Mapping[str, str]:
        """The name of each fault that can be injected, and what the device then does."""
        return FAULTS

    def seed(self, workspace_id: str, now: int) -> Seed:
        """How a sandbox workspace begins: always with the same ids for the same workspace."""
        return self._beginnings.first_things(workspace_id, now)

    def more_devices(
        self, workspace_id: str, count: int, *, kind: str, travel_milliseconds: int, now: int
    ) -> list[Device]:
        """New devices of a kind (``lock``, ``thermostat`` or ``sensor``), not yet attached."""
        return self._beginnings.more_devices(
            workspace_id, count, kind=kind, travel_milliseconds=travel_milliseconds, now=now
        )

    def recorded_device(self, workspace_id: str, recording: Recording, now: int) -> Device:
        """A new device that is like a recorded one, not yet attached."""
        return recorded_device(recording, device_id=new_id(), workspace_id=workspace_id, now=now)

    def inject_fault(
        self, device_id: str, fault: str, *, times: int | None, milliseconds: int | None
    ) -> None:
        """Put this fault in the place of any other; ``KeyError`` for a fault there is not."""
        thing = self._things.get(device_id)
        if KINDS[fault].jams and thing is not None and not isinstance(thing, VirtualLock):
            raise DeviceTypeNotSupported("This device has nothing that could jam.")
        self._link(device_id).inject(fault, times, milliseconds)

    def clear_faults(self, device_id: str | None, among: Iterable[str]) -> None:
        """Heal one device, or all of these."""
        if device_id is not None:
            self._link(device_id).heal()
            return
        for each in among:
            if each in self._links:
                self._links[each].heal()

    def connect(self, device_id: str) -> None:
        """The device comes online, and is no longer removed."""
        self._link(device_id).connect()

    def disconnect(self, device_id: str) -> None:
        """The device goes offline."""
        self._link(device_id).disconnect()

    def remove(self, device_id: str) -> None:
        """The device is taken out of its account."""
        self._link(device_id).remove()

    def lose_hub(self, device_id: str) -> None:
        """The device's hub loses it."""
        self._link(device_id).lose_hub()

    def find_hub(self, device_id: str) -> None:
        """The device's hub has it again."""
        self._link(device_id).find_hub()

    def owe(self, device_id: str, *, is_unpaid: bool) -> None:
        """The device's maker wants to be paid before it takes another command, or was."""
        self._link(device_id).owe(is_unpaid=is_unpaid)

    def account_things(self, workspace_id: str, account_id: str, now: int) -> list[Device]:
        """The devices behind a virtual account, not yet attached."""
        return self._beginnings.account_things(workspace_id, account_id, now)

    def account_access(self, account_id: str, devices: Sequence[Device], now: int) -> tuple[Thing, ...]:
        """The access control system at the doors of a virtual account."""
        return access.account_access(account_id, devices, now)

    def lets_in(self, email: str, password: str) -> bool:
        """Whether these open a virtual account: any mail address does, with the one password."""
        name, _, host = email.partition("@")
        return bool(name and host) and password == seeds.PASSWORD

    def let_in(self, device_ids: Iterable[str]) -> None:
        """The account of these devices lets the server in again."""
        for device_id in device_ids:
            if device_id in self._links:
                self._links[device_id].let_in()

    def lock_out(self, device_ids: Iterable[str]) -> None:
        """The account of these devices lets nobody in."""
        for device_id in device_ids:
            self._link(device_id).lock_out()

    def forget(self, device_ids: Iterable[str]) -> None:
        """These devices are as if never used; attach them again to go on with them."""
        device_ids = tuple(device_ids)
        self.detach(device_ids)
        self._world.journal.forget(self._world.clock.now(), device_ids)

    def swing_door(self, device_id: str, *, is_open: bool) -> None:
        """Open or close the door of a lock that has a door contact."""
        lock = self._things.get(device_id)
        if not isinstance(lock, VirtualLock) or not lock.has_door_contact:
            raise DeviceTypeNotSupported
        lock.swing_door(is_open=is_open)

    def touch_code(self, device_id: str, place: str | None, pin: str | None, name: str | None) -> str:
        """Set, change or delete a code at a lock's keypad by hand; in which place of its memory."""
        lock = self._things.get(device_id)
        if not isinstance(lock, VirtualLock) or not lock.codes.is_there:
            raise DeviceTypeNotSupported
        return lock.touch_code(place, pin, name)

    def adjust_climate(self, device_id: str, setting: Mapping[str, Any]) -> None:
        """Set a thermostat by hand."""
        self._thermostat(device_id).adjust(setting)

    def reach_temperature(self, device_id: str, celsius: float) -> None:
        """Make it this warm where a thermostat is."""
        self._thermostat(device_id).make_it(celsius)

    def make_noise(self, device_id: str, decibels: float) -> None:
        """From now on it is this loud where a noise sensor is."""
        self._noise_sensor(device_id).make_noise(decibels)

    def arm_encoder(self, device_id: str, verb: str, outcome: Mapping[str, Any]) -> None:
        """Have this come of the next ``scan`` or ``encode`` at an encoder."""
        encoder = self._things.get(device_id)
        if not isinstance(encoder, VirtualEncoder):
            raise DeviceTypeNotSupported
        encoder.arm(verb, outcome)

    def burst(self, device_id: str, decibels: float) -> None:
        """For some seconds it is this loud where a noise sensor is."""
        self._noise_sensor(device_id).burst(decibels)

    # inside -------------------------------------------------------------------------------------

    def _link(self, device_id: str) -> Link:
        link = self._links.get(device_id)
        if link is None:
            raise DeviceTypeNotSupported
        return link

    def _thermostat(self, device_id: str) -> VirtualThermostat:
        thermostat = self._things.get(device_id)
        if not isinstance(thermostat, VirtualThermostat):
            raise DeviceIsNotThermostat
        return thermostat

    def _noise_sensor(self, device_id: str) -> VirtualNoiseSensor:
        sensor = self._things.get(device_id)
        if not isinstance(sensor, VirtualNoiseSensor):
            raise DeviceTypeNotSupported
        return sensor

    def _wake(self, device_id: str) -> None:
        self._links[device_id].wake()
        if device_id in self._things:
            self._things[device_id].wake()
