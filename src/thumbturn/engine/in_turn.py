"""The order in which the news of a device go on record.

A write may be refused and tried again after a pause. What the same device says meanwhile must not overtake
it: a workspace would be told that a bolt turned twice the same way, and last of where it is not. So the
news of a device are written one after the other; those of different devices do not wait for each other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Generator
from typing import Any, TypeVar

from thumbturn.engine.ports import Change

T = TypeVar("T")


class Later(Awaitable[T]):
    """What begins when it is awaited; unlike a coroutine it may also be left alone."""

    def __init__(self, begin: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self._begin = begin

    def __await__(self) -> Generator[Any, Any, T]:
        return self._begin().__await__()


class InTurn:
    """Changes that are on their way to the record, by the devices that they tell of."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[Change]] = {}
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def enter(self, change: Change) -> bool:
        """Take a change in, until it leaves; true if it has its turn at once."""
        is_first = True
        for device_id in _told_of(change):
            queue = self._queues.get(device_id)
            if queue is None:
                self._queues[device_id] = deque((change,))
            else:
                queue.append(change)
                is_first = False
        return is_first

    async def wait(self, change: Change) -> None:
        """Return when it is the turn of a change that has entered."""
        if not self._is_first(change):
            turn = self._waiting[id(change)] = asyncio.get_running_loop().create_future()
            try:
                await turn
            finally:
                del self._waiting[id(change)]

    def leave(self, change: Change) -> None:
        """It is on record, or nobody knows when it will be: those behind it go on."""
        for device_id in _told_of(change):
            queue = self._queues.get(device_id)
            if queue is None:
                continue
            if queue[0] is change:
                queue.popleft()
            else:  # compared by its identity: two may say the same
                place = next((place for place, each in enumerate(queue) if each is change), None)
                if place is not None:
                    del queue[place]
            if not queue:
                del self._queues[device_id]
                continue
            turn = self._waiting.get(id(queue[0]))
            if turn is not None and not turn.done() and self._is_first(queue[0]):
                turn.set_result(None)

    def _is_first(self, change: Change) -> bool:
        return all(self._queues[id][0] is change for id in _told_of(change) if id in self._queues)


def _told_of(change: Change) -> Collection[str]:
    return {event.device_id for event in change.events if event.device_id is not None}
