"""The PINs of access grants: which doors take one, and one that doors take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from thumbturn.domain.device import Device
from thumbturn.domain.pin import InvalidPin, NoPinLeft, check_pin
from thumbturn.engine.access_codes import AccessCodes
from thumbturn.engine.acs_credentials import CODE_LENGTH, AcsCredentials, drawn

#: How often a PIN is drawn that no system and no lock has.
_DRAWS = 20


class Split(NamedTuple):
    """Locks, and entrances by their system, some of which can have a PIN."""

    locks: list[Device]
    systems: dict[str, list[str]]
    other_locks: list[Device]
    other_systems: dict[str, list[str]]


class GrantPins:
    """PINs that are at locks and in access control systems alike."""

    def __init__(self, codes: AccessCodes, credentials: AcsCredentials) -> None:
        self._codes = codes
        self._credentials = credentials

    def seal(self, pin: str) -> str:
        """The PIN as it is kept."""
        return self._codes.pins.seal(pin)

    def open(self, sealed: str) -> str:
        """The PIN that is kept."""
        return self._codes.pins.open(sealed)

    async def split(
        self,
        workspace_id: str,
        pin: str | None,
        locks: Sequence[Device],
        systems: dict[str, list[str]],
        has_it: Iterable[str],
    ) -> Split:
        """Those that take this PIN, and the others; the systems in ``has_it`` have it already, from us."""
        found = Split([], {}, [], {})
        for lock in locks:
            (found.locks if await self._takes(lock, pin) else found.other_locks).append(lock)
        for system, entrance_ids in systems.items():
            is_free = system in has_it or await self._is_free(workspace_id, system, pin)
            (found.systems if is_free else found.other_systems)[system] = entrance_ids
        return found

    async def draw(self, workspace_id: str, locks: Sequence[Device], systems: Iterable[str]) -> str | None:
        """A PIN that all of these take and none has; ``None`` if there is none."""
        taken: set[str] = set()
        for system in systems:
            taken |= await self._credentials.codes_in(workspace_id, system)
        for number in drawn(CODE_LENGTH)[:_DRAWS]:
            try:
                pin = await self._codes.new_pin(locks, None) if locks else number
            except (InvalidPin, NoPinLeft):
                return None
            if pin not in taken:
                return pin
        return None

    async def _takes(self, lock: Device, pin: str | None) -> bool:
        if pin is None:
            return False
        try:
            check_pin(lock, pin)
        except InvalidPin:
            return False
        return not await self._codes.has_pin(lock, pin)

    async def _is_free(self, workspace_id: str, system: str, pin: str | None) -> bool:
        return pin is not None and pin not in await self._credentials.codes_in(workspace_id, system)
