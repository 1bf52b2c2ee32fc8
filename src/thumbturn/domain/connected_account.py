"""A connected account: what is behind it shares its link and its fate. What the workspace is told of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from thumbturn.domain.clock import to_wire
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id

#: What kinds of devices may be taken from an account.
AcceptedCapability = Literal["lock", "thermostat", "noise_sensor", "access_control", "camera"]

#: Why an account cannot be used: the wire's code, and its sentence.
ACCOUNT_DISCONNECTED = "account_disconnected"
NOT_LET_IN = "The account does not let this server in any more: sign in to it again."


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectedAccount:
    """One hub or one account at a maker: the devices behind it share its link and its fate."""

    id: str
    workspace_id: str
    #: The driver that holds its link.
    driver: str
    #: The name to show to people.
    name: str
    created_at: int = 0
    custom_metadata: Mapping[str, str | bool] = field(default_factory=dict)
    #: Whose customer's it is, in the words of whoever connected it.
    customer_key: str | None = None
    #: The kinds of devices that are taken from it; none named is all of them.
    accepted_capabilities: tuple[AcceptedCapability, ...] = ()
    #: Whether devices that are found on it later are managed at once.
    manages_new_devices: bool = True
    #: Who signed in: ``email``, ``username`` …
    user_identifier: Mapping[str, str] = field(default_factory=dict)
    #: Since when it lets nobody in, µs; ``None`` while it does.
    disconnected_at: int | None = None
    #: Of a hub how it is reached, sealed (``engine/hubs.py``), and what tells it from all others.
    hub: str | None = None
    hub_id: str | None = None

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Why it cannot be used, in the wire's own shape; empty while it can."""
        if self.disconnected_at is None:
            return []
        return [account_error(self.disconnected_at)]

    def told(self, word: str, now: int, **payload: Any) -> Event:
        """The event ``connected_account.<word>``."""
        return Event(
            event_id=new_id(),
            event_type=f"connected_account.{word}",
            workspace_id=self.workspace_id,
            occurred_at=now,
            created_at=now,
            connected_account_id=self.id,
            payload=payload,
        )


def told_of_cut(account: ConnectedAccount, now: int) -> list[Event]:
    """What the workspace is told of an account that lets nobody in any more, as ``disconnected_at`` says."""
    why = {"connected_account_errors": account.errors, "connected_account_warnings": []}
    # Nothing but somebody who signs in brings it back.
    return [account.told(word, now, **why) for word in ("disconnected", "reauthorization_requested")]


#: The contract's kinds of devices, by our capabilities.
_KINDS: Mapping[str, AcceptedCapability] = {
    "lock": "lock",
    "thermostat": "thermostat",
    "noise_detection": "noise_sensor",
    # A door that can be an entrance.
    "keypad": "access_control",
}


def is_accepted(capabilities: Collection[str], accepted: Collection[AcceptedCapability]) -> bool:
    """Whether a device with these capabilities is of a kind that shall be taken; none named is all kinds."""
    return not accepted or any(_KINDS.get(each) in accepted for each in capabilities)


def account_error(since: int) -> dict[str, Any]:
    """The error of an account that lets nobody in since this moment (µs), in the wire's own shape."""
    return {
        "error_code": ACCOUNT_DISCONNECTED,
        "message": NOT_LET_IN,
        "created_at": to_wire(since),
        "is_connected_account_error": True,
    }
