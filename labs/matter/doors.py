"""The locks of the Matter lab."""

from __future__ import annotations

from labs.doors import Did, read_log
from labs.matter.stack import Stack


class MatterDoors:
    """Implements ``Doors`` of ``labs/doors.py``: two locks alike."""

    provider = "matter"
    locks = {name: name for name in ("front", "back")}  # noqa: RUF012 - no one changes it
    faults = {"motor": 10, "jam": 7, "reject": 7, "jam_late": 4, "lazy": 2, "dead": 2}  # noqa: RUF012 - likewise

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.settings = {"url": stack.url}

    def fault(self, door: str, kind: str | None) -> None:
        is_dead = kind == "dead"
        if not is_dead:
            self._stack.stun(door, is_stunned=False)
            self._stack.order(door, "fault", kind=kind or "")
        else:
            self._stack.stun(door, is_stunned=True)

    def restart(self) -> None:
        self._stack.restart()

    def did(self) -> list[Did]:
        return read_log(self._stack.log)
