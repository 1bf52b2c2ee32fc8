"""Whether the server can do its work now: what a load balancer, or a person at night, wants to know."""

from __future__ import annotations

import asyncio

from thumbturn.api.wire.readiness import BacklogPart, DriverPart, OwnershipPart, Part, Readiness, WriterPart
from thumbturn.domain.clock import SECOND, Clock, seconds
from thumbturn.domain.refusals import Overloaded, StorageUnavailable
from thumbturn.engine.cells import Cells
from thumbturn.engine.census import Census, together
from thumbturn.engine.ports import Store
from thumbturn.engine.webhooks import Webhooks

#: For how long the database may think about a question that has no work in it.
PATIENCE = seconds(2)
#: An attempt that is open for so long after its deadline was not ended by the sweep that should have.
OVERDUE = seconds(10)


class Observer:
    """Looks at every part of the server."""

    def __init__(self, cells: Cells, store: Store, webhooks: Webhooks, clock: Clock) -> None:
        self._cells = cells
        self._store = store
        self._webhooks = webhooks
        self._clock = clock
        #: One question at a time, however many ask: a database that hangs must not take every reader.
        self._asking: asyncio.Task[Part] | None = None

    async def look(self) -> Readiness:
        """What is ready and what is not."""
        database = await self._database()
        census = together(cell.engine.census() for cell in self._cells.here())
        readiness = Readiness(
            is_ready=False,
            database=database,
            writer=self._writer(),
            drivers=[_driver(name, census) for name in sorted(census.drivers)],
            backlog=self._backlog(census),
            webhooks=self._deliveries(),
            ownership=self._ownership(),
        )
        parts = [readiness["writer"], readiness["backlog"], readiness["webhooks"], readiness["ownership"]]
        parts += readiness["drivers"]
        readiness["is_ready"] = database["is_ready"] and all(part["is_ready"] for part in parts)
        return readiness

    async def _database(self) -> Part:
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask())
        if await self._clock.wait(self._asking, PATIENCE):
            return self._asking.result()
        return _part("The database has not answered in time.")

    async def _ask(self) -> Part:
        try:
            await self._store.check()
        except (StorageUnavailable, Overloaded):
            return _part("The database cannot be reached.")
        return _part()

    def _writer(self) -> WriterPart:
        waiting, at_most, meters = self._store.writing()
        wrong = ""
        if meters.is_down:
            wrong = "What it wrote last did not reach the database."
        elif waiting >= at_most:
            wrong = "As much waits to be written as may wait."
        return {**_part(wrong), "waiting_operations": waiting, "waiting_limit": at_most}

    def _backlog(self, census: Census) -> BacklogPart:
        now = self._clock.now()
        oldest, due = census.oldest_since, census.earliest_deadline_at
        unrecorded = self._cells.records.waiting
        wrong = ""
        if not self._cells.is_running:
            wrong = "No attempt is begun: the server is starting or stopping."
        elif unrecorded:
            wrong = "What was decided cannot be put on record now: it is tried again, and the log says why."
        elif due is not None and now - due > OVERDUE:
            wrong = "An attempt is still open long after its deadline."
        return {
            **_part(wrong),
            "open_attempts": sum(census.open.values()),
            "oldest_open_seconds": 0.0 if oldest is None else max(0, now - oldest) / SECOND,
            "unrecorded": unrecorded,
        }

    def _ownership(self) -> OwnershipPart:
        wrong = ""
        if not self._cells.is_heard:
            wrong = "The other processes cannot be told that this one lives: what it owns is given up."
        return {
            **_part(wrong),
            "cells": self._cells.count,
            "engine_cells": len(self._cells.mine("engine")),
            "webhooks_cells": len(self._cells.mine("webhooks")),
            "has_upkeep": bool(self._cells.mine("upkeep")),
            "processes": self._cells.processes,
        }

    def _deliveries(self) -> Part:
        if self._webhooks.delivering().meters.is_unrecorded:
            return _part("What became of deliveries cannot be put on record now: it is tried again.")
        return _part()


def _driver(name: str, census: Census) -> DriverPart:
    driver = census.drivers[name]
    wrong = "None of its links stands." if driver.links and not driver.links_up else ""
    return {
        **_part(wrong),
        "driver": name,
        "devices": driver.devices,
        "devices_online": driver.devices_online,
        "links": driver.links,
        "links_up": driver.links_up,
    }


def _part(wrong: str = "") -> Part:
    return {"is_ready": not wrong, "message": wrong}
