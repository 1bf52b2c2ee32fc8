"""The driver ``zigbee2mqtt``: Zigbee devices, through a Zigbee2MQTT and its MQTT broker.

Implements ``HubDriver`` of ``engine/hub_ports.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar, cast

from thumbturn.actions.definition import CAPABILITY_WORD
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.hub import Field, Hub, HubFacts, HubNotUnderstood, Settings, Told
from thumbturn.drivers.zigbee2mqtt.codec import BridgeInfo, BridgeState, Devices, heard
from thumbturn.drivers.zigbee2mqtt.exposes import LOCK_TYPE, THERMOSTAT_TYPE, found_in
from thumbturn.drivers.zigbee2mqtt.hub import ZigbeeHub
from thumbturn.drivers.zigbee2mqtt.link import Address, Connect, Line, TappedLine, connected
from thumbturn.drivers.zigbee2mqtt.locks import ZigbeeLock
from thumbturn.drivers.zigbee2mqtt.recording import ZigbeeCleaner
from thumbturn.drivers.zigbee2mqtt.thermostats import ZigbeeThermostat
from thumbturn.drivers.zigbee2mqtt.things import Thing
from thumbturn.engine.pins import Pins
from thumbturn.engine.taps import NOBODY, Cleaner, Ear, Taps

C = TypeVar("C")

#: s. What a broker has kept it says at once.
_KEPT_WITHIN: Final = 5.0
_KINDS: Final[Mapping[str, type[Thing]]] = {LOCK_TYPE: ZigbeeLock, THERMOSTAT_TYPE: ZigbeeThermostat}


class Zigbee2MqttDriver:
    """All hubs of this ecosystem that are linked. ``pins`` opens the codes that locks are told."""

    name = "zigbee2mqtt"
    title = "Zigbee2MQTT"
    capabilities = frozenset({"lock", "access_codes", "thermostat", "battery"})
    #: Each device stands for itself: Zigbee2MQTT has frames to many under way, and queues those to one.
    commands_at_once: int | None = None
    fields: tuple[Field, ...] = (
        Field(
            name="url",
            label="Address of the MQTT broker",
            kind="url",
            schemes=("mqtt", "mqtts"),
            default="mqtt://127.0.0.1:1883",
            hint="The one that Zigbee2MQTT is connected to: mqtt.server in its configuration.yaml.",
        ),
        Field(name="username", label="User name", is_required=False, hint="If the broker wants one."),
        Field(name="password", label="Password", kind="secret", is_required=False),
        Field(
            name="base_topic",
            label="Base topic",
            default="zigbee2mqtt",
            hint="mqtt.base_topic in Zigbee2MQTT's configuration.yaml.",
        ),
        Field(
            name="certificate_sha256",
            label="SHA-256 of the broker's certificate",
            is_required=False,
            hint="Only for mqtts:// with a certificate that the broker's owner made himself.",
        ),
    )

    def __init__(self, clock: Clock, pins: Pins, connect: Connect = connected) -> None:
        self.taps = Taps()
        self._connect = connect
        self._clock = clock
        self._pins = pins
        self._observe: Callable[[Observation], None] = _to_nobody
        self._hubs: dict[str, ZigbeeHub] = {}
        #: All attached devices, those too whose hub is not followed, by their id.
        self._devices: dict[str, Device] = {}
        self._things: dict[str, Thing] = {}
        #: Links in whose place others came.
        self._leaving: set[asyncio.Task[None]] = set()

    # Driver -------------------------------------------------------------------------------------

    async def start(self, observe: Callable[[Observation], None]) -> None:
        """Begin to report."""
        self._observe = observe

    async def stop(self) -> None:
        """Let go of every hub."""
        self._observe = _to_nobody
        hubs, self._hubs = self._hubs, {}
        await asyncio.gather(*(hub.stop() for hub in hubs.values()), *self._leaving)
        self._things.clear()

    def attach(self, devices: Iterable[Device]) -> None:
        """Speak to these devices from now on, once their hubs can be reached."""
        for device in devices:
            self.detach((device.id,))
            self._devices[device.id] = device
            self._stand_for(device)

    def detach(self, device_ids: Iterable[str]) -> None:
        """Speak to these devices no more."""
        for device_id in device_ids:
            device = self._devices.pop(device_id, None)
            self._things.pop(device_id, None)
            if device is not None and device.connected_account_id in self._hubs:
                self._hubs[device.connected_account_id].detach(device.address)

    def refresh(self, device_ids: Iterable[str]) -> None:
        """Have these devices say how they are now."""
        for device_id in device_ids:
            device = self._devices.get(device_id)
            if device is not None and device.connected_account_id in self._hubs:
                self._hubs[device.connected_account_id].refresh((device.address,))

    def links(self) -> Mapping[str, bool]:
        """One link for each hub."""
        return {account_id: hub.is_up for account_id, hub in self._hubs.items()}

    def offer(self, device: Device, capability: type[C]) -> C | None:
        """The device's capability, to command it by; ``None`` if it has no such thing."""
        if CAPABILITY_WORD.get(capability) in device.capabilities:
            thing = self._things.get(device.id)
            return None if thing is None else cast("C", thing.offer(capability))
        return None

    # HubDriver ----------------------------------------------------------------------------------

    async def look(self, settings: Settings) -> HubFacts:
        """What Zigbee2MQTT is at this broker, and what is behind it."""
        return await self.look_aloud(settings, NOBODY)

    def cleaner(self, address: str, settings: Settings) -> Cleaner:
        """Who keeps what is no secret of the conversation about a device."""
        return ZigbeeCleaner(address, settings["base_topic"])

    async def look_aloud(self, settings: Settings, ear: Ear) -> HubFacts:
        """As ``look``, with somebody who listens."""
        address = Address.of(settings)
        async with self._connect(address) as line:
            broker = TappedLine(line, ear)
            await broker.subscribe(f"{address.base}/bridge/#")
            info, devices = await _words_of(broker, address)
        found = (found_in(each) for each in devices.described)
        return HubFacts(
            hub_id=info.coordinator,
            name=f"Zigbee2MQTT at {address.host}",
            found=tuple(each for each in found if each is not None),
        )

    def follow(self, hub: Hub, tell: Callable[[Told], None]) -> None:
        """Hold a link to this hub from now on, in the place of any other to the same account."""
        before = self._hubs.get(hub.account_id)
        if before is not None:
            # What it had found is no longer known; the new link finds it.
            before.lose_all()
            leaving = asyncio.get_running_loop().create_task(before.stop())
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        followed = ZigbeeHub(
            hub,
            tell,
            self._report,
            clock=self._clock,
            connect=self._connect,
            ear=self.taps.line(hub.account_id),
        )
        self._hubs[hub.account_id] = followed
        for device in self._devices.values():
            if device.connected_account_id == hub.account_id:
                self._stand_for(device)
        followed.start()

    async def leave(self, account_id: str) -> None:
        """Let go of the hub."""
        hub = self._hubs.pop(account_id, None)
        if hub is not None:
            await hub.stop()

    # inside -------------------------------------------------------------------------------------

    def _stand_for(self, device: Device) -> None:
        hub, kind = self._hubs.get(device.connected_account_id), _KINDS.get(device.device_type)
        if hub is None or kind is None:
            return
        thing = kind(device, hub, self._report, self._pins)
        self._things[device.id] = thing
        hub.attach(device, thing)

    def _report(self, observation: Observation) -> None:
        self._observe(observation)


