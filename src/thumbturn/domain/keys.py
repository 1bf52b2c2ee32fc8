"""Tokens: how they are made, and how they are kept.

The shapes are those that the official SDKs check before they send anything: an API key starts
with ``seam_`` (a sandbox's with ``seam_test``) and must not go on with ``at``, ``cst`` or ``pk``;
a personal access token starts with ``seam_at``, the token of a client session with ``seam_cst``, a
publishable key with ``seam_pk``. Tokens are long and random, so a plain SHA-256 is enough to keep them
by; it is also what makes a constant-time look-up cheap.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from thumbturn.domain.ids import new_id, new_secret
from thumbturn.domain.workspace import Key, KeyKind, Workspace

#: How much of a token its owner is shown to recognise it by.
HINT_LENGTH = 16
#: What every token looks like, as a regular expression: for whoever has to keep them out of sight.
TOKEN = r"\bseam_(?:[a-z0-9]+_)*[A-Za-z0-9]{20,}"


#: How the token of a client session begins, and a publishable key.
CLIENT_SESSION_TOKEN, PUBLISHABLE_KEY = "seam_cst", "seam_pk"


class Minted(NamedTuple):
    """A key as it is kept, and the token that only its owner will ever see."""

    key: Key
    token: str


def hash_token(token: str) -> str:
    """What is kept of a token: its SHA-256, hex."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def mint_api_key(workspace: Workspace, name: str, now: int) -> Minted:
    """A new API key of a workspace."""
    # "key" keeps the random part from beginning with what the SDKs take for another kind of token.
    prefix = "seam_testkey" if workspace.is_sandbox else "seam_key"
    return _mint(KeyKind.API_KEY, prefix, name, now, workspace_id=workspace.id, user_id=None)


def mint_personal_access_token(user_id: str, name: str, now: int) -> Minted:
    """A new token of a person, good for every workspace he is a member of."""
    return _mint(KeyKind.PERSONAL_ACCESS_TOKEN, "seam_at", name, now, workspace_id=None, user_id=user_id)


def mint_publishable_key(workspace: Workspace, name: str, now: int) -> Minted:
    """A new publishable key of a workspace: no secret, and good for nothing but a client session's start."""
    kind = KeyKind.PUBLISHABLE_KEY
    return _mint(kind, PUBLISHABLE_KEY, name, now, workspace_id=workspace.id, user_id=None)


def new_client_session_token() -> str:
    """A token for a new client session."""
    return f"{CLIENT_SESSION_TOKEN}_{new_secret()}"


def new_webview_token() -> str:
    """What the address of a new connect webview has beside its id."""
    return new_secret()


def _mint(
    kind: KeyKind, prefix: str, name: str, now: int, *, workspace_id: str | None, user_id: str | None
) -> Minted:
    token = f"{prefix}_{new_secret()}"
    key = Key(
        id=new_id(),
        kind=kind,
        name=name,
        token_hash=hash_token(token),
        hint=token[:HINT_LENGTH],
        workspace_id=workspace_id,
        user_id=user_id,
        created_at=now,
    )
    return Minted(key, token)
