"""An answer that does not end: frames of Server-Sent Events for as long as the reader reads.

Frames are handed to the connection one after the other, the next when it has taken the last. So what
waits for a reader is what his connection holds, and nothing more. One that takes nothing for
``patience`` is cut off: he may still have a word why, if he reads on soon; else the connection is
broken off, because closing it would wait for him too.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Protocol, cast

import anyio
import structlog
from sse_starlette.sse import EventSourceResponse, SendTimeoutError

from thumbturn.api.call import Header
from thumbturn.api.wire.frames import LINE_END, closed_frame, heartbeat

log = structlog.get_logger("thumbturn.api")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

#: Seconds between heartbeats.
HEARTBEAT_EVERY = 15.0
#: Seconds that a stream has to say goodbye when the server stops; under those that requests have.
GOODBYE_WITHIN = 1.0
#: What a reader is told who was cut off and reads on after all.
TOO_SLOW = closed_frame(
    "too_slow", "Nothing was read for too long. Connect again with the last id: no event is lost."
)


class Frames(Protocol):
    """What a stream consists of."""

    def frames(self) -> AsyncGenerator[bytes, None]:
        """The frames, several at a time where there are several."""

    def set(self) -> None:
        """The server stops: say so, and end."""


class EventStream:
    """The answer of an endpoint that streams."""

    def __init__(self, frames: Frames, patience: float) -> None:
        self._frames = frames
        self._patience = patience

    async def answer(self, scope: Message, receive: Receive, send: Send, headers: Iterable[Header]) -> None:
        """Send headers and frames until the reader goes, the stream ends or the server stops."""
        is_complete = False

        async def sending(message: Message) -> None:
            nonlocal is_complete
            await send(message)
            is_complete = message["type"] == "http.response.body" and not message.get("more_body", False)

        response = EventSourceResponse(
            self._frames.frames(),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in headers},
            ping=HEARTBEAT_EVERY,
            ping_message_factory=heartbeat,
            sep=LINE_END,
            send_timeout=self._patience,
            shutdown_event=cast("anyio.Event", self._frames),  # of which it asks nothing but ``set``
            shutdown_grace_period=GOODBYE_WITHIN,
        )
        try:
            await response(scope, receive, sending)
        except SendTimeoutError:
            log.warning("stream_reader_cut_off", path=scope["path"], seconds=self._patience)
            with anyio.move_on_after(self._patience):
                await sending({"type": "http.response.body", "body": TOO_SLOW, "more_body": False})
        finally:
            if not is_complete:
                await _break_off(scope, receive)


async def _break_off(scope: Message, receive: Receive) -> None:
    break_off = scope.get("state", {}).get("break_off")
    if break_off is not None:
        break_off()
        # The server must know it before this returns, or it would complain that the answer has no end.
        with anyio.move_on_after(1, shield=True):
            while (await receive())["type"] != "http.disconnect":
                continue
