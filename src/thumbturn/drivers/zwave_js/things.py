"""What all devices behind a Z-Wave hub have in common: they are read before they are believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import HUB_DISCONNECTED, Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DeviceOffline, DeviceUnreachable, NotSupported
from thumbturn.drivers.zwave_js.codec import CC, Answer, Message, Node, Reached, Status, Value
from thumbturn.drivers.zwave_js.link import HubLink
from thumbturn.engine.code_slots import put_on_record
from thumbturn.engine.pins import Pins

#: A node that does not answer is tried again so soon, and later each time: a dead one costs its hub 3 s.
FIRST_TRY_AGAIN, LAST_TRY_AGAIN = seconds(10), seconds(300)
#: What of Z-Wave JS's errors says for certain that the node was not reached, or that nothing was sent at all.
_UNREACHED = frozenset(
    {
        "Controller_CallbackNOK",
        "Controller_ResponseNOK",
        "Controller_MessageDropped",
        "Controller_NodeRemoved",
        "Controller_NodeNotFound",
        "Driver_NotReady",
        "node_not_found",
    }
)
_UNSUPPORTED = frozenset({"CC_NotSupported", "CC_NotImplemented", "CC_Invalid", "Argument_Invalid"})


class Home(NamedTuple):
    """What the devices behind one hub have in common."""

    #: The link to it, while there is one.
    link: Callable[[], HubLink | None]
    observe: Callable[[Observation], None]
    #: Called when a device shall be read.
    wake: Callable[[], None]
    clock: Clock
    pins: Pins


class Thing:
    """A node that is a device here."""

    def __init__(self, device: Device, home: Home) -> None:
        self.device = device
        self.node_id = int(device.address)
        self.clock = home.clock
        self._home = home
        #: Whether it was read since its hub was connected, and has answered last.
        self.is_online = False
        #: It did not answer its hub the last time.
        self.is_dead = False
        #: When it shall be read, µs, 0 for not now; and how long after that, if it does not answer.
        self.due_at = 0
        self._pause = FIRST_TRY_AGAIN

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
        """How it is, as the device itself says now; ``None`` if it does not."""
        raise NotImplementedError

    def hear(self, message: Message, number: int) -> None:
        """Take in what its hub says of it."""
        if isinstance(message, Reached):
            self._reached(message)
        elif isinstance(message, Value) and not message.is_echo and message.cc == CC.BATTERY:
            level = battery_level(message)
            if level is not None:
                self.say({"battery_level": level}, said=f"Battery report ({self.reference(number)}).")

    def forget(self) -> None:
        """Stop whatever it waits for."""

    # online and offline -------------------------------------------------------------------------

    def read_soon(self) -> None:
        """Have it read as soon as its hub has time."""
        self.due_at = self.clock.now()
        self._home.wake()

    def doubt(self) -> None:
        """Its hub is connected: it is online once it was read."""
        self.is_online, self.is_dead = False, False
        self.due_at = self.clock.now()

    async def look(self) -> bool:
        """Read it, and say how it is; whether it answered."""
        so = await self.read()
        self.due_at = 0
        if so is None:
            self.is_dead = True
            self.due_at = self.clock.now() + self._pause
            self._pause = min(2 * self._pause, LAST_TRY_AGAIN)
            self._say_offline(None)
            return False
        self.is_dead, self._pause = False, FIRST_TRY_AGAIN
        self.is_online = True
        self.say({"online": True, "offline_because": None, **so}, said="It was read.")
        return True

    def lose(self) -> None:
        """Its hub is lost."""
        self.is_dead, self.due_at, self._pause = False, 0, FIRST_TRY_AGAIN
        self.forget()
        self._say_offline(HUB_DISCONNECTED)

    async def be_ready(self) -> None:
        """Return if a command can be sent to it. Raises ``DeviceOffline``: then nothing was sent.

        One that its hub could not reach is not tried with a command: its hub would try for seconds, and all
        others behind it would wait.
        """
        if not await self.link.stands() or self.is_dead:
            raise DeviceOffline
        if not self.is_online and not await self.look():
            raise DeviceOffline

    def _reached(self, told: Reached) -> None:
        if not told.is_alive:
            self._die()
            self._say_offline(None)
        elif self.is_dead:
            # It says so itself: it is worth to ask it at once.
            self.read_soon()

    def _die(self) -> None:
        self.is_dead = True
        self.due_at = self.clock.now() + self._pause
        self._home.wake()

    def _say_offline(self, because: str | None) -> None:
        self.is_online = False
        self.say({"online": False, "offline_because": because})

    # for the kinds ------------------------------------------------------------------------------

    def say(
        self,
        changes: Mapping[str, Any],
        evidence: Evidence = Evidence.STATE_REPORT,
        method: str | None = None,
        said: str = "",
        place: str | None = None,
    ) -> None:
        """Tell what is so now."""
        self._home.observe(self.seen(changes, evidence, method, said, place))

    def deny(self, why: str, said: str) -> None:
        """Tell that it let somebody wait, and why (``Observation.denied``)."""
        self._home.observe(self.seen({}, said=said)._replace(denied=why))

    async def put_on_record(self, changes: Mapping[str, Any]) -> None:
        """Tell what is so now, and return once it is on record. Raises ``OutcomeUnknown``."""
        await put_on_record(self.seen(changes), self._home.observe, self.clock)

    def seen(
        self,
        changes: Mapping[str, Any],
        evidence: Evidence = Evidence.STATE_REPORT,
        method: str | None = None,
        said: str = "",
        place: str | None = None,
    ) -> Observation:
        """What is so now, as an observation."""
        now = self.clock.now()
        return Observation(self.device.id, now, changes, evidence, method, said=said, place=place)

    def reference(self, number: int) -> str:
        """Which message of the hub it was, for whoever has its log."""
        return f"Z-Wave node {self.node_id}, message {number}"

    def judged(self, answer: Answer | None, said: str = "") -> Evidence:
        """What the answer to a command is worth. Raises a ``Failure`` if it was certainly not done."""
        if answer is None:
            return Evidence.NONE
        if not answer.is_good:
            failure = self.failure(answer)
            if failure is not None:
                raise failure
            return Evidence.NONE
        status = status_of(answer)
        if status == Status.SUCCESS:
            return Evidence.DEVICE_ACCEPTED
        if status in {Status.UNSUPERVISED, Status.WORKING}:
            word = "Its radio took the command" if status == Status.UNSUPERVISED else "It is at work"
            self.say(
                {}, Evidence.RADIO_ACK, "remote", f"{word} ({status}, command {answer.message_id}). {said}"
            )
            return Evidence.NONE
        raise CommandRefused

    def failure(self, answer: Answer) -> Failure | None:
        """Why a command was certainly not carried out; ``None`` if nobody knows."""
        if answer.error in _UNREACHED:
            if answer.error == "Controller_CallbackNOK":
                self._die()
            return DeviceUnreachable()
        if answer.error in _UNSUPPORTED:
            return NotSupported()
        return None


def status_of(answer: Answer) -> int | None:
    """What came of setting a value, as ``codec.Status``."""
    result = answer.result.get("result")
    status = result.get("status") if isinstance(result, dict) else None
    return status if isinstance(status, int) else None


def response_of(answer: Answer | None) -> Any:
    """What a node answered; ``None`` if it did not."""
    return None if answer is None or not answer.is_good else answer.result.get("response")


def battery_level(value: Value) -> float | None:
    """How full a battery is, 0 to 1, if this says that."""
    if value.name == "level":
        return level_of(value.is_now)
    return None


def level_of(level: Any) -> float | None:
    """How full a battery is, 0 to 1, of Z-Wave's per cents."""
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 <= level <= 100:
        return None
    return round(level / 100, 2)
