"""Calls that one process answers for another, as they lie in the database meanwhile.

Whoever cannot answer a call himself puts it down for the owner of its cell, and takes the answer away. A
call is taken once: it is answered by whoever took it or by nobody. What nobody took can be withdrawn, and is
known not to have been done then.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol


class Forwarded(NamedTuple):
    """A call, put down."""

    id: str
    #: Of which lease its answerer must be the owner: ``engine`` or ``webhooks``, and of which cell.
    kind: str
    cell: int
    #: The process that waits for the answer.
    asked_by: str
    #: Sealed: there are tokens in it.
    request: str


class Standing(NamedTuple):
    """How a call stands that was put down."""

    id: str
    #: The process that took it; ``None`` while nobody has.
    taken_by: str | None
    #: Sealed; ``None`` until it is answered.
    answer: str | None


class CallStore(Protocol):
    """Where calls lie. Raises ``StorageUnavailable`` and ``Overloaded``, as every store.

    For how long they do is told by one clock, the database's: those of processes may differ.
    """

    async def put(self, call: Forwarded) -> None:
        """Put a call down."""

    async def take(
        self, kind: str, cells: Collection[int], by: str, *, within: int, limit: int
    ) -> Sequence[Forwarded]:
        """Calls for these cells that nobody has taken, oldest first; they are taken now. Of what lies there
        for longer than ``within``, µs, none is: whoever asked has gone.
        """

    async def answer(self, id: str, answer: str) -> None:
        """Put the answer to a call."""

    async def standing(self, ids: Collection[str]) -> Sequence[Standing]:
        """How these stand; what is answered is gone with that. One that is not there is not among them."""

    async def withdraw(self, id: str) -> bool:
        """Take a call away; true if nobody has taken it, and nobody will: also if it is not there."""

    async def forget(self, kept_for: int) -> None:
        """Remove what lies there for so many µs: nobody waits for it any more."""
