"""The world that virtual devices stand in: its time, its chance, its memory, and who listens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from thumbturn.domain import ids
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Observation
from thumbturn.drivers.virtual.journal import Journal
from thumbturn.engine.pins import Pins


class World:
    """What all virtual devices have in common."""

    def __init__(self, clock: Clock, chance_seed: int, journal: Journal, pins: Pins) -> None:
        self.clock = clock
        self.journal = journal
        #: What opens the PINs that keypads are told, and tells them apart.
        self.pins = pins
        #: Where reports go: nowhere before ``open`` and after ``close``.
        self.observe: Callable[[Observation], None] = _to_nobody
        self.is_open = False
        self._chance_seed = chance_seed
        self._to_come: set[asyncio.Task[None]] = set()

    def open(self, observe: Callable[[Observation], None]) -> None:
        """From now on things happen by themselves, and are reported."""
        self.observe, self.is_open = observe, True

    async def close(self) -> None:
        """No report, no motor and no timer after this."""
        self.observe, self.is_open = _to_nobody, False
        to_come = tuple(self._to_come)
        for task in to_come:
            task.cancel()
        await asyncio.gather(*to_come, return_exceptions=True)
        self.journal.close()

    def chance(self, device_id: str) -> Random:
        """A device's own luck: the same for the same seed, whatever other devices do."""
        return ids.chance(self._chance_seed, device_id)

    def later(self, microseconds: int, happen: Callable[[], None]) -> asyncio.Task[None]:
        """Let this happen after this time. Cancel the task, and it does not."""

        async def wait() -> None:
            await self.clock.sleep(microseconds)
            happen()

        task = asyncio.create_task(wait())
        self._to_come.add(task)
        task.add_done_callback(self._to_come.discard)
        return task


def _to_nobody(observation: Observation) -> None:
    """Before the driver starts there is nobody to report to."""
