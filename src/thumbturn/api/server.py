"""The ASGI application: one request in, one envelope out.

The order of checks is the contract's: CORS, request id, authentication, method, content type,
query, validation, handler. Everything that can be decided at start is decided at start: a request
costs a look-up in a dictionary, not a walk over routes, and there is no middleware.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import partial
from traceback import format_exception
from types import MappingProxyType
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError

from thumbturn.api.access import NOT_WITH
from thumbturn.api.acts import Acts
from thumbturn.api.among import AmongOthers
from thumbturn.api.asking import asker_of
from thumbturn.api.body import Disconnected, Receive, decode_body, read_body
from thumbturn.api.call import Call, Header
from thumbturn.api.callers import Bearer, Caller, Callers, Person, shown_in
from thumbturn.api.connecting import HTML, Connecting, Shown
from thumbturn.api.descriptions import descriptions
from thumbturn.api.endpoint import Answer, Endpoint
from thumbturn.api.exchanged import FORWARDED, Reply
from thumbturn.api.idempotency import HEADER, Idempotency
from thumbturn.api.metrics import CONTENT_TYPE, Metrics
from thumbturn.api.once import Once
from thumbturn.api.pages import Pages
from thumbturn.api.placing import OF_REQUESTS
from thumbturn.api.query import grammar_of
from thumbturn.api.readiness import Observer
from thumbturn.api.refusals import MethodNotAllowed, NotFound, PayloadTooLarge, Unauthorized
from thumbturn.api.reply import EVENT_STREAM, JSON, PREFLIGHT, answer_body, failure_body, headers_of
from thumbturn.api.request_meters import RequestMeters
from thumbturn.api.stream import EventStream
from thumbturn.api.surroundings import ApiSettings, Surroundings
from thumbturn.api.table import endpoints
from thumbturn.api.validation import refusal_of
from thumbturn.api.wire.connect_webview import VIEW
from thumbturn.domain.about import REQUEST
from thumbturn.domain.audit import RECORDING
from thumbturn.domain.clock import Clock, stopwatch
from thumbturn.domain.errors import Refusal
from thumbturn.domain.ids import new_id
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.acs_users import AcsUsers
from thumbturn.engine.cells import Cell, Cells, alone
from thumbturn.engine.client_sessions import ClientSessions
from thumbturn.engine.connect_webviews import ConnectWebviews
from thumbturn.engine.engine import Engine
from thumbturn.engine.feed import Feed
from thumbturn.engine.notices import Silence
from thumbturn.engine.phones import Phones
from thumbturn.engine.pins import Pins
from thumbturn.engine.ports import Store
from thumbturn.engine.underway import Underway
from thumbturn.engine.user_identities import UserIdentities
from thumbturn.engine.webhooks import Webhooks

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Mapping[bytes, bytes]
#: A content type, and what is served under it: always the same, or made when it is asked for.
Document = tuple[bytes, bytes | Callable[[], Awaitable[bytes]]]

_log = structlog.get_logger("thumbturn.api")


def create_app(surroundings: Surroundings) -> Api:
    """The ASGI application that speaks for this surroundings."""
    return Api(surroundings, endpoints(), descriptions())


class Api:
    """An ASGI application. ``more`` is what its endpoints may need beyond the surroundings."""

    def __init__(
        self,
        surroundings: Surroundings,
        table: Mapping[str, Endpoint],
        described: Mapping[str, Document],
        more: Mapping[type, Any] = MappingProxyType({}),
        new_request_id: Callable[[], str] = new_id,
    ) -> None:
        self._new_request_id = new_request_id
        self._settings = surroundings.settings
        self._cells = surroundings.cells
        others = surroundings.others
        self._callers = Callers(
            surroundings.store, surroundings.clock, Silence() if others is None else others.notices
        )
        self._acts = Acts(surroundings.store, surroundings.clock)
        self._idempotency = Idempotency(surroundings.store, surroundings.clock)
        provided = {
            Cells: surroundings.cells,
            Store: surroundings.store,
            Webhooks: surroundings.webhooks,
            ClientSessions: surroundings.client_sessions,
            UserIdentities: surroundings.user_identities,
            Phones: surroundings.phones,
            Clock: surroundings.clock,
            Feed: surroundings.feed,
            Pins: surroundings.pins,
            ApiSettings: surroundings.settings,
            Callers: self._callers,
            **({} if others is not None else _of(alone(surroundings.cells))),
            Observer: Observer(
                surroundings.cells, surroundings.store, surroundings.webhooks, surroundings.clock
            ),
            **more,
        }
        of_requests = frozenset[type]() if others is None else OF_REQUESTS
        self._routes = {path: Route(each, provided, of_requests) for path, each in table.items()}
        self._documents = dict(described)
        self._connecting = Connecting(surroundings.store, self._callers)
        self._among = None
        if others is not None:
            self._among = AmongOthers(
                surroundings.cells, others, self._idempotency, self._connecting, surroundings.clock
            )
        self._requests = RequestMeters([*self._routes, *self._documents, "/metrics", VIEW])
        if surroundings.settings.metrics:
            metrics = Metrics(
                surroundings.cells,
                surroundings.store,
                surroundings.webhooks,
                self._requests,
                surroundings.clock,
            )
            self._documents["/metrics"] = (CONTENT_TYPE, metrics.text)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _refuse_protocol(scope, receive, send)
            return
        began = stopwatch()
        headers: Headers = dict(scope["headers"])
        request_id = scope.get(FORWARDED) or self._new_request_id()
        status, kind = 200, JSON
        more: tuple[Header, ...] = ()
        body: bytes | EventStream | Reply
        try:
            if scope["method"] == "OPTIONS":
                body, more = b'{"ok":true}', PREFLIGHT
            elif (route := self._routes.get(scope["path"])) is not None:
                call = Call(scope, headers, request_id, receive)
                REQUEST.set(call)
                body = await self._answer(route, scope, headers, receive, call)
                more = call.reply_headers
            elif scope["path"] == VIEW:
                body = await self._page(scope, headers, receive, request_id)
            else:
                kind, body = await self._document(scope)
        except Refusal as refusal:
            status, body, more = failure_body(refusal, request_id)
        except Disconnected:
            return
        except Exception as bug:  # noqa: BLE001 - a bug must end in an answer, and in the log
            _log_bug(bug, request_id, scope["path"])
            status, body, more = failure_body(None, request_id)
        if isinstance(body, EventStream):
            self._requests.answered(scope["path"], status, stopwatch() - began)
            head = headers_of(request_id, EVENT_STREAM, None, headers.get(b"origin"), more)
            await _stream(body, scope, receive, send, head, request_id)
            return
        if isinstance(body, Reply):
            status, head, body = body
        else:
            head = headers_of(request_id, kind, len(body), headers.get(b"origin"), more)
        await send({"type": "http.response.start", "status": status, "headers": head})
        await send({"type": "http.response.body", "body": body})
        self._requests.answered(scope["path"], status, stopwatch() - began)

    async def _answer(
        self, route: Route, scope: Scope, headers: Headers, receive: Receive, call: Call
    ) -> bytes | EventStream | Reply:
        bearer, content = None, b""
        if route.access is not None:
            shown, workspace = shown_in(headers)
            # A person is the same in any workspace.
            bearer = await self._callers.identify(shown, b"" if route.access is Person else workspace)
            route.admit(bearer, route.access)
        method = scope["method"]
        if method not in route.methods:
            raise wrong_method(route.methods)
        parameters: Any = {}
        if method != "GET" or b"content-length" in headers or b"transfer-encoding" in headers:
            content = await read_body(receive, headers, self._settings.max_body_bytes)
            if content:
                parameters = decode_body(method, headers.get(b"content-type", b""), content)
        query = scope["query_string"]
        if query:
            if len(query) > self._settings.max_query_bytes:
                raise PayloadTooLarge
            parameters = _joined(route.grammar().parse(query), parameters)
        call.parameters = parameters
        try:
            ask = route.validate(parameters, strict=True)
        except ValidationError as problems:
            raise refusal_of(problems, parameters, self._settings.error_wording) from None
        perform = self._on_record if route.is_recorded else Route.call
        act = partial(perform, route, ask, bearer, parameters, scope, call)
        if self._among is not None:
            return await self._among.answer(route, ask, bearer, act, scope, content, call)
        if HEADER in headers and route.acts:
            return await self._idempotency.answer(call, bearer, ask, act, begins_attempt=route.begins_attempt)
        answer = await act()
        return answer if isinstance(answer, EventStream) else answer_body(answer)

    async def _page(self, scope: Scope, headers: Headers, receive: Receive, request_id: str) -> Reply:
        """The page of a connect webview, or the way to it after a step."""
        shown: Shown | Reply
        if self._among is None:
            shown = await self._connecting.answer(
                alone(self._cells).connect_webviews, scope, headers, receive
            )
        else:
            shown = await self._among.page(scope, headers, receive, request_id)
        if isinstance(shown, Reply):
            return shown
        status, more, body = shown
        head = headers_of(request_id, HTML, len(body), headers.get(b"origin"), more)
        return Reply(status, head, body)

    async def _on_record(
        self, route: Route, ask: BaseModel, bearer: Bearer | None, parameters: Any, scope: Scope, call: Call
    ) -> Answer:
        """The answer of a call that acts, once the audit trail has it."""
        assert bearer is not None  # nobody's call acts
        asker = asker_of(call, bearer)
        recording = self._acts.begin(call.path, ask, bearer, asker)
        token = RECORDING.set(recording)
        try:
            answer: Answer = await route.call(ask, bearer, parameters, scope, call)
        except BaseException:  # also when the call is given up: what comes later is no part of its act
            recording.is_over = True
            raise
        finally:
            RECORDING.reset(token)
        await self._acts.end(recording, answer)
        return answer

    async def _document(self, scope: Scope) -> tuple[bytes, bytes]:
        document = self._documents.get(scope["path"])
        if document is None:
            raise NotFound
        if scope["method"] != "GET":
            raise wrong_method(("GET",))
        kind, body = document
        return kind, body if isinstance(body, bytes) else await body()


class Route:
    """An endpoint made ready to answer."""

    def __init__(
        self,
        endpoint: Endpoint,
        provided: Mapping[type, Any],
        of_requests: frozenset[type] = frozenset(),
    ) -> None:
        self.place = endpoint.place
        self.waits = endpoint.waits
        self.methods = endpoint.methods
        self.access = endpoint.access
        #: Of what nobody has to show a token for, no record says who did it.
        self.acts = endpoint.acts and endpoint.access is not None
        #: Learned by the first who asks: most routes are never asked with a query.
        self.grammar = partial(grammar_of, endpoint.ask)
        self.validate = endpoint.ask.__pydantic_validator__.validate_python
        self._open_to = endpoint.open_to
        self._path = endpoint.path
        self._fields = frozenset(endpoint.ask.model_fields)
        self._function = endpoint.furnish(provided, of_requests)
        #: What depends on the workspace, by name.
        self._of_requests = [(name, kind) for name, kind in endpoint.needs.items() if kind in of_requests]
        self._ask = endpoint.name_of(BaseModel)
        self._bearer = endpoint.name_of(Bearer)
        self._pages = endpoint.name_of(Pages)
        self._call = endpoint.name_of(Call)
        self._once = endpoint.name_of(Once)
        self.begins_attempt = self._once is not None
        #: Accepted attempts are in the audit trail by themselves.
        self.is_recorded = self.acts and not self.begins_attempt

    def admit(self, bearer: Bearer, access: type[Bearer]) -> None:
        """Return if he may call it. Raises ``Unauthorized``."""
        if bearer.key.kind not in self._open_to:
            raise Unauthorized(NOT_WITH.get(bearer.key.kind))
        if not isinstance(bearer, access):
            raise Unauthorized

    async def call(
        self,
        ask: BaseModel,
        bearer: Bearer | None,
        parameters: Mapping[str, Any],
        scope: Scope,
        call: Call,
    ) -> Any:
        """The function's answer to this request."""
        brought: dict[str, Any] = {}
        if self._ask is not None:
            brought[self._ask] = ask
        if self._bearer is not None:
            brought[self._bearer] = bearer
        if self._call is not None:
            brought[self._call] = call
        if self._once is not None:
            brought[self._once] = call.once
        for name, kind in self._of_requests:
            brought[name] = call.parts[kind]
        if self._pages is not None and isinstance(bearer, Caller):
            given = {key: value for key, value in parameters.items() if key in self._fields}
            host = call.header(b"host") or ""
            brought[self._pages] = Pages(self._path, given, bearer.workspace.id, scope["scheme"], host)
        return await self._function(**brought)


