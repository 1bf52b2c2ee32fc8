"""A request and its reply as one process hands them to another: whole, and sealed on their way."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, MutableMapping
from typing import Any, NamedTuple

from thumbturn.api.call import Header

#: The key of an ASGI scope under which the request id of a call stands that another process was asked.
FORWARDED = "thumbturn.forwarded"
#: They are about the connection that the request came by, and not about the request.
_OF_THE_CONNECTION = {b"connection", b"content-length", b"expect", b"keep-alive", b"transfer-encoding"}


class Request(NamedTuple):
    """A call as it came, so that whoever answers it cannot tell it from one of his own."""

    request_id: str
    method: str
    scheme: str
    path: str
    query: bytes
    headers: tuple[Header, ...]
    body: bytes

    @classmethod
    def of(cls, request_id: str, scope: MutableMapping[str, Any], body: bytes) -> Request:
        """The request with this body."""
        headers = [each for each in scope["headers"] if each[0] not in _OF_THE_CONNECTION]
        if body:
            headers.append((b"content-length", b"%d" % len(body)))
        return cls(
            request_id,
            scope["method"],
            scope["scheme"],
            scope["path"],
            scope["query_string"],
            tuple(headers),
            body,
        )

    @classmethod
    def read(cls, text: str) -> Request:
        """What ``written`` wrote."""
        request_id, method, scheme, path, query, headers, body = json.loads(text)
        return cls(
            request_id, method, scheme, path, query.encode("latin-1"), _headers(headers), b64decode(body)
        )

    def written(self) -> str:
        """The request as a text."""
        query, body = self.query.decode("latin-1"), b64encode(self.body).decode()
        return json.dumps([*self[:4], query, _written(self.headers), body])

    def scope(self) -> MutableMapping[str, Any]:
        """The ASGI scope of the request."""
        return {
            "type": "http",
            "method": self.method,
            "scheme": self.scheme,
            "path": self.path,
            "query_string": self.query,
            "headers": list(self.headers),
            "state": {},
            FORWARDED: self.request_id,
        }


class Reply(NamedTuple):
    """An answer as it goes out."""

    status: int
    headers: list[Header]
    body: bytes

    @classmethod
    def read(cls, text: str) -> Reply:
        """What ``written`` wrote."""
        status, headers, body = json.loads(text)
        return cls(status, list(_headers(headers)), b64decode(body))

    def written(self) -> str:
        """The reply as a text."""
        return json.dumps([self.status, _written(self.headers), b64encode(self.body).decode()])


def _written(headers: Iterable[Header]) -> list[list[str]]:
    return [[name.decode("latin-1"), value.decode("latin-1")] for name, value in headers]


def _headers(written: Iterable[tuple[str, str]]) -> tuple[Header, ...]:
    return tuple([(name.encode("latin-1"), value.encode("latin-1")) for name, value in written])
