"""User identities, and the nouns of access control systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NotRequired, cast

from typing_extensions import TypedDict

from thumbturn.domain import access as domain
from thumbturn.domain.clock import to_wire
from thumbturn.domain.device import Device

#: The wire's lists of types are closed and have no word for a virtual system: what must be named borrows one.
GROUP_TYPE = "brivo_group"
GROUP_TYPE_NAME = "Access Group"

Notes = list[Mapping[str, Any]]


class UserIdentity(TypedDict):
    """A person, whatever systems he is a user of."""

    user_identity_id: str
    workspace_id: str
    user_identity_key: str | None
    full_name: str | None
    email_address: str | None
    phone_number: str | None
    display_name: str
    acs_user_ids: list[str]
    errors: Notes
    warnings: Notes
    created_at: str


class UnmanagedUserIdentity(TypedDict):
    """A person whom an access control system knows, and nobody here made."""

    user_identity_id: str
    workspace_id: str
    full_name: str | None
    email_address: str | None
    phone_number: str | None
    display_name: str
    acs_user_ids: list[str]
    errors: Notes
    warnings: Notes
    created_at: str


class SystemLocation(TypedDict):
    """Where a system is."""

    time_zone: str | None


class AcsSystem(TypedDict):
    """An access control system."""

    acs_system_id: str
    workspace_id: str
    connected_account_id: str
    connected_account_ids: list[str]
    name: str
    location: SystemLocation
    image_url: str
    image_alt_text: str
    is_credential_manager: bool
    default_credential_manager_acs_system_id: str | None
    errors: Notes
    warnings: Notes
    created_at: str


class AcsEntrance(TypedDict):
    """An entrance: a door in an access control system."""

    acs_entrance_id: str
    acs_system_id: str
    connected_account_id: str
    display_name: str
    can_unlock_with_card: bool
    can_unlock_with_cloud_key: bool
    can_unlock_with_code: bool
    can_unlock_with_mobile_key: bool
    space_ids: list[str]
    errors: Notes
    warnings: Notes
    created_at: str


class AcsAccessGroup(TypedDict):
    """An access group: its users get through its entrances."""

    acs_access_group_id: str
    acs_system_id: str
    workspace_id: str
    connected_account_id: str
    name: str
    display_name: str
    access_group_type: str
    access_group_type_display_name: str
    external_type: str
    external_type_display_name: str
    is_managed: Literal[True]
    pending_mutations: Notes
    errors: Notes
    warnings: Notes
    created_at: str


class AccessSchedule(TypedDict):
    """From when until when somebody gets through."""

    starts_at: str
    ends_at: str | None


class AcsUser(TypedDict):
    """A user of an access control system."""

    acs_user_id: str
    acs_system_id: str
    workspace_id: str
    connected_account_id: str
    display_name: str
    full_name: str
    email: NotRequired[str]
    email_address: NotRequired[str]
    phone_number: NotRequired[str]
    access_schedule: NotRequired[AccessSchedule]
    is_suspended: bool
    is_managed: Literal[True]
    user_identity_id: NotRequired[str]
    errors: Notes
    warnings: Notes
    last_successful_sync_at: str | None
    created_at: str


class AcsEncoder(TypedDict):
    """A credential encoder."""

    acs_encoder_id: str
    acs_system_id: str
    workspace_id: str
    connected_account_id: str
    display_name: str
    errors: Notes
    created_at: str


def user_identity_json(identity: domain.UserIdentity, acs_user_ids: list[str]) -> UserIdentity:
    """The identity as the wire has it."""
    return {
        "user_identity_id": identity.id,
        "workspace_id": identity.workspace_id,
        "user_identity_key": identity.user_identity_key,
        "full_name": identity.full_name,
        "email_address": identity.email_address,
        "phone_number": identity.phone_number,
        "display_name": identity.display_name,
        "acs_user_ids": acs_user_ids,
        "errors": [],
        "warnings": [],
        "created_at": to_wire(identity.created_at),
    }


def unmanaged_identity_json(
    identity: domain.UnmanagedIdentity, acs_user_ids: list[str]
) -> UnmanagedUserIdentity:
    """The unmanaged identity as the wire has it: as any other, without a key."""
    json: dict[str, Any] = {**user_identity_json(identity, acs_user_ids)}
    del json["user_identity_key"]
    return cast("UnmanagedUserIdentity", json)


def system_json(system: domain.AcsSystem, errors: Sequence[Mapping[str, Any]] = ()) -> AcsSystem:
    """The system as the wire has it, with what is wrong with it."""
    return {
        "acs_system_id": system.id,
        "workspace_id": system.workspace_id,
        "connected_account_id": system.connected_account_id,
        "connected_account_ids": [system.connected_account_id],
        "name": system.name,
        "location": {"time_zone": system.time_zone},
        "image_url": "",
        "image_alt_text": system.name,
        "is_credential_manager": False,
        "default_credential_manager_acs_system_id": None,
        "errors": list(errors),
        "warnings": [],
        "created_at": to_wire(system.created_at),
    }


def entrance_json(entrance: domain.AcsEntrance, space_ids: Sequence[str]) -> AcsEntrance:
    """The entrance as the wire has it, in these spaces."""
    return {
        "acs_entrance_id": entrance.id,
        "acs_system_id": entrance.acs_system_id,
        "connected_account_id": entrance.connected_account_id,
        "display_name": entrance.name,
        "can_unlock_with_card": True,
        "can_unlock_with_cloud_key": True,
        "can_unlock_with_code": True,
        "can_unlock_with_mobile_key": False,
        "space_ids": list(space_ids),
        "errors": [],
        "warnings": [],
        "created_at": to_wire(entrance.created_at),
    }


def group_json(group: domain.AcsAccessGroup) -> AcsAccessGroup:
    """The access group as the wire has it."""
    return {
        "acs_access_group_id": group.id,
        "acs_system_id": group.acs_system_id,
        "workspace_id": group.workspace_id,
        "connected_account_id": group.connected_account_id,
        "name": group.name,
        "display_name": group.name,
        "access_group_type": GROUP_TYPE,
        "access_group_type_display_name": GROUP_TYPE_NAME,
        "external_type": GROUP_TYPE,
        "external_type_display_name": GROUP_TYPE_NAME,
        "is_managed": True,
        "pending_mutations": [],
        "errors": [],
        "warnings": [],
        "created_at": to_wire(group.created_at),
    }


def user_json(user: domain.AcsUser) -> AcsUser:
    """The user as the wire has him."""
    json: AcsUser = {
        "acs_user_id": user.id,
        "acs_system_id": user.acs_system_id,
        "workspace_id": user.workspace_id,
        "connected_account_id": user.connected_account_id,
        "display_name": user.full_name,
        "full_name": user.full_name,
        "is_suspended": user.is_suspended,
        "is_managed": True,
        "errors": [],
        "warnings": [],
        "last_successful_sync_at": None,
        "created_at": to_wire(user.created_at),
    }
    if user.email_address is not None:
        json["email"] = json["email_address"] = user.email_address
    if user.phone_number is not None:
        json["phone_number"] = user.phone_number
    if user.starts_at is not None:
        ends = None if user.ends_at is None else to_wire(user.ends_at)
        json["access_schedule"] = {"starts_at": to_wire(user.starts_at), "ends_at": ends}
    if user.user_identity_id is not None:
        json["user_identity_id"] = user.user_identity_id
    return json


def encoder_json(encoder: Device) -> AcsEncoder:
    """The encoder, which inside is a device, as the wire has it."""
    created_at = to_wire(encoder.created_at)
    errors: Notes = []
    if encoder.state.get("removed"):
        since = to_wire(encoder.state.get("offline_since") or encoder.created_at)
        message = "The encoder was removed from its access control system."
        errors.append({"error_code": "acs_encoder_removed", "message": message, "created_at": since})
    return {
        "acs_encoder_id": encoder.id,
        "acs_system_id": encoder.details["acs_system_id"],
        "workspace_id": encoder.workspace_id,
        "connected_account_id": encoder.connected_account_id,
        "display_name": encoder.display_name,
        "errors": errors,
        "created_at": created_at,
    }
