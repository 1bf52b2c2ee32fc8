"""What connect webviews need from outside: a store of their own, as ``ports.py`` has it for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from thumbturn.domain.access import Thing
from thumbturn.domain.connect_webview import ConnectWebview
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class WebviewFilter:
    """Which webviews of a workspace; ``None`` means any."""

    ids: Sequence[str] | None = None
    customer_key: str | None = None
    #: Part of the id, of a provider's name, or of who signed in; in any letter case.
    search: str | None = None
    custom_metadata_has: Mapping[str, str | bool] | None = None

    def fits(self, webview: ConnectWebview) -> bool:
        """Whether a webview fits in what databases would answer differently: letter case, JSON's types."""
        if self.search is not None:
            part = self.search.casefold()
            words = (webview.id, webview.selected_provider or "", webview.signed_in_as or "")
            if not any(part in word.casefold() for word in (*words, *webview.wishes.accepted_providers)):
                return False
        has = webview.custom_metadata
        return all(
            key in has and type(has[key]) is type(value) and has[key] == value
            for key, value in (self.custom_metadata_has or {}).items()
        )


class WebviewStore(Protocol):
    """The connect webviews on record. Raises as ``Store`` does."""

    async def add(self, webview: ConnectWebview, session_id: str | None, *, most: int) -> bool:
        """Remember a new webview, as one of this client session if it was made by one; ``False`` (and
        nothing) if the workspace has ``most`` already.
        """

    async def get(self, workspace_id: str, webview_id: str) -> ConnectWebview | None:
        """One webview."""

    async def visited(self, webview_id: str) -> ConnectWebview | None:
        """The webview with this id, of whichever workspace: for the person who has its address."""

    async def listed(
        self,
        workspace_id: str,
        wanted: WebviewFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[ConnectWebview]:
        """Webviews in order of (created_at, id), behind ``after``."""

    async def made_before(self, moment: int, most: int) -> list[ConnectWebview]:
        """Webviews of all workspaces that were made before this moment, the oldest first."""

    async def change(self, webview: ConnectWebview, told: Sequence[Event]) -> bool:
        """Store how far somebody has come, and tell it; ``False`` (and nothing) if it is not pending."""

    async def finish(
        self,
        webview: ConnectWebview,
        account: ConnectedAccount,
        devices: Sequence[Device],
        told: Sequence[Event],
        new_things: Sequence[Thing] = (),
    ) -> frozenset[str] | None:
        """Store that somebody connected an account, which is new, or lets the server in again; its new
        devices, and what came with them of access control; and tell it. The client sessions of the webview
        reach the account from then on: which. ``None`` (and nothing) if the webview is not pending.
        """

    async def remove(self, workspace_id: str, webview_id: str) -> bool:
        """Forget a webview, also in client sessions; ``False`` if there is none such."""
