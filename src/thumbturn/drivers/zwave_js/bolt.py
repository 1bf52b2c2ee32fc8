"""Where a bolt is, by all that a Z-Wave lock says of it: reports, notifications, and what came of commands.

A lock says the same thing several times over: the mode that it is in, and that somebody or something moved
it. Which comes first differs, and only the second says by whom. So what a lock reports by itself is held for
a moment, until it is known who did it; what was asked for is told at once. Only where the bolt was there
before, that is held too: it may have strained, and say next that it jammed.

Not everything that its hub calls the lock's mode is the lock's word. A hub may set it by itself, because a
command was sent ("optimistic"). The values that a real report of the lock brings with it tell the two apart:
they come in one burst with its mode, and say nothing of a mode that was there before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.evidence import Evidence
from thumbturn.drivers.zwave_js.codec import CC, Notified, Value

LOCKED_MODE, UNLOCKED_MODE = 255, 0
#: Z-Wave's notification type for doors, and what its events mean: locked or not, and by what.
_DOORS = 6
_MOVES = {
    1: (True, "manual"),
    2: (False, "manual"),
    3: (True, "remote"),
    4: (False, "remote"),
    5: (True, "keycode"),
    6: (False, "keycode"),
    9: (True, "automatic"),
}
#: A bolt that did not get where it should: by hand, by radio, by itself, or jammed.
_JAMS = frozenset({7, 8, 10, 11})
#: Values that a lock's own report brings, and nothing else.
_OF_REPORT = frozenset(
    {"boltStatus", "latchStatus", "doorStatus", "insideHandlesCanOpenDoor", "outsideHandlesCanOpenDoor"}
)
#: For so long a report by itself is held until it is known who did it; so near each other are the values of
#: one report; and for so long a command is what a report may be about.
HELD, BURST, ABOUT = seconds(0.7), seconds(0.05), seconds(60)


class Move(NamedTuple):
    """What became of a bolt. ``locked`` is ``None`` if it is jammed."""

    locked: bool | None
    evidence: Evidence
    method: str
    said: str
    #: Whose place of the lock's memory, if somebody entered a code.
    user: int | None = None


def locked_in(mode: object) -> bool | None:
    """Whether a bolt is thrown in this mode; ``None`` for what is no mode that says so."""
    if isinstance(mode, bool) or not isinstance(mode, int) or not 0 <= mode <= 255 or mode == 254:
        return None
    # Between the two are modes in which some handle opens the door.
    return mode == LOCKED_MODE


@dataclass(slots=True)
class _Report:
    """Values that came in one burst: one mode, and each other value once."""

    began_at: int
    has_mode: bool = False
    names: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Held:
    """A mode that is not told yet."""

    locked: bool
    said: str
    #: It is the lock's word: other values of a report came with it.
    is_reported: bool


class Bolt:
    """The bolt of one lock; ``tell`` is called with what became of it, once."""

    def __init__(self, *, locked: bool | None, tell: Callable[[Move], None], clock: Clock) -> None:
        self._tell = tell
        self._clock = clock
        #: Where it was last told to be.
        self._told = locked
        #: Where a command wants it, and since when.
        self._wanted: bool | None = None
        self._wanted_at = 0
        self._report: _Report | None = None
        self._held: _Held | None = None
        self._holding: asyncio.Task[None] | None = None
        self._jam: asyncio.Future[None] | None = None

    def command(self, *, locked: bool) -> None:
        """It is told now to move there: what it reports from now on may be about that."""
        self._wanted, self._wanted_at = locked, self._clock.now()
        self._report = None
        self._jam = asyncio.get_running_loop().create_future()

    def give_up(self) -> None:
        """The command was not carried out: nothing is about it."""
        self._wanted = None

    def accepted(self, *, locked: bool, said: str) -> None:
        """The lock itself said that it did it."""
        self._move(Move(locked, Evidence.DEVICE_ACCEPTED, "remote", said))

    async def jams(self, within: int) -> bool:
        """Whether it says in this time that it jammed over the command."""
        return self._jam is not None and await self._clock.wait(self._jam, within)

    def read(self, *, locked: bool) -> str:
        """The lock was asked, and is there: by what it got there, as far as that is known."""
        method = "remote" if self._is_wanted(locked=locked) else "unknown"
        self._drop()
        self._told = locked
        return method

    def hear(self, seen: Value | Notified, said: str) -> None:
        """Take in what its hub says."""
        if isinstance(seen, Notified):
            self._hear_notified(seen, said)
        elif seen.cc == CC.DOOR_LOCK and seen.name in _OF_REPORT:
            self._hear_beside(seen.name)
        elif seen.cc == CC.DOOR_LOCK and seen.name == "currentMode":
            self._hear_mode(locked_in(seen.is_now), said)
        elif (seen.cc, seen.key) == (CC.NOTIFICATION, "Lock state") and seen.is_now == 11:
            self._jammed(said)

    def forget(self) -> None:
        """Whatever was under way is not any more."""
        self._drop()
        self._wanted = None

    def _hear_notified(self, seen: Notified, said: str) -> None:
        if seen.type != _DOORS:
            return
        if seen.event in _JAMS:
            self._jammed(said)
        elif seen.event in _MOVES:
            locked, method = _MOVES[seen.event]
            self._move(Move(locked, Evidence.STATE_REPORT, method, said, seen.user))

    def _hear_beside(self, name: str) -> None:
        """A value of a report that is not the mode."""
        report = self._bursting()
        if report is None or name in report.names:
            # Another report begins, which says its mode itself: what was there before it is not confirmed.
            self._drop()
            report = self._report = _Report(self._clock.now())
        report.names.add(name)
        if self._held is not None and not self._held.is_reported:
            self._held.is_reported = True
            if self._is_wanted(locked=self._held.locked) and self._held.locked is not self._told:
                # The hub's own value may have come just before the report: that says another mode, then.
                self._let_go_after(BURST)

    def _hear_mode(self, locked: bool | None, said: str) -> None:
        report = self._bursting()
        is_reported = report is not None and not report.has_mode
        if report is None or report.has_mode:
            report = self._report = _Report(self._clock.now())
        report.has_mode = True
        if locked is None:
            self._drop()
        else:
            self._hold(_Held(locked, said, is_reported))

    def _bursting(self) -> _Report | None:
        """The report whose values are coming in."""
        report = self._report
        return None if report is None or self._clock.now() - report.began_at > BURST else report

    def _hold(self, mode: _Held) -> None:
        is_wanted = self._is_wanted(locked=mode.locked)
        # Back where it was told to be before that was told: nothing to tell.
        self._drop()
        if mode.locked is self._told and not is_wanted:
            return
        self._held = mode
        if is_wanted and mode.is_reported and mode.locked is not self._told:
            self._let_go()
        else:
            self._let_go_after(HELD)

    def _let_go_after(self, time: int) -> None:
        if self._holding is not None:
            self._holding.cancel()
        self._holding = asyncio.get_running_loop().create_task(self._let_go_later(time))

    async def _let_go_later(self, time: int) -> None:
        await self._clock.sleep(time)
        self._holding = None
        if self._held is not None and self._held.is_reported:
            self._let_go()
        else:
            # It came alone: the hub says what it has sent, and not what the lock has done.
            self._held = None

    def _let_go(self) -> None:
        assert self._held is not None  # whoever calls has seen it
        held = self._held
        method = "remote" if self._is_wanted(locked=held.locked) else "unknown"
        self._move(Move(held.locked, Evidence.STATE_REPORT, method, held.said))

    def _move(self, move: Move) -> None:
        self._drop()
        self._told = move.locked
        if move.locked is self._wanted:
            self._wanted = None
        self._tell(move)

    def _jammed(self, said: str) -> None:
        method = "unknown"
        if self._wanted is not None:
            method = "remote"
        if self._jam is not None and not self._jam.done():
            self._jam.set_result(None)
        self._drop()
        self._tell(Move(None, Evidence.STATE_REPORT, method, said))

    def _drop(self) -> None:
        self._held = None
        if self._holding is not None:
            self._holding.cancel()
            self._holding = None

    def _is_wanted(self, *, locked: bool) -> bool:
        return self._wanted is locked and self._clock.now() - self._wanted_at <= ABOUT
