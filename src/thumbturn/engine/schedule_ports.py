"""What schedules need from outside: a store of their own, as ``ports.py`` has it for the rest."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from thumbturn.domain.schedule import Schedule


class Stored(Enum):
    """What became of a schedule that was to be stored."""

    DONE = "done"
    #: Another schedule of its thermostat starts at that moment.
    TAKEN = "taken"
    #: There is none such.
    MISSING = "missing"


class ScheduleStore(Protocol):
    """The schedules on record. Raises as ``Store`` does."""

    async def add(self, schedule: Schedule) -> Stored:
        """Remember a new schedule, unless its moment is taken."""

    async def change(self, schedule: Schedule) -> Stored:
        """Store what may change of a schedule, unless its moment is taken or it is gone."""

    async def remove(self, workspace_id: str, schedule_id: str) -> bool:
        """Forget a schedule; ``False`` if there is none such."""

    async def get(self, workspace_id: str, schedule_id: str) -> Schedule | None:
        """One schedule."""

    async def of_device(self, workspace_id: str, device_id: str) -> list[Schedule]:
        """The schedules of a thermostat, in order of their start."""

    async def over_before(self, moment: int, most: int) -> list[Schedule]:
        """The schedules of all workspaces that are over and ended before this moment, the earliest first."""

    async def not_over(self) -> list[Schedule]:
        """The schedules of all workspaces whose end was not seen to, for the engine's own start."""
