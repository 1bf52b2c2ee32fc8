"""Reads, on threads and connections of their own: they never wait for the writer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine

from thumbturn.domain.clock import stopwatch
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.storage.databases import is_unreachable, stopping, unavailable
from thumbturn.storage.line import LONG, Line

T = TypeVar("T")


class _Job(NamedTuple):
    question: Callable[[Connection], Any]
    future: asyncio.Future[Any]


class Reader:
    """Answers questions to the database on a few threads, each with its own connection.

    A question sees everything that was committed before it was asked.
    """

    def __init__(self, engine: Engine, *, threads: int) -> None:
        self._engine = engine
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"thumbturn-reader-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def read(self, question: Callable[[Connection], T]) -> asyncio.Future[T]:
        """The answer to a question. Raises ``StorageUnavailable`` when the database is out of reach."""
        if self._closed:
            raise stopping()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(question, future))
        return future

    async def close(self) -> None:
        """Answer what was asked, then stop."""
        if not self._closed:
            self._closed = True
            for _ in self._threads:
                self._jobs.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _run(self) -> None:
        line = Line(self._engine)
        while (job := self._jobs.get()) is not None:
            began = stopwatch()
            value, problem = _ask(line, job.question)
            _answer(job, value, problem)
            if isinstance(problem, StorageUnavailable) and stopwatch() - began > LONG:
                self._tell_all(problem)
        line.let_go()

    def _tell_all(self, problem: Exception) -> None:
        """Tell all who wait by now: for an answer of his own each would wait as long again."""
        for _ in range(self._jobs.qsize()):
            with suppress(Empty):
                job = self._jobs.get_nowait()
                if job is None:
                    self._jobs.put(None)
                else:
                    _answer(job, None, problem)


def _ask(line: Line, question: Callable[[Connection], Any]) -> tuple[Any, Exception | None]:
    problem: Exception | None = None
    # Reading twice is harmless, so a connection that died in its sleep is replaced silently.
    for _ in range(2):
        began = stopwatch()
        try:
            connection = line.connection()
            with line:
                return question(connection), None
        except Exception as reason:  # noqa: BLE001 - whatever it is, its caller gets it
            if not is_unreachable(reason):
                return None, reason
            problem = unavailable(reason)
            line.let_go()
            if stopwatch() - began > LONG:
                break
    return None, problem


def _answer(job: _Job, value: Any, problem: Exception | None) -> None:
    # A loop that is closed has nobody left who could hear of it.
    with suppress(RuntimeError):
        job.future.get_loop().call_soon_threadsafe(_tell, job.future, value, problem)


def _tell(future: asyncio.Future[Any], value: Any, problem: Exception | None) -> None:
    if future.done():
        return  # its caller has gone
    if problem is None:
        future.set_result(value)
    else:
        future.set_exception(problem)
