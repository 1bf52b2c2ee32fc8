"""A key as its owner may see it: never its token, never its hash."""

from __future__ import annotations

from typing import Literal, cast

from typing_extensions import TypedDict

from thumbturn.domain import workspace as domain
from thumbturn.domain.clock import to_wire

Kind = Literal["api_key", "personal_access_token", "publishable_key"]


class Key(TypedDict):
    """A token that opens a workspace. ``hint`` is how the token begins."""

    key_id: str
    kind: Kind
    name: str
    hint: str
    created_at: str
    revoked_at: str | None


def key_json(key: domain.Key) -> Key:
    """The key as the wire has it."""
    return {
        "key_id": key.id,
        "kind": cast("Kind", key.kind.value),
        "name": key.name,
        "hint": key.hint,
        "created_at": to_wire(key.created_at),
        "revoked_at": None if key.revoked_at is None else to_wire(key.revoked_at),
    }
