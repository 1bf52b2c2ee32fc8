"""What processes on one database tell each other: that there is something to look at, and no more than that.

A notice is a hint. It may be lost, it may come twice or late; so whoever hears of a subject looks for
himself at what is on record. While others live, everybody is told at least once a second that anything may
have changed: so a lost notice costs a second, and nothing is ever waited for in vain.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Protocol

from thumbturn.domain.clock import SECOND

#: How often everybody who hears is told that anything may have changed.
LOOK_EVERY = SECOND

#: Characters at the end of an attempt's id by which a notice names it: the part of it that is chance.
_WORD = 10

#: What of a subject may have changed, by the subject's own words; ``None`` for anything.
Heard = Callable[[frozenset[str] | None], None]


class About(Enum):
    """The subjects of notices, and what their words are."""

    #: Workspaces that were told an event.
    EVENTS = "events"
    #: Attempts that ended: the last characters of their ids.
    ENDS = "ends"
    #: Cells in which an attempt was accepted by a process that does not own them.
    ARRIVALS = "arrivals"
    #: A kind and a cell for which a call was put down.
    CALLS = "calls"
    #: Processes whose calls were answered.
    ANSWERS = "answers"
    #: Keys and client sessions about which something changed.
    KEYS = "keys"
    #: Workspaces about which something changed that is remembered beside their keys.
    WORKSPACES = "workspaces"
    #: Workspaces at whose attempts somebody looks.
    WATCHED = "watched"
    #: Attempts that moved, with their workspace, stage and moment.
    MOVES = "moves"


class Notices(Protocol):
    """Between this process and the others on its database."""

    @property
    def is_alone(self) -> bool:
        """True while no other process is there: nobody would hear what is said."""

    def say(self, about: About, *words: str) -> None:
        """Tell the others soon; nothing while this process is alone. No word has a comma or a semicolon."""

    def hear(self, about: About, heard: Heard) -> None:
        """From now on call this, on the event loop, with what others say, and often with ``None``."""


def word_of(attempt_id: str) -> str:
    """By what a notice names this attempt. Two may have the same: whoever hears it looks in vain then."""
    return attempt_id[-_WORD:]


class Silence:
    """The notices of a process that shares its database with nobody, and never will."""

    is_alone = True

    def say(self, about: About, *words: str) -> None:
        """Nobody is there."""

    def hear(self, about: About, heard: Heard) -> None:
        """Nobody speaks."""
