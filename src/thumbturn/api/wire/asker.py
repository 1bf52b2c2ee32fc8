"""Who asked: the key or the client session, its person, whom he asked for, and the request."""

from __future__ import annotations

from typing_extensions import TypedDict

from thumbturn.domain.asker import Asker
from thumbturn.domain.workspace import KeyKind


class AskedBy(TypedDict):
    """Who asked, with a key or a client session. ``actor`` is what the header Thumbturn-Actor said; nobody
    checked it.
    """

    key_id: str | None
    client_session_id: str | None
    kind: str
    user_id: str | None
    actor: str | None
    request_id: str


def asked_by_json(asker: Asker | None) -> AskedBy | None:
    """Who asked, as the wire has it; null for what was accepted before that was kept."""
    if asker is None:
        return None
    is_session = asker.kind == KeyKind.CLIENT_SESSION
    return {
        "key_id": None if is_session else asker.key_id,
        "client_session_id": asker.key_id if is_session else None,
        "kind": asker.kind,
        "user_id": asker.user_id,
        "actor": asker.actor,
        "request_id": asker.request_id,
    }
