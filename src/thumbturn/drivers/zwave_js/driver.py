"""The driver ``zwave_js``: the hubs that it holds links to, and what is behind each.

A device is online once it was read, by itself: after each connection all of them are, those first that their
hub can reach. One that does not answer is tried again, later each time, and holds up none that does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from thumbturn.actions.definition import CAPABILITY_WORD
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.hub import (
    Field,
    Found,
    Hub,
    HubFacts,
    HubNotUnderstood,
    HubUnreachable,
    Inventory,
    Settings,
)
from thumbturn.domain.ids import chance, random_bytes
from thumbturn.drivers.zwave_js import locks, thermostats
from thumbturn.drivers.zwave_js.codec import CC, Message, Node, NodeChanged, Value
from thumbturn.drivers.zwave_js.link import HubLink, NotUnderstood, ZwaveConversation
from thumbturn.drivers.zwave_js.locks import ZwaveLock
from thumbturn.drivers.zwave_js.recording import ZwaveCleaner
from thumbturn.drivers.zwave_js.rounds import Rounds
from thumbturn.drivers.zwave_js.thermostats import ZwaveThermostat
from thumbturn.drivers.zwave_js.things import Home, Thing
from thumbturn.engine.link_life import LinkLost
from thumbturn.engine.pins import Pins
from thumbturn.engine.taps import NOBODY, Cleaner, Ear, TappedSocket, Taps
from thumbturn.engine.web_socket import Dial, dial

C = TypeVar("C")

LOCK_TYPE, THERMOSTAT_TYPE = "zwave_lock", "zwave_thermostat"


class ZwaveJsDriver:
    """Z-Wave devices behind Z-Wave JS servers. Implements ``HubDriver`` of ``engine/hub_ports.py``."""

    name = "zwave_js"
    title = "Z-Wave JS"
    #: A hub has a queue of its own, in which a node that is dead takes 3 s. Waiting for a lock that is silent
    #: would take longer, so its hub is not asked to wait: it is asked nothing of a node that it cannot reach.
    commands_at_once: int | None = None
    capabilities = frozenset({"lock", "auto_lock", "access_codes", "thermostat"})
    fields: tuple[Field, ...] = (
        Field(
            name="url",
            label="Address of the WebSocket server",
            kind="url",
            schemes=("ws", "wss"),
            hint="Z-Wave JS UI: Settings, Home Assistant, WS Server. It usually ends in port 3000.",
        ),
    )

    def __init__(self, clock: Clock, pins: Pins, dial: Dial = dial) -> None:
        self.taps = Taps()
        self._clock = clock
        self._pins = pins
        self._dial = dial
        self._seed = int.from_bytes(random_bytes(8))
        self._observe: Callable[[Observation], None] = lambda seen: None
        self._links: dict[str, HubLink] = {}
        self._tell: dict[str, Callable[[Inventory], None]] = {}
        self._things: dict[str, Thing] = {}
        #: The same by account and node.
        self._at: dict[tuple[str, int], Thing] = {}
        #: Who reads the devices of each hub.
        self._rounds: dict[str, Rounds] = {}
        self._ending: set[asyncio.Task[None]] = set()

    # Driver -------------------------------------------------------------------------------------

    async def start(self, observe: Callable[[Observation], None]) -> None:
        """Begin to report."""
        self._observe = observe

    async def stop(self) -> None:
        """Let go of all hubs. What is known of their devices stays."""
        for account_id in list(self._links):
            await self.leave(account_id)
        for thing in self._things.values():
            thing.forget()

    def attach(self, devices: Iterable[Device]) -> None:
        """Speak to these devices."""
        for device in devices:
            before = self._things.get(device.id)
            self.detach((device.id,))
            if not device.address.isdecimal():
                continue
            thing: Thing
            home = self._home(device.connected_account_id)
            if "lock" in device.capabilities:
                thing = ZwaveLock(device, home)
                if isinstance(before, ZwaveLock):
                    thing.codes.take_over(before.codes)
            elif "thermostat" in device.capabilities:
                thing = ZwaveThermostat(device, home)
            else:
                continue
            self._things[device.id] = self._at[device.connected_account_id, thing.node_id] = thing
            thing.read_soon()

    def detach(self, device_ids: Iterable[str]) -> None:
        """Speak to these devices no more."""
        for device_id in device_ids:
            thing = self._things.pop(device_id, None)
            if thing is not None:
                thing.forget()
                self._at.pop((thing.device.connected_account_id, thing.node_id), None)

    def refresh(self, device_ids: Iterable[str]) -> None:
        """Have these devices read anew, soon."""
        for device_id in device_ids:
            if device_id in self._things:
                self._things[device_id].read_soon()

    def links(self) -> Mapping[str, bool]:
        """The link to each hub, by its account."""
        return {account_id: link.life.is_up for account_id, link in self._links.items()}

    def offer(self, device: Device, capability: type[C]) -> C | None:
        """The device's capability, to command it by; ``None`` if it has no such thing."""
        if CAPABILITY_WORD.get(capability) not in device.capabilities:
            return None
        thing: Any = self._things.get(device.id)
        if capability is CodeMemory and isinstance(thing, ZwaveLock):
            thing = thing.codes
        return thing if isinstance(thing, capability) else None

    # HubDriver ----------------------------------------------------------------------------------

    async def look(self, settings: Settings) -> HubFacts:
        """Connect once, and say what the hub is and what is behind it."""
        return await self.look_aloud(settings, NOBODY)

    def cleaner(self, address: str, settings: Settings) -> Cleaner:
        """Who keeps what is no secret of the conversation about a node."""
        return ZwaveCleaner(int(address))

    async def look_aloud(self, settings: Settings, ear: Ear) -> HubFacts:
        """As ``look``, with somebody who listens."""
        conversation = None
        try:
            socket = TappedSocket(await self._dial(settings["url"]), ear)
            conversation = ZwaveConversation(socket, self._clock, lambda message, number: None)
            version, nodes = await conversation.begin()
        except NotUnderstood as reason:
            raise HubNotUnderstood(str(reason)) from None
        except LinkLost:
            raise HubUnreachable from None
        finally:
            if conversation is not None:
                await conversation.end()
        found = tuple(each for node in nodes if (each := found_at(node)) is not None)
        return HubFacts(str(version.home_id), f"Z-Wave home {version.home_id:08x}", found)

    def follow(self, hub: Hub, tell: Callable[[Inventory], None]) -> None:
        """Hold a link to this hub, in the place of any other to the same account."""
        before = self._links.pop(hub.account_id, None)
        if before is not None:
            self._end_rounds(hub.account_id)
            for thing in self._of(hub.account_id):
                thing.lose()
            ending = asyncio.get_running_loop().create_task(before.life.stop())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        self._tell[hub.account_id] = tell
        link = self._links[hub.account_id] = HubLink(
            hub,
            self._dial,
            self._clock,
            chance(self._seed, hub.account_id).random,
            taps=self.taps,
            hear=self._hear,
            stands=self._stands,
            lost=self._lost,
        )
        link.life.start()

    async def leave(self, account_id: str) -> None:
        """Let go of the hub."""
        self._tell.pop(account_id, None)
        self._end_rounds(account_id)
        link = self._links.pop(account_id, None)
        if link is not None:
            await link.life.stop()

    # a hub's life -------------------------------------------------------------------------------

    def _home(self, account_id: str) -> Home:
        return Home(
            link=lambda: self._links.get(account_id),
            observe=self._say,
            wake=lambda: self._wake(account_id),
            clock=self._clock,
            pins=self._pins,
        )

    def _say(self, seen: Observation) -> None:
        self._observe(seen)

    def _stands(self, link: HubLink) -> None:
        account_id = link.account_id
        self._tell_inventory(link)
        for thing in self._of(account_id):
            thing.doubt()
        self._end_rounds(account_id)
        rounds = self._rounds[account_id] = Rounds(lambda: self._of(account_id), self._clock)
        rounds.start()

    def _lost(self, link: HubLink) -> None:
        if self._links.get(link.account_id) is not link:
            return
        self._end_rounds(link.account_id)
        for thing in self._of(link.account_id):
            thing.lose()

    def _hear(self, link: HubLink, message: Message, number: int) -> None:
        if self._links.get(link.account_id) is not link:
            return
        if isinstance(message, NodeChanged):
            self._tell_inventory(link)
            return
        if isinstance(message, Value) and message.cc == CC.NAMING:
            self._tell_inventory(link)
        thing = self._at.get((link.account_id, getattr(message, "node", None) or 0))
        if thing is not None:
            thing.hear(message, number)

    def _tell_inventory(self, link: HubLink) -> None:
        known = {thing.node_id: thing.device for thing in self._of(link.account_id)}
        found = []
        for node in link.nodes.values():
            here = found_at(node)
            if here is None and node.id in known and not node.is_ready:
                # Its hub has just begun: it is there, and what it is will be said later.
                here = _as_known(known[node.id])
            if here is not None:
                found.append(here)
        self._tell[link.account_id](Inventory(link.account_id, tuple(found)))

    def _wake(self, account_id: str) -> None:
        if account_id in self._rounds:
            self._rounds[account_id].wake()

    def _of(self, account_id: str) -> list[Thing]:
        return [each for each in self._things.values() if each.device.connected_account_id == account_id]

    def _end_rounds(self, account_id: str) -> None:
        rounds = self._rounds.pop(account_id, None)
        if rounds is not None:
            rounds.stop()


def found_at(node: Node) -> Found | None:
    """The device that a node is; ``None`` for what cannot be commanded here, or is not known yet."""
    if not node.is_ready:
        return None
    capabilities, more, device_type = locks.capabilities_of(node), locks.details_of(node), LOCK_TYPE
    if not capabilities:
        capabilities, more = thermostats.capabilities_of(node), thermostats.details_of(node)
        device_type = THERMOSTAT_TYPE
    if not capabilities:
        return None
    maker = {"manufacturer": node.maker, "manufacturer_name": node.maker} if node.maker else {}
    model = {"model_name": node.model} if node.model else {}
    return Found(
        address=str(node.id),
        name=node.name or node.model or f"Z-Wave node {node.id}",
        device_type=device_type,
        capabilities=capabilities,
        details={**more, **maker, **model},
    )


def _as_known(device: Device) -> Found:
    return Found(
        address=device.address,
        name=device.name,
        device_type=device.device_type,
        capabilities=device.capabilities,
        details=device.details,
    )
