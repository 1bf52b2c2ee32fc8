"""SIGINT and SIGTERM: whoever asks the process to end gets an end that leaves nothing behind, at any time."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self


class Termination:
    """SIGTERM, inside ``with``: it ends what is run here, in order, instead of the process on the spot.

    Nothing is broken off in between: what was made for this process only is always found again by whoever
    clears it away. What is run here is cancelled at its next await, once.
    """

    def __init__(self) -> None:
        self._is_asked = False
        self._cancel: Callable[[], object] | None = None

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGTERM, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGTERM, self._before)

    async def ends(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do the work; return when it is done, or was cancelled because of SIGTERM. Raises what it raises."""
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None, "only a task can be cancelled"
        cancel = task.cancel
        self._cancel = lambda: loop.call_soon_threadsafe(cancel)
        try:
            if not self._is_asked:
                await work()
        except asyncio.CancelledError:
            if not self._is_asked:
                raise
        finally:
            self._cancel = None

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_asked:
            return
        self._is_asked = True
        if self._cancel is not None:
            self._cancel()


@contextmanager
def quiet_signals() -> Iterator[None]:
    """Let uvicorn's own handlers end the server, and the process end with 0 all the same.

    uvicorn raises the signal again once it has shut down; whatever handler was there before gets
    it. Ours does nothing: a server that was asked to stop and did has not failed.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
