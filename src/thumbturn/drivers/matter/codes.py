"""The memory of a Matter lock: numbered PINs, which can be written, cleared and counted, and never read.

Before a number is written for the first time the lock is asked whether anything is there: what is, is never
overwritten, and the lock itself refuses to. After each write it is asked again. Which PIN is where is known
by what was written, for as long as the lock says that it was us who wrote there last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from thumbturn.domain.access_code import Slot
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import (
    CommandRefused,
    DuplicateOnDevice,
    NoSpaceOnDevice,
    NotSupported,
    OutcomeUnknown,
)
from thumbturn.drivers.matter.bolt import Operation
from thumbturn.drivers.matter.codec import Answer, Cluster, Node
from thumbturn.drivers.matter.link import HubLink
from thumbturn.drivers.matter.pins import in_base64, is_pin
from thumbturn.drivers.matter.users import LockUsers, our_fabric
from thumbturn.engine.code_slots import CODE_SLOTS, CodeSlots
from thumbturn.engine.hub_words import is_number
from thumbturn.engine.pins import Pins

_PIN = 1
_ADD = 0
#: What a lock answers to a PIN that it does not take, besides that it does not.
_DUPLICATE, _OCCUPIED, _EXHAUSTED = 2, 3, 0x89
#: Of ``LockUserChange``: PINs, and users who may have some.
_CODES = frozenset({2, 6})
_LOST = "Its keypad has lost the old code, and not taken the new one."
#: So long after a write of ours its echo may come.
_OURS_WITHIN = seconds(10)


class Commanded(Protocol):
    """The lock whose memory it is."""

    device: Device
    node_id: int
    endpoint: int
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
        self._lock_users = LockUsers(self._command, lock.judged)
        details = lock.device.details
        self._slots = CodeSlots(
            lock.device.state.get(CODE_SLOTS), int(details.get("max_active_codes_supported", 0))
        )
        #: What the lock said of its numbers when it was asked last; ``None`` of an empty one.
        self._said: dict[int, Slot | None] = {}
        #: Whose code is where, by the number that the lock has for him.
        self._users: dict[int, int] = {}
        #: Numbers of ours that somebody else has written since; and those that others have made.
        self._touched: set[int] = set()
        self._foreign: set[int] = set()
        self._written_at = -_OURS_WITHIN

    def take_over(self, before: LockCodes) -> None:
        """Go on with what is known of the same lock's memory: who still writes there keeps it here, too."""
        most, self._slots = self._slots.most, before._slots
        self._slots.most = most
        self._said, self._users, self._touched = before._said, before._users, before._touched
        self._foreign, self._written_at = before._foreign, before._written_at

    # CodeMemory ---------------------------------------------------------------------------------

    async def set_code(self, place: str, slot: Slot) -> Evidence:
        """Have this place hold this. Raises ``NoSpaceOnDevice`` and ``DuplicateOnDevice`` besides others.

        A code that takes another's place is written after that was found empty: one that is there then, and
        that we were the last to write, is the new one, whatever befell us between.
        """
        await self._lock.be_ready()
        pin, node = self._pins.open(slot.pin), self._lock.node
        if not pin or node is None or not is_pin(pin, node, self._lock.endpoint):
            raise NotSupported("The lock does not take this as a PIN, and gives none back: choose another.")
        number = self._slots.number_of(place)
        if slot.pin_key in self._pin_keys_but(number):
            raise DuplicateOnDevice
        had_one = number is not None and await self._is_used(number) and number not in self._foreign
        if had_one and number is not None:
            held = self._said[number]
            if held is not None and held.pin_key == slot.pin_key:
                # It is there, and only its name is another one.
                self._slots.take(place, number, slot)
                self._said[number] = slot
                self._keep()
                return Evidence.STATE_REPORT
            await self._empty(number)
        if number is None or number in self._foreign:
            number = await self._find_free()
        # On record before it is sent: whatever happens then, it is known whose number it is.
        self._slots.take(place, number, slot)
        await self._lock.put_on_record({CODE_SLOTS: self._slots.kept()})
        try:
            user = await self._lock_users.make(node, self._lock.endpoint, number, slot.name)
            evidence = await self._write(number, pin, user)
            is_there = await self._is_used(number)
        except OutcomeUnknown:
            raise  # it may be there: the number stays whose it is
        except Failure:
            self._give_back(place)
            if had_one:
                raise OutcomeUnknown.because(_LOST) from None
            raise
        if not is_there:
            self._give_back(place)
            raise OutcomeUnknown.because("It took the code, and says now that none is there.")
        return evidence

    async def clear_code(self, place: str) -> Evidence:
        """Have this place hold nothing. Doing it twice is doing it once."""
        await self._lock.be_ready()
        number = self._slots.number_of(place)
        if number is None:
            # Nothing of it is known to be there: that is worth as much as what the lock holds now.
            if await self.fetch_codes() is None:
                raise OutcomeUnknown
            return Evidence.STATE_REPORT
        evidence, is_ours = Evidence.STATE_REPORT, place in self._slots.kept()
        if await self._is_used(number) and not (is_ours and number in self._foreign):
            evidence = await self._empty(number)
        self._give_back(place)
        return evidence

    async def read_codes(self) -> Mapping[str, Slot] | None:
        """What the lock said to the command before."""
        return self._holds() if self._said else None

    async def fetch_codes(self) -> Mapping[str, Slot] | None:
        """All that it holds, asked anew: from the first number on, to the next that it names each time."""
        await self._lock.be_ready()
        asked: set[int] = set()
        wanted = sorted({1, *self._slots.numbers()})
        while wanted:
            number = wanted.pop(0)
            if number in asked or not 1 <= number <= self._slots.most:
                continue
            asked.add(number)
            following = await self._ask(number)
            if number not in self._said:
                return None
            if following is not None:
                wanted.append(following)
        for number in [each for each in self._said if each not in asked]:
            self._said[number] = None
        return self._holds()

    # what the lock says ---------------------------------------------------------------------------

    def place_of(self, operation: Operation) -> str | None:
        """The place of the code that somebody entered, as far as that was said."""
        number = operation.slot
        if number is None and operation.user is not None:
            number = self._users.get(operation.user)
        return None if number is None else self._slots.place_of(number)

    def hear_change(self, fields: Mapping[str, Any]) -> None:
        """Somebody has changed codes or users at the lock, we ourselves perhaps."""
        now, kind = self._lock.clock.now(), fields.get("lockDataType")
        if not is_number(kind) or kind not in _CODES or now - self._written_at <= _OURS_WITHIN:
            return
        number = fields.get("dataIndex")
        if is_number(number) and number in self._slots.numbers():
            self._touched.add(number)
        self._lock.say({"codes_touched_at": now})

    # inside -------------------------------------------------------------------------------------

    async def _command(self, name: str, **payload: Any) -> Answer | None:
        lock = self._lock
        return await lock.link.command(lock.node_id, lock.endpoint, Cluster.DOOR_LOCK, name, **payload)

    def _user_of(self, number: int) -> int | None:
        return next((user for user, its in self._users.items() if its == number), None)

    async def _write(self, number: int, pin: str, user: int) -> Evidence:
        self._written_at = self._lock.clock.now()
        self._said.pop(number, None)
        answer = await self._command(
            "SetCredential",
            operationType=_ADD,
            credential=_credential(number),
            credentialData=in_base64(pin),
            userIndex=user,
            userStatus=None,
            userType=None,
        )
        self._written_at = self._lock.clock.now()
        result = answer.result if answer is not None and answer.is_good else None
        status = result.get("status") if isinstance(result, dict) else None
        if answer is not None and status != 0 and (answer.is_good or answer.status is not None):
            await self._lock_users.clear(user, our_fabric(self._lock.node))
            raise await self._refusal(status, number)
        if not self._lock.judged(answer, "The PIN is set.").confirms:
            raise OutcomeUnknown
        self._touched.discard(number)
        return Evidence.DEVICE_ACCEPTED

    async def _refusal(self, status: Any, number: int) -> Failure:
        if status == _DUPLICATE:
            return DuplicateOnDevice()
        if status == _EXHAUSTED:
            return NoSpaceOnDevice()
        if status == _OCCUPIED or await self._is_used(number):
            return CommandRefused.because("Somebody has taken its place in the lock meanwhile.")
        return CommandRefused.because("The lock does not take this PIN. Perhaps another code has it.")

    async def _empty(self, number: int) -> Evidence:
        self._written_at = self._lock.clock.now()
        answer = await self._command("ClearCredential", credential=_credential(number))
        evidence = self._lock.judged(answer, "The PIN is cleared.")
        user = self._user_of(number)
        if await self._is_used(number):
            raise CommandRefused.because("Its keypad still holds the code.")
        if user is not None:
            await self._lock_users.clear(user, our_fabric(self._lock.node))
        return max(evidence, Evidence.STATE_REPORT)

    def _give_back(self, place: str) -> None:
        """The place is no number any more."""
        self._slots.give_back(place)
        self._keep()

    def _keep(self) -> None:
        self._lock.say({CODE_SLOTS: self._slots.kept()})

    async def _find_free(self) -> int:
        """A number that is empty for certain: it was asked. Raises ``NoSpaceOnDevice``."""
        occupied = {number for number, held in self._said.items() if held is not None}
        for number in self._slots.free(occupied):
            if not await self._is_used(number):
                return number
        raise NoSpaceOnDevice

    async def _is_used(self, number: int) -> bool:
        """Whether a PIN is there, as the lock says now. Raises ``OutcomeUnknown`` if it does not say."""
        await self._ask(number)
        if number not in self._said:
            raise OutcomeUnknown.because("The lock does not say which of its places are free.")
        return self._said[number] is not None

    async def _ask(self, number: int) -> int | None:
        """Ask the lock what is there; the next number where something is, if it says."""
        self._said.pop(number, None)
        answer = await self._command("GetCredentialStatus", credential=_credential(number))
        said = answer.result if answer is not None and answer.is_good else None
        if not isinstance(said, dict) or not isinstance(said.get("credentialExists"), bool):
            return None
        self._foreign.discard(number)
        self._said[number] = self._held(number, said) if said["credentialExists"] else None
        user, following = said.get("userIndex"), said.get("nextCredentialIndex")
        if is_number(user):
            self._users[user] = number
        return following if is_number(following) and following > number else None

    def _held(self, number: int, said: Mapping[str, Any]) -> Slot:
        ours, us = self._slots.written_in(number), our_fabric(self._lock.node)
        if said.get("creatorFabricIndex") != us:
            # Ours was taken out, and this is another one's.
            self._foreign.add(number)
        elif ours is not None and said.get("lastModifiedFabricIndex") == us and number not in self._touched:
            return ours
        # That there is one is known, and no more.
        unread = self._pins.key_of(self._lock.device.id, f"hidden in {number}")
        return Slot(pin=self._pins.seal(""), pin_key=unread)

    def _holds(self) -> Mapping[str, Slot]:
        return {self._slots.place_of(number): held for number, held in self._said.items() if held is not None}

    def _pin_keys_but(self, number: int | None) -> set[str]:
        written = (self._slots.written_in(each) for each in self._slots.numbers() if each != number)
        return {slot.pin_key for slot in written if slot is not None}


def _credential(number: int) -> dict[str, int]:
    return {"credentialType": _PIN, "credentialIndex": number}
