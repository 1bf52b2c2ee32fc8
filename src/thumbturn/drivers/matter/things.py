"""What all devices behind a Matter hub have in common: they are read before they are believed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import HUB_DISCONNECTED, Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DeviceOffline, DeviceUnreachable, NotSupported
from thumbturn.domain.hub import HubUnreachable
from thumbturn.drivers.matter.codec import Answer, Cluster, Code, Happened, Node, Path, Reported, Status
from thumbturn.drivers.matter.link import HubLink
from thumbturn.engine.code_slots import put_on_record
from thumbturn.engine.hub_words import is_number
from thumbturn.engine.pins import Pins
from thumbturn.engine.reading import Reading

#: A device that was heard of so lately is there. Another one is asked before it is sent a command: one that
#: is away has then certainly not acted.
_HEARD_LATELY = seconds(5)
#: In these cases a server has sent nothing to the device.
_NOT_SENT = frozenset(Code)
_UNSUPPORTED = frozenset(
    {
        Status.UNSUPPORTED_ENDPOINT,
        Status.UNSUPPORTED_COMMAND,
        Status.UNSUPPORTED_ATTRIBUTE,
        Status.UNSUPPORTED_CLUSTER,
    }
)
#: What every node has, and what says nothing.
_PRESENCE = (0, int(Cluster.BASIC), 0)
#: Of the cluster of power sources: how full a battery is, in half per cents.
_PERCENT_REMAINING = 12


class Home(NamedTuple):
    """What the devices behind one hub have in common."""

    #: The link to it, while there is one.
    link: Callable[[], HubLink | None]
    observe: Callable[[Observation], None]
    clock: Clock
    pins: Pins
    #: How many are read at a time.
    at_once: asyncio.Semaphore


class Thing:
    """An endpoint of a node that is a device here."""

    def __init__(self, device: Device, at: tuple[int, int], home: Home) -> None:
        self.device = device
        self.node_id, self.endpoint = at
        self.clock = home.clock
        self._home = home
        #: Whether it was read since its hub was connected, and has answered last.
        self.is_online = False
        #: It did not answer the last time, and is tried again.
        self._is_away = False
        self._because: str | None = device.state.get("offline_because")
        self._heard_at = -_HEARD_LATELY
        self._last_event = -1
        self._reading = Reading(self, home.at_once, home.clock)

    @property
    def link(self) -> HubLink:
        """The link to its hub. Raises ``DeviceOffline`` if there is none."""
        link = self._home.link()
        if link is None:
            raise DeviceOffline
        return link

    @property
    def node(self) -> Node | None:
        """What its hub says of it."""
        link = self._home.link()
        return None if link is None else link.nodes.get(self.node_id)

    # what a kind of device does differently -----------------------------------------------------

    async def read(self) -> Mapping[str, Any] | None:
        """How it is, as the device itself says now; ``None`` if it does not. Raises ``HubUnreachable``."""
        raise NotImplementedError

    def reported(self, told: Reported, number: int) -> None:
        """Take in an attribute of its endpoint."""

    def happened(self, told: Happened, number: int) -> None:
        """Take in what happened at its endpoint."""

    def forget(self) -> None:
        """Stop whatever it waits for."""

    # what is heard of it ------------------------------------------------------------------------

    def hear(self, told: Reported | Happened, number: int) -> None:
        """Take in what its hub says of it. Before it was read that is of any age, and is read anyhow."""
        self._heard_at = self.clock.now()
        if not self.is_online:
            self._reading.wake()
            return
        if isinstance(told, Happened):
            if told.number > self._last_event and told.endpoint == self.endpoint:
                self._last_event = told.number
                self.happened(told, number)
        elif told.path == self._battery_path:
            level = _level_of(told.is_now)
            if level is not None:
                self.say({"battery_level": level}, said=f"Its battery reported ({self.reference(number)}).")
        elif told.path[0] == self.endpoint:
            self.reported(told, number)

    # online and offline -------------------------------------------------------------------------

    def read_soon(self) -> None:
        """Have it read now, if its hub can be reached."""
        link = self._home.link()
        if link is not None and link.life.is_up:
            self._reading.begin()

    def doubt(self) -> None:
        """Its hub was connected, or found it again: it is online once it was read."""
        self.is_online = self._is_away = False
        self.forget()
        self._reading.begin()

    def let_go(self) -> None:
        """Nothing is asked of it any more."""
        self._reading.stop()
        self.forget()

    def found(self, changes: Mapping[str, Any]) -> None:
        """It has answered, and is like this."""
        self.is_online, self._is_away, self._because = True, False, None
        self._heard_at = self.clock.now()
        self.say({"online": True, "offline_because": None, **changes}, said="It was read.")

    def lost(self, *, with_hub: bool) -> None:
        """It cannot be reached; said once."""
        because = HUB_DISCONNECTED if with_hub else None
        was_online, self.is_online, self._is_away = self.is_online, False, True
        self._heard_at = -_HEARD_LATELY
        self.forget()
        if with_hub:
            self._reading.stop()
        if was_online or self.device.online or (with_hub and self._because is None):
            self._because = because
            self.say({"online": False, "offline_because": because})

    async def be_ready(self) -> None:
        """Return if a command can be sent to it. Raises ``DeviceOffline`` and ``DeviceUnreachable``: then
        nothing was sent.
        """
        if not await self.link.stands() or self._is_away:
            raise DeviceOffline
        if self.is_online and self.clock.now() - self._heard_at < _HEARD_LATELY:
            return
        was_online = self.is_online
        try:
            is_there = await self._is_there()
        except HubUnreachable:
            raise DeviceOffline from None
        if not is_there:
            self.lost(with_hub=False)
            self._reading.begin(after_failure=True)
            raise DeviceUnreachable if was_online else DeviceOffline
        self._heard_at = self.clock.now()

    async def _is_there(self) -> bool:
        """Whether it answers. How it is it is asked only if that is not known: what it says before a command
        is no word on what came of that.
        """
        if self.is_online:
            return bool(await self.ask(_PRESENCE))
        so = await self.read()
        if so is not None:
            self.found(so)
        return so is not None

    # for the kinds ------------------------------------------------------------------------------

    async def ask(self, *paths: Path) -> Mapping[Path, Any] | None:
        """Ask the device itself for attributes; ``None`` if it does not answer. Raises ``HubUnreachable``."""
        return await self.link.read(self.node_id, paths)

    def path(self, cluster: int, attribute: int) -> Path:
        """An attribute of its endpoint."""
        return self.endpoint, int(cluster), attribute

    def those_there(self, cluster: int, attributes: Iterable[int]) -> list[Path]:
        """The paths of those of these attributes that it has."""
        node = self.node
        paths = [self.path(cluster, each) for each in attributes]
        return [each for each in paths if node is not None and each in node.attributes]

    @property
    def battery_paths(self) -> tuple[Path, ...]:
        """What to ask for to know how full its battery is; nothing if it has none."""
        return () if self._battery_path is None else (self._battery_path,)

    def battery_in(self, values: Mapping[Path, Any]) -> dict[str, Any]:
        """How full its battery is, if it said so."""
        level = None if self._battery_path is None else _level_of(values.get(self._battery_path))
        return {} if level is None else {"battery_level": level}

    @property
    def _battery_path(self) -> Path | None:
        return None if self.node is None else battery_of(self.node, self.endpoint)

    def say(
        self,
        changes: Mapping[str, Any],
        evidence: Evidence = Evidence.STATE_REPORT,
        method: str | None = None,
        **more: Any,
    ) -> None:
        """Tell what is so now."""
        self._home.observe(self.seen(changes, evidence, method, **more))

    async def put_on_record(self, changes: Mapping[str, Any]) -> None:
        """Tell what is so now, and return once it is on record. Raises ``OutcomeUnknown``."""
        await put_on_record(self.seen(changes), self._home.observe, self.clock)

    def seen(
        self,
        changes: Mapping[str, Any],
        evidence: Evidence = Evidence.STATE_REPORT,
        method: str | None = None,
        **more: Any,
    ) -> Observation:
        """What is so now, as an observation."""
        return Observation(self.device.id, self.clock.now(), changes, evidence, method, **more)

    def reference(self, number: int) -> str:
        """Which message of the hub it was, for whoever has its log."""
        return f"Matter node {self.node_id}, message {number}"

    def judged(
        self, answer: Answer | None, said: str = "", changes: Mapping[str, Any] | None = None
    ) -> Evidence:
        """What the answer to a command is worth. Raises a ``Failure`` if it was certainly not done.

        ``changes`` are what is so if it was done.
        """
        if answer is not None:
            if answer.is_good:
                self._heard_at = self.clock.now()
                word = f"Matter status: success (command {answer.message_id}). {said}".rstrip()
                self.say(changes or {}, Evidence.DEVICE_ACCEPTED, "remote", said=word)
                return Evidence.DEVICE_ACCEPTED
            failure = self.failure(answer)
            if failure is not None:
                raise failure
        # It may have done it, and it may be away: the next thing is to find that out.
        self.read_soon()
        return Evidence.NONE

    def failure(self, answer: Answer) -> Failure | None:
        """Why a command was certainly not carried out; ``None`` if nobody knows."""
        if answer.status is not None:
            self._heard_at = self.clock.now()
            return NotSupported() if answer.status in _UNSUPPORTED else CommandRefused()
        return DeviceUnreachable() if answer.error in _NOT_SENT else None


def battery_of(node: Node, endpoint: int) -> Path | None:
    """Where a device says how full its battery is: at itself, or for its whole node."""
    for at in (endpoint, 0):
        if node.has(at, Cluster.POWER_SOURCE, _PERCENT_REMAINING):
            return at, int(Cluster.POWER_SOURCE), _PERCENT_REMAINING
    return None


def written(answer: Answer | None) -> Answer | None:
    """The answer to the writing of one attribute: the status of the device is inside of it."""
    if answer is None or not answer.is_good:
        return answer
    first = answer.result[0] if isinstance(answer.result, list) and answer.result else None
    status = first.get("Status") if isinstance(first, dict) else None
    if not is_number(status):
        return answer._replace(is_good=False)  # nobody knows
    return answer if status == 0 else answer._replace(is_good=False, status=status)


def _level_of(half_percents: Any) -> float | None:
    if not is_number(half_percents) or not 0 <= half_percents <= 200:
        return None
    return half_percents / 200
