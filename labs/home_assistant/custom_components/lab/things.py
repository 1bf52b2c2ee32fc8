"""The devices themselves, apart from what Home Assistant believes of them.

Each keeps how it really is in a file, so that it outlives Home Assistant, and writes what it did to a log.
What it says, and when, depends on what is wrong with it today (``fault``):

| | does it | says it |
|---|---|---|
| (nothing) | after its motor's time | when it has done it |
| ``jam`` | no | that it is jammed |
| ``ack_only`` | no | nothing |
| ``silent`` | yes | nothing, not even when it is looked at |
| ``polled`` | yes | when it is looked at |
| ``reject`` | no | that it failed, as an error of the service |
| ``refuse`` | no | that the call was not valid |
| ``hopeful`` | no | at once that it did, and how it is when it is looked at |
| ``moving`` | yes | that it moves, and when it has done it |
| ``dead`` | no | that it cannot be reached |
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

from homeassistant.exceptions import HomeAssistantError, ServiceValidationError

MOTOR = 0.15


class Thing:
    """A device: how it is, and what its hub has been told of that."""

    def __init__(self, name: str, folder: Path, first: dict[str, Any]) -> None:
        self.name = name
        self._file = folder / f"{name}.json"
        self._log = folder / "log.jsonl"
        #: How it really is.
        self.so: dict[str, Any] = json.loads(self._file.read_text()) if self._file.exists() else dict(first)
        #: What it has said of that.
        self.said: dict[str, Any] = dict(self.so)
        self.fault = ""
        #: Of a bolt: ``locking``, ``unlocking`` or ``jammed``, as it has said.
        self.motion = ""
        self._working: set[asyncio.Task[None]] = set()
        self.entities: list[Any] = []

    def do(self, by: str, asked: int, **so: Any) -> None:
        """It is so now, by hand or because it was told."""
        self.so |= so
        self._file.write_text(json.dumps(self.so))
        self._write(by, asked, moved=True, **so)

    def _write(self, by: str, asked: int, *, moved: bool, **so: Any) -> None:
        """Into its own log, with the times when it was told and when it was done, µs."""
        line = {"at": _now(), "asked": asked, "device": self.name, "by": by, "moved": moved, **so}
        with self._log.open("a") as log:
            log.write(json.dumps(line) + "\n")

    def say(self) -> None:
        """It says how it is."""
        self.said, self.motion = dict(self.so), ""
        self.tell()

    def tell(self) -> None:
        """Home Assistant writes down what was said."""
        for entity in self.entities:
            entity.async_write_ha_state()

    def look(self) -> None:
        """It is looked at: unless it is silent, it says how it is."""
        if self.fault not in {"silent", "ack_only", "dead"}:
            self.said = dict(self.so)

    async def be_told(self, **so: Any) -> None:
        """Its integration tells it to be so."""
        asked = _now()
        if self.fault == "reject":
            raise HomeAssistantError("the lab's device says no")
        if self.fault == "refuse":
            raise ServiceValidationError("the lab's integration does not send that")
        if self.fault == "hopeful":
            self.said |= so
            self.tell()
        if self.fault == "moving":
            self.motion = "locking" if so.get("locked") else "unlocking"
            self.tell()
        if self.fault not in {"ack_only", "hopeful", "dead"}:
            task = asyncio.get_running_loop().create_task(self._work(asked, so))
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    async def _work(self, asked: int, so: dict[str, Any]) -> None:
        await asyncio.sleep(MOTOR)
        if self.fault == "jam":
            self._write("command", asked, moved=False, **so)
            self.motion = "jammed"
            self.tell()
            return
        self.do("command", asked, **so)
        if self.fault not in {"silent", "polled"}:
            self.say()


class World:
    """All devices, by their names."""

    def __init__(self, folder: Path, first: dict[str, dict[str, Any]]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.things = {name: Thing(name, folder, so) for name, so in first.items()}

    async def obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do what a test says; how the device really is then."""
        thing, do = self.things[order["thing"]], order["do"]
        if do == "fault":
            thing.fault = order["kind"]
            thing.motion = ""
            thing.tell()
        elif do == "hand":
            thing.do("hand", _now(), **order["so"])
            thing.say()
        elif do == "flicker":
            # It says something else for a moment, and has not moved.
            before = dict(thing.said)
            thing.said |= order["so"]
            thing.tell()
            thing.said = before
            thing.tell()
        return thing.so


def _now() -> int:
    """The time, µs since 1970."""
    return time.time_ns() // 1_000
