"""A credential of an access control system as the wire has it: what actions on encoders answer with."""

from __future__ import annotations

from typing import Any, Literal

from thumbturn.actions.definition import Result
from thumbturn.domain import access as domain
from thumbturn.domain.clock import to_wire

_NAMES = {"card": "Card", "cloud_key": "Cloud Key", "code": "Code", "mobile_key": "Mobile Key"}


class AcsCredential(Result):
    """What a user shows or enters at an entrance."""

    acs_credential_id: str
    acs_system_id: str
    workspace_id: str
    connected_account_id: str
    access_method: Literal["code", "card", "mobile_key", "cloud_key"]
    display_name: str
    acs_user_id: str | None = None
    code: str | None
    card_number: str | None
    starts_at: str | None = None
    ends_at: str | None = None
    is_issued: bool
    issued_at: str | None
    is_managed: Literal[True]
    is_multi_phone_sync_credential: bool
    is_one_time_use: bool
    errors: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    created_at: str


def credential_json(credential: domain.AcsCredential, code: str | None = None) -> dict[str, Any]:
    """The credential as the wire has it; ``code`` are its digits, for those who may see them."""
    json: dict[str, Any] = {
        "acs_credential_id": credential.id,
        "acs_system_id": credential.acs_system_id,
        "workspace_id": credential.workspace_id,
        "connected_account_id": credential.connected_account_id,
        "access_method": credential.access_method,
        "display_name": _NAMES[credential.access_method],
        "code": code,
        "card_number": credential.card_number,
        "is_issued": credential.issued_at is not None,
        "issued_at": None if credential.issued_at is None else to_wire(credential.issued_at),
        "is_managed": True,
        "is_multi_phone_sync_credential": False,
        "is_one_time_use": False,
        "errors": [],
        "warnings": [],
        "created_at": to_wire(credential.created_at),
    }
    if credential.acs_user_id is not None:
        json["acs_user_id"] = credential.acs_user_id
    for name in ("starts_at", "ends_at"):
        moment = getattr(credential, name)
        if moment is not None:
            json[name] = to_wire(moment)
    return json
