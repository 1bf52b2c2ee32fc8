"""Reading the devices behind one hub, one after the other: a radio does no more than one thing at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from thumbturn.domain.clock import Clock, seconds
from thumbturn.drivers.zwave_js.things import Thing

_IDLE = seconds(3_600)


class Rounds:
    """Reads those that are due, and waits until others are, or until it is woken."""

    def __init__(self, things: Callable[[], Iterable[Thing]], clock: Clock) -> None:
        self._things = things
        self._clock = clock
        self._woken: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._go())

    def stop(self) -> None:
        """Read nobody any more."""
        if self._task is not None:
            self._task.cancel()

    def wake(self) -> None:
        """Look who is due."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def _go(self) -> None:
        while True:
            self._woken = asyncio.get_running_loop().create_future()
            waiting = [each for each in self._things() if each.due_at and each.node is not None]
            now = self._clock.now()
            due = [each for each in waiting if each.due_at <= now]
            if due:
                # One that its hub cannot reach takes seconds: the others come first.
                await min(due, key=lambda each: (each.is_dead, not _is_alive(each), each.due_at)).look()
            else:
                next_at = min((each.due_at for each in waiting), default=now + _IDLE)
                await self._clock.wait(self._woken, next_at - now)


def _is_alive(thing: Thing) -> bool:
    return thing.node is not None and thing.node.is_alive
