"""Finding encoders, and arming those of a sandbox: what comes of the next card."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from thumbturn.domain.access import AcsCredential, AcsUser
from thumbturn.domain.access_refusals import (
    AcsCredentialNotFound,
    AcsEncoderNotFound,
    CredentialIsNoCard,
    ThingsOfTwoSystems,
)
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.device import Device
from thumbturn.domain.encoder import ON_CARD, is_encoder
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import WorkspaceNotSandbox
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.access import Access, Whom
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.devices import Devices

_DAY = seconds(24 * 3_600)

#: As ``SandboxWorld.arm_encoder``.
Arm = Callable[[str, str, Mapping[str, Any]], None]


class Encoders:
    """The encoders of all workspaces. What is not the given workspace's is not found."""

    def __init__(self, devices: Devices, access: Access, arm: Arm, clock: Clock) -> None:
        self._devices = devices
        self._access = access
        self._arm = arm
        self._clock = clock

    def one(self, workspace_id: str, encoder_id: str) -> Device:
        """An encoder. Raises ``AcsEncoderNotFound``."""
        found = self._devices.find(workspace_id, encoder_id)
        if found is None or not is_encoder(found):
            raise AcsEncoderNotFound(data={"acs_encoder_id": encoder_id})
        return found

    def listed(
        self,
        workspace_id: str,
        ids: Collection[str] | None,
        system_ids: Collection[str] | None,
    ) -> list[Device]:
        """Encoders with these ids and of these systems, where they are given, oldest first."""
        found = [
            device
            for device in self._devices.of_workspace(workspace_id)
            if is_encoder(device)
            and (ids is None or device.id in ids)
            and (system_ids is None or device.details["acs_system_id"] in system_ids)
        ]
        return sorted(found, key=lambda device: (device.created_at, device.id))

    async def check_encodable(self, workspace_id: str, credential_id: str, encoder_id: str) -> None:
        """Return if a credential can be on a card of this encoder. Raises ``CredentialIsNoCard``,
        ``ThingsOfTwoSystems``, ``AcsCredentialNotFound``.
        """
        credential = await self._access.one(AcsCredential, workspace_id, credential_id)
        if credential.access_method != "card":
            raise CredentialIsNoCard(data={"acs_credential_id": credential_id})
        self._check_system(workspace_id, credential.acs_system_id, encoder_id)

    async def user_at(self, workspace_id: str, encoder_id: str, whom: Whom) -> str:
        """The id of the user that is meant in the encoder's system. Raises ``AcsUserNotFound``,
        ``ThingsOfTwoSystems``.
        """
        if whom.acs_user_id is None:
            system: str = self.one(workspace_id, encoder_id).details["acs_system_id"]
            whom = whom._replace(acs_system_id=system)
        user: AcsUser = await self._access.user(workspace_id, whom)
        self._check_system(workspace_id, user.acs_system_id, encoder_id)
        return user.id

    async def arm_scan(
        self, workspace: Workspace, encoder_id: str, scenario: str, credential_id: str | None
    ) -> None:
        """Have the next scan succeed, with the card of this scenario on the encoder from then on.

        Raises ``WorkspaceNotSandbox``, ``AcsCredentialNotFound`` if there is no card credential to be on it.
        """
        encoder = self._of_sandbox(workspace, encoder_id)
        card: dict[str, Any] = {}
        if scenario == "credential_does_not_exist_on_seam":
            card = {ON_CARD: new_id(), "encoded_at": self._clock.now()}
        elif scenario != "credential_on_encoder_is_empty":
            credential = await self._on_seam(workspace.id, encoder, credential_id)
            card = {
                ON_CARD: credential.id,
                "starts_at": credential.starts_at,
                "ends_at": credential.ends_at,
                "encoded_at": credential.issued_at or self._clock.now(),
            }
            if credential.card_number is not None:
                card["card_number"] = credential.card_number
            if scenario == "credential_on_encoder_needs_update":
                card["ends_at"] = (credential.ends_at or self._clock.now()) - _DAY
        self._arm(encoder.id, "scan", {"card": card})

    async def arm(
        self,
        workspace: Workspace,
        encoder_id: str,
        verb: str,
        error: str | None,
        credential_id: str | None = None,
    ) -> None:
        """Have the next scan or encoding fail of this, or succeed; if a credential is named, only its own.

        Raises ``WorkspaceNotSandbox``, ``AcsCredentialNotFound``.
        """
        encoder = self._of_sandbox(workspace, encoder_id)
        outcome: dict[str, Any] = {} if error is None else {"error": error}
        if credential_id is not None:
            await self._access.one(AcsCredential, workspace.id, credential_id)
            outcome[ON_CARD] = credential_id
        self._arm(encoder.id, verb, outcome)

    async def _on_seam(self, workspace_id: str, encoder: Device, credential_id: str | None) -> AcsCredential:
        """The credential that shall be on the card: this one, or the newest that is for cards."""
        if credential_id is not None:
            return await self._access.one(AcsCredential, workspace_id, credential_id)
        wanted = Wanted(acs_system_ids=(encoder.details["acs_system_id"],))
        found = await self._access.find(AcsCredential, workspace_id, wanted)
        cards = [each for each in found if each.access_method == "card"]
        if not cards:
            raise AcsCredentialNotFound("There is no card credential in this system: make one first")
        return cards[-1]

    def _check_system(self, workspace_id: str, acs_system_id: str, encoder_id: str) -> None:
        if self.one(workspace_id, encoder_id).details["acs_system_id"] != acs_system_id:
            raise ThingsOfTwoSystems(data={"acs_encoder_id": encoder_id})

    def _of_sandbox(self, workspace: Workspace, encoder_id: str) -> Device:
        if not workspace.is_sandbox:
            raise WorkspaceNotSandbox
        return self.one(workspace.id, encoder_id)
