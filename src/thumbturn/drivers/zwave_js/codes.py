"""The memory of a Z-Wave lock: numbered slots, of which some are ours and others are somebody else's.

Before a slot is written for the first time it is read: what is in it already is never overwritten. After
each write it is read back, and what it says then is what it holds. A lock that hides its codes says of a slot
only that it is used: there a code that takes another's place is written after the slot was found empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeGuard

from thumbturn.domain.access_code import Slot
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Device
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, DuplicateOnDevice, NoSpaceOnDevice, OutcomeUnknown
from thumbturn.drivers.zwave_js.codec import CC, Answer, Node, Notified, Value
from thumbturn.drivers.zwave_js.link import HubLink
from thumbturn.drivers.zwave_js.things import response_of
from thumbturn.engine.code_slots import CODE_SLOTS, CodeSlots
from thumbturn.engine.hub_words import is_number
from thumbturn.engine.pins import Pins

_AVAILABLE, _ENABLED = 0, 1
#: Uses of a slot by which nobody is let in with its code: disabled, and those for messages and passage.
_OTHER_USES = frozenset({2, 3, 4})
#: People fill slots from the first one on: after so many empty ones in a row there are no more.
_EMPTY_IN_A_ROW = 5
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

    async def put_on_record(self, changes: Mapping[str, Any]) -> None:
        """Tell what is so now, and return once it is on record."""


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
        #: Those that are used and do not show by which code.
        self._hidden: set[int] = set()
        self._written_at = -_OURS_WITHIN

    def take_over(self, before: LockCodes) -> None:
        """Go on with what is known of the same lock's slots: who still writes there keeps it here, too."""
        most, self._slots = self._slots.most, before._slots
        self._slots.most = most
        self._read, self._hidden, self._written_at = before._read, before._hidden, before._written_at

    async def set_code(self, place: str, slot: Slot) -> Evidence:
        """Have this place hold this. Raises ``NoSpaceOnDevice`` and ``DuplicateOnDevice`` besides others."""
        await self._lock.be_ready()
        number = self._slots.number_of(place)
        for other, held in self._read.items():
            if other != number and held is not None and held.pin_key == slot.pin_key:
                raise DuplicateOnDevice
        former = None if number is None else self._slots.written_in(number)
        if number is None:
            number = await self._find_free()
        elif former is None or former.pin_key != slot.pin_key:
            await self._make_room(number)
        # On record before anything is sent: whatever happens then, it is known whose slot it is.
        self._slots.take(place, number, slot)
        await self._lock.put_on_record({CODE_SLOTS: self._slots.kept()})
        self._written_at = self._lock.clock.now()
        pin = self._pins.open(slot.pin)
        answer = await self._lock.link.set_value(self._lock.node_id, CC.USER_CODE, "userCode", pin, number)
        try:
            return await self._settle(number, answer)
        finally:
            self._come_to_terms(place, number, slot, former)

    async def clear_code(self, place: str) -> Evidence:
        """Have this place hold nothing. Doing it twice is doing it once."""
        await self._lock.be_ready()
        number = self._slots.number_of(place)
        if number is None:
            # Nothing of it is known to be there: that is worth as much as what the lock holds now.
            if await self.fetch_codes() is None:
                raise OutcomeUnknown
            return Evidence.STATE_REPORT
        evidence = await self._empty(number)
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
        """All that it holds, read anew, slot by slot. ``None`` if it does not answer.

        Slots that nobody is known to use are asked from the first one on, until some in a row are empty:
        each question takes a lock's radio a tenth of a second, and whoever is at the door waits behind them.
        """
        await self._lock.be_ready()
        ours = self._slots.numbers()
        known = ours | {number for number, held in self._read.items() if held is not None}
        known |= {number for number in self._numbers() if self._remembered(number) is not None}
        empty = 0
        for number in self._numbers():
            if empty >= _EMPTY_IN_A_ROW and number not in known:
                continue
            if not await self._read_slot(number) or (number in ours and number not in self._read):
                return None
            empty = 0 if self._read.get(number) is not None else empty + 1
        return await self.read_codes()

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

    async def _make_room(self, number: int) -> None:
        """See to it that what is written into a slot can be told from what is in it now.

        Raises ``CommandRefused`` and ``OutcomeUnknown``: then the code that was there may be there still.
        """
        if not await self._read_slot(number) or number not in self._read:
            raise OutcomeUnknown
        if number in self._hidden:
            await self._empty(number)
            if number not in self._read:
                raise OutcomeUnknown
            if self._read[number] is not None:
                raise CommandRefused.because("Its keypad still holds the code that was there before.")

    def _come_to_terms(self, place: str, number: int, slot: Slot, former: Slot | None) -> None:
        """Keep of a place what is in its slot, if it is certain that it is not what was written."""
        if number not in self._read:
            return
        held = self._read[number]
        if former is None and held is None:
            # Whoever fills this slot next does not lose it to us.
            self._slots.give_back(place)
            self._keep()
        elif former is not None and (held is None or held.pin_key != slot.pin_key):
            self._slots.take(place, number, former)
            self._keep()

    async def _empty(self, number: int) -> Evidence:
        self._written_at = self._lock.clock.now()
        link, node = self._lock.link, self._lock.node_id
        answer = await link.set_value(node, CC.USER_CODE, "userIdStatus", _AVAILABLE, number)
        return await self._settle(number, answer)

    async def _settle(self, number: int, answer: Answer | None) -> Evidence:
        """What came of writing a slot: what it holds now, whatever was answered."""
        self._read.pop(number, None)
        try:
            evidence = self._lock.judged(answer, "It is read back.")
        except CommandRefused:
            await self._read_slot(number)
            raise
        await self._read_slot(number)
        if number not in self._read and not evidence.confirms:
            raise OutcomeUnknown
        return evidence

    async def _find_free(self) -> int:
        """A slot that is empty for certain: it was asked. Raises ``NoSpaceOnDevice``."""
        occupied = {number for number in self._numbers() if self._remembered(number) is not None}
        occupied |= {number for number, held in self._read.items() if held is not None}
        for number in self._slots.free(occupied):
            if not await self._read_slot(number):
                raise OutcomeUnknown.because("The lock does not say which of its places are free.")
            if number in self._read and self._read[number] is None:
                return number
        raise NoSpaceOnDevice

    async def _read_slot(self, number: int) -> bool:
        """Ask the lock what is in a slot; whether it answered. Its answer may be that it does not know."""
        answer = await self._lock.link.ask(self._lock.node_id, CC.USER_CODE, "get", number)
        said = response_of(answer)
        status = said.get("userIdStatus") if isinstance(said, dict) else None
        if not isinstance(said, dict) or isinstance(status, bool) or not isinstance(status, int):
            return False
        self._read.pop(number, None)
        self._hidden.discard(number)
        code = said.get("userCode")
        if status in {_AVAILABLE, _ENABLED, *_OTHER_USES}:
            self._read[number] = self._held(number, status, code)
            if status != _AVAILABLE and not _is_shown(code):
                self._hidden.add(number)
        return True

    def _held(self, number: int, status: int, code: Any) -> Slot | None:
        if status == _AVAILABLE:
            return None
        ours = self._slots.written_in(number)
        if status != _ENABLED or not _is_shown(code):
            # A lock that does not show its codes still says that one is there: what was written, if it was.
            hidden = self._pins.key_of(self._lock.device.id, f"hidden in {number}")
            unknown = Slot(pin=self._pins.seal(""), pin_key=hidden)
            return (ours or unknown) if status == _ENABLED else unknown
        key = self._pins.key_of(self._lock.device.id, code)
        return Slot(pin=self._pins.seal(code), pin_key=key, name=None if ours is None else ours.name)

    def _remembered(self, number: int) -> Slot | None:
        node = self._lock.node
        if node is None:
            return None
        status = node.values.get((CC.USER_CODE, "userIdStatus", number))
        if not is_number(status) or status not in {_AVAILABLE, _ENABLED, *_OTHER_USES}:
            return None
        return self._held(number, status, node.values.get((CC.USER_CODE, "userCode", number)))

    def _numbers(self) -> range:
        return range(1, self._slots.most + 1)

    def _keep(self) -> None:
        self._lock.say({CODE_SLOTS: self._slots.kept()})


def _is_shown(code: Any) -> TypeGuard[str]:
    return isinstance(code, str) and code.isascii() and code.isdecimal()
