"""HTTP on a connection. What cannot be read as HTTP at all is answered in the envelope too."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from thumbturn.api.connections import Awaited
from thumbturn.api.exchange import Exchange
from thumbturn.api.refusals import PayloadTooLarge, RequestTimedOut, UnreadableRequest
from thumbturn.api.reply import JSON, failure_body, headers_of
from thumbturn.domain.errors import Refusal
from thumbturn.domain.ids import new_id

#: A request line with its headers is read into memory before anybody can look at it: above this many
#: bytes nobody does. Room for the longest query string and what else came in the same packet.
MOST_HEAD_BYTES = 1 << 19


class EnvelopeProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, except that its own 400 is like every other refusal, that headers have a bound,
    that an answer is written in one piece, and that whoever sends nothing is let go of without a timer
    (``connections.py``).
    """

    #: Bytes since the request began whose headers are not all here; ``None`` while its body comes.
    _head: int | None = 0
    awaited: Awaited | None = None
    awaited_since = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # For an answer that has no end: closing would wait until the reader has read.
        self.app_state = {**self.app_state, "break_off": transport.abort}

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += len(data)
            if self._head > MOST_HEAD_BYTES:
                self._refuse(PayloadTooLarge())
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        # As uvicorn does it, for all that is switched on here, but with an exchange of our own.
        self._head = None
        url = httptools.parse_url(self.url)
        path = url.path.decode("ascii")
        version = self.parser.get_http_version()
        self.scope["method"] = self.parser.get_method().decode("ascii")
        self.scope["http_version"] = version
        self.scope["path"] = unquote(path) if "%" in path else path
        self.scope["raw_path"] = url.path
        self.scope["query_string"] = url.query or b""
        before: Exchange | None = self.cycle  # type: ignore[assignment]
        self.cycle = Exchange(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version != "1.0" and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if before is None or before.response_complete:
            self._start_asgi_task(self.cycle, self.app)
        else:
            # The one before is not answered yet: this one waits, and nothing more is read.
            self.flow.pause_reading()
            self.pipeline.appendleft((self.cycle, self.app))

    def on_message_complete(self) -> None:
        self._head = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        # As uvicorn does it, but without its timer for each answer.
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())

    def awaits(self) -> Awaited | None:
        exchange: Exchange | None = self.cycle  # type: ignore[assignment]
        if self.pipeline or self.transport.is_closing():
            return None
        if exchange is None:
            return Awaited(self._head != 0, None)
        if not (exchange.response_complete or exchange.more_body):
            return None  # it is our turn
        # The next one may have begun in the packet in which that one ended.
        return Awaited(self._head != 0 or exchange.scope is not self.scope, exchange)

    def let_go(self, awaited: Awaited) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()  # its client does not even read what it was sent
        elif awaited.is_unfinished and (self._head is not None or not self.cycle.response_started):
            self._refuse(RequestTimedOut())
        else:
            self.transport.close()

    def send_400_response(self, msg: str) -> None:
        self._refuse(UnreadableRequest())

    def _refuse(self, refusal: Refusal) -> None:
        request_id = new_id()
        status, body, more = failure_body(refusal, request_id)
        headers = headers_of(request_id, JSON, len(body), None, [*more, (b"connection", b"close")])
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(
            b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, HTTPStatus(status).phrase.encode(), lines, body)
        )
        self.transport.close()
