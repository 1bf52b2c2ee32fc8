"""The virtual lock: a bolt, a motor that needs its time, a keypad, a timer, a battery, a door contact."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from thumbturn.domain.access_code import Slot
from thumbturn.domain.clock import MILLISECOND, seconds
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.drivers.virtual.faults import SOUND, Fault
from thumbturn.drivers.virtual.keypad import KeypadMemory
from thumbturn.drivers.virtual.link import Link
from thumbturn.drivers.virtual.things import NOTHING, Obedient, Order
from thumbturn.drivers.virtual.world import World

#: The code that every virtual keypad knows.
SANDBOX_PIN = "1234"
#: How many times a full battery moves the bolt.
MOVES_PER_CHARGE = 10_000
_PERCENT = MOVES_PER_CHARGE // 100

ASKED = "The lock answered when it was asked."
_JAMMED: Mapping[str, Any] = {"jammed": True}


def _bolt(did: str, method: str, *, locked: bool) -> Order:
    said = "The bolt is thrown." if locked else "The bolt is withdrawn."
    return Order(did, {"locked": locked, "jammed": False}, method, said=said)


LOCK = _bolt("lock", "remote", locked=True)
UNLOCK = _bolt("unlock", "remote", locked=False)
RIGHT_CODE = _bolt("keypad", "keycode", locked=False)
WRONG_CODE = Order("keypad", denied="unknown_code", said="Somebody entered an unknown code.")
EXPIRED_CODE = Order("keypad", denied="expired_code", said="Somebody entered a code out of its time.")
LOCK_KEY = _bolt("keypad", "manual", locked=True)
TIMER = _bolt("auto_lock", "automatic", locked=True)


class VirtualLock(Obedient):
    """Implements ``Lock``, ``AutoLock``, ``Keypad`` and ``CodeMemory`` of ``domain.capabilities``."""

    def __init__(self, device: Device, link: Link, world: World) -> None:
        super().__init__(link, world)
        self._travel = int(device.details.get("travel_milliseconds", 0)) * MILLISECOND
        self._has_sensor = bool(device.details.get("has_bolt_sensor"))
        #: What the server knows, to tell it what has changed behind its back.
        self._believed = {"jammed": False, "codes_touched_at": 0, **device.state}
        fresh: dict[str, Any] = {"locked": True, "jammed": False}
        if "auto_lock" in device.capabilities:
            fresh |= {"auto_lock_enabled": False, "auto_lock_delay_seconds": 30}
        if "door_contact" in device.capabilities:
            fresh["door_open"] = False
        if "access_codes" in device.capabilities:
            fresh["codes_touched_at"] = 0
        #: What its keypad knows.
        self.codes = KeypadMemory(device, world)
        facts = world.journal.facts(device.id)
        known = {name: value for name, value in device.state.items() if value is not None} | facts
        self._is = {name: known.get(name, value) for name, value in fresh.items()}
        self._moved_by: str = facts.get("method", "unknown")
        self._moved_at: int = facts.get("moved_at", world.clock.now())
        #: Where its bolt will be: its motor was running when the server died, and runs on.
        self._arriving: Mapping[str, Any] = NOTHING
        if self._moved_at > world.clock.now():
            self._arriving = {name: self._is[name] for name in ("locked", "jammed")}
            self._is |= {"locked": facts.get("moved_from", self._is["locked"]), "jammed": False}
        self._charge: int | None = None
        if "battery_level" in device.state:
            self._charge = round(device.state["battery_level"] * MOVES_PER_CHARGE)
        #: When it shall lock itself, if it shall.
        self._timer: asyncio.Task[None] | None = None
        #: What it is doing beside the motor, slowly.
        self._settings: set[asyncio.Task[None]] = set()

    # what it can be told ------------------------------------------------------------------------

    async def lock(self) -> Evidence:
        """Throw the bolt."""
        return await self._obey(LOCK)

    async def unlock(self) -> Evidence:
        """Withdraw the bolt."""
        return await self._obey(UNLOCK)

    async def set_auto_lock(self, enabled: bool, delay_seconds: float | None) -> Evidence:
        """Switch automatic locking on with this delay, or off."""
        becomes: dict[str, Any] = {"auto_lock_enabled": enabled}
        if delay_seconds is not None:
            becomes["auto_lock_delay_seconds"] = delay_seconds
        return await self._obey(Order("set_auto_lock", becomes, "remote", said="Automatic locking is set."))

    async def enter_code(self, code: str) -> Evidence:
        """Press these digits and the unlock key."""
        return await self._obey(self._order_of(code))

    async def set_code(self, place: str, slot: Slot) -> Evidence:
        """Hold this code in this place."""
        return await self._program("set_code", place, slot)

    async def clear_code(self, place: str) -> Evidence:
        """Hold no code in this place."""
        return await self._program("clear_code", place, None)

    async def read_codes(self) -> Mapping[str, Slot] | None:
        """All that it holds, as the lock says; ``None`` if it does not answer."""
        return self.codes.said() if self._link.answers else None

    async def fetch_codes(self) -> Mapping[str, Slot] | None:
        """All that it holds, read anew."""
        fault = self._link.receive("fetch_codes")
        if fault.milliseconds:
            await self._world.clock.sleep(fault.milliseconds * MILLISECOND)
        if fault.dies:
            self._link.cut()
        return self.codes.said() if fault.reaches and self._link.answers else None

    async def press_lock(self) -> Evidence:
        """Press the lock key."""
        return await self._obey(LOCK_KEY)

    async def read_bolt(self) -> Observation | None:
        """Where its bolt is now, as the lock says; ``None`` if it does not answer."""
        return self._answer("locked", "jammed", "door_open", method=self._moved_by, said=ASKED)

    async def read_auto_lock(self) -> Observation | None:
        """What its automatic locking is set to, as the lock says; ``None`` if it does not answer."""
        return self._answer("auto_lock_enabled", "auto_lock_delay_seconds", method=None, said=ASKED)

    # what happens to it -------------------------------------------------------------------------

    @property
    def has_door_contact(self) -> bool:
        """True if it can tell whether the door is open."""
        return "door_open" in self._is

    def swing_door(self, *, is_open: bool) -> None:
        """Open or close the door by hand. Automatic locking waits until it is closed."""
        self._is["door_open"] = is_open
        self._world.journal.record(
            self._world.clock.now(), self._link.device_id, "door", {"door_open": is_open}
        )
        self._link.report({"door_open": is_open})
        self._set_timer(self._world.clock.now())

    def wake(self) -> None:
        """Report what is not as the server believes, and take the timer up again."""
        changes = {name: value for name, value in self._is.items() if self._believed.get(name) != value}
        if changes:
            self._link.report(changes, method=self._moved_by, said="Found so at start.")
        if self._arriving:
            self._work = self._world.later(self._moved_at - self._world.clock.now(), self._arrive)
        else:
            self._set_timer(self._moved_at)

    def still(self) -> None:
        """Do nothing more of what was begun."""
        self._halt()
        for ending in self._settings:
            ending.cancel()

    def touch_code(self, place: str | None, pin: str | None, name: str | None = None) -> str:
        """Set, change or delete (without a PIN) a code at the lock by hand; in which place."""
        place = self.codes.touch(place, pin, name)
        now = self._world.clock.now()
        # Each time is told from the one before, however soon it came.
        self._is["codes_touched_at"] = touched = max(now, self._is["codes_touched_at"] + 1)
        self._world.journal.record(now, self._link.device_id, "touch_code", {"codes_touched_at": touched})
        self._link.report({"codes_touched_at": touched}, method="manual", said="Somebody changed its codes.")
        return place

    # inside -------------------------------------------------------------------------------------

    async def _program(self, did: str, place: str, slot: Slot | None) -> Evidence:
        fault = self._link.receive(did)
        if not fault.reaches:
            return fault.reply
        self.codes.check(place, slot)
        if fault.milliseconds:
            await self._world.clock.sleep(fault.milliseconds * MILLISECOND)
        if fault.jams or self._acts(fault):
            self.codes.put(did, place, slot)
        self.codes.claim(place, slot, is_lie=fault.lies)
        if fault.dies:
            self._link.cut()
        return fault.reply

    def _order_of(self, pin: str) -> Order:
        """What the keypad does with these digits."""
        if pin == SANDBOX_PIN:
            return RIGHT_CODE
        place, is_in_time = self.codes.find(pin)
        if place is None:
            return WRONG_CODE
        return (RIGHT_CODE if is_in_time else EXPIRED_CODE)._replace(place=place)

    def _begin(self, order: Order, fault: Fault) -> None:
        """What comes of it is decided and written down now; it happens when the motor has run."""
        turns = "locked" in order.becomes
        takes = fault.milliseconds * MILLISECOND
        if turns:
            takes += self._travel // 2 if fault.dies else self._travel
            self._halt()
        now = self._world.clock.now()
        so = self._outcome(order, fault, turns=turns)
        facts = so
        if "locked" in so:
            facts = {**so, "method": order.method, "moved_at": now + takes}
            if takes:
                facts["moved_from"] = self._is["locked"]
        name = None if fault.is_sound else fault.name
        self._world.journal.record(now, self._link.device_id, order.did, facts, name)
        if takes:
            ending = self._world.later(takes, partial(self._end, order, fault, so))
            if turns:
                self._work = ending
            else:  # whoever turns the bolt meanwhile does not stop that
                self._settings.add(ending)
                ending.add_done_callback(self._settings.discard)
        else:
            self._end(order, fault, so)

    def _halt(self) -> None:
        """Stop the motor and the timer, where they are."""
        for task in (self._work, self._timer):
            if task is not None:
                task.cancel()

    def _outcome(self, order: Order, fault: Fault, *, turns: bool) -> Mapping[str, Any]:
        """What will physically be so."""
        if fault.jams and turns:
            return _JAMMED
        # A jam is the bolt's affair: what needs no motor is done all the same.
        if fault.jams or self._acts(fault):
            return order.becomes
        return NOTHING

    def _end(self, order: Order, fault: Fault, so: Mapping[str, Any]) -> None:
        turned = "locked" in order.becomes
        self._is.update(so)
        if "locked" in so:
            self._moved_at, self._moved_by = self._world.clock.now(), order.method or "unknown"
        if fault.dies:
            self._link.cut()
            return
        if fault.lies:
            self._claims = order.becomes
        changes = so if so is _JAMMED else order.becomes
        said = "The motor strained and the bolt stayed." if so is _JAMMED else order.said
        if turned and self._charge is not None:
            changes = self._drain(changes, self._charge)
        self._link.report(changes, method=order.method, denied=order.denied, said=said, place=order.place)
        if turned and self._has_sensor:
            self._ask_sensor(order.method)
        if so is not NOTHING:
            self._set_timer(self._world.clock.now())

    def _arrive(self) -> None:
        """Its motor has run to its end, for a command of the server's earlier life."""
        self._is.update(self._arriving)
        self._link.report(self._arriving, method=self._moved_by, said="The motor has run to its end.")
        self._arriving = NOTHING
        if self._has_sensor:
            self._ask_sensor(self._moved_by)
        self._set_timer(self._moved_at)

    def _ask_sensor(self, method: str | None) -> None:
        locked = self._is["locked"]
        self._link.report(
            {"locked": locked},
            evidence=Evidence.INDEPENDENT_SENSOR,
            method=method,
            said=f"The sensor sees the bolt {'thrown' if locked else 'withdrawn'}.",
        )

    def _drain(self, changes: Mapping[str, Any], charge: int) -> Mapping[str, Any]:
        # Told in whole per cents only, so that a report carries it once in a hundred times. A
        # virtual battery stays at its last per cent: a demo that dies helps nobody.
        self._charge = max(charge - 1, _PERCENT)
        if self._charge % _PERCENT == 0 and self._charge != charge:
            return {**changes, "battery_level": self._charge / MOVES_PER_CHARGE}
        return changes

    def _set_timer(self, since: int) -> None:
        """Have it lock itself, if it shall, this long after the moment."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is["locked"] or self._is.get("door_open") or not self._is.get("auto_lock_enabled"):
            return
        due = since + seconds(self._is["auto_lock_delay_seconds"])
        self._timer = self._world.later(due - self._world.clock.now(), self._lock_itself)

    def _lock_itself(self) -> None:
        self._timer = None  # the motor's start would cancel it, and with it this very call
        self._begin(TIMER, SOUND)

    def _tell_everything(self) -> None:
        super()._tell_everything()
        self.codes.tell_the_truth()
        self._link.report(dict(self._is), method=self._moved_by, said="The lock can be heard again.")
