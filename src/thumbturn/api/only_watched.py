"""What a process answers that has not the role ``api``: how it is, and nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from thumbturn.api.refusals import NotFound
from thumbturn.api.reply import JSON, failure_body, headers_of
from thumbturn.domain.ids import new_id

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

#: What a load balancer and whoever counts want to know of every process.
WATCHED = frozenset({"/health", "/thumbturn/ready", "/metrics"})


class OnlyWatched:
    """An application of which only this much is served; for the rest it answers 404."""

    def __init__(self, application: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in WATCHED:
            await self._application(scope, receive, send)
            return
        request_id = new_id()
        refusal = NotFound("This process has not the role api: ask one that has.")
        status, body, more = failure_body(refusal, request_id)
        head = headers_of(request_id, JSON, len(body), dict(scope["headers"]).get(b"origin"), more)
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})
