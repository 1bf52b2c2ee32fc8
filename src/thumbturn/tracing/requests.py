"""The spans of requests: an ASGI application around the API, there only when traces are configured."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Message = MutableMapping[str, Any]
App = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

#: Asked by programs all day long: their traces would hide all others.
UNTRACED = frozenset({"/health", "/metrics", "/thumbturn/ready"})
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"})
_PROPAGATED = {b"traceparent": "traceparent", b"tracestate": "tracestate"}


class TracedRequests:
    """Makes a span of each request, below the caller's if he sent a ``traceparent``."""

    def __init__(self, app: App, tracer: Tracer, paths: Collection[str]) -> None:
        self._app = app
        self._tracer = tracer
        self._paths = frozenset(paths)
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        if scope["type"] != "http" or scope["path"] in UNTRACED:
            await self._app(scope, receive, send)
            return
        carried = {
            _PROPAGATED[name]: value.decode("latin-1")
            for name, value in scope["headers"]
            if name in _PROPAGATED
        }
        # What strangers make up must not become names of spans.
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        route = scope["path"] if scope["path"] in self._paths else None
        facts = {"http.request.method": method, "url.scheme": scope["scheme"]}
        if route is not None:
            facts["http.route"] = route
        with self._tracer.start_as_current_span(
            method if route is None else f"{method} {route}",
            context=self._propagator.extract(carried),
            kind=SpanKind.SERVER,
            attributes=facts,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:

            async def told(message: Message) -> None:
                if message["type"] == "http.response.start":
                    status = message["status"]
                    span.set_attribute("http.response.status_code", status)
                    if status >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                    for name, value in message["headers"]:
                        if name == b"seam-request-id":
                            span.set_attribute("thumbturn.request_id", value.decode("latin-1"))
                await send(message)

            await self._app(scope, receive, told)
