"""Where a bolt is, by what its entity has *changed* to: a state that stays as it was proves nothing.

What was asked for is told once it is proven (``proof.py``). What changes by itself is held for a moment,
because an entity may go to and fro before it knows; a bolt that is back where it was has not moved.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from thumbturn.domain.clock import Clock, seconds
from thumbturn.drivers.home_assistant.codec import Context, State
from thumbturn.drivers.home_assistant.proof import Proof

JAMMED = "jammed"
_POSITIONS = {"locked": True, "unlocked": False, "open": False}
#: For so long a change by itself is held, and for so long a command is what a change may be about.
HELD, ABOUT = seconds(0.7), seconds(60)


class Move(NamedTuple):
    """What became of a bolt. ``locked`` is ``None`` if it is jammed."""

    locked: bool | None
    method: str
    said: str


def position(state: State | None) -> bool | None:
    """Whether a bolt is thrown, as its entity says; ``None`` if it does not say so."""
    return None if state is None or state.is_assumed else _POSITIONS.get(state.value)


class Bolt:
    """The bolt of one lock; ``tell`` is called with what became of it, once."""

    def __init__(
        self,
        *,
        locked: bool | None,
        tell: Callable[[Move], None],
        look: Callable[[], Awaitable[object]],
        user: Callable[[], str],
        clock: Clock,
    ) -> None:
        """``look`` has its integration look; ``user`` is whom its hub takes this server for."""
        self._tell = tell
        self._user = user
        self._clock = clock
        #: Where it was last told to be, and where its entity says that it is.
        self._told = self._is_now = locked
        self._is_jammed = False
        self._value = ""
        self._said = ""
        self._wanted: bool | None = None
        self._wanted_at = 0
        #: It has changed since a command was sent, or since the server began: what it says is news.
        self.is_fresh = False
        self._proof = Proof(look, lambda: self._is_now is self._wanted, self._arrived)
        self._holding: asyncio.Task[None] | None = None

    def command(self, *, locked: bool) -> None:
        """It is told now to move there."""
        self._wanted, self._wanted_at = locked, self._clock.now()
        self.is_fresh = False
        self._proof.begin()

    def answered(self) -> None:
        """It was answered, or an answer is not waited for any more."""
        self._proof.answered()

    def give_up(self) -> None:
        """The command was not carried out: nothing is about it."""
        self._wanted = None
        self._proof.give_up()

    def forget(self) -> None:
        """Whatever was under way is not any more."""
        self.give_up()
        self._drop()
        self._value = ""

    def read(self, state: State) -> bool | None:
        """Its integration was made to look, and this came of it: where it is, if that is news."""
        locked = position(state)
        self._value, self._is_now = state.value, locked
        if locked is None:
            return None
        if locked is not self._told or self._is_jammed:
            self.is_fresh = True
        self._drop()
        if not self.is_fresh:
            return None
        if self._is_wanted(locked):
            self._proof.give_up()
        self._told, self._is_jammed = locked, False
        return locked

    def was_there(self, state: State) -> bool:
        """True if it is where the last command wants it, and was so before: no more will be heard of it."""
        return not self.is_fresh and self._proof.is_open and self._is_wanted(position(state))

    def method(self, *, locked: bool) -> str:
        """By what it got there, as far as that is known."""
        return "remote" if self._is_wanted(locked) else "unknown"

    def hear(self, state: State, said: str) -> None:
        """Take in what its entity has changed to."""
        if state.value == self._value or state.is_assumed:
            return
        self._value, self._said = state.value, said
        locked = self._is_now = position(state)
        self._drop()
        if not self._is_wanted(locked):
            self._proof.unseen()
        if state.value == JAMMED:
            self._jammed(said)
        elif locked is not None and self._proof.is_open and self._is_wanted(locked):
            self._proof.seen()
        elif locked is not None and (locked is not self._told or self._is_jammed):
            self._holding = asyncio.get_running_loop().create_task(self._let_go(locked, state.context, said))

    def _arrived(self) -> None:
        self._drop()
        arrived, self._wanted = self._wanted, None
        self._move(Move(arrived, "remote", self._said))

    async def _let_go(self, locked: bool, context: Context, said: str) -> None:
        await self._clock.sleep(HELD)
        self._holding = None
        self._move(Move(locked, self._by_whom(context), said))

    def _by_whom(self, context: Context) -> str:
        """A user of Home Assistant or an automation there moves it from afar; of others it says nothing.

        What somebody does at the door within 5 s of a service call bears the name of whoever called it: if
        that was this server, and is not what it asked for, it was somebody else.
        """
        is_from_afar = context.parent or (context.user and context.user != self._user())
        return "remote" if is_from_afar else "unknown"

    def _move(self, move: Move) -> None:
        self.is_fresh = True
        self._told, self._is_jammed = move.locked, False
        self._tell(move)

    def _jammed(self, said: str) -> None:
        self._is_jammed = True
        is_about = self._proof.is_open and self._clock.now() - self._wanted_at <= ABOUT
        self._tell(Move(None, "remote" if is_about else "unknown", said))

    def _drop(self) -> None:
        if self._holding is not None:
            self._holding.cancel()
            self._holding = None

    def _is_wanted(self, locked: bool | None) -> bool:
        is_lately = self._clock.now() - self._wanted_at <= ABOUT
        return locked is not None and self._wanted is locked and is_lately
