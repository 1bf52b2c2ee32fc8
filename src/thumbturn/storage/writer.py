"""Group commit: one thread that makes waiting operations durable, as many as there are at a time.

Operations are handed over with ``submit`` and answered through a future. While one transaction is
being committed, the next ones gather; together they become the next transaction (a *wave*). So
the cost of a commit is shared by all that arrived during the one before, without any timer: a
lone operation is written at the loop's next turn.

The wave is handed over by the event loop, when it has done what it had before it. Were it taken by
the thread at the first operation, the two would take the interpreter lock from each other at every
step: waves became small and late, and half the throughput was lost to waiting.

A wave that fails is rolled back and halved, and each half tried by itself, until the operation
that cannot be done stands alone and takes its error home; all others are committed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine

from thumbturn.domain.clock import stopwatch
from thumbturn.domain.refusals import Overloaded, StorageUnavailable
from thumbturn.engine.meters import WriterMeters
from thumbturn.storage.databases import is_unreachable, stopping, unavailable
from thumbturn.storage.line import LONG, Line

Operation = TypeVar("Operation")


#: More than this wait for the wave after.
MOST_AT_ONCE = 256


class Lost(Exception):
    """Raised by ``perform``: somebody else was first. Nothing was done, and the answer is ``False``."""


class Parted(list[Any]):
    """Answers of a wave of which a part was not done: for that there are exceptions among them."""


class UnknownWorkspace(Exception):
    """Raised by ``perform``: an event names a workspace that does not exist."""


class _Waiting(NamedTuple):
    operation: Any
    future: asyncio.Future[Any]


class _Answer(NamedTuple):
    future: asyncio.Future[Any]
    value: Any
    problem: Exception | None


class Writer(Generic[Operation]):
    """Commits operations in waves.

    ``perform`` does a list of operations in one transaction, durably, and gives their answers in
    order; if it raises, nothing of them was done.
    """

    def __init__(
        self,
        engine: Engine,
        perform: Callable[[Connection, Sequence[Operation]], Sequence[Any]],
        *,
        bound: int,
    ) -> None:
        self._perform = perform
        #: More than this may not wait.
        self.bound = bound
        self.meters = WriterMeters()
        #: What waits for the next wave; only the event loop touches it.
        self._gathered: list[_Waiting] = []
        self._is_writing = False
        self._is_due = False
        #: Called on the event loop with the operations that were committed; nothing while it is ``None``.
        self.on_commit: Callable[[Sequence[Operation]], None] | None = None
        self._waves: SimpleQueue[list[_Waiting] | None] = SimpleQueue()
        self._line = Line(engine)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="thumbturn-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation) -> asyncio.Future[Any]:
        """A future that is answered once the operation is durable.

        Raises ``Overloaded`` when too many wait already, ``StorageUnavailable`` after ``close``.
        """
        if self._closed:
            raise stopping()
        if len(self._gathered) >= self.bound:
            raise Overloaded(headers={"Retry-After": "1"})
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._gathered.append(_Waiting(operation, future))
        if not self._is_writing:
            self._soon(loop)
        return future

    @property
    def waiting(self) -> int:
        """Operations that wait for the next wave."""
        return len(self._gathered)

    async def close(self) -> None:
        """Write what still waits, then stop."""
        if not self._closed:
            self._closed = True
            self._waves.put(self._gathered)
            self._waves.put(None)
            self._gathered = []
        await asyncio.to_thread(self._thread.join)

    # on the event loop --------------------------------------------------------------------------

    def _soon(self, loop: asyncio.AbstractEventLoop) -> None:
        # Not at once: what the loop has before it now belongs to the same wave.
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._is_due = False
        if self._gathered and not self._is_writing:
            self._is_writing = True
            self._waves.put(self._gathered[:MOST_AT_ONCE])
            del self._gathered[:MOST_AT_ONCE]

    def _tell(
        self, wave: Sequence[_Waiting], answers: Sequence[_Answer], away: StorageUnavailable | None
    ) -> None:
        self._is_writing = False
        if away is not None:
            # They have waited for as long as this wave: for one of their own they would wait as long again.
            behind, self._gathered = self._gathered, []
            answers = [*answers, *(_Answer(waiting.future, None, away) for waiting in behind)]
            wave = [*wave, *behind]
        for future, value, problem in answers:
            if future.done():
                continue  # its caller has gone
            if problem is None:
                future.set_result(value)
            else:
                future.set_exception(problem)
        if self._gathered:
            self._soon(asyncio.get_running_loop())
        if self.on_commit is not None:
            told = zip(wave, answers, strict=True)
            self.on_commit([waiting.operation for waiting, answer in told if answer.problem is None])

    # on the writer's thread ---------------------------------------------------------------------

    def _run(self) -> None:
        while (wave := self._waves.get()) is not None:
            if not wave:
                continue
            began = stopwatch()
            try:
                answers = self._settle(wave)
            except Exception as bug:  # noqa: BLE001 - or all who wait would wait for ever
                answers = [_Answer(waiting.future, None, bug) for waiting in wave]
            away = answers[0].problem if stopwatch() - began > LONG else None
            away = away if isinstance(away, StorageUnavailable) else None
            # A loop that is closed has nobody left who could hear of it.
            with suppress(RuntimeError):
                wave[0].future.get_loop().call_soon_threadsafe(self._tell, wave, answers, away)
        self._line.let_go()

    def _settle(self, wave: Sequence[_Waiting]) -> list[_Answer]:
        try:
            values = self._commit([waiting.operation for waiting in wave])
        except Exception as problem:  # noqa: BLE001 - whatever it is, its caller gets it
            if is_unreachable(problem):
                return [_Answer(waiting.future, None, unavailable(problem)) for waiting in wave]
            if len(wave) == 1:
                lost = isinstance(problem, Lost)
                return [_Answer(wave[0].future, False, None if lost else problem)]
            middle = len(wave) // 2
            return self._settle(wave[:middle]) + self._settle(wave[middle:])
        answered = zip(wave, values, strict=True)
        if type(values) is Parted:
            return [_Answer(waiting.future, *_parted(value)) for waiting, value in answered]
        return [_Answer(waiting.future, value, None) for waiting, value in answered]

    def _commit(self, operations: Sequence[Operation]) -> Sequence[Any]:
        try:
            connection = self._line.connection()
            began = stopwatch()
            with self._line:
                answers = self._perform(connection, operations)
        except Exception as problem:
            unreachable = is_unreachable(problem)
            self.meters.rolled_back(is_unreachable=unreachable)
            if unreachable:
                self._line.let_go()
            raise
        self.meters.committed(len(operations), stopwatch() - began)
        return answers


def _parted(value: Any) -> tuple[Any, Exception | None]:
    return (None, value) if isinstance(value, Exception) else (value, None)
