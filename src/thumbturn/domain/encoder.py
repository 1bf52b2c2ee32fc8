"""Credential encoders: what they say of a card, and what is told of them.

Inside, an encoder is a device: it has a lane, a link and faults. To callers it is none: it is found as an
encoder of its access control system, and what is told of it names it so.

What an encoder said last is ``card_read`` of its state: the ``order`` that it was about, and either the
``card`` or an ``error``. A card has its ``card_number``; one that carries a credential has also
``acs_credential_id``, ``starts_at``, ``ends_at`` and ``encoded_at`` (µs), as they were written on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id

if TYPE_CHECKING:
    from thumbturn.domain.device import Device

#: ``Device.device_type`` of encoders. No list of devices shows it.
ENCODER_TYPE = "acs_encoder"
#: Of a device's state and of a card.
CARD_READ, ON_CARD = "card_read", "acs_credential_id"


def is_encoder(device: Device) -> bool:
    """True for what callers know as an encoder, and not as a device."""
    return device.device_type == ENCODER_TYPE


def told_of_encoder(encoder: Device, word: str, at: int, now: int) -> Event:
    """The event that an encoder was ``added`` or ``removed``."""
    return Event(
        event_id=new_id(),
        event_type=f"acs_encoder.{word}",
        workspace_id=encoder.workspace_id,
        occurred_at=at,
        created_at=now,
        connected_account_id=encoder.connected_account_id,
        payload={"acs_encoder_id": encoder.id, "acs_system_id": encoder.details["acs_system_id"]},
    )


def events_of_encoder(encoder: Device, news: Mapping[str, Any], at: int, now: int) -> tuple[Event, ...]:
    """What there is to tell of an encoder's report: that it was taken away, or is back."""
    was_removed = bool(encoder.state.get("removed"))
    is_removed = bool(news.get("removed", was_removed))
    if is_removed is was_removed:
        return ()
    return (told_of_encoder(encoder, "removed" if is_removed else "added", at, now),)
