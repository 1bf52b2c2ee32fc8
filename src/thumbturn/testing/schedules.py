"""Schedules that are forgotten when the process ends."""

from __future__ import annotations

from collections.abc import Callable, Collection

from thumbturn.domain.device import Device
from thumbturn.domain.schedule import Schedule
from thumbturn.engine.schedule_ports import Stored


class MemorySchedules:
    """Implements ``engine.schedule_ports.ScheduleStore`` with a dictionary."""

    def __init__(self, device: Callable[[str], Device | None]) -> None:
        self._device = device
        self._schedules: dict[str, Schedule] = {}

    async def add(self, schedule: Schedule) -> Stored:
        device = self._device(schedule.device_id)
        if device is None or device.workspace_id != schedule.workspace_id:
            return Stored.MISSING
        return self._put(schedule)

    async def change(self, schedule: Schedule) -> Stored:
        if await self.get(schedule.workspace_id, schedule.id) is None:
            return Stored.TAKEN if self._is_taken(schedule) else Stored.MISSING
        return self._put(schedule)

    async def remove(self, workspace_id: str, schedule_id: str) -> bool:
        if await self.get(workspace_id, schedule_id) is None:
            return False
        del self._schedules[schedule_id]
        return True

    async def get(self, workspace_id: str, schedule_id: str) -> Schedule | None:
        found = self._schedules.get(schedule_id)
        return found if found is not None and found.workspace_id == workspace_id else None

    async def of_device(self, workspace_id: str, device_id: str) -> list[Schedule]:
        found = [
            each
            for each in self._schedules.values()
            if (each.workspace_id, each.device_id) == (workspace_id, device_id)
        ]
        return sorted(found, key=lambda each: each.starts_at)

    async def over_before(self, moment: int, most: int) -> list[Schedule]:
        found = [each for each in self._schedules.values() if each.is_over and each.ends_at < moment]
        return sorted(found, key=lambda each: each.ends_at)[:most]

    async def not_over(self) -> list[Schedule]:
        return [each for each in self._schedules.values() if not each.is_over]

    def forget(self, device_ids: Collection[str]) -> None:
        """Forget those of these thermostats."""
        kept = {id: each for id, each in self._schedules.items() if each.device_id not in device_ids}
        self._schedules = kept

    def _put(self, schedule: Schedule) -> Stored:
        if self._is_taken(schedule):
            return Stored.TAKEN
        self._schedules[schedule.id] = schedule
        return Stored.DONE

    def _is_taken(self, schedule: Schedule) -> bool:
        return any(
            (each.device_id, each.starts_at) == (schedule.device_id, schedule.starts_at)
            and each.id != schedule.id
            for each in self._schedules.values()
        )
