"""One linked hub: its broker, the Zigbee2MQTT behind it, and the devices behind that.

Its link stands while the broker is connected to and Zigbee2MQTT is there. Each time it begins to, everything
that was said before is forgotten, and each device is read before it is online. A device that does not answer
is offline, and is asked again, later each time; at once if anything is heard of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Refusal
from thumbturn.domain.hub import Found, Hub, HubLoginRefused, HubUnreachable, Inventory, ShutOut, Told
from thumbturn.domain.ids import chance
from thumbturn.drivers.zigbee2mqtt.codec import (
    BridgeInfo,
    BridgeState,
    Devices,
    DeviceSaid,
    Failed,
    Presence,
    heard,
    topic_of,
)
from thumbturn.drivers.zigbee2mqtt.exposes import device_name, found_in
from thumbturn.drivers.zigbee2mqtt.link import Address, Connect, Line, Message, TappedLine
from thumbturn.drivers.zigbee2mqtt.things import Thing
from thumbturn.engine.link_life import LinkLife, LinkLost
from thumbturn.engine.reading import Reading
from thumbturn.engine.taps import Ear

#: A command to a hub that was not connected to yet since the server's start waits so long for that.
FIRST_LINK_WITHIN: Final = seconds(2)
#: A Zigbee2MQTT that has come back says again what it knows, unless only its broker was away. One that was
#: not heard of for so long is away.
SAYS_ALL_WITHIN: Final = seconds(10)
#: Devices that are read at once when a link was made. The radio takes some more.
READ_AT_ONCE: Final = 5

Make = Callable[[Device, "ZigbeeHub", Callable[[Observation], None]], Thing | None]


class ZigbeeHub:
    """A hub from the moment it is followed until it is left. Implements ``HubLine`` of ``things.py``."""

    def __init__(
        self,
        hub: Hub,
        tell: Callable[[Told], None],
        observe: Callable[[Observation], None],
        *,
        clock: Clock,
        connect: Connect,
        ear: Ear,
    ) -> None:
        self.clock = clock
        self._connect, self._ear = connect, ear
        self.address = Address.of(hub.settings)
        self._account_id, self._hub_id = hub.account_id, hub.hub_id
        self._tell = tell
        self._observe = observe
        self._life = LinkLife(self.label, self._session, _nothing, clock, chance(0, hub.account_id).random)
        self._up: Callable[[], None] = _nothing
        self._broker: Line | None = None
        self._things: dict[str, Thing] = {}
        self._readings: dict[str, Reading] = {}
        self._at_once = asyncio.Semaphore(READ_AT_ONCE)
        #: What Zigbee2MQTT said of itself and its devices; remembered from one link to the next.
        self._info: BridgeInfo | None = None
        self._found: tuple[Found, ...] = ()
        self._addresses: Mapping[str, str] = {}
        #: What devices themselves said that they can do, by their address.
        self._learned: dict[str, Mapping[str, Any]] = {}
        self._told: Inventory | None = None
        #: What was said since it came: it is there, it has said what it is and what devices there are.
        self._is_there = self._has_said_what = self._has_said_who = False
        self._waits_for_words: asyncio.Task[None] | None = None

    @property
    def label(self) -> str:
        """Where it is, for people."""
        return f"{self.address.host}:{self.address.port}/{self.address.base}"

    @property
    def is_up(self) -> bool:
        """True while its link stands."""
        return self._life.is_up

    def start(self) -> None:
        """Make the link, and keep it."""
        self._life.start()

    async def stop(self) -> None:
        """Let go of it; nothing is told or observed any more."""
        self._observe, self._tell = _nothing_of, _nothing_of
        for address in tuple(self._things):
            self._let_go(address)
        await self._life.stop()
        self._stop_waiting()

    # its devices --------------------------------------------------------------------------------

    def attach(self, device: Device, thing: Thing) -> None:
        """From now on this is what stands for the device."""
        self._let_go(device.address)
        self._things[device.address] = thing
        self._readings[device.address] = Reading(thing, self._at_once, self.clock)
        if self.is_up:
            self._readings[device.address].begin()

    def detach(self, address: str) -> None:
        """The device is no longer anybody's here."""
        self._let_go(address)

    def refresh(self, addresses: Iterable[str]) -> None:
        """Read these devices anew."""
        for address in addresses:
            if self.is_up and address in self._readings:
                self._readings[address].begin()

    def _let_go(self, address: str) -> None:
        reading, thing = self._readings.pop(address, None), self._things.pop(address, None)
        if reading is not None:
            reading.stop()
        if thing is not None:
            thing.let_go()

    # HubLine ------------------------------------------------------------------------------------

    async def stands(self) -> bool:
        """Whether its link does; of one that is being made for the first time, in a moment."""
        return await self._life.stands(FIRST_LINK_WITHIN)

    async def publish(self, address: str, verb: str, payload: str) -> None:
        """Say it to a device. Raises ``HubUnreachable`` when the link is lost meanwhile."""
        broker = self._broker
        if broker is None:
            raise HubUnreachable
        await broker.publish(topic_of(self.address.base, address, "get" if verb == "get" else "set"), payload)

    def learned(self, address: str, details: Mapping[str, Any]) -> None:
        """The device itself has said what it can do."""
        if self._learned.get(address) != details:
            self._learned[address] = details
            self._tell_inventory()

    # its link -----------------------------------------------------------------------------------

    async def _session(self, up: Callable[[], None]) -> None:
        self._up = up
        self._is_there = self._has_said_what = self._has_said_who = False
        missing = asyncio.get_running_loop().create_task(self._miss())
        try:
            async with self._connect(self.address) as line:
                broker = TappedLine(line, self._ear)
                await broker.subscribe(f"{self.address.base}/#")
                self._broker = broker
                async for message in broker.messages():
                    self._take(message)
        except Refusal as refusal:
            if isinstance(refusal, HubLoginRefused):
                self._tell(ShutOut(self._account_id))
            raise LinkLost(refusal.message) from None
        finally:
            missing.cancel()
            self._broker = None
            self._stop_waiting()
            # One that could not even be made leaves no device online either.
            self.lose_all()

    async def _miss(self) -> None:
        """A broker that is there says nothing of a Zigbee2MQTT that is not."""
        await self.clock.sleep(SAYS_ALL_WITHIN)
        if not self.is_up:
            self.lose_all()

    def lose_all(self) -> None:
        """None of its devices can be reached."""
        for reading in self._readings.values():
            reading.stop()
        for thing in self._things.values():
            thing.link_lost()
            thing.lost(with_hub=True)

    def _take(self, message: Message) -> None:
        said = heard(self.address.base, message.topic, message.payload)
        if isinstance(said, DeviceSaid):
            self._take_from_device(said)
        elif isinstance(said, Failed):
            thing = self._thing(said.name)
            if thing is not None:
                thing.failed(said)
        elif isinstance(said, Presence):
            self._take_presence(said, is_retained=message.is_retained)
        elif isinstance(said, BridgeState):
            self._take_state(said, is_retained=message.is_retained)
        elif isinstance(said, BridgeInfo):
            self._take_info(said)
        elif isinstance(said, Devices):
            self._take_devices(said)

    def _take_from_device(self, said: DeviceSaid) -> None:
        thing = self._thing(said.name)
        # Before all is known anything may be kept words of long ago.
        if thing is not None and self.is_up:
            thing.said(said.fields)
            self._readings[thing.address].wake()

    def _take_presence(self, said: Presence, *, is_retained: bool) -> None:
        thing = self._thing(said.name)
        if thing is None or is_retained or not self.is_up:
            return
        if said.is_online:
            self._readings[thing.address].wake()
        else:
            thing.lost(with_hub=False)
            self._readings[thing.address].begin(after_failure=True)

    def _take_state(self, said: BridgeState, *, is_retained: bool) -> None:
        if not said.is_online:
            if self.is_up:
                raise LinkLost("Zigbee2MQTT has gone offline")
            self._is_there = self._has_said_what = self._has_said_who = False
            self._stop_waiting()
            # Since the server's start perhaps nobody has said so of its devices.
            self.lose_all()
            return
        self._is_there = True
        if self.is_up:
            # It came back before anybody missed it, perhaps with an older cache.
            for thing in self._things.values():
                thing.link_lost()
            for reading in self._readings.values():
                reading.begin()
        else:
            if not is_retained:
                # It says next what it knows; only then does it take commands.
                self._has_said_what = self._has_said_who = False
            self._stop_waiting()
            self._waits_for_words = asyncio.get_running_loop().create_task(self._wait_for_words())
            self._come_up()

    async def _wait_for_words(self) -> None:
        await self.clock.sleep(SAYS_ALL_WITHIN)
        self._waits_for_words = None
        if self._info is not None and self._told is not None:
            self._has_said_what = self._has_said_who = True
            self._come_up()

    def _stop_waiting(self) -> None:
        if self._waits_for_words is not None:
            self._waits_for_words.cancel()
            self._waits_for_words = None

    def _take_info(self, said: BridgeInfo) -> None:
        if said.coordinator != self._hub_id:
            # Its devices are not ours, and may bear the names of ours.
            raise LinkLost("another Zigbee network answers at this address")
        self._info, self._has_said_what = said, True
        self._come_up()

    def _take_devices(self, said: Devices) -> None:
        self._has_said_who = True
        named = (device_name(each) for each in said.described)
        self._addresses = {name: address for address, name in (each for each in named if each is not None)}
        found = (found_in(each) for each in said.described)
        self._found = tuple({each.address: each for each in found if each is not None}.values())
        if self.is_up:
            self._tell_inventory()
        self._come_up()

    def _come_up(self) -> None:
        if self.is_up or not (self._is_there and self._has_said_what and self._has_said_who):
            return
        self._stop_waiting()
        self._up()
        self._told = None
        self._tell_inventory()
        for reading in self._readings.values():
            reading.begin()

    def _tell_inventory(self) -> None:
        inventory = Inventory(self._account_id, tuple(self._with_learned(each) for each in self._found))
        if inventory != self._told:
            self._told = inventory
            self._tell(inventory)

    def _with_learned(self, found: Found) -> Found:
        learned = self._learned.get(found.address)
        if not learned:
            return found
        return replace(
            found,
            details={**found.details, **learned},
            capabilities=found.capabilities | {"access_codes"},
        )

    def _thing(self, name: str) -> Thing | None:
        return self._things.get(self._addresses.get(name, ""))


def _nothing() -> None:
    """Before the first link there is nobody to tell that it stands."""


def _nothing_of(_: object) -> None:
    """What is said of a hub that was left is nobody's here."""
