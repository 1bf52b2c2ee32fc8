"""Why a keypad let nobody in, as a Z-Wave lock says it. Pure.

Z-Wave has no word for a privacy mode: a lock in which one is on refuses, and says no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from thumbturn.drivers.zwave_js.codec import CC, Message, Notified, Value

#: Z-Wave's notification types: doors, and burglars.
_DOORS, _SECURITY = 6, 7
#: What their events mean, as ``Observation.denied``.
_EVENTS: Final[Mapping[tuple[int, int], str]] = {
    (_DOORS, 19): "too_many_attempts",
    (_DOORS, 47): "blocklisted_code",
    (_DOORS, 48): "expired_code",
    (_DOORS, 49): "credential_error",
    (_DOORS, 50): "unknown_code",
    (_SECURITY, 4): "unknown_code",
}
#: Of the state of a keypad: it takes no codes for a while.
_DISABLED: Final = 16


def denial_in(message: Message) -> str | None:
    """As ``Observation.denied``; ``None`` for what says nothing of the kind."""
    if isinstance(message, Notified):
        return _EVENTS.get((message.type, message.event))
    if isinstance(message, Value) and (message.cc, message.key) == (CC.NOTIFICATION, "Keypad state"):
        return "too_many_attempts" if message.is_now == _DISABLED else None
    return None
