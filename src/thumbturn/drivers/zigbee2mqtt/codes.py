"""What a lock's keypad lets in: codes in numbered slots, which can be written and never read.

A write is answered by nothing. So each is followed by a question for that slot: whether it is used. A code
that takes another's place is written after its slot was found empty: then it is the new one that is in it.
What a slot that somebody else used holds nobody can know, and it is neither taken nor cleared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from thumbturn.domain.access_code import Slot
from thumbturn.domain.device import Device
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import (
    CommandRefused,
    DuplicateOnDevice,
    NoSpaceOnDevice,
    NotSupported,
    OutcomeUnknown,
)
from thumbturn.domain.hub import HubUnreachable
from thumbturn.drivers.zigbee2mqtt.asking import Answer
from thumbturn.drivers.zigbee2mqtt.codec import command, number
from thumbturn.drivers.zigbee2mqtt.exposes import DOOR_LOCK
from thumbturn.drivers.zigbee2mqtt.things import Thing
from thumbturn.engine.code_slots import CODE_SLOTS, CodeSlots
from thumbturn.engine.pins import Pins

#: ``off``: a code is there and lets nobody in.
Use = Literal["free", "used", "off", "unknown"]

_USES: Final[Mapping[str, Use]] = {"available": "free", "enabled": "used", "disabled": "off"}
#: How many slots that are not known yet are tried for a new code, before the lock is called full.
_TRIES: Final = 8
#: People fill slots from the first one on: after so many empty ones in a row there are no more.
_EMPTY_IN_A_ROW: Final = 5
_LIMITS: Final = ("numOfPinUsersSupported", "minPinLen", "maxPinLen")


class ZigbeeCodes:
    """Implements ``CodeMemory`` of ``domain.capabilities``."""

    def __init__(self, device: Device, lock: Thing, pins: Pins) -> None:
        self._lock = lock
        self._pins = pins
        self._slots = CodeSlots(
            device.state.get(CODE_SLOTS), int(device.details.get("max_active_codes_supported", 0))
        )
        #: Slots that are used, as the lock said last: ours, and those that others use.
        self._ours: set[int] = set()
        self._others: set[int] = set()
        #: Those of ours that let nobody in.
        self._off: set[int] = set()
        #: Whether what the lock said last is known.
        self._is_known = False

    # CodeMemory ---------------------------------------------------------------------------------

    async def set_code(self, place: str, slot: Slot) -> Evidence:
        """Have it hold this.

        Raises ``NoSpaceOnDevice``, ``DuplicateOnDevice``, and ``CommandRefused`` if it holds what it held;
        ``OutcomeUnknown`` if it holds neither that nor this.
        """
        await self._lock.must_be_linked()
        self._is_known = False
        pin = self._pins.open(slot.pin)
        if not pin:
            raise NotSupported("The lock gives no PIN back: give the code a new one.")
        if any(written.pin_key == slot.pin_key for at, written in self._written() if at != place):
            raise DuplicateOnDevice
        had_one = self._slots.number_of(place) is not None
        try:
            at = await self._slot_for(place)
            if at is None:
                return Evidence.NONE
            # On record before it is written: whatever happens then, it is known whose slot this is.
            self._slots.take(place, at, slot)
            await self._lock.put_on_record({CODE_SLOTS: self._slots.kept()})
            await self._lock.send(command(pin_code=_user(at, pin)))
            use = await self._use_of(at)
        except HubUnreachable:
            return Evidence.NONE
        if use == "free":
            # Nobody's from now on: whatever is found there later is somebody else's.
            self._slots.give_back(place)
            self._keep()
            if had_one:
                raise OutcomeUnknown.because("Its keypad has lost the old code, and not taken the new one.")
            raise CommandRefused.because("Its keypad does not hold the code it was told.")
        if use == "off":
            raise OutcomeUnknown.because("Its keypad holds the code it was told, and lets nobody in with it.")
        if use == "unknown":
            return Evidence.NONE
        self._ours.add(at)
        self._is_known = True
        return Evidence.DEVICE_ACCEPTED

    async def clear_code(self, place: str) -> Evidence:
        """Have this place hold nothing."""
        await self._lock.must_be_linked()
        at = self._slots.number_of(place)
        if at is None:
            # Nothing of it is known to be there: that is worth as much as what the lock says that it holds.
            return Evidence.NONE if await self.fetch_codes() is None else Evidence.DEVICE_ACCEPTED
        self._is_known = False
        try:
            use = await self._cleared(at)
        except HubUnreachable:
            return Evidence.NONE
        if use in {"used", "off"}:
            raise CommandRefused.because("Its keypad still holds the code.")
        if use == "unknown":
            return Evidence.NONE
        self._is_known = True
        self._slots.give_back(place)
        self._ours.discard(at)
        self._off.discard(at)
        self._others.discard(at)
        self._keep()
        return Evidence.DEVICE_ACCEPTED

    async def read_codes(self) -> Mapping[str, Slot] | None:
        """All that it holds, as it said to the command before; ``None`` if it said nothing."""
        return self._said() if self._is_known else None

    async def fetch_codes(self) -> Mapping[str, Slot] | None:
        """All that it holds, as it says now; ``None`` if it does not answer."""
        await self._lock.must_be_linked()
        self._is_known = False
        mine = {self._slots.number_of(place) for place in self._slots.kept()}
        used: set[int] = set()
        off: set[int] = set()
        at, empty = 0, 0
        try:
            while at < self._slots.most:
                at += 1
                is_looked_at = empty < _EMPTY_IN_A_ROW or at in mine or at in self._others
                if not is_looked_at:
                    continue
                use = await self._use_of(at)
                if use == "unknown":
                    return None
                empty = empty + 1 if use == "free" else 0
                if use != "free":
                    used.add(at)
                if use == "off":
                    off.add(at)
        except HubUnreachable:
            return None
        self._ours = {at for at in used if at in mine}
        self._off = off & self._ours
        self._others, self._is_known = used - self._ours, True
        return self._said()

    # what the lock says ---------------------------------------------------------------------------

    def place_of(self, slot: int) -> str | None:
        """The place of a code that somebody entered; ``None`` if nobody knows of any there."""
        place = self._slots.place_of(slot)
        return place if place in self._slots.kept() or slot in self._others else None

    async def limits(self) -> Mapping[str, Any] | None:
        """What its keypad takes, as ``Device.details``; ``None`` if it does not say."""
        answer = await self._lock.ask(DOOR_LOCK, *_LIMITS)
        if not isinstance(answer, Answer):
            return None
        users, least, most = (number(answer.attributes.get(name), 1, 1_000) for name in _LIMITS)
        if users is None or least is None or most is None or users < 2 or least > most or most > 20:
            return None
        # The first, number 0, is the owner's: that is how these locks leave the factory.
        self._slots.most = int(users) - 1
        return {
            "supported_code_lengths": list(range(int(least), int(most) + 1)),
            "max_active_codes_supported": int(users) - 1,
            "code_constraints": [],
            "supports_backup_access_code_pool": True,
            "has_native_scheduling": False,
        }

    # inside -------------------------------------------------------------------------------------

    def _said(self) -> Mapping[str, Slot]:
        said = {at: slot for at, slot in self._written() if self._slots.number_of(at) in self._ours}
        for at in self._others | self._off:
            # That there is one is known, and no more. One that lets nobody in is not as it was told.
            unread = self._pins.key_of(self._lock.device_id, f"in slot {at}")
            said[self._slots.place_of(at)] = Slot(pin=self._pins.seal(""), pin_key=unread)
        return said

    async def _slot_for(self, place: str) -> int | None:
        """An empty slot for the place: the one it has, or a new one. Raises ``NoSpaceOnDevice``."""
        at = self._slots.number_of(place)
        if at is not None:
            use = await self._use_of(at)
            if use in {"used", "off"}:
                use = await self._cleared(at)
            self._ours.discard(at)
            self._off.discard(at)
            return at if use == "free" else None
        for free in self._slots.free(self._others)[:_TRIES]:
            use = await self._use_of(free)
            if use == "free":
                return free
            if use == "unknown":
                return None
            self._others.add(free)
        raise NoSpaceOnDevice

    async def _cleared(self, at: int) -> Use:
        await self._lock.send(command(pin_code=_user(at, None)))
        return await self._use_of(at)

    async def _use_of(self, at: int) -> Use:
        """Whether a slot is used, as the lock says now."""
        before = command(pin_code={"user": at})
        answer = await self._lock.asking.ask(DOOR_LOCK, ("lockState",), before=before)
        if not isinstance(answer, Answer):
            return "unknown"
        # One frame to a device is under way at a time: what was asked before the bolt is answered by now.
        users = answer.fields.get("users")
        user = users.get(str(at)) if isinstance(users, dict) else None
        status = user.get("status") if isinstance(user, dict) else None
        return _USES.get(status, "unknown") if isinstance(status, str) else "unknown"

    def _keep(self) -> None:
        """Put on record which slot is whose, so that it outlives the server."""
        self._lock.report({CODE_SLOTS: self._slots.kept()})

    def _written(self) -> Iterator[tuple[str, Slot]]:
        """By place what was written there from here."""
        for place in self._slots.kept():
            at = self._slots.number_of(place)
            written = None if at is None else self._slots.written_in(at)
            if written is not None:
                yield place, written


def _user(at: int, pin: str | None) -> dict[str, Any]:
    if pin is None:
        return {"user": at, "pin_code": None}
    return {"user": at, "user_type": "unrestricted", "user_enabled": True, "pin_code": pin}
