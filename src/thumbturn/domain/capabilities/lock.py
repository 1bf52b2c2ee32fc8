"""Doors: a bolt that can be moved and looked at.

Each verb sends one command and returns how far it is known to have got, as a grade of evidence;
it raises a ``Failure`` when it is certain that the device did not act or that it refused. What
the device then reports comes as ``Observation`` of its state, before or after the verb returns.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from thumbturn.domain.device import Observation
from thumbturn.domain.evidence import Evidence


@runtime_checkable
class Lock(Protocol):
    """A bolt. Observed as ``locked`` (and ``door_open`` where there is a door contact)."""

    async def lock(self) -> Evidence:
        """Throw the bolt."""

    async def unlock(self) -> Evidence:
        """Withdraw the bolt."""

    async def read_bolt(self) -> Observation | None:
        """Ask the device itself, now, where its bolt is; ``None`` if it does not answer."""


@runtime_checkable
class AutoLock(Protocol):
    """A lock that locks itself again. Observed as ``auto_lock_enabled``, ``auto_lock_delay_seconds``."""

    async def set_auto_lock(self, enabled: bool, delay_seconds: float | None) -> Evidence:
        """Switch it on with this delay, or off."""

    async def read_auto_lock(self) -> Observation | None:
        """Ask the device itself what it is set to; ``None`` if it does not answer."""


@runtime_checkable
class Keypad(Protocol):
    """A keypad that a sandbox can press. Real devices have no such verb: people press theirs."""

    async def enter_code(self, code: str) -> Evidence:
        """Press these digits and the unlock key."""

    async def press_lock(self) -> Evidence:
        """Press the lock key."""
