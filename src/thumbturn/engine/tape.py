"""The recording of one device while it is made. What comes in is cleaned at once: no secret is ever here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from thumbturn.domain.access_code import Slot
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.errors import Failure
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.recording import FORMAT, VERSION, kept_changes, kept_details
from thumbturn.engine.pins import Pins
from thumbturn.engine.taps import Cleaner, Kept

#: A recording listens for so long, µs, and holds so many characters.
LONGEST: Final = seconds(15 * 60)
LARGEST: Final = 2_000_000
#: What is heard before anything is asked for, and the name of any scene that was not named.
FIRST_SCENE = "found"


class Tape:
    """What is said about one device, and what came of it, scene by scene. Implements ``Ear``."""

    def __init__(self, device: Device, cleaner: Cleaner, pins: Pins, clock: Clock, origin: str) -> None:
        self.device = device
        self.began_at = clock.now()
        #: True once there was more than it can hold.
        self.is_full = False
        self._cleaner = cleaner
        self._pins = pins
        self._clock = clock
        self._origin = origin
        self._size = self._commands = 0
        self._places: dict[str, str] = {}
        self._scenes: list[dict[str, Any]] = []
        self.begin_scene(FIRST_SCENE)

    @property
    def is_open(self) -> bool:
        """True while it takes anything in."""
        return not self.is_full and not self.is_over

    @property
    def is_over(self) -> bool:
        """True once it has listened for as long as it does."""
        return self._clock.now() - self.began_at > LONGEST

    @property
    def lines(self) -> int:
        """How much it has."""
        return sum(len(scene["lines"]) for scene in self._scenes)

    def begin_scene(self, name: str) -> None:
        """What comes from now on is about this."""
        if self._scenes and not self._scenes[-1]["lines"]:
            self._scenes.pop()
        self._scenes.append({"name": name, "lines": []})

    # what is said -------------------------------------------------------------------------------

    def sent(self, message: str) -> None:
        """The driver says this to the hub."""
        self._take_message("server", self._cleaner.sent(message))

    def heard(self, message: str) -> None:
        """The hub says this."""
        self._take_message("hub", self._cleaner.heard(message))

    # what is done -------------------------------------------------------------------------------

    def commanded(self, verb: str, given: tuple[Any, ...]) -> str:
        """The device is told to do this; by which its outcome is known."""
        self._commands += 1
        id = f"c{self._commands}"
        self._take({"command": verb, "given": [self._given(verb, each) for each in given], "id": id})
        return id

    def came(self, id: str, outcome: Any) -> None:
        """What came of a command: evidence, a failure, an observation, or what a memory holds."""
        self._take({"outcome": self._outcome(outcome), "id": id})

    def observed(self, seen: Observation) -> None:
        """The driver says that this is so."""
        changes = kept_changes(seen.changes)
        if not changes and seen.evidence is Evidence.STATE_REPORT and seen.denied is None:
            return
        line: dict[str, Any] = {"observed": changes, "evidence": seen.evidence.word, "method": seen.method}
        if seen.denied is not None:
            line["denied"] = seen.denied
        if seen.place is not None:
            line["place"] = self._place(seen.place)
        self._take(line)

    # what becomes of it -------------------------------------------------------------------------

    def recording(self) -> dict[str, Any]:
        """All of it, as ``domain/recording.py`` reads it."""
        device = self.device
        return {
            "format": FORMAT,
            "version": VERSION,
            "origin": self._origin,
            "driver": device.driver,
            "device": {
                "device_type": device.device_type,
                "capabilities": sorted(device.capabilities),
                "details": kept_details(device.details),
            },
            "scenes": [scene for scene in self._scenes if scene["lines"]],
        }

    # inside -------------------------------------------------------------------------------------

    def _take_message(self, who: str, kept: Kept | None) -> None:
        if kept is not None:
            self._take({who: kept.said} if kept.id is None else {who: kept.said, "id": kept.id})

    def _take(self, line: dict[str, Any]) -> None:
        if not self.is_open:
            return
        line = {"at": self._clock.now() - self.began_at, **line}
        self._size += len(json.dumps(line))
        if self._size > LARGEST:
            self.is_full = True
            return
        self._scenes[-1]["lines"].append(line)

    def _given(self, verb: str, value: Any) -> Any:
        if isinstance(value, Slot):
            return {"pin": self._cleaner.pin(self._pins.open(value.pin))}
        if isinstance(value, str) and verb in {"set_code", "clear_code"}:
            return self._place(value)
        if isinstance(value, Mapping):
            return kept_changes(value)
        return value if isinstance(value, bool | int | float | None) else None

    def _outcome(self, outcome: Any) -> Any:
        if isinstance(outcome, Evidence):
            return {"evidence": outcome.word}
        if isinstance(outcome, Failure):
            return {"failure": outcome.type}
        if isinstance(outcome, Observation):
            return {"observed": kept_changes(outcome.changes)}
        if isinstance(outcome, Mapping):
            return {"holds": sorted(self._place(place) for place in outcome)}
        return {"observed": None}

    def _place(self, place: str) -> str:
        """A place of a lock's memory without whose code it is."""
        if place.startswith("slot-") and place[5:].isdecimal() and len(place) <= 10:
            return place
        return self._places.setdefault(place, f"code-{len(self._places) + 1}")
