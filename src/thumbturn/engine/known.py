"""What the asks of somebody may name, beyond the device that shall act."""

from __future__ import annotations

from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock
from thumbturn.domain.noise import NoiseThresholdNotFound
from thumbturn.engine.access import Access
from thumbturn.engine.climate import Climate
from thumbturn.engine.noise import NoiseSensors


class Things:
    """The ``Known`` of somebody in a workspace (``actions/definition.py``)."""

    def __init__(
        self,
        workspace_id: str,
        reach: Reach,
        *,
        climate: Climate,
        noise_sensors: NoiseSensors,
        access: Access,
        clock: Clock,
    ) -> None:
        self._workspace_id = workspace_id
        self._reach = reach
        self._climate = climate
        self._noise_sensors = noise_sensors
        self._access = access
        self._clock = clock

    def device_with_daily_program(self, program_id: str) -> str:
        """The id of the thermostat that has it. Raises ``DailyProgramNotFound``."""
        return self._climate.device_with_daily_program(self._workspace_id, program_id, self._reach)

    def check_noise_threshold(self, device_id: str, threshold_id: str) -> None:
        """Return if this sensor holds the threshold, or shall. Raises ``NoiseThresholdNotFound``, or what the
        sensor itself is refused with.
        """
        sensor = self._noise_sensors.sensor(self._workspace_id, device_id, self._reach)
        if threshold_id not in self._noise_sensors.thresholds(sensor):
            raise NoiseThresholdNotFound(data={"noise_threshold_id": threshold_id})

    async def device_at_entrance(self, credential_id: str, entrance_id: str) -> str:
        """The lock at an entrance that this credential may unlock from here, now. Raises
        ``CredentialCannotUnlock``, ``AcsCredentialNotFound`` or ``AcsEntranceNotFound``.
        """
        now = self._clock.now()
        return await self._access.unlocked_by(self._workspace_id, credential_id, entrance_id, now)
