"""Which of the things in memory a caller wants: what the SQL store asks its database."""

from __future__ import annotations

from thumbturn.domain.attempt import Attempt
from thumbturn.domain.client_session import among
from thumbturn.domain.device import Device
from thumbturn.domain.encoder import ENCODER_TYPE
from thumbturn.domain.event import Event
from thumbturn.engine.ports import AttemptFilter, DeviceFilter, EventFilter


def wanted_device(device: Device, wanted: DeviceFilter) -> bool:
    """True for a device that fits."""
    metadata = wanted.custom_metadata_has or {}
    return (
        (wanted.capability == "encoder" or device.device_type != ENCODER_TYPE)
        and (wanted.device_ids is None or device.id in wanted.device_ids)
        and (
            wanted.connected_account_ids is None
            or device.connected_account_id in wanted.connected_account_ids
        )
        and (wanted.device_types is None or device.device_type in wanted.device_types)
        and (wanted.capability is None or wanted.capability in device.capabilities)
        and (wanted.manufacturer is None or device.details.get("manufacturer") == wanted.manufacturer)
        and (wanted.name is None or device.display_name == wanted.name)
        and (wanted.search is None or wanted.search.lower() in device.display_name.lower())
        and (wanted.created_before is None or device.created_at < wanted.created_before)
        and (wanted.is_managed is None or device.is_managed is wanted.is_managed)
        and among(wanted.reach, device.connected_account_id)
        and all(device.custom_metadata.get(key) == value for key, value in metadata.items())
    )


def wanted_attempt(attempt: Attempt, wanted: AttemptFilter) -> bool:
    """True for an attempt that fits."""
    actor = attempt.asked_by.actor if attempt.asked_by is not None else None
    cause = attempt.failure[0] if attempt.failure is not None else None
    return (
        (wanted.status is None or attempt.status == wanted.status)
        and (wanted.action_type is None or attempt.action_type == wanted.action_type)
        and (wanted.device_id is None or attempt.device_id == wanted.device_id)
        and (wanted.actor is None or actor == wanted.actor)
        and (wanted.cause is None or cause == wanted.cause)
        and (wanted.since is None or attempt.accepted_at >= wanted.since)
        and (wanted.before is None or attempt.accepted_at < wanted.before)
        and among(wanted.reach, attempt.connected_account_id)
    )


def wanted_event(event: Event, wanted: EventFilter) -> bool:
    """True for an event that fits."""
    return (
        (wanted.event_ids is None or event.event_id in wanted.event_ids)
        and (wanted.event_types is None or event.event_type in wanted.event_types)
        and (wanted.device_ids is None or event.device_id in wanted.device_ids)
        and (wanted.connected_account_id is None or event.connected_account_id == wanted.connected_account_id)
        and (wanted.access_code_ids is None or event.payload.get("access_code_id") in wanted.access_code_ids)
        and (wanted.after is None or event.created_at > wanted.after)
        and (wanted.before is None or event.created_at < wanted.before)
        and among(wanted.reach, event.connected_account_id)
        and (wanted.access_grant_ids is None or not _grants(event).isdisjoint(wanted.access_grant_ids))
        and all(event.payload.get(key) in values for key, values in wanted.payload_among.items())
    )


def _grants(event: Event) -> set[str]:
    return {event.payload.get("access_grant_id", ""), *event.payload.get("access_grant_ids", ())} - {""}
