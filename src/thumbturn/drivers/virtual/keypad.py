"""The memory of a virtual keypad: which codes it knows, in which place, and when they let in.

Each place is a fact of its own in the journal, with its PIN sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import count

from thumbturn.domain.access_code import Slot
from thumbturn.domain.device import Device
from thumbturn.domain.failures import DuplicateOnDevice, NoSpaceOnDevice
from thumbturn.drivers.virtual.world import World

_FACT = "code:"
#: Places that nobody here named are called like this, and a number.
_BY_HAND = "by-hand-"


class KeypadMemory:
    """What one keypad holds."""

    def __init__(self, device: Device, world: World) -> None:
        #: Whether it is there at all.
        self.is_there = "access_codes" in device.capabilities
        self._world = world
        self._device_id = device.id
        self._most = int(device.details.get("max_active_codes_supported", 0))
        facts = world.journal.facts(device.id) if self.is_there else {}
        self._holds = {
            name.removeprefix(_FACT): Slot(**held)
            for name, held in facts.items()
            if name.startswith(_FACT) and held is not None
        }
        #: What a lying lock says of one place instead of the truth.
        self._claims: dict[str, Slot | None] = {}

    def said(self) -> Mapping[str, Slot]:
        """What it says that it holds, by place."""
        said = {**self._holds, **self._claims}
        return {place: slot for place, slot in said.items() if slot is not None}

    def check(self, place: str, slot: Slot | None) -> None:
        """Return if the place can hold this. Raises ``NoSpaceOnDevice``, ``DuplicateOnDevice``."""
        if slot is None:
            return
        if any(each.pin_key == slot.pin_key for at, each in self._holds.items() if at != place):
            raise DuplicateOnDevice
        if place not in self._holds and len(self._holds) >= self._most:
            raise NoSpaceOnDevice

    def put(self, did: str, place: str, slot: Slot | None) -> None:
        """Hold this there from now on, whatever becomes of the server."""
        if slot is None:
            self._holds.pop(place, None)
        else:
            self._holds[place] = slot
        fact = {f"{_FACT}{place}": None if slot is None else asdict(slot)}
        self._world.journal.record(self._world.clock.now(), self._device_id, did, fact)

    def claim(self, place: str, slot: Slot | None, *, is_lie: bool) -> None:
        """From now on tell the truth; or say that this is there."""
        self._claims = {place: slot} if is_lie else {}

    def tell_the_truth(self) -> None:
        """Whatever was wrong with it is over."""
        self._claims = {}

    def find(self, pin: str) -> tuple[str | None, bool]:
        """The place of a code that somebody enters, and whether it lets in now."""
        now, pin_key = self._world.clock.now(), self._world.pins.key_of(self._device_id, pin)
        for place, slot in self._holds.items():
            if slot.pin_key == pin_key:
                is_in_time = (slot.starts_at or 0) <= now and (slot.ends_at is None or now < slot.ends_at)
                return place, is_in_time
        return None, False

    def touch(self, place: str | None, pin: str | None, name: str | None) -> str:
        """Somebody sets, changes or deletes a code at the keypad; in which place.

        Raises ``KeyError`` for a place that holds none, and as ``check`` does.
        """
        there = None if place is None else self._holds[place]
        if place is None:
            place = next(free for free in (f"{_BY_HAND}{n}" for n in count(1)) if free not in self._holds)
        slot = None
        if pin is not None:
            sealed, pin_key = self._world.pins.seal(pin), self._world.pins.key_of(self._device_id, pin)
            known = there or Slot(pin=sealed, pin_key=pin_key, name=name)
            slot = replace(known, pin=sealed, pin_key=pin_key, name=name or known.name)
        self.check(place, slot)
        self.put("touch_code", place, slot)
        self._claims = {}
        return place
