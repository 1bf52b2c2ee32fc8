"""Reads by id that are asked for at the same time, as one query."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Connection

from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.storage.reader import Reader

T = TypeVar("T")


class Coalescing(Generic[T]):
    """Gets things by id: one query at a time, for all ids that were asked for during the last one.

    Nobody is answered from a query that began before he asked: everyone reads his own writes.
    """

    def __init__(self, reader: Reader, fetch: Callable[[Connection, Sequence[str]], dict[str, T]]) -> None:
        self._reader = reader
        self._fetch = fetch
        self._wanted: dict[str, list[asyncio.Future[T | None]]] = {}
        self._asking = False

    async def get(self, id: str) -> T | None:
        """The thing of this id, or ``None``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T | None] = loop.create_future()
        self._wanted.setdefault(id, []).append(future)
        if not self._asking:
            self._asking = True
            # Not at once: others may ask within the same turn of the loop.
            loop.call_soon(self._ask)
        return await future

    def _ask(self) -> None:
        wanted, self._wanted = self._wanted, {}
        try:
            answer = self._reader.read(lambda connection: self._fetch(connection, list(wanted)))
        except StorageUnavailable as problem:
            self._asking = False
            _answer(wanted, {}, problem)
            return
        answer.add_done_callback(lambda answer: self._deliver(wanted, answer))

    def _deliver(
        self, wanted: dict[str, list[asyncio.Future[T | None]]], answer: asyncio.Future[dict[str, T]]
    ) -> None:
        problem = answer.exception()
        _answer(wanted, answer.result() if problem is None else {}, problem)
        if isinstance(problem, StorageUnavailable):
            # Who asked meanwhile has waited already, and is not to wait for a failure of his own.
            behind, self._wanted = self._wanted, {}
            _answer(behind, {}, problem)
        self._asking = bool(self._wanted)
        if self._asking:
            self._ask()


def _answer(
    wanted: dict[str, list[asyncio.Future[T | None]]], found: dict[str, T], problem: BaseException | None
) -> None:
    for id, futures in wanted.items():
        for future in futures:
            if future.done():
                continue  # its caller has gone
            if problem is None:
                future.set_result(found.get(id))
            else:
                future.set_exception(problem)
