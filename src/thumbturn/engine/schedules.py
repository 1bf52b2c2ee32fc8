"""What callers may do with thermostats' schedules."""

from __future__ import annotations

from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock
from thumbturn.domain.errors import Refusal
from thumbturn.domain.presets import preset_of
from thumbturn.domain.refusals import DeviceNotFound
from thumbturn.domain.schedule import Schedule
from thumbturn.engine.climate import Climate
from thumbturn.engine.devices import Devices
from thumbturn.engine.schedule_keeper import ScheduleKeeper
from thumbturn.engine.schedule_ports import ScheduleStore, Stored

#: Of one thermostat, and not over.
MOST_SCHEDULES = 500


class ScheduleNotFound(Refusal, type="thermostat_schedule_not_found", status=404):
    """Thermostat schedule not found"""


class ScheduleIsOver(Refusal, type="thermostat_schedule_over", status=400):
    """This schedule is over, and stays as it was: make a new one"""


class StartIsTaken(Refusal, type="thermostat_schedule_start_taken", status=409):
    """Another schedule of this thermostat starts at the same moment: choose another"""


class TooManySchedules(Refusal, type="too_many_thermostat_schedules", status=400):
    """A thermostat has at most 500 schedules that are not over. Delete one that is not needed any more."""


class InvalidScheduleTimes(Refusal, type="invalid_schedule_times", status=400):
    """A schedule must end after it starts, and in the future"""


class Schedules:
    """The schedules of all workspaces. Every verb names the workspace, and the reach, of whoever asks."""

    def __init__(
        self,
        store: ScheduleStore,
        devices: Devices,
        climate: Climate,
        keeper: ScheduleKeeper,
        clock: Clock,
    ) -> None:
        self._store = store
        self._devices = devices
        self._climate = climate
        self._keeper = keeper
        self._clock = clock

    async def create(self, schedule: Schedule, reach: Reach = None) -> Schedule:
        """Make a schedule; it begins at its start, or at once if that is past."""
        self._check(schedule, reach)
        if len(list(self._keeper.of_device(schedule.device_id))) >= MOST_SCHEDULES:
            raise TooManySchedules
        _raise_for(await self._store.add(schedule), schedule, DeviceNotFound)
        self._keeper.put(schedule)
        return schedule

    async def change(self, schedule: Schedule) -> None:
        """Store a schedule as it is here. What is in force goes by it at once."""
        if schedule.is_over:
            raise ScheduleIsOver(data={"thermostat_schedule_id": schedule.id})
        self._check(schedule, None)
        _raise_for(await self._store.change(schedule), schedule, ScheduleNotFound)
        self._keeper.put(schedule)

    async def delete(self, workspace_id: str, schedule_id: str, reach: Reach = None) -> None:
        """Delete a schedule; one that is in force ends by that."""
        schedule = await self.get(workspace_id, schedule_id, reach)
        if await self._store.remove(workspace_id, schedule_id):
            self._keeper.drop(schedule.device_id, schedule_id)

    async def get(self, workspace_id: str, schedule_id: str, reach: Reach = None) -> Schedule:
        """One schedule. Raises ``ScheduleNotFound``."""
        found = await self._store.get(workspace_id, schedule_id)
        if found is None or (reach is not None and not self._reaches(found, reach)):
            raise ScheduleNotFound(data={"thermostat_schedule_id": schedule_id})
        return found

    async def of_device(self, workspace_id: str, device_id: str, reach: Reach = None) -> list[Schedule]:
        """The schedules of a thermostat, in order of their start, those that are over too."""
        self._climate.thermostat(workspace_id, device_id, reach)
        return await self._store.of_device(workspace_id, device_id)

    def _reaches(self, schedule: Schedule, reach: Reach) -> bool:
        return self._devices.find(schedule.workspace_id, schedule.device_id, reach) is not None

    def _check(self, schedule: Schedule, reach: Reach) -> None:
        thermostat = self._climate.thermostat(schedule.workspace_id, schedule.device_id, reach)
        preset_of(thermostat, schedule.climate_preset_key)
        if schedule.ends_at <= max(schedule.starts_at, self._clock.now()):
            raise InvalidScheduleTimes


def _raise_for(stored: Stored, schedule: Schedule, missing: type[Refusal]) -> None:
    if stored is Stored.TAKEN:
        raise StartIsTaken(data={"device_id": schedule.device_id})
    if stored is Stored.MISSING:
        raise missing
