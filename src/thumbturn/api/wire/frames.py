"""What goes over the stream: events and changes of attempts as frames of Server-Sent Events.

A frame is the same for everybody who gets it, so it is made once and kept for a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from pydantic_core import to_json
from sse_starlette.event import ServerSentEvent
from typing_extensions import TypedDict

from thumbturn.api.wire.attempt import ActionAttempt, attempt_json
from thumbturn.api.wire.event import event_json
from thumbturn.domain.clock import to_wire
from thumbturn.domain.event import Recorded
from thumbturn.engine.live import Moved
from thumbturn.engine.pins import Pins

#: Ends each line. A browser takes any of the three that there are; this is the shortest.
LINE_END = "\n"
#: After so many ms a client that lost the connection should come back.
COME_BACK_AFTER = 2_000

_MOST_KEPT = 2_000
_kept: dict[Hashable, bytes] = {}


class AttemptChange(TypedDict):
    """An attempt as it stood when it reached a stage."""

    action_attempt: ActionAttempt
    stage: str
    at: str


class Place(TypedDict):
    """A place in the workspace's sequence of events: nothing behind it will be missed."""

    sequence: int


class Notice(TypedDict):
    """Something about the stream itself."""

    message: str


class Ending(TypedDict):
    """Why the stream ends."""

    type: str
    message: str


def ready_frame(sequence: int) -> bytes:
    """The first frame: from behind this place of the sequence nothing will be missed."""
    place: Place = {"sequence": sequence}
    said = ServerSentEvent(
        _text(place),
        event="ready",
        id=str(sequence),
        retry=COME_BACK_AFTER,
        sep=LINE_END,
    )
    return said.encode()


def event_frame(recorded: Recorded, pins: Pins) -> bytes:
    """An event, with its place in the sequence as its id."""
    event = recorded.event
    return _once(
        event.event_id,
        lambda: ServerSentEvent(
            _text(event_json(event, pins)), event=event.event_type, id=str(recorded.sequence), sep=LINE_END
        ),
    )


def attempt_frame(moved: Moved) -> bytes:
    """A change of an attempt. It has no id: what is behind an id comes again, and this would not."""
    change: AttemptChange = {
        "action_attempt": attempt_json(moved.attempt),
        "stage": moved.stage,
        "at": to_wire(moved.at),
    }
    return _once(
        (moved.attempt.id, moved.stage, moved.at),
        lambda: ServerSentEvent(_text(change), event="action_attempt", sep=LINE_END),
    )


def place_frame(sequence: int) -> bytes:
    """Nothing but an id: everything up to this place was of no interest to the reader."""
    return ServerSentEvent(id=str(sequence), sep=LINE_END).encode()


def skipped_frame() -> bytes:
    """Changes of attempts are missing before the next."""
    said: Notice = {
        "message": "The reader was too slow: some changes of action attempts were left out. No event was."
    }
    return ServerSentEvent(_text(said), event="skipped", sep=LINE_END).encode()


def closed_frame(type: str, message: str) -> bytes:
    """The last frame, which says why there are no more."""
    ending: Ending = {"type": type, "message": message}
    return ServerSentEvent(_text(ending), event="closed", sep=LINE_END).encode()


def heartbeat() -> ServerSentEvent:
    """A comment: nothing happened, and the connection is alive."""
    return ServerSentEvent(comment="still here", sep=LINE_END)


def _text(value: Mapping[str, Any]) -> str:
    return to_json(value).decode()


def _once(name: Hashable, make: Callable[[], ServerSentEvent]) -> bytes:
    frame = _kept.get(name)
    if frame is None:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        frame = _kept[name] = make().encode()
    return frame
