"""The order in which a device's news go on record while the database refuses some of them.

What is refused because the database is away is tried again, after a pause. What the same device says
meanwhile must not overtake it: a workspace would be told that a bolt turned twice the same way. Such
news queue up here, for each device by itself, and only while something of it is held up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from thumbturn.engine.ports import Change


class InTurn:
    """Changes that are held up, by the devices that they tell of."""

    def __init__(self) -> None:
        self._queues: dict[str, list[Change]] = {}
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def must_wait(self, change: Change) -> bool:
        """True if something that was to be told earlier of one of its devices is held up."""
        return bool(self._queues) and any(id in self._queues for id in _told_of(change))

    def hold_up(self, change: Change) -> None:
        """It is not on record, and shall be: whatever comes later of its devices waits for it."""
        for id in _told_of(change):
            queue = self._queues.setdefault(id, [])
            if not any(each is change for each in queue):
                queue.append(change)

    async def wait(self, change: Change) -> None:
        """Return when it is the first of all that is held up of its devices. It was held up before."""
        if not self._is_first(change):
            turn = self._waiting[id(change)] = asyncio.get_running_loop().create_future()
            try:
                await turn
            finally:
                self._waiting.pop(id(change), None)

    def let_through(self, change: Change) -> None:
        """It is on record, or nobody knows when it will be: those behind it go on."""
        if not self._queues:
            return
        for device_id in _told_of(change):
            queue = [each for each in self._queues.pop(device_id, []) if each is not change]
            if queue:
                self._queues[device_id] = queue
                turn = self._waiting.get(id(queue[0]))
                if turn is not None and not turn.done() and self._is_first(queue[0]):
                    turn.set_result(None)

    def _is_first(self, change: Change) -> bool:
        return all(self._queues[id][0] is change for id in _told_of(change) if id in self._queues)


def _told_of(change: Change) -> Iterable[str]:
    return {event.device_id for event in change.events if event.device_id is not None}
