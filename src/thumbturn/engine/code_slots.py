"""Which numbered slot of a lock's memory holds which code.

Locks number their slots; here a code is in a place that is called like it. Which is which outlives the
process in ``Device.state`` (``code_slots``), which never leaves the server. A slot that somebody else uses is
a place too, called ``slot-7``: it is read, and neither taken nor cleared unless that very place is meant.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any

from thumbturn.domain.access_code import Slot
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Observation
from thumbturn.domain.failures import OutcomeUnknown

#: Of ``Device.state``: by place its slot, and the code that was written there, sealed.
CODE_SLOTS = "code_slots"
_OTHERS = "slot-"
#: No lock has more: whoever claims so has his first thousand used.
MOST_SLOTS = 1_000
#: A database that has not taken it by then is ill: nothing is written into a lock meanwhile.
_ON_RECORD_WITHIN = seconds(8)


class CodeSlots:
    """The slots of one lock, numbered from 1."""

    def __init__(self, kept: Any, most: int) -> None:
        """``kept`` is what ``Device.state`` has; ``most`` how many slots there are."""
        self.most = min(most, MOST_SLOTS)
        self._slots: dict[str, tuple[int, Slot]] = {}
        for place, (number, name, pin, pin_key) in (kept or {}).items():
            self._slots[place] = int(number), Slot(pin=pin, pin_key=pin_key, name=name)

    def kept(self) -> Mapping[str, Any]:
        """As it is kept in ``Device.state``."""
        return {
            place: [number, slot.name, slot.pin, slot.pin_key]
            for place, (number, slot) in self._slots.items()
        }

    def number_of(self, place: str) -> int | None:
        """The slot of a place, if it has one."""
        if place in self._slots:
            return self._slots[place][0]
        number = place.removeprefix(_OTHERS)
        is_other = place.startswith(_OTHERS) and number.isascii() and number.isdecimal()
        return int(number) if is_other and 1 <= int(number) <= self.most else None

    def place_of(self, number: int) -> str:
        """The place that a slot is."""
        for place, (its_number, _) in self._slots.items():
            if its_number == number:
                return place
        return f"{_OTHERS}{number}"

    def written_in(self, number: int) -> Slot | None:
        """What was last written into a slot from here: its name is known nowhere else."""
        return next((slot for its_number, slot in self._slots.values() if its_number == number), None)

    def numbers(self) -> set[int]:
        """The slots that hold what was written from here, as far as is known."""
        return {number for number, _ in self._slots.values()}

    def free(self, occupied: Collection[int]) -> list[int]:
        """The slots that nobody is known to use, from the last one down: people fill them from the first."""
        ours = self.numbers()
        return [number for number in range(self.most, 0, -1) if number not in ours and number not in occupied]

    def take(self, place: str, number: int, slot: Slot) -> None:
        """From now on the place is this slot, and this was written there."""
        self._slots[place] = number, slot

    def give_back(self, place: str) -> None:
        """The place is no slot any more."""
        self._slots.pop(place, None)


async def put_on_record(seen: Observation, observe: Callable[[Observation], None], clock: Clock) -> None:
    """Report which slot is whose, and return once that is on record: a crash then forgets no code in a lock.

    Raises ``OutcomeUnknown`` if it is not in time.
    """
    written: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_record() -> None:
        if not written.done():
            written.set_result(None)

    observe(seen._replace(on_record=on_record))
    if not await clock.wait(written, _ON_RECORD_WITHIN):
        raise OutcomeUnknown.because("It could not be put on record in time where the code is to be.")
