"""A workspace, its keys, and who asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from thumbturn.domain.evidence import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The wall around a set of accounts, devices, attempts, events and keys."""

    id: str
    name: str
    is_sandbox: bool
    company_name: str = ""
    connect_partner_name: str | None = None
    organization_id: str | None = None
    is_suspended: bool = False
    is_publishable_key_auth_enabled: bool = False
    connect_webview_customization: Mapping[str, Any] = field(default_factory=dict)
    #: The least evidence that makes a success of a door command here.
    required_evidence: Evidence = Evidence.RADIO_ACK
    #: Types of attempts whose ends it wants to be told beyond those that all are; ``*`` is all of them.
    announced_action_types: frozenset[str] = frozenset()
    created_at: int = 0


class KeyKind(StrEnum):
    """What a token is."""

    API_KEY = "api_key"
    PERSONAL_ACCESS_TOKEN = "personal_access_token"
    PUBLISHABLE_KEY = "publishable_key"
    CLIENT_SESSION = "client_session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A token as it is kept: by its hash, never in clear."""

    id: str
    kind: KeyKind
    name: str
    #: SHA-256 of the token, hex.
    token_hash: str
    #: The first characters, to recognise it by.
    hint: str
    #: The one workspace that it opens; None for a personal access token.
    workspace_id: str | None
    #: The person of a personal access token: it opens every workspace he is a member of.
    user_id: str | None = None
    created_at: int = 0
    revoked_at: int | None = None
