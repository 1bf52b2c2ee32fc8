"""What cannot be read as HTTP at all is answered in the envelope too."""

from __future__ import annotations

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from thumbturn.api.refusals import PayloadTooLarge, UnreadableRequest
from thumbturn.api.reply import JSON, failure_body, headers_of
from thumbturn.domain.errors import Refusal
from thumbturn.domain.ids import new_id

#: A request line with its headers is read into memory before anybody can look at it: above this many
#: bytes nobody does. Room for the longest query string and what else came in the same packet.
MOST_HEAD_BYTES = 1 << 19


class EnvelopeProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, except that its own 400 is like every other refusal, and that headers have a bound."""

    #: Bytes since the request began whose headers are not all here; ``None`` while its body comes.
    _head: int | None = 0

    def data_received(self, data: bytes) -> None:
        if self._head is not None:
            self._head += len(data)
            if self._head > MOST_HEAD_BYTES:
                self._refuse(PayloadTooLarge())
                return
        super().data_received(data)

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._head = 0
        super().on_message_complete()

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
