"""Writes that are made only while their writer may act.

Whoever acts for a cell hands his operations over under a fence: the cell, and the epoch in which it is
his. Before a wave is written its fences are compared with the leases, and these locked until the wave
is committed: nobody takes a cell over in the middle of a write, and what comes later finds a higher
epoch and is not written. The lock is the weakest there is: it hinders nobody but him who takes over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection

from thumbturn.domain.refusals import Fenced
from thumbturn.engine.lease_ports import Fence
from thumbturn.engine.tenure import Tenure
from thumbturn.storage.writer import Parted, Writer

_ON_RECORD = "select kind, cell, epoch from leases where kind = any(%s) and cell = any(%s) for key share"


class Guarded(NamedTuple):
    """An operation that is done only while its fence stands."""

    operation: Any
    fence: Fence


def unguarded(operations: Iterable[Any]) -> list[Any]:
    """The operations themselves."""
    return [each.operation if type(each) is Guarded else each for each in operations]


def perform_guarded(
    connection: Connection,
    operations: Sequence[Any],
    perform: Callable[[Connection, Sequence[Any]], list[Any]],
) -> list[Any]:
    """The answers of the operations, in order; ``Fenced`` is that of those which came too late."""
    wanted = {each.fence for each in operations if type(each) is Guarded}
    if not wanted:
        return perform(connection, operations)
    asked = ([*{each.kind for each in wanted}], [*{each.cell for each in wanted}])
    stands = {Fence(*row) for row in connection.exec_driver_sql(_ON_RECORD, asked)}
    if wanted <= stands:
        return perform(connection, unguarded(operations))
    late = [type(each) is Guarded and each.fence not in stands for each in operations]
    in_time = [each for each, is_late in zip(operations, late, strict=True) if not is_late]
    done = iter(perform(connection, unguarded(in_time)))
    return Parted([Fenced(headers={"Retry-After": "1"}) if is_late else next(done) for is_late in late])


class GuardedWriter:
    """A writer for whoever acts under a tenure; has what a store needs of ``Writer``."""

    def __init__(self, writer: Writer[Any], tenure: Tenure) -> None:
        self._writer = writer
        self._tenure = tenure
        self.bound = writer.bound
        self.meters = writer.meters

    @property
    def waiting(self) -> int:
        """Operations that wait for the next wave, whoever they are of."""
        return self._writer.waiting

    def submit(self, operation: Any) -> asyncio.Future[Any]:
        """As ``Writer.submit``. Raises ``Fenced`` once the tenure is over, and so may the answer."""
        self._tenure.require()
        answer = self._writer.submit(Guarded(operation, self._tenure.fence))
        answer.add_done_callback(self._look)
        return answer

    def _look(self, answer: asyncio.Future[Any]) -> None:
        if not answer.cancelled() and isinstance(answer.exception(), Fenced):
            self._tenure.end()
