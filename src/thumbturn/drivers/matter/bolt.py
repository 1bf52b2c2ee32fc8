"""Where a bolt is, by all that a Matter lock says of it: its state, and its operations.

A lock says the same thing twice: the state that it is in (``LockState``), and that somebody or something
operated it (``LockOperation``). The two come together or one after the other, and only the second says by
whom. So a state that nobody has asked for is held for a moment, until it is known who did it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from thumbturn.domain.clock import Clock, seconds
from thumbturn.engine.hub_words import is_number

#: ``LockState``: whether the bolt is thrown. One that is neither is on its way, or stuck.
LOCK_STATES: Mapping[int, bool | None] = {0: None, 1: True, 2: False, 3: False}
#: Of ``LockOperation``: what was done, and what did it.
_OPERATIONS = {0: True, 1: False, 4: False}
_SOURCES = {
    1: "manual",
    2: "remote",
    3: "keycode",
    4: "automatic",
    5: "manual",
    6: "automatic",
    7: "remote",
    8: "card",
}
_PIN = 1
#: For so long a state by itself is held until it is known who did it, and so soon after an operation the
#: state is to follow: a server hears from a device once a second, so the one may come that long behind the
#: other.
HELD, FOLLOWS = seconds(1.5), seconds(2)
#: No motor turns for that long: a bolt that is neither in nor out for as long is stuck.
TURNS = seconds(8)
#: For so long after a command what is reported may be about it.
ABOUT = seconds(60)


class Operation(NamedTuple):
    """Somebody or something has operated a lock."""

    locked: bool
    method: str
    #: The slot of the code that was entered, if that was said.
    slot: int | None
    #: Whose code it was.
    user: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """What became of a bolt. ``locked`` is ``None`` if it is stuck."""

    locked: bool | None
    method: str
    said: str
    operation: Operation | None = None


def operation_of(fields: Mapping[str, Any]) -> Operation | None:
    """The operation that an event tells of; ``None`` if it tells of none that moved a bolt."""
    kind, source = fields.get("lockOperationType"), fields.get("operationSource")
    if not is_number(kind) or kind not in _OPERATIONS:
        return None
    method = _SOURCES.get(source, "unknown") if is_number(source) else "unknown"
    user, slot = fields.get("userIndex"), None
    credentials = fields.get("credentials")
    for each in credentials if isinstance(credentials, list) else ():
        if isinstance(each, dict) and each.get("credentialType") == _PIN:
            slot = each.get("credentialIndex")
    return Operation(
        _OPERATIONS[kind], method, slot if is_number(slot) else None, user if is_number(user) else None
    )


class Bolt:
    """The bolt of one lock: ``tell`` is called with what became of it, once; ``check`` has it read."""

    def __init__(
        self, *, locked: bool | None, tell: Callable[[Move], None], check: Callable[[], None], clock: Clock
    ) -> None:
        self._tell = tell
        self._check = check
        self._clock = clock
        #: Where it was last told to be, and what its state was last said to be.
        self._told = self._state = locked
        #: Where a command wants it, and since when.
        self._wanted: bool | None = None
        self._wanted_at = 0
        self._later: asyncio.Task[None] | None = None
        self._jam: asyncio.Future[None] | None = None

    def command(self, *, locked: bool) -> None:
        """It is told now to move there: what it reports from now on may be about that."""
        self._wanted, self._wanted_at = locked, self._clock.now()
        self._jam = asyncio.get_running_loop().create_future()

    def give_up(self) -> None:
        """The command was not carried out: nothing is about it."""
        self._wanted = None

    async def jams(self, within: int) -> bool:
        """Whether it says in this time that it jammed over the command."""
        return self._jam is not None and await self._clock.wait(self._jam, within)

    def read(self, *, locked: bool | None) -> str:
        """The lock was asked, and is there: by what it got there, as far as that is known."""
        method = "remote" if locked is not None and self._is_wanted(locked) else "unknown"
        self._drop()
        self._told = self._state = locked
        return method

    def hear_state(self, locked: bool | None, said: str) -> None:
        """The lock reports where it is."""
        self._state = locked
        if locked is not None and self._is_wanted(locked):
            self._move(Move(locked, "remote", said))
        elif locked is self._told:
            self._drop()  # it was no move, or is told already
        elif locked is None:
            self._wait(TURNS, lambda: self._move(Move(None, "unknown", said)))
        else:
            self._wait(HELD, lambda: self._move(Move(locked, "unknown", said)))

    def hear_operation(self, operation: Operation, said: str) -> None:
        """The lock says who operated it."""
        if operation.locked is self._told:
            self._drop()
            return
        if self._is_wanted(operation.locked):
            # It may be what was done before the command, of which its hub hears only now: where the bolt is
            # counts.
            self._check()
            return
        self._move(Move(operation.locked, operation.method, said, operation))
        if self._state is not operation.locked:
            # That somebody did it is a fact; that it still is so the lock's state says, or is asked.
            self._wait(FOLLOWS, self._check)

    def hear_jam(self, said: str) -> None:
        """The lock says that it is jammed."""
        if self._jam is not None and not self._jam.done():
            self._jam.set_result(None)
        self._drop()
        # Where it is then nobody has said: whatever it reports next is news.
        self._told = None
        self._tell(Move(None, "unknown" if self._wanted is None else "remote", said))

    def forget(self) -> None:
        """Whatever was under way is not any more."""
        self._drop()
        self._wanted = None

    def _move(self, move: Move) -> None:
        self._drop()
        self._told = move.locked
        if move.locked is self._wanted:
            self._wanted = None
        self._tell(move)

    def _wait(self, time: int, then: Callable[[], None]) -> None:
        self._drop()

        async def wait() -> None:
            await self._clock.sleep(time)
            self._later = None
            then()

        self._later = asyncio.get_running_loop().create_task(wait())

    def _drop(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None

    def _is_wanted(self, locked: bool) -> bool:
        return self._wanted is locked and self._clock.now() - self._wanted_at <= ABOUT
