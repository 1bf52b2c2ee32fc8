"""What cannot be read as HTTP at all is answered in the envelope too."""

from __future__ import annotations

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from thumbturn.api.refusals import UnreadableRequest
from thumbturn.api.reply import JSON, failure_body, headers_of
from thumbturn.domain.ids import new_id


class EnvelopeProtocol(HttpToolsProtocol):
    """uvicorn's HTTP, except that its own 400 has the shape of every other refusal."""

    def send_400_response(self, msg: str) -> None:
        request_id = new_id()
        status, body, more = failure_body(UnreadableRequest(), request_id)
        headers = headers_of(request_id, JSON, len(body), None, [*more, (b"connection", b"close")])
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(
            b"HTTP/1.1 %d %b\r\n%b\r\n%b" % (status, HTTPStatus(status).phrase.encode(), lines, body)
        )
        self.transport.close()
