"""The locks of the Zigbee lab."""

from __future__ import annotations

from labs.doors import Did, read_log
from labs.zigbee.stack import ZigbeeStack


class ZigbeeDoors:
    """Implements ``Doors`` of ``labs/doors.py``."""

    provider = "zigbee2mqtt"
    locks = {name: name for name in ("front_door", "back_door")}  # noqa: RUF012 - no one changes it
    faults = {  # noqa: RUF012 - likewise
        "mute": 5, "jam": 4, "refuse": 4, "ack_only": 4, "ack_lost": 4, "silent": 3, "unreachable": 3,
    }  # fmt: skip

    def __init__(self, stack: ZigbeeStack) -> None:
        self._stack = stack
        self.settings = {"url": stack.address}

    def fault(self, door: str, kind: str | None) -> None:
        self._stack.order("fault", door, kind=kind)

    def restart(self) -> None:
        self._stack.stop_hub(at_once=True)
        self._stack.start_hub()

    def did(self) -> list[Did]:
        return read_log(self._stack.log)
