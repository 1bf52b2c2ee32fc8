"""Outages that tests ask for: some paths are down for a workspace, and answer nothing but 503."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from thumbturn.api.body import Receive
from thumbturn.api.callers import Caller, Callers, shown_in
from thumbturn.api.reply import JSON, headers_of
from thumbturn.domain.errors import Refusal
from thumbturn.domain.ids import new_id

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Outages:
    """Which paths are down for whom. Nothing is down after a restart."""

    def __init__(self) -> None:
        self._down: dict[str, frozenset[str]] = {}

    def begin(self, workspace_id: str, paths: Iterable[str]) -> None:
        """From now on these paths are down for this workspace, and no others: with none, it is over."""
        self._down[workspace_id] = frozenset(paths)

    def concerns(self, path: str) -> bool:
        """True if this path is down for anybody."""
        return any(path in paths for paths in self._down.values())

    def is_down(self, workspace_id: str, path: str) -> bool:
        """True if this path is down for this workspace."""
        return path in self._down.get(workspace_id, ())


class WithOutages:
    """An ASGI application in front of another, which is not asked what is down."""

    def __init__(self, application: Application, outages: Outages, callers: Callers) -> None:
        self._application = application
        self._outages = outages
        self._callers = callers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not await self._is_down(scope):
            await self._application(scope, receive, send)
            return
        origin = dict(scope["headers"]).get(b"origin")
        headers = headers_of(new_id(), JSON, 0, origin, ())
        bare = [(name, value) for name, value in headers if name != b"content-type"]
        await send({"type": "http.response.start", "status": 503, "headers": bare})
        await send({"type": "http.response.body", "body": b""})

    async def _is_down(self, scope: Scope) -> bool:
        if scope["method"] == "OPTIONS" or not self._outages.concerns(scope["path"]):
            return False
        try:
            bearer = await self._callers.identify(*shown_in(dict(scope["headers"])))
        except Refusal:
            return False  # the application says why
        return isinstance(bearer, Caller) and self._outages.is_down(bearer.workspace.id, scope["path"])
