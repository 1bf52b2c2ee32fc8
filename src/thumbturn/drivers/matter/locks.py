"""Matter locks: what they are told, what they answer, and what that is worth.

The status that a lock answers with is its own word: that it took the command. Where its bolt is then it is
asked at once, because a motor may still be turning, and a server hears of changes only once a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, LockJammed
from thumbturn.domain.hub import HubUnreachable
from thumbturn.drivers.matter.bolt import LOCK_STATES, Bolt, Move, operation_of
from thumbturn.drivers.matter.codec import Cluster, Happened, Node, Reported, Status
from thumbturn.drivers.matter.codes import LockCodes
from thumbturn.drivers.matter.pins import in_base64, is_pin, lengths_of
from thumbturn.drivers.matter.things import Home, Thing, battery_of, written
from thumbturn.engine.code_slots import MOST_SLOTS
from thumbturn.engine.hub_words import is_number

LOCK = Cluster.DOOR_LOCK
_STATE, _DOOR, _RELOCK, _MODE, _WANTS_PIN = 0, 3, 0x23, 0x25, 0x33
_PIN_USERS = 0x12
#: Features: PINs, a contact at the door, and users who have credentials.
_PINS, _DOOR_SENSOR, _USERS = 0x1, 0x20, 0x100
#: Events, and the alarm of a bolt that is stuck.
_ALARM, _OPERATION, _ERROR, _USER_CHANGE = 0, 2, 3, 4
_JAMMED = 0
#: States of a door in which it is known whether it is open, and the one in which it is not.
_DOOR_STATES, _CLOSED = (0, 1, 3, 5), 1
#: A lock that refused says within so long why: a server hears from it once a second.
_WHY_IS_SAID_WITHIN = seconds(1.5)
#: Modes in which a lock takes no commands from afar, and why else it may say no.
_DEAF_MODES = {2: "Its privacy mode is on.", 3: "It is set to take no commands from afar."}
_WHY = {
    1: "It does not accept the PIN that it was told with the command.",
    2: "The user whose PIN it was told is disabled at the lock.",
    3: "Its own settings do not allow it now.",
    4: "Its battery is too low.",
}
#: What a keypad that lets somebody wait says, as ``Observation.denied``.
_DENIED = {1: "unknown_code", 2: "unknown_code", 3: "expired_code"}
_KEYPAD = 3


class MatterLock(Thing):
    """Implements ``Lock`` and ``AutoLock`` of ``domain.capabilities``; its memory is ``codes``."""

    def __init__(self, device: Device, at: tuple[int, int], home: Home) -> None:
        super().__init__(device, at, home)
        self._bolt = Bolt(
            locked=device.state.get("locked"),
            tell=self._moved,
            check=self.read_soon,
            clock=home.clock,
        )
        #: Why it said no to the last command, if it said why.
        self._why: int | None = None
        #: What its automatic locking was last told to be.
        self._relocks: dict[str, Any] = {}
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
        try:
            so = await self._read_bolt()
        except HubUnreachable:
            return None
        if so is None:
            return None
        method = self._bolt.read(locked=so["locked"])
        return self.seen(so, method=method, said="The lock was asked where its bolt is, and answered.")

    async def set_auto_lock(self, enabled: bool, delay_seconds: float | None) -> Evidence:
        """Switch automatic locking on with this delay, or off."""
        delay = round(delay_seconds or 0)
        if enabled and (delay != delay_seconds or delay < 1):
            raise CommandRefused.because("It takes whole seconds only.")
        await self.be_ready()
        wanted = delay if enabled else 0
        answer = await self.link.write(self.node_id, self.path(LOCK, _RELOCK), wanted)
        so = _relocking(wanted)
        evidence = self.judged(written(answer), "Its automatic locking is set.", so)
        if evidence.confirms:
            self._relocks = so
        return evidence

    async def read_auto_lock(self) -> Observation | None:
        """What its automatic locking is set to, as the lock says; ``None`` if it does not answer."""
        path = self.path(LOCK, _RELOCK)
        try:
            values = await self.ask(path)
        except HubUnreachable:
            return None
        so = _relocking(values.get(path)) if values is not None else {}
        return self.seen(so, method="remote", said="The lock was asked, and answered.") if so else None

    # what it says -------------------------------------------------------------------------------

    async def read(self) -> Mapping[str, Any] | None:
        """Bolt, door and battery, as the lock says now; ``None`` if it does not answer."""
        paths = self.those_there(LOCK, (_STATE, _DOOR, _RELOCK))
        values = await self.ask(*paths, *self.battery_paths)
        if not values:
            return None
        so: dict[str, Any] = {**self.battery_in(values), **_relocking(values.get(self.path(LOCK, _RELOCK)))}
        so |= self._door_in(values.get(self.path(LOCK, _DOOR)))
        bolt = _bolt_in(values.get(self.path(LOCK, _STATE)))
        if bolt is not None:
            self._bolt.read(locked=bolt["locked"])
        return so | (bolt or {})

    def reported(self, told: Reported, number: int) -> None:
        """Take in an attribute of the lock."""
        _, cluster, attribute = told.path
        if cluster != LOCK:
            return
        if attribute == _STATE and is_number(told.is_now) and told.is_now in LOCK_STATES:
            said = f"Its LockState is {told.is_now} ({self.reference(number)})."
            self._bolt.hear_state(LOCK_STATES[told.is_now], said)
        elif attribute == _DOOR:
            so = self._door_in(told.is_now)
            if so:
                self.say(so, said="The door reported.")
        elif attribute == _RELOCK:
            so = _relocking(told.is_now)
            if so != self._relocks:
                self._relocks = so
                self.say(so, said="Its automatic locking was set.")

    def happened(self, told: Happened, number: int) -> None:
        """Take in what happened at the lock."""
        if told.cluster != LOCK:
            return
        fields = told.fields
        if told.event == _OPERATION:
            operation = operation_of(fields)
            if operation is not None:
                word = "lock" if operation.locked else "unlock"
                said = f"LockOperation: {word}, {operation.method} ({self.reference(number)})."
                self._bolt.hear_operation(operation, said)
        elif told.event == _ALARM and _is(fields.get("alarmCode"), _JAMMED):
            self._bolt.hear_jam(f"DoorLockAlarm: jammed ({self.reference(number)}).")
        elif told.event == _ERROR:
            self._say_no(fields, number)
        elif told.event == _USER_CHANGE:
            self.codes.hear_change(fields)

    def forget(self) -> None:
        """Stop whatever it waits for."""
        self._bolt.forget()

    # inside -------------------------------------------------------------------------------------

    async def _move(self, *, locked: bool) -> Evidence:
        await self.be_ready()
        pin = self._pin_wanted()
        self._bolt.command(locked=locked)
        self._why = None
        answer = await self.link.command(
            self.node_id, self.endpoint, LOCK, "LockDoor" if locked else "UnlockDoor", **pin
        )
        try:
            evidence = self.judged(answer)
        except Failure as failure:
            if answer is not None and answer.status == Status.FAILURE:
                failure = await self._why_not(failure)
            self._bolt.give_up()
            raise failure from None
        if evidence.confirms:
            await self._look_where_it_is(locked=locked)
        return evidence

    async def _look_where_it_is(self, *, locked: bool) -> None:
        """Have it on record at once where the bolt is, if it is where it was to go."""
        try:
            so = await self._read_bolt()
        except HubUnreachable:
            return
        if so is not None and so["locked"] is locked:
            self._bolt.read(locked=locked)
            said = f"The lock was asked: its bolt is {'locked' if locked else 'unlocked'}."
            self.say(so, method="remote", said=said)

    async def _why_not(self, refusal: Failure) -> Failure:
        """Why it said no: as it says itself, or as it is set."""
        if await self._bolt.jams(_WHY_IS_SAID_WITHIN):
            return LockJammed()
        if self._why in _WHY:
            return CommandRefused.because(_WHY[self._why])
        path = self.path(LOCK, _MODE)
        try:
            mode = (await self.ask(path) or {}).get(path)
        except HubUnreachable:
            return refusal
        if is_number(mode) and mode in _DEAF_MODES:
            return CommandRefused.because(_DEAF_MODES[mode])
        return refusal

    def _pin_wanted(self) -> dict[str, str]:
        """What goes with a command to a lock that wants a PIN with each. Raises ``CommandRefused``."""
        node = self.node
        if node is None or node.attributes.get(self.path(LOCK, _WANTS_PIN)) is not True:
            return {}
        pin = self.link.remote_pin
        if not pin:
            raise CommandRefused.because(
                "It wants a PIN with each command from afar. Link its hub again with that PIN."
            )
        if not is_pin(pin, node, self.endpoint):
            # One wrong PIN too many, and a lock lets nobody in for a while.
            raise CommandRefused.because("The PIN for commands from afar has a length that it does not take.")
        return {"PINCode": in_base64(pin)}

    async def _read_bolt(self) -> dict[str, Any] | None:
        paths = self.those_there(LOCK, (_STATE, _DOOR))
        values = await self.ask(*paths) if paths else None
        if not values:
            return None
        bolt = _bolt_in(values.get(self.path(LOCK, _STATE)))
        return None if bolt is None else {**bolt, **self._door_in(values.get(self.path(LOCK, _DOOR)))}

    def _door_in(self, state: Any) -> dict[str, Any]:
        if "door_contact" not in self.device.capabilities or not _is(state, *_DOOR_STATES):
            return {}
        return {"door_open": state != _CLOSED}

    def _say_no(self, fields: Mapping[str, Any], number: int) -> None:
        why = fields.get("operationError")
        if not is_number(why):
            return
        if _is(fields.get("operationSource"), _KEYPAD):
            if why in _DENIED:
                said = f"LockOperationError: keypad, {why} ({self.reference(number)})."
                self.say({}, denied=_DENIED[why], said=said)
            return
        self._why = why

    def _moved(self, move: Move) -> None:
        if move.locked is None:
            self.say({"jammed": True}, method=move.method, said=move.said)
            return
        place = None
        if move.operation is not None and move.method == "keycode":
            place = self.codes.place_of(move.operation)
        self.say({"locked": move.locked, "jammed": False}, method=move.method, said=move.said, place=place)


def capabilities_of(node: Node, endpoint: int) -> frozenset[str]:
    """What a lock can do; nothing if the endpoint is none."""
    if not node.has(endpoint, LOCK, _STATE):
        return frozenset()
    found = {"lock"}
    if node.has(endpoint, LOCK, _RELOCK):
        found.add("auto_lock")
    if node.can(endpoint, LOCK, _DOOR_SENSOR):
        found.add("door_contact")
    if node.can(endpoint, LOCK, _PINS):
        found.add("keypad")
        if node.can(endpoint, LOCK, _USERS) and _slots(node, endpoint):
            found.add("access_codes")
    if battery_of(node, endpoint) is not None:
        found.add("battery")
    return frozenset(found)


def details_of(node: Node, endpoint: int) -> dict[str, Any]:
    """What is known of a lock's keypad."""
    if "access_codes" not in capabilities_of(node, endpoint):
        return {}
    return {
        "supported_code_lengths": list(lengths_of(node, endpoint)),
        "max_active_codes_supported": _slots(node, endpoint),
        "code_constraints": [],
        "supports_backup_access_code_pool": True,
        "has_native_scheduling": False,
    }


def _slots(node: Node, endpoint: int) -> int:
    return max(0, min(node.number(endpoint, LOCK, _PIN_USERS) or 0, MOST_SLOTS))


def _bolt_in(state: Any) -> dict[str, Any] | None:
    if not is_number(state) or state not in LOCK_STATES:
        return None  # it does not know either
    locked = LOCK_STATES[state]
    return {"locked": locked} if locked is None else {"locked": locked, "jammed": False}


def _relocking(delay: Any) -> dict[str, Any]:
    if not is_number(delay) or delay < 0:
        return {}
    if delay == 0:
        return {"auto_lock_enabled": False}
    return {"auto_lock_enabled": True, "auto_lock_delay_seconds": float(delay)}


def _is(value: Any, *numbers: int) -> bool:
    """Whether it is one of these numbers: a lock may say anything in the place of one."""
    return is_number(value) and value in numbers
