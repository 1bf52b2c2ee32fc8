"""What can be believed of where a bolt is, and who moved it: pure, one story for each lock.

Every message of Zigbee2MQTT carries all that was ever heard of the device. So a bolt's state in it is news
only if it differs from the message before. What was done at the lock (``action``) is told once, with the
state as it was known before it: the two come in either order. A state that stays as it was proves nothing; a
command that was to leave it so is confirmed by the lock's own ``action``, or by asking the lock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from thumbturn.drivers.zigbee2mqtt.codec import number, text

_LOCKED: Final[Mapping[str, bool]] = {"LOCK": True, "UNLOCK": False}
#: Zigbee's own words (attribute ``lockState``): not fully locked is neither, and no bolt stays so by itself.
LOCK_STATES: Final[Mapping[int, bool | None]] = {0: None, 1: True, 2: False}
_NOT_FULLY = "not_fully_locked"


class Move(NamedTuple):
    """A bolt is somewhere now."""

    #: ``None``: neither locked nor unlocked.
    locked: bool | None
    #: As ``Observation.method``; ``None`` if it was not said.
    method: str | None = None
    #: The number of the code that was entered.
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Denied:
    """A keypad let somebody wait."""

    #: As ``Observation.denied``.
    reason: str
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class CodesTouched:
    """Somebody changed a code at the lock."""


What = Move | Denied | CodesTouched

#: What is done at a lock: where the bolt is then, and how it came about if the source does not say.
_MOVES: Final[Mapping[str, tuple[bool, str | None]]] = {
    "lock": (True, None),
    "unlock": (False, None),
    "one_touch_lock": (True, "manual"),
    "key_lock": (True, "manual"),
    "key_unlock": (False, "manual"),
    "auto_lock": (True, "automatic"),
    "schedule_lock": (True, "automatic"),
    "schedule_unlock": (False, "automatic"),
    "manual_lock": (True, "manual"),
    "manual_unlock": (False, "manual"),
}
_DENIED: Final[Mapping[str, str]] = {
    "lock_failure_invalid_pin_or_id": "unknown_code",
    "unlock_failure_invalid_pin_or_id": "unknown_code",
    "lock_failure_invalid_schedule": "expired_code",
    "unlock_failure_invalid_schedule": "expired_code",
}
_TOUCHED: Final = frozenset({"pin_code_added", "pin_code_deleted", "pin_code_changed", "master_code_changed"})
_METHODS: Final[Mapping[str, str]] = {
    "keypad": "keycode",
    "rf": "remote",
    "manual": "manual",
    "rfid": "card",
    "fingerprint": "unknown",
}
_MOST_SLOTS = 65_535


class BoltStory:
    """What one lock has said since the link to its hub was made."""

    def __init__(self) -> None:
        self._last: str | None = None

    def forget(self) -> None:
        """The next message may be of an older cache: nothing in it is news."""
        self._last = None

    def told(self, fields: Mapping[str, Any]) -> tuple[What, ...]:
        """What is new in a message."""
        happened = _happened(fields)
        state, before = _state_in(fields), self._last
        if state is not None:
            self._last = state
        if state is None or before is None or state == before:
            return () if happened is None else (happened,)
        locked = None if state == _NOT_FULLY else _LOCKED[state]
        if isinstance(happened, Move):
            # Only a hub that holds messages back and sends several as one has both in one.
            return (happened,) if happened.locked is locked else (Move(locked),)
        return (Move(locked),) if happened is None else (happened, Move(locked))


def _state_in(fields: Mapping[str, Any]) -> str | None:
    if fields.get("lock_state") == _NOT_FULLY:
        return _NOT_FULLY
    state = fields.get("state")
    return state if isinstance(state, str) and state in _LOCKED else None


def _happened(fields: Mapping[str, Any]) -> What | None:
    action = text(fields.get("action"))
    if action is None:
        return None
    user = number(fields.get("action_user"), 0, _MOST_SLOTS)
    source = text(fields.get("action_source_name")) or ""
    slot = int(user) if user is not None and source == "keypad" else None
    if action in _MOVES:
        locked, method = _MOVES[action]
        method = method or _METHODS.get(source)
        return Move(locked, method, slot if method == "keycode" else None)
    if action in _DENIED:
        return Denied(_DENIED[action])
    # By radio it was a hub, we ourselves perhaps.
    return CodesTouched() if action in _TOUCHED and source != "rf" else None
