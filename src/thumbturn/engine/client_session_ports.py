"""What client sessions need from outside: a store of their own, as ``ports.py`` has it for the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from thumbturn.domain.client_session import ClientSession
from thumbturn.domain.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSessionFilter:
    """Which client sessions of a workspace; ``None`` means any."""

    id: str | None = None
    user_identifier_key: str | None = None
    user_identity_id: str | None = None
    #: Those that reach what comes of this webview.
    connect_webview_id: str | None = None
    #: True for those without any.
    without_user_identifier_key: bool = False


class ClientSessionStore(Protocol):
    """The client sessions on record. Raises as ``Store`` does."""

    async def add(self, session: ClientSession, *, most: int) -> ClientSession | None:
        """Remember a new session, unless its user has one that is good when it is made.

        The session on record: the new one, or the one that was there. ``None`` (and nothing is
        remembered) if the workspace has ``most`` already.
        """

    async def get(self, workspace_id: str, session_id: str) -> ClientSession | None:
        """One session."""

    async def of_user(self, workspace_id: str, user_identifier_key: str) -> ClientSession | None:
        """The newest session of a user."""

    async def with_token(self, token_hash: str) -> ClientSession | None:
        """The session whose token has this hash, of whichever workspace, good or not."""

    async def listed(
        self,
        workspace_id: str,
        wanted: ClientSessionFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[ClientSession]:
        """Sessions in order of (created_at, id), behind ``after``."""

    async def ended_before(self, moment: int, most: int) -> list[ClientSession]:
        """Sessions of all workspaces that expired, or were revoked, before this moment."""

    async def grant(
        self,
        workspace_id: str,
        session_id: str,
        account_ids: Iterable[str],
        user_identity_id: str | None = None,
        webview_ids: Iterable[str] = (),
    ) -> ClientSession | None:
        """Let a session reach these accounts too, and what comes of these webviews, and be for this user
        identity if one is named; the session, or ``None`` if there is none such.
        """

    async def revoke(self, workspace_id: str, session_id: str, at: int) -> ClientSession | None:
        """End a session; one that was revoked before keeps its time. ``None`` if there is none such."""

    async def remove(self, workspace_id: str, session_id: str, told: Event) -> bool:
        """Forget a session and tell its workspace; ``False`` if there is none such."""

    async def accounts(self, workspace_id: str, account_ids: Iterable[str]) -> frozenset[str]:
        """Those of these accounts that are the workspace's."""

    async def device_counts(self, workspace_id: str, account_ids: Iterable[str]) -> Mapping[str, int]:
        """How many managed devices each of these accounts has, where it has any."""
