"""The locks of the Home Assistant lab."""

from __future__ import annotations

from labs.doors import Did, read_log
from labs.home_assistant.stack import Stack


class HomeAssistantDoors:
    """Implements ``Doors`` of ``labs/doors.py``."""

    provider = "home_assistant"
    locks = {"back_door": "Back Door", "side_door": "Side Door"}  # noqa: RUF012 - no one changes it
    faults = {  # noqa: RUF012 - likewise
        "polled": 6, "jam": 4, "refuse": 4, "reject": 4, "ack_only": 4, "silent": 4, "hopeful": 6, "dead": 3,
    }  # fmt: skip

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.settings = {"url": stack.url, "token": stack.token}
        for door in self.locks:
            stack.order("hand", door, so={"locked": True})

    def fault(self, door: str, kind: str | None) -> None:
        # A lock that says that it moves can be confirmed where it is to stay where it is, too.
        self._stack.order("fault", door, kind=kind or "moving")

    def restart(self) -> None:
        self._stack.stop()
        self._stack.start()
        for door in self.locks:
            self.fault(door, None)

    def did(self) -> list[Did]:
        return read_log(self._stack.log)
