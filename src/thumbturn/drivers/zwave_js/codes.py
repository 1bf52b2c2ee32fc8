"""The memory of a Z-Wave lock: numbered slots, of which some are ours and others are somebody else's.

Before a slot is written for the first time it is read: what is in it already is never overwritten. After
each write it is read back, and what it says then is what it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from thumbturn.domain.access_code import Slot
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Device
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DuplicateOnDevice, NoSpaceOnDevice, OutcomeUnknown
from thumbturn.drivers.zwave_js.codec import CC, Answer, Node, Notified, Value
from thumbturn.drivers.zwave_js.link import HubLink
from thumbturn.drivers.zwave_js.things import response_of
from thumbturn.engine.code_slots import CODE_SLOTS, CodeSlots
from thumbturn.engine.pins import Pins

_AVAILABLE, _ENABLED = 0, 1
#: Of the notifications of doors: codes were deleted or added.
_DOORS, _TOUCHED = 6, frozenset({12, 13, 14})
#: So long after a write of ours its echo may come.
_OURS_WITHIN = seconds(10)


class Commanded(Protocol):
    """The lock whose memory it is."""

    device: Device
    node_id: int
    clock: Clock

    @property
    def link(self) -> HubLink:
        """The link to its hub."""

    @property
    def node(self) -> Node | None:
        """What its hub says of it."""

    async def be_ready(self) -> None:
        """Return if a command can be sent."""

    def judged(self, answer: Answer | None, said: str) -> Evidence:
        """What the answer to a command is worth."""

    def say(self, changes: Mapping[str, Any]) -> None:
        """Tell what is so now."""


class LockCodes:
    """Implements ``CodeMemory`` of ``domain.capabilities``."""

    def __init__(self, lock: Commanded, pins: Pins) -> None:
        self._lock = lock
        self._pins = pins
        details = lock.device.details
        self._slots = CodeSlots(
            lock.device.state.get(CODE_SLOTS), int(details.get("max_active_codes_supported", 0))
        )
        #: What the lock itself said of its slots, by number; ``None`` of an empty one.
        self._read: dict[int, Slot | None] = {}
        self._written_at = -_OURS_WITHIN

    async def set_code(self, place: str, slot: Slot) -> Evidence:
        """Have this place hold this. Raises ``NoSpaceOnDevice`` and ``DuplicateOnDevice`` besides others."""
        await self._lock.be_ready()
        number = self._slots.number_of(place)
        for other, held in self._read.items():
            if other != number and held is not None and held.pin_key == slot.pin_key:
                raise DuplicateOnDevice
        is_new = number is None
        if number is None:
            number = await self._find_free()
        # Before anything is sent: whatever happens then, it is known whose slot it is.
        self._slots.take(place, number, slot)
        self._keep()
        self._written_at = self._lock.clock.now()
        pin = self._pins.open(slot.pin)
        answer = await self._lock.link.set_value(self._lock.node_id, CC.USER_CODE, "userCode", pin, number)
        try:
            return await self._settle(number, answer)
        finally:
            if is_new and number in self._read and self._read[number] is None:
                # It came to nothing: whoever fills this slot next does not lose it to us.
                self._slots.give_back(place)
                self._keep()

    async def clear_code(self, place: str) -> Evidence:
        """Have this place hold nothing. Doing it twice is doing it once."""
        await self._lock.be_ready()
        number = self._slots.number_of(place)
        if number is None:
            return Evidence.STATE_REPORT
        self._written_at = self._lock.clock.now()
        link, node = self._lock.link, self._lock.node_id
        answer = await link.set_value(node, CC.USER_CODE, "userIdStatus", _AVAILABLE, number)
        evidence = await self._settle(number, answer)
        if number in self._read and self._read[number] is None:
            self._slots.give_back(place)
            self._keep()
        return evidence

    async def read_codes(self) -> Mapping[str, Slot] | None:
        """What the lock said to the command before; of slots that it was not asked for what its hub knows."""
        if not self._read:
            return None
        known = {number: held for number in self._numbers() if (held := self._remembered(number)) is not None}
        known |= {number: held for number, held in self._read.items() if held is not None}
        for number, held in self._read.items():
            if held is None:
                known.pop(number, None)
        return {self._slots.place_of(number): held for number, held in known.items()}

    async def fetch_codes(self) -> Mapping[str, Slot] | None:
        """All that it holds, read anew, slot by slot. ``None`` if it does not answer."""
        await self._lock.be_ready()
        for number in self._numbers():
            if not await self._read_slot(number):
                return None
        return await self.read_codes() or {}

    def place_of(self, number: int) -> str:
        """The place that a slot is."""
        return self._slots.place_of(number)

    def hear(self, message: Value | Notified) -> None:
        """Take in what the hub says: that somebody changed codes at the lock itself."""
        if not isinstance(message, Notified) or (message.type, message.event in _TOUCHED) != (_DOORS, True):
            return
        now = self._lock.clock.now()
        if now - self._written_at > _OURS_WITHIN:
            self._lock.say({"codes_touched_at": now})

    # inside -------------------------------------------------------------------------------------

    async def _settle(self, number: int, answer: Answer | None) -> Evidence:
        """What came of writing a slot: what it holds now, whatever was answered."""
        self._read.pop(number, None)
        try:
            evidence = self._lock.judged(answer, "It is read back.")
        except CommandRefused:
            await self._read_slot(number)
            raise
        is_read = await self._read_slot(number)
        if not is_read and not evidence.confirms:
            raise OutcomeUnknown
        return evidence

    async def _find_free(self) -> int:
        """A slot that is empty for certain: it was asked. Raises ``NoSpaceOnDevice``."""
        occupied = {number for number in self._numbers() if self._remembered(number) is not None}
        occupied |= {number for number, held in self._read.items() if held is not None}
        for number in self._slots.free(occupied):
            if not await self._read_slot(number):
                raise OutcomeUnknown.because("The lock does not say which of its places are free.")
            if self._read[number] is None:
                return number
        raise NoSpaceOnDevice

    async def _read_slot(self, number: int) -> bool:
        """Ask the lock what is in a slot; whether it answered."""
        answer = await self._lock.link.ask(self._lock.node_id, CC.USER_CODE, "get", number)
        said = response_of(answer)
        status = said.get("userIdStatus") if isinstance(said, dict) else None
        if not isinstance(said, dict) or isinstance(status, bool) or not isinstance(status, int):
            return False
        self._read[number] = self._held(number, status, said.get("userCode"))
        return True

    def _held(self, number: int, status: int, code: Any) -> Slot | None:
        if status == _AVAILABLE:
            return None
        ours = self._slots.written_in(number)
        if not (isinstance(code, str) and code.isascii() and code.isdecimal()):
            # A lock that does not show its codes still says that one is there: what was written, if it was.
            hidden = self._pins.key_of(self._lock.device.id, f"hidden in {number}")
            return ours or Slot(pin=self._pins.seal(""), pin_key=hidden)
        key = self._pins.key_of(self._lock.device.id, code)
        return Slot(pin=self._pins.seal(code), pin_key=key, name=None if ours is None else ours.name)

    def _remembered(self, number: int) -> Slot | None:
        node = self._lock.node
        if node is None:
            return None
        status = node.values.get((CC.USER_CODE, "userIdStatus", number))
        if isinstance(status, bool) or not isinstance(status, int):
            return None
        return self._held(number, status, node.values.get((CC.USER_CODE, "userCode", number)))

    def _numbers(self) -> range:
        return range(1, self._slots.most + 1)

    def _keep(self) -> None:
        self._lock.say({CODE_SLOTS: self._slots.kept()})
