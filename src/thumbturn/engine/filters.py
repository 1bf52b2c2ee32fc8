"""What lists are asked by. ``None`` means any, as it does in all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from thumbturn.domain.client_session import Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFilter:
    """Which devices of a workspace; ``None`` means any."""

    device_ids: Sequence[str] | None = None
    connected_account_ids: Sequence[str] | None = None
    #: Of its account.
    customer_key: str | None = None
    device_types: Sequence[str] | None = None
    capability: str | None = None
    manufacturer: str | None = None
    name: str | None = None
    #: Part of the display name, in any case.
    search: str | None = None
    #: µs; strictly before.
    created_before: int | None = None
    custom_metadata_has: Mapping[str, str | bool] | None = None
    is_managed: bool | None = None
    reach: Reach = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFilter:
    """Which attempts of a workspace; ``None`` means any."""

    #: The wire's word: pending, success or error.
    status: str | None = None
    action_type: str | None = None
    device_id: str | None = None
    #: Whom they were asked for.
    actor: str | None = None
    #: The type of their failure.
    cause: str | None = None
    #: µs, of acceptance: at or after the first, and before the second.
    since: int | None = None
    before: int | None = None
    reach: Reach = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events of a workspace; ``None`` means any."""

    event_ids: Sequence[str] | None = None
    event_types: Sequence[str] | None = None
    device_ids: Sequence[str] | None = None
    connected_account_id: str | None = None
    access_code_ids: Sequence[str] | None = None
    #: µs, of ``created_at``; both ends open.
    after: int | None = None
    before: int | None = None
    #: Those that name one of these, alone or among others (``access_grant_ids``).
    access_grant_ids: Sequence[str] | None = None
    #: Keys of the payload that must have one of these values.
    payload_among: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reach: Reach = None
