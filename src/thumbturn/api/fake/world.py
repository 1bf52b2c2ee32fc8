"""What the world of Seam's fake has beyond other worlds, for its ``/_fake`` endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from thumbturn.api.fake.outages import Outages
from thumbturn.api.refusals import InvalidInput
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import named_id
from thumbturn.domain.refusals import ActionAttemptNotFound, ConnectWebviewNotFound
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.engine.connect_webviews import ConnectWebviews
from thumbturn.engine.engine import Engine
from thumbturn.engine.overruling import Overruling
from thumbturn.engine.ports import Store

#: What a person is told for whom a webview has nothing.
NOTHING_FITS = "The account has one lock, and this webview accepts none: it is pending as it was"


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeFacts:
    """What everybody knows of that world."""

    #: What its seed calls everything.
    seed: Mapping[str, str]
    #: The workspaces that it begins with.
    workspace_ids: Sequence[str]
    #: Its one person: every workspace that is made later is his.
    person_id: str
    #: What opens every virtual account.
    password: str


class FakeWorld:
    """Tests do here what callers may not: across workspaces, and without a token."""

    def __init__(
        self, facts: FakeFacts, *, store: Store, engine: Engine, webviews: ConnectWebviews, clock: Clock
    ) -> None:
        self.facts = facts
        self.outages = Outages()
        self._store = store
        self._webviews = webviews
        self._overruling = Overruling(engine.begun, store, clock)

    async def workspaces(self) -> list[Workspace]:
        """Every workspace there is, oldest first."""
        begun_with = [await self._store.workspace(id) for id in self.facts.workspace_ids]
        everyone = [*begun_with, *await self._store.workspaces_of_user(self.facts.person_id)]
        return list({each.id: each for each in everyone if each is not None}.values())

    async def overrule(
        self,
        attempt_id: str,
        status: str,
        *,
        result: Mapping[str, Any] | None,
        failure: tuple[str, str] | None,
    ) -> None:
        """Have an attempt of any workspace be what a test wants. Raises ``ActionAttemptNotFound``."""
        attempt = await self._attempt(attempt_id)
        await self._overruling.overrule(attempt, status, result=result, failure=failure)

    async def connect(self, webview_id: str) -> frozenset[str]:
        """Be the person who signs in on the page of a webview; the client sessions that reach more now.

        The oldest client session of the workspace reaches the account too, as with the fake. Nothing is done
        on a page that was left already. Raises ``ConnectWebviewNotFound``, and ``InvalidInput`` if nothing of
        what the account has is what the webview accepts.
        """
        webview = await self._store.webviews.visited(webview_id)
        if webview is None:
            raise ConnectWebviewNotFound
        # For each webview somebody else, and always the same.
        email = f"{named_id(webview_id, 'person')[:8]}@example.com"
        await self._webviews.choose(webview, webview.offered[0])
        await self._webviews.sign_in(webview, email, self.facts.password)
        every_device = {device.address for device in self._webviews.devices_of(webview)}
        done, sessions = await self._webviews.finish(webview, every_device)
        if done.status == "pending":
            raise InvalidInput.whole(NOTHING_FITS)
        if done.connected_account_id is None:
            return sessions
        workspace_id, account_ids = done.workspace_id, [done.connected_account_id]
        oldest = await self._store.client_sessions.listed(workspace_id, ClientSessionFilter(), limit=1)
        for session in oldest:
            await self._store.client_sessions.grant(workspace_id, session.id, account_ids)
        return sessions | {session.id for session in oldest}

    async def _attempt(self, attempt_id: str) -> Attempt:
        for workspace in await self.workspaces():
            found = await self._store.attempt(workspace.id, attempt_id)
            if found is not None:
                return found
        raise ActionAttemptNotFound(data={"action_attempt_id": attempt_id})
