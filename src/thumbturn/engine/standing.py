"""How what an access method rests on stands, as it was found when that was made to fit."""

from __future__ import annotations

from dataclasses import dataclass, field

from thumbturn.domain.errors import Refusal


class PinTaken(Exception):
    """Somebody else has it there, so nothing was made."""


@dataclass(slots=True)
class Standing:
    """How what a method rests on stands."""

    #: The locks that its code is at, those that still hold one that shall go, and what these say.
    at_device_ids: list[str] = field(default_factory=list)
    leaving_device_ids: list[str] = field(default_factory=list)
    stuck: dict[str, str] = field(default_factory=dict)
    #: Since when each of these said so, µs.
    stuck_since: list[int] = field(default_factory=list)
    #: The entrances that its credentials open.
    opened_entrance_ids: list[str] = field(default_factory=list)
    #: When the card was written, if it is one that was, µs.
    written_at: int | None = None
    is_behind: bool = False
    is_late: bool = False
    #: True if nothing of it is left at any lock or in any system.
    is_off: bool = True
    #: What keeps it from being in place.
    problems: list[str] = field(default_factory=list)
    #: The locks and systems in which somebody else has its PIN since it was planned.
    taken: set[str] = field(default_factory=set)
    #: When something follows from the times of its users, µs.
    moments: list[int] = field(default_factory=list)
    #: True if something was refused that may be granted later.
    is_tried_again: bool = False

    def refused(self, refusal: Refusal) -> None:
        """Something was refused. That it has to wait is not what is wrong with it."""
        self.is_tried_again = True
        if refusal.status not in (429, 503):
            self.problems.append(refusal.message)