def _joined(query: Mapping[str, Any], body: Any) -> Any:
    """The parameters of both places. What is no object is left for the validation to refuse."""
    return {**query, **body} if isinstance(body, dict) else body


async def _stream(
    body: EventStream, scope: Scope, receive: Receive, send: Send, head: list[Header], request_id: str
) -> None:
    try:
        await body.answer(scope, receive, send, head)
    except Exception as bug:  # noqa: BLE001 - too late for an answer, not for the log
        _log_bug(bug, request_id, scope["path"])


def _log_bug(bug: Exception, request_id: str, path: str) -> None:
    # Formatted here, because a formatter that shows variables would show tokens.
    trace = "".join(format_exception(bug))
    _log.error("request_failed", request_id=request_id, path=path, exception=trace)


def wrong_method(methods: tuple[str, ...]) -> MethodNotAllowed:
    """The refusal of any other method than these."""
    accepted = ",".join(methods)
    return MethodNotAllowed(f"only {accepted} accepted", headers={"allow": accepted})


async def _refuse_protocol(scope: Scope, receive: Receive, send: Send) -> None:
    """Starting and stopping is not this application's affair, and it speaks no websocket."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})
        return
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


def _of(cell: Cell) -> Mapping[type, Any]:
    """What hangs on the engine of every workspace, where there is but one."""
    return {
        Engine: cell.engine,
        Underway: cell.engine,
        AcsUsers: cell.acs_users,
        AcsCredentials: cell.acs_credentials,
        ConnectWebviews: cell.connect_webviews,
    }
