"""Locks that hold codes, and what is known of those codes.

What a lock holds is read and written place by place. Nothing of it ever is an ``Observation``: those are
kept in clear, and there are PINs in this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from thumbturn.domain.access_code import AccessCode, Slot
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence


@runtime_checkable
class CodeMemory(Protocol):
    """The places of a lock's memory. PINs come and go sealed; whoever speaks to the lock opens them.

    A lock tells that somebody changed its codes at the lock itself, by observing ``codes_touched_at``, µs.
    """

    async def set_code(self, place: str, slot: Slot) -> Evidence:
        """Have this place hold this. Raises ``NoSpaceOnDevice`` and ``DuplicateOnDevice`` besides others."""

    async def clear_code(self, place: str) -> Evidence:
        """Have this place hold nothing. Doing it twice is doing it once."""

    async def read_codes(self) -> Mapping[str, Slot] | None:
        """What the lock says to the command before, as all that it holds, by place; ``None`` if nothing."""

    async def fetch_codes(self) -> Mapping[str, Slot] | None:
        """Have the lock say what it holds: a command as any other. ``None`` if it does not answer."""


@runtime_checkable
class ProgrammableLock(Protocol):
    """A lock's memory, and the codes that are on record for it: what the actions on codes act on.

    What is said of a code here goes on record together with the end of the attempt, and is told with it.
    """

    @property
    def memory(self) -> CodeMemory:
        """Its memory."""

    async def code(self, access_code_id: str) -> AccessCode | None:
        """A code of it, as it is on record now."""

    async def codes(self) -> Sequence[AccessCode]:
        """All codes of it, those too that it does not hold."""

    def programmed(self, code: AccessCode, slot: Slot | None) -> Mapping[str, Any]:
        """The lock holds this for it now; what is to be answered of the code."""

    def failed(self, code: AccessCode, failure: Failure) -> None:
        """It could not be done."""

    def converted(self, code: AccessCode) -> None:
        """From now on it is managed here."""

    def compare(self, codes: Sequence[AccessCode], holds: Mapping[str, Slot]) -> None:
        """Take in what the lock holds, and what follows for all its codes."""
