"""One request, as an endpoint may see it beside its parameters, and its reply beside the body."""

from __future__ import annotations

from collections.abc import Mapping

Header = tuple[bytes, bytes]


class Call:
    """What an endpoint gets that asks for it."""

    __slots__ = ("_headers", "path", "reply_headers", "request_id")

    def __init__(self, path: str, headers: Mapping[bytes, bytes], request_id: str) -> None:
        self.path = path
        self.request_id = request_id
        #: Sent with a good answer, beside those that every answer has.
        self.reply_headers: tuple[Header, ...] = ()
        self._headers = headers

    def header(self, name: bytes) -> str | None:
        """A header of the request by its name in lower case; ``None`` if it was not sent."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def add_reply_header(self, name: str, value: str) -> None:
        """Send this header with the answer, if it is a good one."""
        self.reply_headers += ((name.encode("latin-1"), value.encode("latin-1")),)
