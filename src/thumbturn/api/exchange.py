"""One request and its answer, as uvicorn has them, except that a whole answer is one write.

uvicorn writes the head of an answer when it hears of it, and then the body: two calls of the system
for each request, either of which may wake whoever waits at the other end. Nearly all answers here
are a few hundred bytes whose number is known. Their head waits for the body, and both leave together.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle


class Exchange(RequestResponseCycle):
    """uvicorn's cycle. A stream, and whatever else is unusual, goes uvicorn's own way."""

    #: The start of an answer that waits for its body.
    _start: Any = None

    async def send(self, message: Any) -> None:
        """Take the next part of the answer."""
        if self._start is None:
            if not self.response_started and self._has_length(message):
                self._start, self.response_started = message, True
            else:
                await super().send(message)
            return
        start, self._start, self.response_started = self._start, None, False
        if message.get("more_body") or b"%d" % len(message.get("body", b"")) != _length(start):
            await super().send(start)
            await super().send(message)
            return
        if self.flow.write_paused:
            await self.flow.drain()
        if not self.disconnected:
            self._write(start["status"], start["headers"], message.get("body", b""))

    def _has_length(self, message: Any) -> bool:
        return self.keep_alive and self.scope["method"] != "HEAD" and _length(message) is not None

    def _write(self, status: int, headers: Any, body: bytes) -> None:
        lines = list(map(b": ".join, (*self.default_headers, *headers)))
        head = STATUS_LINE[status] + b"\r\n".join(lines)
        if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines):
            raise RuntimeError("A header of an answer has more than one line.")
        self.transport.write(b"%b\r\n\r\n%b" % (head, body))
        self.response_started = self.response_complete = True
        self.message_event.set()
        self.on_response()


def _length(start: Any) -> bytes | None:
    for name, value in start.get("headers", ()):
        if name == b"content-length":
            return bytes(value)
    return None
