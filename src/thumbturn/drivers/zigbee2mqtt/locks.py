"""A lock behind a hub: its bolt. What it holds of codes is in ``codes.py``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final

from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.clock import MILLISECOND, seconds
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DeviceUnreachable
from thumbturn.domain.hub import HubUnreachable
from thumbturn.drivers.zigbee2mqtt.asking import ANSWERED_WITHIN, Answer
from thumbturn.drivers.zigbee2mqtt.bolt import LOCK_STATES, BoltStory, CodesTouched, Denied, Move
from thumbturn.drivers.zigbee2mqtt.codec import Failed, How, command, number
from thumbturn.drivers.zigbee2mqtt.codes import ZigbeeCodes
from thumbturn.drivers.zigbee2mqtt.exposes import DOOR_LOCK
from thumbturn.drivers.zigbee2mqtt.things import HubLine, Thing
from thumbturn.engine.pins import Pins

#: A lock that says that it moved says by whom a moment later, or a moment before: so long it is waited for.
SAYS_BY_WHOM_WITHIN: Final = 400 * MILLISECOND
#: No motor turns for that long: a bolt that is neither in nor out for as long is stuck.
TURNS_WITHIN: Final = seconds(5)
#: A command waits so long for the first sign of what came of it; after that the engine sees to it.
FIRST_SIGN_WITHIN: Final = seconds(1)
#: As long after a command a bolt that is found where it was sent to was moved by it.
MOVED_BY_IT_WITHIN: Final = seconds(30)
ASKED = "The lock was asked where its bolt is."
#: Zigbee's ``operatingMode`` in which a lock takes no commands by radio.
_DEAF_MODES: Final[Mapping[int, str]] = {
    2: "Its privacy mode is on.",
    3: "It is set to take no commands by radio.",
}


class _Sent:
    """A command that was sent."""

    def __init__(self, locked: bool, now: int, before: _Sent | None) -> None:
        self.locked = locked
        self.at = now
        self.until = now + MOVED_BY_IT_WITHIN
        #: The same was sent a moment ago, and may be given up only now: it would look the same.
        self.is_ambiguous = before is not None and before.how is None and now - before.at < ANSWERED_WITHIN
        #: Done with the first sign of what came of it: ``None`` if the lock has moved, else how it failed.
        self.sign: asyncio.Future[How | None] = asyncio.get_running_loop().create_future()

    def came(self, how: How | None) -> None:
        if not self.sign.done():
            self.sign.set_result(how)

    @property
    def is_awaited(self) -> bool:
        """True while the lock has not moved by it, also if it is said to have failed."""
        return not self.sign.done() or self.how is not None

    @property
    def how(self) -> How | None:
        """How it failed, if it is known to have."""
        return self.sign.result() if self.sign.done() else None


class ZigbeeLock(Thing):
    """Implements ``Lock`` of ``domain.capabilities``."""

    def __init__(
        self, device: Device, hub: HubLine, observe: Callable[[Observation], None], pins: Pins
    ) -> None:
        super().__init__(device, hub, observe, pins)
        self._has_pins = device.details.get("has_pin_codes") is True
        self._codes = ZigbeeCodes(device, self, pins)
        self._story = BoltStory()
        self._sent: _Sent | None = None
        #: The last command of each direction.
        self._before: dict[bool, _Sent] = {}
        #: Where the server believes the bolt to be.
        self._told: bool | None = device.state.get("locked")
        #: A move that nobody was named for yet.
        self._held: asyncio.Task[None] | None = None

    def offer(self, capability: type) -> object:
        return self._codes if capability is CodeMemory else self

    # what it can be told ------------------------------------------------------------------------

    async def lock(self) -> Evidence:
        """Throw the bolt."""
        return await self._move(locked=True)

    async def unlock(self) -> Evidence:
        """Withdraw the bolt."""
        return await self._move(locked=False)

    async def read_bolt(self) -> Observation | None:
        """Where its bolt is, as the lock says. Raises a ``Failure`` if the last command is void."""
        sent = self._sent_lately()
        found = await self._ask_bolt()
        if sent is None or (found is not None and found.changes["locked"] is sent.locked):
            return found
        if sent.how == "undelivered":
            if found is not None:
                # It hears us. If it was the acknowledgement that was lost, its motor is running.
                await self.clock.sleep(TURNS_WITHIN)
                found = await self._ask_bolt()
            if found is None or found.changes["locked"] is not sent.locked:
                raise DeviceUnreachable
        elif found is not None:
            await self._raise_if_deaf()
        return found

    async def read(self) -> Mapping[str, Any] | None:
        """All that is so of it."""
        found = await self._ask_bolt()
        if found is None:
            return None
        battery = await self.read_battery()
        limits = await self._codes.limits() if self._has_pins else None
        if limits is not None:
            self.hub.learned(self.address, limits)
        return {**found.changes, **battery}

    # what it hears ------------------------------------------------------------------------------

    def said(self, fields: Mapping[str, Any]) -> None:
        super().said(fields)
        for what in self._story.told(fields):
            if isinstance(what, Move):
                self._moved(what)
            elif isinstance(what, Denied):
                self.report({}, denied=what.reason, said="Its keypad let nobody in.")
            elif isinstance(what, CodesTouched):
                self.report(
                    {"codes_touched_at": self.clock.now()}, method="manual", said="A code was changed."
                )

    def failed(self, failed: Failed) -> None:
        super().failed(failed)
        sent = self._sent
        if sent is None or (failed.verb, failed.key) != ("set", "state"):
            return
        # The command before this one may have been given up only now.
        if failed.frame in {"", "lockDoor" if sent.locked else "unlockDoor"}:
            sent.came("unknown" if sent.is_ambiguous else failed.how)

    def link_lost(self) -> None:
        super().link_lost()
        self._story.forget()
        self._let_go_of_held()
        self._sent = None

    # inside -------------------------------------------------------------------------------------

    async def _move(self, *, locked: bool) -> Evidence:
        await self.must_be_linked()
        sent = self._sent = _Sent(locked, self.clock.now(), self._before.get(locked))
        self._before[locked] = sent
        try:
            await self.send(command(state="LOCK" if locked else "UNLOCK"))
        except HubUnreachable:
            return Evidence.NONE  # it may have gone out with the last that did
        if not await self.clock.wait(sent.sign, FIRST_SIGN_WITHIN):
            return Evidence.NONE  # a broker has it, which says nothing of a lock
        if sent.how is None:
            return Evidence.DEVICE_ACCEPTED
        if sent.how == "refused":
            raise CommandRefused
        # Not delivered as far as its hub knows. If it was the acknowledgement that was lost, the lock knows.
        found = await self.read_bolt()
        if found is not None and found.changes["locked"] is locked:
            self._tell(Move(locked, "remote"), ASKED)
            return Evidence.DEVICE_ACCEPTED
        return Evidence.NONE

    async def _ask_bolt(self) -> Observation | None:
        try:
            answer = await self.ask(DOOR_LOCK, "lockState")
        except HubUnreachable:
            return None
        if not isinstance(answer, Answer):
            return None
        state = number(answer.attributes.get("lockState"), 0, 2)
        if state is None:
            return None  # it does not know either
        locked = LOCK_STATES[int(state)]
        sent = self._sent_lately()
        was_sent = sent is not None and sent.locked is locked
        self._let_go_of_held()
        self._told = locked
        changes = {"locked": locked} if locked is None else {"locked": locked, "jammed": False}
        return self.observation(changes, method="remote" if was_sent else None, said=ASKED)

    async def _raise_if_deaf(self) -> None:
        """A lock that does not do as it is told may have been set to that. Raises ``CommandRefused``."""
        answer = await self.ask(DOOR_LOCK, "operatingMode")
        mode = number(answer.attributes.get("operatingMode"), 0, 255) if isinstance(answer, Answer) else None
        if mode is not None and int(mode) in _DEAF_MODES:
            raise CommandRefused.because(_DEAF_MODES[int(mode)])

    def _sent_lately(self) -> _Sent | None:
        sent = self._sent
        return sent if sent is not None and self.clock.now() <= sent.until else None

    def _moved(self, move: Move) -> None:
        sent = self._sent_lately()
        if move.method is not None:
            self._tell(move, f"It says that it was {_word(move.locked)} ({move.method}).")
        elif sent is not None and sent.is_awaited and move.locked is sent.locked:
            self._tell(move._replace(method="remote"), f"It reports that it is {_word(move.locked)}.")
        elif move.locked is self._told:
            self._let_go_of_held()  # it was no move, or is told already
        else:
            self._hold(move)

    def _tell(self, move: Move, said: str) -> None:
        self._let_go_of_held()
        self._told = move.locked
        place = None if move.slot is None else self._codes.place_of(move.slot)
        changes = {"locked": move.locked, "jammed": move.locked is None}
        # Whoever watches is shown it before the command that waits for it goes on.
        self.report(changes, method=move.method, said=said, place=place)
        if self._sent is not None and move.locked is self._sent.locked:
            self._sent.came(None)

    def _hold(self, move: Move) -> None:
        """Tell it later, unless the lock says by whom, or takes it back."""
        self._let_go_of_held()
        wait = TURNS_WITHIN if move.locked is None else SAYS_BY_WHOM_WITHIN

        async def tell() -> None:
            await self.clock.sleep(wait)
            self._held = None
            self._tell(move, f"It reports that it is {_word(move.locked)}.")

        self._held = asyncio.get_running_loop().create_task(tell())

    def _let_go_of_held(self) -> None:
        if self._held is not None:
            self._held.cancel()
            self._held = None


def _word(locked: bool | None) -> str:
    if locked is None:
        return "neither locked nor unlocked"
    return "locked" if locked else "unlocked"
