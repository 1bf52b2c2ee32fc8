"""The locks of the Z-Wave lab."""

from __future__ import annotations

from labs.doors import Did, read_log
from labs.zwave.stack import Stack


class ZwaveDoors:
    """Implements ``Doors`` of ``labs/doors.py``: one supervised, one not, one encrypted."""

    provider = "zwave_js"
    locks = {name: f"Z-Wave node {name}" for name in ("2", "4", "5")}  # noqa: RUF012 - no one changes it
    faults = {"silent": 5, "jam": 7, "reject": 7, "ack_only": 3, "dead": 2}  # noqa: RUF012 - likewise

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.settings = {"url": stack.url}

    def fault(self, door: str, kind: str | None) -> None:
        self._stack.ask(f"/fault?node={door}&kind={kind or ''}")

    def restart(self) -> None:
        self._stack.restart()

    def did(self) -> list[Did]:
        return read_log(self._stack.log)
