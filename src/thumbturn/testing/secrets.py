"""The sealed secrets among what a store in memory remembers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from thumbturn.engine.secrets import KeptSecret
from thumbturn.testing.client_sessions import MemoryClientSessions
from thumbturn.testing.webhooks import MemoryWebhooks
from thumbturn.testing.webviews import MemoryWebviews

_FIELDS = ("secret", "previous_secret")


class MemorySecrets:
    """Implements ``engine.secrets.SecretStore``."""

    def __init__(
        self, webhooks: MemoryWebhooks, sessions: MemoryClientSessions, webviews: MemoryWebviews
    ) -> None:
        self._webviews = webviews
        self._webhooks = webhooks
        self._sessions = sessions

    async def others(self, beginning: str | None, *, limit: int) -> list[KeptSecret]:
        found = [each for each in self._all() if beginning is None or not each.sealed.startswith(beginning)]
        return found[:limit]

    async def replace(self, renewed: Sequence[tuple[KeptSecret, str]]) -> None:
        for old, text in renewed:
            for webhook in self._webhooks.every():
                if webhook.id == old.id and getattr(webhook, old.field) == old.sealed:
                    changed: Any = {old.field: text}
                    self._webhooks.put(replace(webhook, **changed))
            for webview in self._webviews.every():
                if webview.id == old.id and webview.token == old.sealed:
                    self._webviews.put(replace(webview, token=text))
            for session in self._sessions.every():
                if session.id == old.id and session.token == old.sealed:
                    self._sessions.put(replace(session, token=text))

    def _all(self) -> Iterator[KeptSecret]:
        for field in _FIELDS:
            for webhook in self._webhooks.every():
                if getattr(webhook, field) is not None:
                    yield KeptSecret("webhook", webhook.id, field, getattr(webhook, field))
        for webview in self._webviews.every():
            yield KeptSecret("connect_webview", webview.id, "token", webview.token)
        for session in self._sessions.every():
            yield KeptSecret("client_session", session.id, "token", session.token)
