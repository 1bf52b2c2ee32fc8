"""A phone of a user identity. There are only such as a sandbox makes: mobile keys need their maker's app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from thumbturn.domain.errors import Refusal
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id

OperatingSystem = Literal["android", "ios"]


class PhoneNotFound(Refusal, type="phone_not_found", status=404):
    """Phone not found"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """A phone."""

    id: str
    workspace_id: str
    created_at: int
    #: Whose it is.
    user_identity_id: str
    operating_system: OperatingSystem
    manufacturer: str
    model: str
    #: What a maker's service of credentials knows it by.
    endpoint_id: str
    #: What the app on it calls its own installation.
    installation_id: str | None = None

    @property
    def device_type(self) -> str:
        """Its type, as that of a device."""
        return f"{self.operating_system}_phone"

    def deactivated(self, now: int) -> Event:
        """What the workspace is told when it is taken out of use."""
        return Event(
            event_id=new_id(),
            event_type="phone.deactivated",
            workspace_id=self.workspace_id,
            occurred_at=now,
            created_at=now,
            payload={"device_id": self.id},
        )
