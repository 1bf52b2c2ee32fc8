"""Who asked: the key, its person, whom he asked for, and the request."""

from __future__ import annotations

from typing_extensions import TypedDict

from thumbturn.domain.asker import Asker


class AskedBy(TypedDict):
    """Who asked. ``actor`` is what the header Thumbturn-Actor said; nobody checked it."""

    key_id: str
    kind: str
    user_id: str | None
    actor: str | None
    request_id: str


def asked_by_json(asker: Asker | None) -> AskedBy | None:
    """Who asked, as the wire has it; null for what was accepted before that was kept."""
    if asker is None:
        return None
    return {
        "key_id": asker.key_id,
        "kind": asker.kind,
        "user_id": asker.user_id,
        "actor": asker.actor,
        "request_id": asker.request_id,
    }
