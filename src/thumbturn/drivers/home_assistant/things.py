"""What all devices behind a Home Assistant have in common: integrations look before they are believed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import HUB_DISCONNECTED, Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DeviceOffline, NotSupported, OutcomeUnknown
from thumbturn.drivers.home_assistant.codec import Answer, State
from thumbturn.drivers.home_assistant.link import HubLink

#: An integration that does not look in this time is asked again after a pause, later each time.
LOOKS_WITHIN = seconds(8)
FIRST_TRY_AGAIN, LAST_TRY_AGAIN = seconds(10), seconds(300)
#: A change that was seen is believed after so long, however slow its integration is to look again.
CHECKED_WITHIN = seconds(2)
#: Errors of Home Assistant with which certainly nothing was done, and what they are.
_REFUSED = frozenset({"service_validation_error", "invalid_format", "unauthorized", "unknown_command"})


class Home(NamedTuple):
    """What the devices behind one hub have in common."""

    #: The link to it, while there is one.
    link: Callable[[], HubLink | None]
    observe: Callable[[Observation], None]
    clock: Clock
    #: How many are read at once: their integrations are one program.
    at_once: asyncio.Semaphore


class Thing:
    """An entity that is a device here."""

    def __init__(self, device: Device, home: Home) -> None:
        self.device = device
        self.address = device.address
        self.clock = home.clock
        self._home = home
        #: Whether its integration was made to look since its hub was connected, and says that it is there.
        self.is_online = False
        self._because: str | None = device.state.get("offline_because")
        self._battery: float | None = device.state.get("battery_level")
        self._reading: asyncio.Task[None] | None = None
        #: What Home Assistant answered to the last command, if that was that it failed.
        self._error = ""

    @property
    def link(self) -> HubLink:
        """The link to its hub. Raises ``DeviceOffline`` if there is none."""
        link = self._home.link()
        if link is None:
            raise DeviceOffline
        return link

    @property
    def state(self) -> State | None:
        """How Home Assistant says that it is."""
        link = self._home.link()
        return None if link is None else link.house.state_at(self.address)

    @property
    def entity_id(self) -> str:
        """What it is called at its hub now."""
        return self.link.house.entity_at(self.address)

    # what a kind of device does differently -----------------------------------------------------

    def found(self, state: State) -> Mapping[str, Any]:
        """Its integration was made to look: what is so now, as far as that is to be believed."""
        raise NotImplementedError

    def hear(self, state: State, said: str) -> None:
        """Take in what its entity has changed to."""
        raise NotImplementedError

    def forget(self) -> None:
        """Stop whatever it waits for."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    # online and offline -------------------------------------------------------------------------

    def read_soon(self) -> None:
        """Have its integration look, until it does."""
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read())

    def doubt(self) -> None:
        """Its hub is connected: it is online once its integration has looked."""
        self.is_online = False
        self.read_soon()

    def changed(self, state: State | None, number: int) -> None:
        """Its entity is not as it was."""
        if state is None or not state.is_reachable:
            self._say_offline(None)
        elif not self.is_online:
            self.read_soon()
        else:
            self.hear(state, f"It changed to {state.value[:40]!r} ({self.reference(number)}).")

    def lose(self, because: str = HUB_DISCONNECTED) -> None:
        """Its hub is lost, or does not let anybody in."""
        self.forget()
        self._say_offline(because)

    def tell_battery(self) -> None:
        """How full its battery is may have changed."""
        level = self.link.house.battery_level(self.address)
        if self.is_online and level is not None and level != self._battery:
            self._battery = level
            self.say({"battery_level": level}, said="Its battery reported.")

    async def look(self) -> bool:
        """Have its integration look, and say how it is; ``False`` if that did not happen."""
        state = self.state
        if state is not None and state.is_reachable:
            if not await self.refresh(LOOKS_WITHIN):
                if self.link.life.is_up:  # else it is its hub that is away, which is said of all
                    self._say_offline(None)
                return False
            state = self.state
        if state is None or not state.is_reachable:
            self._say_offline(None)
            return True
        self.is_online, self._because = True, None
        self._battery = self.link.house.battery_level(self.address)
        battery = {} if self._battery is None else {"battery_level": self._battery}
        self.say(
            {"online": True, "offline_because": None, **battery, **self.found(state)}, said="It was read."
        )
        return True

    async def refresh(self, within: int) -> bool:
        """Have its integration look; whether that is over in time."""
        link = self._home.link()
        return link is not None and await link.refresh(link.house.entity_at(self.address), within)

    async def be_ready(self) -> None:
        """Return if a command can be sent to it. Raises ``DeviceOffline``: then nothing was sent.

        To a command for what is not there or cannot be reached Home Assistant answers well, and does nothing.
        """
        if not await self.link.stands():
            raise DeviceOffline
        if not self.is_online and not await self.look():
            raise DeviceOffline
        state = self.state
        if state is None or not state.is_reachable:
            raise DeviceOffline

    async def _read(self) -> None:
        pause = FIRST_TRY_AGAIN
        while True:
            async with self._home.at_once:
                if await self.look():
                    break
            await self.clock.sleep(pause)
            pause = min(2 * pause, LAST_TRY_AGAIN)
        self._reading = None

    def _say_offline(self, because: str | None) -> None:
        is_news = self.is_online or self._because != because or self.device.online
        self.is_online, self._because = False, because
        if is_news:
            self.say({"online": False, "offline_because": because})

    # for the kinds ------------------------------------------------------------------------------

    def say(
        self,
        changes: Mapping[str, Any],
        evidence: Evidence = Evidence.STATE_REPORT,
        method: str | None = None,
        said: str = "",
    ) -> None:
        """Tell what is so now."""
        self._home.observe(self.seen(changes, evidence, method, said))

    def seen(
        self,
        changes: Mapping[str, Any],
        evidence: Evidence = Evidence.STATE_REPORT,
        method: str | None = None,
        said: str = "",
    ) -> Observation:
        """What is so now, as an observation."""
        return Observation(self.device.id, self.clock.now(), changes, evidence, method, said=said)

    def reference(self, number: int) -> str:
        """Which message of the hub it was, for whoever has its log."""
        return f"{self.entity_id}, message {number}"

    async def serve(self, domain: str, service: str, **data: Any) -> Answer | None:
        """What is answered to a service, put on record. Raises a ``Failure`` if it was certainly not done."""
        self._error = ""
        answer = await self.link.serve(domain, service, self.entity_id, **data)
        if answer is None:
            return None
        if answer.is_good:
            said = f"Home Assistant has called {domain}.{service} (command {answer.message_id})."
            self.say({}, Evidence.RADIO_ACK, "remote", said)
            return answer
        if answer.error == "not_found":
            raise NotSupported
        # A user who may not is refused before anything is done, by another word.
        if answer.error in _REFUSED or answer.message == "Unauthorized":
            raise CommandRefused.because(f"Home Assistant refuses it: {answer.message or answer.error}")
        self._error = f"Home Assistant answered that it failed: {answer.message or answer.error}"
        self.say({}, Evidence.NONE, "remote", self._error)
        return answer

    def say_unproven(self, state: State) -> None:
        """Put on record what Home Assistant remembers of it, and that this proves nothing."""
        said = (
            f"Home Assistant looked, and still says {state.value[:40]!r}: it may not have heard of a change."
        )
        self.say({}, Evidence.RADIO_ACK, "remote", said)
        if self._error:
            raise OutcomeUnknown.because(self._error)
