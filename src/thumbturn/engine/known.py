"""What the asks of somebody may name, beyond the device that shall act."""

from __future__ import annotations

from thumbturn.domain.access import Entry
from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock
from thumbturn.domain.noise import NoiseThresholdNotFound
from thumbturn.engine.access import Access, Whom
from thumbturn.engine.access_grants import AccessGrants
from thumbturn.engine.climate import Climate
from thumbturn.engine.encoders import Encoders
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
        encoders: Encoders,
        grants: AccessGrants,
        clock: Clock,
    ) -> None:
        self._workspace_id = workspace_id
        self._reach = reach
        self._climate = climate
        self._noise_sensors = noise_sensors
        self._access = access
        self._encoders = encoders
        self._grants = grants
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

    def encoder(self, encoder_id: str) -> str:
        """The device that is this encoder. Raises ``AcsEncoderNotFound``."""
        return self._encoders.one(self._workspace_id, encoder_id).id

    async def check_encodable(self, credential_id: str, encoder_id: str) -> None:
        """Return if the credential can be on a card of this encoder. Raises ``CredentialIsNoCard``,
        ``AcsCredentialNotFound`` or ``ThingsOfTwoSystems``.
        """
        await self._encoders.check_encodable(self._workspace_id, credential_id, encoder_id)

    async def user_at_encoder(
        self, encoder_id: str, acs_user_id: str | None, user_identity_id: str | None
    ) -> str:
        """The id of the user that is meant in the encoder's system. Raises ``AcsUserNotFound`` or
        ``ThingsOfTwoSystems``.
        """
        whom = Whom(acs_user_id, user_identity_id)
        return await self._encoders.user_at(self._workspace_id, encoder_id, whom)

    async def entry_at_entrance(self, credential_id: str, entrance_id: str) -> Entry:
        """Whom this credential lets in at an entrance, from here and now, and the lock there. Raises
        ``CredentialCannotUnlock``, ``AcsCredentialNotFound`` or ``AcsEntranceNotFound``.
        """
        now = self._clock.now()
        return await self._access.unlocked_by(self._workspace_id, credential_id, entrance_id, now)

    async def card_of_method(self, access_method_id: str) -> str:
        """The id of the credential that this access method needs on a card. Raises ``AccessMethodNotFound``,
        ``AccessMethodIsNoCard`` or ``AccessMethodNotReady``.
        """
        await self._grants.card_method(self._workspace_id, access_method_id)
        return await self._grants.credential_of(self._workspace_id, access_method_id)

    async def check_takes_card(self, access_method_id: str) -> None:
        """Return if this access method may be given a card. Raises ``AccessMethodNotFound``,
        ``AccessMethodIsNoCard`` or ``AccessMethodNotReady``.
        """
        await self._grants.card_method(self._workspace_id, access_method_id)

    async def entry_by_method(self, access_method_id: str, entrance_id: str) -> Entry:
        """Whom this access method lets in at an entrance, likewise. Raises
        ``CredentialCannotUnlock``, ``AccessMethodNotFound``, ``AccessMethodNotReady`` or
        ``AcsEntranceNotFound``.
        """
        credential_id = await self._grants.credential_of(self._workspace_id, access_method_id, entrance_id)
        return await self.entry_at_entrance(credential_id, entrance_id)
