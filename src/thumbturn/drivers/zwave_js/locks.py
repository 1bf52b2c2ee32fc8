"""Z-Wave locks: what they are told, what they answer, and what that is worth.

Success is the lock's own word: supervision, a report of it, or a notification that it did it. That its radio
has taken a command (254) is no such word: then it is waited for, and asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, LockJammed
from thumbturn.drivers.zwave_js.bolt import LOCKED_MODE, UNLOCKED_MODE, Bolt, Move, locked_in
from thumbturn.drivers.zwave_js.codec import CC, Message, Node, Notified, Status, Value
from thumbturn.drivers.zwave_js.codes import LockCodes
from thumbturn.drivers.zwave_js.denials import denial_in
from thumbturn.drivers.zwave_js.things import (
    Home,
    Thing,
    level_of,
    response_of,
)
from thumbturn.engine.code_slots import MOST_SLOTS

#: A lock that refused says within so long whether that was because it jammed.
_JAM_IS_SAID_WITHIN = seconds(1.5)
_RELOCK = "autoRelockTime"
#: How a door may stand. What a hub says may be of any shape, so this is nothing that hashes.
_DOOR = ("open", "closed")


class ZwaveLock(Thing):
    """Implements ``Lock`` and ``AutoLock`` of ``domain.capabilities``; its memory is ``codes``."""

    def __init__(self, device: Device, home: Home) -> None:
        super().__init__(device, home)
        self._bolt = Bolt(locked=device.state.get("locked"), tell=self._moved, clock=home.clock)
        #: What its keypad knows.
        self.codes = LockCodes(self, home.pins)

    # what it can be told ------------------------------------------------------------------------

    async def lock(self) -> Evidence:
        """Throw the bolt."""
        return await self._move(locked=True)

    async def unlock(self) -> Evidence:
        """Withdraw the bolt."""
        return await self._move(locked=False)

    async def read_bolt(self) -> Observation | None:
        """Where its bolt is now, as the lock says; ``None`` if it does not answer."""
        if not await self.link.stands():
            return None
        so = await self._read_bolt()
        if so is None:
            return None
        method = self._bolt.read(locked=so["locked"])
        return self.seen(so, method=method, said="The lock answered when it was asked.")

    async def set_auto_lock(self, enabled: bool, delay_seconds: float | None) -> Evidence:
        """Switch automatic locking on with this delay, or off."""
        delay = round(delay_seconds or 0)
        if enabled and delay != delay_seconds:
            raise CommandRefused.because("It takes whole seconds only.")
        await self.be_ready()
        wanted = delay if enabled else 0
        answer = await self.link.set_value(self.node_id, CC.DOOR_LOCK, _RELOCK, wanted)
        evidence = self.judged(answer, "Its automatic locking is set.")
        if evidence.confirms:
            self.say(_relocking(wanted), evidence, "remote", "Supervision: it is set.")
        return evidence

    async def read_auto_lock(self) -> Observation | None:
        """What its automatic locking is set to, as the lock says; ``None`` if it does not answer."""
        answer = response_of(await self.link.ask(self.node_id, CC.DOOR_LOCK, "getConfiguration"))
        so = _relocking(answer.get(_RELOCK)) if isinstance(answer, dict) else {}
        return self.seen(so, method="remote", said="The lock answered when it was asked.") if so else None

    # what it says -------------------------------------------------------------------------------

    async def read(self) -> Mapping[str, Any] | None:
        """Bolt, door and battery, as the lock says now; ``None`` if it does not answer."""
        so = await self._read_bolt()
        if so is None:
            return None
        self._bolt.read(locked=so["locked"])
        if "battery" not in self.device.capabilities:
            return so
        battery = response_of(await self.link.ask(self.node_id, CC.BATTERY, "get"))
        level = level_of(battery.get("level")) if isinstance(battery, dict) else None
        return so if level is None else {**so, "battery_level": level}

    def hear(self, message: Message, number: int) -> None:
        """Take in what its hub says of it."""
        super().hear(message, number)
        if isinstance(message, Value | Notified) and not getattr(message, "is_echo", False):
            said = _in_words(message)
            said = f"{said} ({self.reference(number)})."
            denied = denial_in(message)
            if denied is not None:
                self.deny(denied, said)
            self._bolt.hear(message, said)
            self.codes.hear(message)
        if isinstance(message, Value) and message.cc == CC.DOOR_LOCK and not message.is_echo:
            if message.name == "doorStatus" and "door_contact" in self.device.capabilities:
                self.say({"door_open": message.is_now == "open"}, said="The door reported.")
            elif message.name == _RELOCK:
                self.say(_relocking(message.is_now), said="Its automatic locking was set.")

    def forget(self) -> None:
        """Stop whatever it waits for."""
        self._bolt.forget()

    # inside -------------------------------------------------------------------------------------

    async def _move(self, *, locked: bool) -> Evidence:
        await self.be_ready()
        self._bolt.command(locked=locked)
        mode = LOCKED_MODE if locked else UNLOCKED_MODE
        answer = await self.link.set_value(self.node_id, CC.DOOR_LOCK, "targetMode", mode)
        try:
            evidence = self.judged(answer)
        except CommandRefused:
            is_jammed = await self._bolt.jams(_JAM_IS_SAID_WITHIN)
            self._bolt.give_up()
            if is_jammed:
                raise LockJammed from None
            raise
        if evidence.confirms and answer is not None:
            said = f"Supervision: success ({Status.SUCCESS.value}, command {answer.message_id})."
            self._bolt.accepted(locked=locked, said=said)
        return evidence

    async def _read_bolt(self) -> dict[str, Any] | None:
        answer = await self.link.ask(self.node_id, CC.DOOR_LOCK, "get")
        if answer is not None and not answer.is_good:
            self.failure(answer)
        so = response_of(answer)
        locked = locked_in(so.get("currentMode")) if isinstance(so, dict) else None
        if locked is None:
            return None
        changes: dict[str, Any] = {"locked": locked, "jammed": False}
        if "door_contact" in self.device.capabilities and so.get("doorStatus") in _DOOR:
            changes["door_open"] = so["doorStatus"] == "open"
        return changes

    def _moved(self, move: Move) -> None:
        if move.locked is None:
            self.say({"jammed": True}, move.evidence, move.method, move.said)
            return
        place = None
        if move.method == "keycode" and move.user is not None:
            place = self.codes.place_of(move.user)
        self.say({"locked": move.locked, "jammed": False}, move.evidence, move.method, move.said, place)


def capabilities_of(node: Node) -> frozenset[str]:
    """What a lock can do; nothing if the node is no lock."""
    if not node.has(CC.DOOR_LOCK, "targetMode"):
        return frozenset()
    found = {"lock"}
    if node.has(CC.DOOR_LOCK, _RELOCK):
        found.add("auto_lock")
    if node.values.get((CC.DOOR_LOCK, "doorStatus", None)) in _DOOR:
        found.add("door_contact")
    if node.keys(CC.USER_CODE, "userIdStatus"):
        found |= {"keypad", "access_codes"}
    if node.has(CC.BATTERY, "level"):
        found.add("battery")
    return frozenset(found)


def details_of(node: Node) -> dict[str, Any]:
    """What is known of a lock's keypad."""
    slots = node.keys(CC.USER_CODE, "userIdStatus")
    if not slots:
        return {}
    code = node.description(CC.USER_CODE, "userCode", slots[0])
    shortest, longest = code.get("minLength"), code.get("maxLength")
    if not (isinstance(shortest, int) and isinstance(longest, int) and 1 <= shortest <= longest <= 32):
        shortest, longest = 4, 10
    return {
        "supported_code_lengths": list(range(shortest, longest + 1)),
        "max_active_codes_supported": min(slots[-1], MOST_SLOTS),
        "code_constraints": [],
        "supports_backup_access_code_pool": True,
        "has_native_scheduling": False,
    }


def _relocking(delay: Any) -> dict[str, Any]:
    if isinstance(delay, bool) or not isinstance(delay, int) or delay < 0:
        return {}
    if delay == 0:
        return {"auto_lock_enabled": False}
    return {"auto_lock_enabled": True, "auto_lock_delay_seconds": float(delay)}


def _in_words(message: Value | Notified) -> str:
    """What the lock said, without what it may have said of codes."""
    if isinstance(message, Notified):
        return f"It notified: {message.type}/{message.event}"
    return f"It reported: {message.cc}/{message.name}"
