"""Work on a database that is done apart from the writer's, so that nothing waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from thumbturn.storage.databases import is_unreachable, unavailable

T = TypeVar("T")


class Apart:
    """Does one thing after the other in transactions of its own. For PostgreSQL, where many may write."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def do(self, call: Callable[[Connection], T]) -> T:
        """What the call returns, once it is durable. Raises ``StorageUnavailable``."""
        return await asyncio.to_thread(self._do, call)

    def _do(self, call: Callable[[Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return call(connection)
        except DBAPIError as problem:
            if is_unreachable(problem):
                raise unavailable(problem) from problem
            raise
