"""What all devices behind a hub have in common: they are heard, asked, lost and found again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from thumbturn.domain.clock import Clock
from thumbturn.domain.device import HUB_DISCONNECTED, Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import DeviceOffline
from thumbturn.drivers.zigbee2mqtt.asking import Answer, Asking
from thumbturn.drivers.zigbee2mqtt.codec import Failed, How, number
from thumbturn.drivers.zigbee2mqtt.exposes import POWER
from thumbturn.engine.code_slots import put_on_record
from thumbturn.engine.pins import Pins


class HubLine(Protocol):
    """What a device needs of its hub."""

    clock: Clock

    async def stands(self) -> bool:
        """Whether the hub can be reached; of one that is connected to for the first time, in a moment."""

    async def publish(self, address: str, verb: str, payload: str) -> None:
        """Say it to the device. Raises ``HubUnreachable`` when the link is lost meanwhile."""

    def learned(self, address: str, details: Mapping[str, Any]) -> None:
        """The device itself has said what it can do."""


class Thing:
    """A device. Subclasses say what is new in what it says, and read what is so of it."""

    def __init__(
        self, device: Device, hub: HubLine, observe: Callable[[Observation], None], pins: Pins
    ) -> None:
        self.device_id, self.address = device.id, device.address
        self.clock = hub.clock
        self.hub = hub
        self.asking = Asking(self.send, hub.clock)
        #: Whether the server believes that it can be reached.
        self.is_online: bool = device.online
        self._because: str | None = device.state.get("offline_because")
        self._observe = observe
        self._has_battery = "battery" in device.capabilities
        self._battery: float | None = None

    # what it hears ------------------------------------------------------------------------------

    def said(self, fields: Mapping[str, Any]) -> None:
        """A message with all that is known of it."""
        self.asking.said(fields)
        before, self._battery = self._battery, number(fields.get("battery"), 0, 100)
        if self._has_battery and None not in {before, self._battery} and before != self._battery:
            self.report({"battery_level": self._battery_level()})

    def failed(self, failed: Failed) -> None:
        """A command to it came to nothing."""
        self.asking.failed(failed)

    def link_lost(self) -> None:
        """Its hub cannot be reached: nothing that was said is worth anything afterwards."""
        self.asking.give_up()
        self._battery = None

    def let_go(self) -> None:
        """Nothing is reported of it any more."""
        self.link_lost()
        self._observe = _to_nobody

    # what it is asked ---------------------------------------------------------------------------

    async def read(self) -> Mapping[str, Any] | None:
        """What is so of it, as it says itself; ``None`` if it does not answer."""
        raise NotImplementedError

    async def ask(self, cluster: str, *attributes: str) -> Answer | How:
        """Ask the device itself for attributes."""
        return await self.asking.ask(cluster, attributes)

    async def read_battery(self) -> Mapping[str, Any]:
        """Its battery, as it says; nothing if it has none or does not say."""
        if not self._has_battery:
            return {}
        answer = await self.ask(POWER, "batteryPercentageRemaining")
        if not isinstance(answer, Answer):
            return {}
        # Which of them count to 200 and which to 100 only Zigbee2MQTT knows; it has just heard it as we did.
        self._battery = number(answer.fields.get("battery"), 0, 100)
        return {} if self._battery is None else {"battery_level": self._battery_level()}

    def offer(self, capability: type) -> object:
        """What stands for a capability of it."""
        return self

    async def send(self, payload: str, verb: str = "set") -> None:
        """Say something to it. Raises ``HubUnreachable`` when the link is lost meanwhile."""
        await self.hub.publish(self.address, verb, payload)

    async def must_be_linked(self) -> None:
        """Return if there is a hub to send anything to. Raises ``DeviceOffline``."""
        if not await self.hub.stands():
            raise DeviceOffline

    # what it reports ----------------------------------------------------------------------------

    def report(self, changes: Mapping[str, Any], *, method: str | None = None, **more: Any) -> None:
        """What is so of it now."""
        self._observe(self.observation(changes, method=method, **more))

    async def put_on_record(self, changes: Mapping[str, Any]) -> None:
        """What is so of it now; returns once it is on record. Raises ``OutcomeUnknown``."""
        await put_on_record(self.observation(changes), self._observe, self.clock)

    def observation(
        self, changes: Mapping[str, Any], *, method: str | None = None, **more: Any
    ) -> Observation:
        """The same, to be handed over."""
        return Observation(
            self.device_id, self.clock.now(), changes, Evidence.STATE_REPORT, method=method, **more
        )

    def found(self, changes: Mapping[str, Any]) -> None:
        """It can be reached, and this was read from it."""
        self.is_online, self._because = True, None
        self.report({"online": True, "offline_because": None, **changes}, said="It was asked, and answers.")

    def lost(self, *, with_hub: bool) -> None:
        """It cannot be reached; said once."""
        because = HUB_DISCONNECTED if with_hub else None
        if self.is_online or (with_hub and self._because is None):
            self.is_online, self._because = False, because
            self.report({"online": False, "offline_because": because})

    def _battery_level(self) -> float:
        return round((self._battery or 0) / 100, 4)


def _to_nobody(observation: Observation) -> None:
    """What is said of a device that was let go of is no longer ours to tell."""
