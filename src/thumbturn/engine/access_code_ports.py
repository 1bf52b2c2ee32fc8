"""What access codes need from outside: a store of their own, as ``ports.py`` has it for the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, Protocol

from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.client_session import Reach
from thumbturn.domain.event import Event


class CodeStored(Enum):
    """What became of codes that were to be stored."""

    DONE = "done"
    #: A code of the same lock has the same PIN.
    TAKEN = "taken"
    #: It is not there, or its lock is not.
    MISSING = "missing"


class CodeFacts(NamedTuple):
    """What became of a code at its lock."""

    code: AccessCode
    is_gone: bool = False
    #: It was found at its lock, and is on record from now on.
    is_new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFilter:
    """Which codes of a workspace; ``None`` means any."""

    ids: Sequence[str] | None = None
    device_id: str | None = None
    pin_key: str | None = None
    common_code_key: str | None = None
    #: A code of a lock that is not managed is not managed either.
    is_managed: bool | None = None
    is_backup: bool | None = None
    #: Part of the name, in any case.
    search: str | None = None
    reach: Reach = None


class AccessCodeStore(Protocol):
    """The codes on record. Raises as ``Store`` does."""

    async def add(self, codes: Sequence[AccessCode], told: Sequence[Event]) -> CodeStored:
        """Remember new codes; all or none."""

    async def change(self, codes: Sequence[AccessCode], told: Sequence[Event]) -> CodeStored:
        """Store what codes shall be, and when they must be looked at; all or none. Their facts stay."""

    async def note(self, facts: Sequence[CodeFacts], told: Sequence[Event]) -> None:
        """Store what became of codes at their lock, that no attempt did, and tell it; neither if one of them
        is forgotten.
        """

    async def get(self, access_code_id: str) -> AccessCode | None:
        """One code, of whichever workspace. For the engine; concurrent calls share one query."""

    async def listed(
        self, workspace_id: str, wanted: CodeFilter, *, after: tuple[int, str] | None = None, limit: int
    ) -> list[AccessCode]:
        """The codes that fit, in order of (created_at, id)."""

    async def of_device(self, device_id: str, *, due_by: int | None = None) -> list[AccessCode]:
        """The codes of a lock; only those that must be looked at by this moment, if one is given."""

    async def due(self, after: int, until: int) -> list[str]:
        """The locks of which a code must be looked at after the first moment and until the second."""

    async def next_due(self, after: int) -> int | None:
        """The next moment at which a code must be looked at, µs."""

    async def keep_key(self, id: str, sealed: str) -> str:
        """Store a key unless there is one by this id; the one that is there then."""
