"""A client session: what one person of a workspace reaches of it, with a token that may be in a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from thumbturn.domain.clock import seconds
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id
from thumbturn.domain.workspace import Key, KeyKind

#: The connected accounts whose devices somebody sees and commands; ``None`` for all of a workspace.
Reach: TypeAlias = frozenset[str] | None

#: How long a session is good if nobody says how long, in µs.
GOOD_FOR = seconds(365 * 24 * 60 * 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSession:
    """A client session as it is kept."""

    id: str
    workspace_id: str
    #: SHA-256 of the token, hex: it is found by that.
    token_hash: str
    #: The token itself, sealed: whoever looks at the session is shown it again.
    token: str
    #: Who it is for, in the words of whoever made it.
    user_identifier_key: str | None = None
    #: Whose customer he is, likewise.
    customer_key: str | None = None
    #: What it reaches: these accounts, in the order in which they were granted.
    connected_account_ids: tuple[str, ...] = ()
    #: The webviews that it was made for, or that it made: it reaches what comes of them.
    connect_webview_ids: tuple[str, ...] = ()
    created_at: int = 0
    expires_at: int = 0
    revoked_at: int | None = None
    #: The user identity that it is for.
    user_identity_id: str | None = None

    @property
    def ends_at(self) -> int:
        """The moment from which on it opens nothing, µs."""
        return self.expires_at if self.revoked_at is None else min(self.revoked_at, self.expires_at)

    def is_good(self, now: int) -> bool:
        """True while it opens what it reaches."""
        return now < self.ends_at

    @property
    def reach(self) -> Reach:
        """What it reaches."""
        return frozenset(self.connected_account_ids)

    def key(self) -> Key:
        """What is known of its token, as of any other that somebody shows."""
        return Key(
            id=self.id,
            kind=KeyKind.CLIENT_SESSION,
            name=self.user_identifier_key or "",
            token_hash=self.token_hash,
            hint="",
            workspace_id=self.workspace_id,
            created_at=self.created_at,
            revoked_at=self.revoked_at,
        )

    def deleted(self, now: int) -> Event:
        """What the workspace is told when it is deleted."""
        return Event(
            event_id=new_id(),
            event_type="client_session.deleted",
            workspace_id=self.workspace_id,
            occurred_at=now,
            created_at=now,
            payload={"client_session_id": self.id},
        )


def among(reach: Reach, connected_account_id: str | None) -> bool:
    """True if somebody with this reach sees what is of this account."""
    return reach is None or connected_account_id in reach
