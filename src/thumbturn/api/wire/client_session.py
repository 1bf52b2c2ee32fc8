"""A client session, with its token: whoever may look at it may use it."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict

from thumbturn.domain.clock import to_wire
from thumbturn.engine.client_sessions import Seen


class ClientSession(TypedDict):
    """What one person reaches of a workspace. From ``expires_at`` on it opens nothing; so has one that was
    revoked the moment of that there.
    """

    client_session_id: str
    workspace_id: str
    token: str
    user_identifier_key: str | None
    customer_key: NotRequired[str]
    connected_account_ids: list[str]
    connect_webview_ids: list[str]
    user_identity_ids: list[str]
    user_identity_id: NotRequired[str]
    device_count: int
    created_at: str
    expires_at: str


def client_session_json(seen: Seen) -> ClientSession:
    """The session as the wire has it."""
    session = seen.session
    json: ClientSession = {
        "client_session_id": session.id,
        "workspace_id": session.workspace_id,
        "token": seen.token,
        "user_identifier_key": session.user_identifier_key,
        "connected_account_ids": list(session.connected_account_ids),
        "connect_webview_ids": list(session.connect_webview_ids),
        "user_identity_ids": [] if session.user_identity_id is None else [session.user_identity_id],
        "device_count": seen.device_count,
        "created_at": to_wire(session.created_at),
        "expires_at": to_wire(session.ends_at),
    }
    if session.user_identity_id is not None:
        json["user_identity_id"] = session.user_identity_id
    if session.customer_key is not None:
        json["customer_key"] = session.customer_key
    return json
