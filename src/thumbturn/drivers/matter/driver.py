"""The driver ``matter``: the hubs that it holds links to, and what is behind each.

A device is online once it was read, by itself: after each connection all of them are, side by side. One that
does not answer is tried again, later each time, and holds up none that does.
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
from thumbturn.drivers.matter import locks, thermostats
from thumbturn.drivers.matter.codec import (
    Cluster,
    EndpointGone,
    Happened,
    Message,
    Node,
    NodeChanged,
    Reported,
)
from thumbturn.drivers.matter.link import HubLink, MatterConversation, NotUnderstood
from thumbturn.drivers.matter.locks import MatterLock
from thumbturn.drivers.matter.thermostats import MatterThermostat
from thumbturn.drivers.matter.things import Home, Thing
from thumbturn.engine.link_life import LinkLost
from thumbturn.engine.pins import Pins
from thumbturn.engine.web_socket import Dial, dial

C = TypeVar("C")

LOCK_TYPE, THERMOSTAT_TYPE = "matter_lock", "matter_thermostat"
#: Devices that are read at once when a link was made: each by itself takes what its own radio takes.
READ_AT_ONCE = 16
#: Of what describes a node: maker, model, and the name that somebody gave it.
_MAKER, _MODEL, _LABEL = 1, 3, 5
_DESCRIBED = {(Cluster.BASIC, _LABEL), (Cluster.BRIDGED, _LABEL)}


class MatterDriver:
    """Matter devices behind Matter servers. Implements ``HubDriver`` of ``engine/hub_ports.py``."""

    name = "matter"
    title = "Matter"
    #: Each device stands for itself: a server waits for one, and meanwhile speaks to the others.
    commands_at_once: int | None = None
    capabilities = frozenset({"lock", "auto_lock", "access_codes", "thermostat"})
    fields: tuple[Field, ...] = (
        Field(
            name="url",
            label="Address of the Matter server",
            kind="url",
            schemes=("ws", "wss"),
            hint="The WebSocket of python-matter-server. It usually ends in :5580/ws.",
        ),
        Field(
            name="remote_pin",
            label="PIN for commands from afar",
            kind="secret",
            is_required=False,
            hint="Only for locks that want one with each command: a PIN that they know.",
        ),
    )

    def __init__(self, clock: Clock, pins: Pins, dial: Dial = dial) -> None:
        self._clock = clock
        self._pins = pins
        self._dial = dial
        self._seed = int.from_bytes(random_bytes(8))
        self._observe: Callable[[Observation], None] = lambda seen: None
        self._links: dict[str, HubLink] = {}
        self._homes: dict[str, Home] = {}
        self._tell: dict[str, Callable[[Inventory], None]] = {}
        self._things: dict[str, Thing] = {}
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
            thing.let_go()

    def attach(self, devices: Iterable[Device]) -> None:
        """Speak to these devices."""
        for device in devices:
            before = self._things.get(device.id)
            self.detach((device.id,))
            at, home = place_of(device.address), self._home(device.connected_account_id)
            thing: Thing
            if at is None:
                continue
            if "lock" in device.capabilities:
                thing = MatterLock(device, at, home)
                if isinstance(before, MatterLock):
                    thing.codes.take_over(before.codes)
            elif "thermostat" in device.capabilities:
                thing = MatterThermostat(device, at, home)
            else:
                continue
            self._things[device.id] = thing
            thing.read_soon()

    def detach(self, device_ids: Iterable[str]) -> None:
        """Speak to these devices no more."""
        for device_id in device_ids:
            thing = self._things.pop(device_id, None)
            if thing is not None:
                thing.let_go()

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
        if capability is CodeMemory and isinstance(thing, MatterLock):
            thing = thing.codes
        return thing if isinstance(thing, capability) else None

    # HubDriver ----------------------------------------------------------------------------------

    async def look(self, settings: Settings) -> HubFacts:
        """Connect once, and say what the hub is and what is behind it."""
        conversation = None
        try:
            socket = await self._dial(settings["url"])
            conversation = MatterConversation(socket, self._clock, lambda message, number: None)
            server, nodes = await conversation.begin()
        except NotUnderstood as reason:
            raise HubNotUnderstood(str(reason)) from None
        except LinkLost:
            raise HubUnreachable from None
        finally:
            if conversation is not None:
                await conversation.end()
        found = tuple(each for node in nodes for each in found_at(node))
        return HubFacts(str(server.fabric), f"Matter fabric {server.fabric:016x}", found)

    def follow(self, hub: Hub, tell: Callable[[Inventory], None]) -> None:
        """Hold a link to this hub, in the place of any other to the same account."""
        before = self._links.pop(hub.account_id, None)
        if before is not None:
            for thing in self._of(hub.account_id):
                thing.lost(with_hub=True)
            ending = asyncio.get_running_loop().create_task(before.life.stop())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        self._tell[hub.account_id] = tell
        link = self._links[hub.account_id] = HubLink(
            hub,
            self._dial,
            self._clock,
            chance(self._seed, hub.account_id).random,
            hear=self._hear,
            stands=self._stands,
            lost=self._lost,
        )
        link.life.start()

    async def leave(self, account_id: str) -> None:
        """Let go of the hub."""
        self._tell.pop(account_id, None)
        link = self._links.pop(account_id, None)
        for thing in self._of(account_id):
            thing.let_go()
        if link is not None:
            await link.life.stop()

    # a hub's life -------------------------------------------------------------------------------

    def _home(self, account_id: str) -> Home:
        if account_id not in self._homes:
            self._homes[account_id] = Home(
                link=lambda: self._links.get(account_id),
                observe=self._say,
                clock=self._clock,
                pins=self._pins,
                at_once=asyncio.Semaphore(READ_AT_ONCE),
            )
        return self._homes[account_id]

    def _say(self, seen: Observation) -> None:
        self._observe(seen)

    def _stands(self, link: HubLink) -> None:
        self._tell_inventory(link)
        for thing in self._of(link.account_id):
            self._follow_availability(thing, link.nodes.get(thing.node_id))

    def _lost(self, link: HubLink) -> None:
        if self._links.get(link.account_id) is link:
            for thing in self._of(link.account_id):
                thing.lost(with_hub=True)

    def _hear(self, link: HubLink, message: Message, number: int) -> None:
        if self._links.get(link.account_id) is not link or not link.life.is_up:
            return
        if isinstance(message, NodeChanged):
            self._tell_inventory(link)
            for thing in self._of(link.account_id):
                if thing.node_id == message.node:
                    self._follow_availability(thing, link.nodes.get(message.node))
        elif isinstance(message, EndpointGone):
            self._tell_inventory(link)
        elif isinstance(message, Reported | Happened):
            if isinstance(message, Reported) and message.path[1:] in _DESCRIBED:
                self._tell_inventory(link)
            for thing in self._of(link.account_id):
                if thing.node_id == message.node:
                    thing.hear(message, number)

    @staticmethod
    def _follow_availability(thing: Thing, node: Node | None) -> None:
        """What its server says of a node is a reason to read it, or not to try."""
        if node is not None and node.is_available:
            thing.doubt()
        else:
            thing.lost(with_hub=False)

    def _tell_inventory(self, link: HubLink) -> None:
        found = tuple(each for node in link.nodes.values() for each in found_at(node))
        self._tell[link.account_id](Inventory(link.account_id, found))

    def _of(self, account_id: str) -> list[Thing]:
        return [each for each in self._things.values() if each.device.connected_account_id == account_id]


def place_of(address: str) -> tuple[int, int] | None:
    """The node and the endpoint that an address is; ``None`` for what is none of ours."""
    node, _, endpoint = address.partition("/")
    return (int(node), int(endpoint)) if node.isdecimal() and endpoint.isdecimal() else None


def found_at(node: Node) -> list[Found]:
    """The devices that a node is: none, one, or those behind a bridge."""
    found = []
    for endpoint in sorted({*node.with_cluster(Cluster.DOOR_LOCK), *node.with_cluster(Cluster.THERMOSTAT)}):
        capabilities, more, kind = locks.capabilities_of(node, endpoint), {}, LOCK_TYPE
        if capabilities:
            more = locks.details_of(node, endpoint)
        else:
            capabilities, kind = thermostats.capabilities_of(node, endpoint), THERMOSTAT_TYPE
            more = thermostats.details_of(node, endpoint)
        if not capabilities:
            continue
        maker, model = node.text(endpoint, _MAKER), node.text(endpoint, _MODEL)
        described = {"manufacturer": maker, "manufacturer_name": maker} if maker else {}
        found.append(
            Found(
                address=f"{node.id}/{endpoint}",
                name=node.text(endpoint, _LABEL) or model or f"Matter node {node.id}",
                device_type=kind,
                capabilities=capabilities,
                details={**more, **described, **({"model_name": model} if model else {})},
            )
        )
    return found
