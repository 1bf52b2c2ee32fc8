"""PINs: which ones a lock takes, and how a new one is found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import pairwise
from typing import Any

from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.ids import random_digits

#: Where a lock says nothing of its own.
USUAL_LENGTHS = (4, 5, 6, 7, 8)
#: The longest that may be chosen, and that is made up; some locks take longer ones.
LONGEST_PIN = 12
_TRIES = 200

#: In a device's settings: what somebody reported of the PINs that it takes.
REPORTED = "reported_code_lengths"
#: In a device's settings: its pool of backup codes is in use.
POOL_ENABLED = "backup_access_code_pool_enabled"


class InvalidPin(Refusal, type="invalid_access_code", status=400):
    """This lock does not take such a code"""


class NoPinLeft(Refusal, type="no_code_available", status=409):
    """No code is left that all of these locks take and that none of them has already"""


def lengths_of(device: Device) -> tuple[int, ...]:
    """How many digits a PIN of this lock may have: what it says itself, unless somebody knew better."""
    own = tuple(device.details.get("supported_code_lengths", USUAL_LENGTHS))
    reported = device.settings.get(REPORTED)
    return (
        own if reported is None else tuple(length for length in reported if length in own) or tuple(reported)
    )


def check_pin(device: Device, pin: str) -> None:
    """Return if the lock takes it. Raises ``InvalidPin``, which says why and not what."""
    lengths = lengths_of(device)
    if len(pin) not in lengths:
        may_be = ", ".join(map(str, lengths))
        raise InvalidPin(f"{device.display_name} takes codes of {may_be} digits, not of {len(pin)}")
    for constraint in device.details.get("code_constraints", ()):
        if not _HOLDS[constraint["constraint_type"]](pin):
            raise InvalidPin(f"{device.display_name} takes no such code: {constraint['constraint_type']}")


def new_pin(devices: Collection[Device], length: int | None, is_free: Callable[[str], bool]) -> str:
    """A PIN that all of these locks take. Raises ``InvalidPin``, ``NoPinLeft``."""
    common = set(range(LONGEST_PIN + 1)).intersection(*map(lengths_of, devices))
    if length is not None and length not in common:
        raise InvalidPin(f"Not every lock takes codes of {length} digits")
    if not common:
        raise InvalidPin(f"No length of codes up to {LONGEST_PIN} digits is taken by all of these locks")
    digits = length or min(common, key=lambda each: (abs(each - 4), each))
    for _ in range(_TRIES):
        pin = random_digits(digits)
        if is_free(pin) and all(_takes(device, pin) for device in devices):
            return pin
    raise NoPinLeft


def _takes(device: Device, pin: str) -> bool:
    try:
        check_pin(device, pin)
    except InvalidPin:
        return False
    return True


def _steps(pin: str) -> set[int]:
    return {int(second) - int(first) for first, second in pairwise(pin)}


def _has_triple(pin: str) -> bool:
    return any(len(set(pin[at : at + 3])) == 1 for at in range(len(pin) - 2))


#: By the wire's word for a constraint, whether a PIN keeps to it.
_HOLDS: Mapping[str, Callable[[str], Any]] = {
    "no_zeros": lambda pin: "0" not in pin,
    "cannot_start_with_12": lambda pin: not pin.startswith("12"),
    "no_triple_consecutive_ints": lambda pin: not _has_triple(pin),
    "no_ascending_or_descending_sequence": lambda pin: _steps(pin) not in ({1}, {-1}),
    "at_least_three_unique_digits": lambda pin: len(set(pin)) >= 3,
    "cannot_contain_089": lambda pin: not set(pin) & set("089"),
    "cannot_contain_0789": lambda pin: not set(pin) & set("0789"),
    "unique_first_four_digits": lambda pin: len(set(pin[:4])) == 4,
    "no_all_same_digits": lambda pin: len(set(pin)) > 1,
}