async def _words_of(broker: Line, address: Address) -> tuple[BridgeInfo, Devices]:
    """What Zigbee2MQTT says of itself and of its devices. Raises ``HubNotUnderstood``."""
    info: BridgeInfo | None = None
    devices: Devices | None = None
    is_there: bool | None = None
    try:
        async with asyncio.timeout(_KEPT_WITHIN):
            async for message in broker.messages():
                said = heard(address.base, message.topic, message.payload)
                if isinstance(said, BridgeInfo):
                    info = said
                elif isinstance(said, Devices):
                    devices = said
                elif isinstance(said, BridgeState):
                    is_there = said.is_online
                if is_there and info is not None and devices is not None:
                    return info, devices
    except TimeoutError:
        pass
    if is_there is False:
        raise HubNotUnderstood("The broker answers, and Zigbee2MQTT is not connected to it: start it first.")
    if is_there:
        raise HubNotUnderstood(
            "Zigbee2MQTT is there, and its broker has forgotten what it said of itself: restart Zigbee2MQTT."
        )
    raise HubNotUnderstood(
        f"The broker answers, and no Zigbee2MQTT speaks there below the base topic {address.base!r}."
    )


def _to_nobody(observation: Observation) -> None:
    """Before the driver starts there is nobody to report to."""
