"""The driver ``home_assistant``: the hubs that it holds links to, and what is behind each.

A device is online once its integration was made to look, after each connection. What Home Assistant remembers
of it is believed where it differs from what is on record here: then something has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from thumbturn.actions.definition import CAPABILITY_WORD
from thumbturn.domain.clock import Clock
from thumbturn.domain.connected_account import ACCOUNT_DISCONNECTED
from thumbturn.domain.device import HUB_DISCONNECTED, Device, Observation
from thumbturn.domain.hub import (
    Field,
    Found,
    Hub,
    HubFacts,
    HubLoginRefused,
    HubNotUnderstood,
    HubUnreachable,
    Inventory,
    Settings,
    ShutOut,
    Told,
)
from thumbturn.domain.ids import chance, random_bytes
from thumbturn.drivers.home_assistant.codec import Changed, Message, Reordered
from thumbturn.drivers.home_assistant.discovery import found_at, found_in, noise_sensors_in
from thumbturn.drivers.home_assistant.house import House
from thumbturn.drivers.home_assistant.link import (
    Conversation,
    HubLink,
    NotUnderstood,
    TokenRefused,
    address_of,
)
from thumbturn.drivers.home_assistant.locks import HomeAssistantLock
from thumbturn.drivers.home_assistant.noise_sensors import HomeAssistantNoiseSensor
from thumbturn.drivers.home_assistant.thermostats import HomeAssistantThermostat
from thumbturn.drivers.home_assistant.things import Home, Thing
from thumbturn.engine.link_life import LinkLost
from thumbturn.engine.web_socket import Dial, dial

C = TypeVar("C")

_READ_AT_ONCE = 5
_KINDS: tuple[tuple[str, type[Thing]], ...] = (
    ("lock", HomeAssistantLock),
    ("thermostat", HomeAssistantThermostat),
    ("noise_detection", HomeAssistantNoiseSensor),
)


class HomeAssistantDriver:
    """Devices behind Home Assistants. Implements ``HubDriver`` of ``engine/hub_ports.py``."""

    name = "home_assistant"
    title = "Home Assistant"
    #: It has one program for each of its integrations, and these go on side by side.
    commands_at_once: int | None = None
    capabilities = frozenset({"lock", "thermostat", "noise_detection", "battery"})
    fields: tuple[Field, ...] = (
        Field(
            name="url",
            label="Address of Home Assistant",
            kind="url",
            schemes=("http", "https", "ws", "wss"),
            hint="That of its page, usually with port 8123: http://homeassistant.local:8123",
        ),
        Field(
            name="token",
            label="Long-lived access token",
            kind="secret",
            hint="In Home Assistant: your name at the lower left, Security, Long-lived access tokens.",
        ),
        Field(
            name="noise_sensors",
            label="Noise sensors",
            is_required=False,
            hint="The ids of sensors in dB, with commas between them: sensor.terrace_noise",
        ),
    )

    def __init__(self, clock: Clock, dial: Dial = dial) -> None:
        self._clock = clock
        self._dial = dial
        self._seed = int.from_bytes(random_bytes(8))
        self._observe: Callable[[Observation], None] = lambda seen: None
        self._links: dict[str, HubLink] = {}
        self._noisy: dict[str, frozenset[str]] = {}
        self._tell: dict[str, Callable[[Told], None]] = {}
        #: What was told last of each hub, by address.
        self._told: dict[str, dict[str, Found]] = {}
        self._things: dict[str, Thing] = {}
        #: The same by account and address.
        self._at: dict[tuple[str, str], Thing] = {}
        self._at_once: dict[str, asyncio.Semaphore] = {}
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
            self.detach((device.id,))
            kind = next((each for word, each in _KINDS if word in device.capabilities), None)
            if kind is None:
                continue
            thing = kind(device, self._home(device.connected_account_id))
            self._things[device.id] = self._at[device.connected_account_id, device.address] = thing
            link = self._links.get(device.connected_account_id)
            if link is not None and link.life.is_up:
                thing.read_soon()

    def detach(self, device_ids: Iterable[str]) -> None:
        """Speak to these devices no more."""
        for device_id in device_ids:
            thing = self._things.pop(device_id, None)
            if thing is not None:
                thing.forget()
                self._at.pop((thing.device.connected_account_id, thing.address), None)

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
        return thing if isinstance(thing, capability) else None

    # HubDriver ----------------------------------------------------------------------------------

    async def look(self, settings: Settings) -> HubFacts:
        """Log in once, and say what the hub is and what is behind it."""
        conversation = None
        house = House()
        try:
            socket = await self._dial(address_of(settings))
            conversation = Conversation(socket, self._clock, lambda message, number: None)
            user_id, house.facts = await conversation.begin(settings["token"])
            await conversation.survey(house)
        except TokenRefused as reason:
            raise HubLoginRefused(str(reason)) from None
        except NotUnderstood as reason:
            raise HubNotUnderstood(str(reason)) from None
        except LinkLost:
            raise HubUnreachable from None
        finally:
            if conversation is not None:
                await conversation.end()
        noisy = noise_sensors_in(settings.get("noise_sensors", ""))
        missing = sorted(noisy - house.states.keys())
        if missing:
            raise HubNotUnderstood(f"This Home Assistant has no {missing[0][:100]!r} that could hear noise.")
        found = (found_at(house, state, noisy) for state in house.states.values())
        there = tuple(each for each in found if each is not None)
        return HubFacts(user_id, house.facts.name or "Home Assistant", there)

    def follow(self, hub: Hub, tell: Callable[[Told], None]) -> None:
        """Hold a link to this hub, in the place of any other to the same account."""
        before = self._links.pop(hub.account_id, None)
        if before is not None:
            for thing in self._of(hub.account_id):
                thing.lose()
            ending = asyncio.get_running_loop().create_task(before.life.stop())
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        self._tell[hub.account_id] = tell
        self._noisy[hub.account_id] = noise_sensors_in(hub.settings.get("noise_sensors", ""))
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
        for kept in (self._tell, self._noisy, self._told, self._at_once):
            kept.pop(account_id, None)
        link = self._links.pop(account_id, None)
        if link is not None:
            await link.life.stop()

    # a hub's life -------------------------------------------------------------------------------

    def _home(self, account_id: str) -> Home:
        return Home(
            link=lambda: self._links.get(account_id),
            observe=self._say,
            clock=self._clock,
            at_once=self._at_once.setdefault(account_id, asyncio.Semaphore(_READ_AT_ONCE)),
        )

    def _say(self, seen: Observation) -> None:
        self._observe(seen)

    def _stands(self, link: HubLink) -> None:
        self._told.pop(link.account_id, None)
        self._tell_inventory(link)
        for thing in self._of(link.account_id):
            thing.doubt()

    def _lost(self, link: HubLink) -> None:
        if self._links.get(link.account_id) is not link:
            return
        because = HUB_DISCONNECTED if link.is_let_in else ACCOUNT_DISCONNECTED
        if not link.is_let_in:
            self._tell[link.account_id](ShutOut(link.account_id))
        for thing in self._of(link.account_id):
            thing.lose(because)

    def _hear(self, link: HubLink, message: Message, number: int) -> None:
        if self._links.get(link.account_id) is not link or not link.life.is_up:
            return
        if isinstance(message, Reordered):
            self._tell_inventory(link)
            for each in self._of(link.account_id):
                # What was said meanwhile under an id that was not known yet.
                each.changed(link.house.state_at(each.address), number)
            return
        if not isinstance(message, Changed):
            return
        account_id, house = link.account_id, link.house
        if not link.is_reordering and self._is_news(link, message):
            self._tell_inventory(link)
        thing = self._at.get((account_id, house.address_of(message.entity_id)))
        # An entity that gets another id is gone at first: the register tells what it is called now.
        if thing is not None and (message.state is not None or not link.is_reordering):
            thing.changed(message.state, number)
        for each in self._of(account_id) if house.is_battery(message.entity_id) else ():
            if house.battery_of(each.entity_id) == message.entity_id:
                each.tell_battery()

    def _is_news(self, link: HubLink, message: Changed) -> bool:
        """True if what there is, or what it can do, is not what was told."""
        told = self._told[link.account_id].get(link.house.address_of(message.entity_id))
        if message.state is None:
            return told is not None
        found = found_at(link.house, message.state, self._noisy[link.account_id])
        return found != told and (found is not None or message.state.is_reachable)

    def _tell_inventory(self, link: HubLink) -> None:
        account_id = link.account_id
        known = {thing.address: thing.device for thing in self._of(account_id)}
        found = found_in(link.house, self._noisy[account_id], known)
        told = {each.address: each for each in found}
        if told != self._told.get(account_id):
            self._told[account_id] = told
            self._tell[account_id](Inventory(account_id, tuple(told.values())))

    def _of(self, account_id: str) -> list[Thing]:
        return [each for each in self._things.values() if each.device.connected_account_id == account_id]
