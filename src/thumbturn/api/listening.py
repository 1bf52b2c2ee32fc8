"""What a reader of the stream asks for: what he wants to be told, and from where on."""

from __future__ import annotations

from thumbturn.api.following import View
from thumbturn.api.parameters import Maybe, Parameters, either
from thumbturn.api.refusals import EventsForgotten, InvalidInput
from thumbturn.api.wire.vocabulary import EventType


class StreamOpen(Parameters):
    """What to be told, and from where on. Without any filter: everything, from now on."""

    device_id: Maybe[str] = None
    """Only what is about this device."""
    device_ids: Maybe[list[str]] = None
    """Only what is about one of these devices."""
    event_type: Maybe[EventType] = None
    """Of the events, only those of this type."""
    event_types: Maybe[list[EventType]] = None
    """Of the events, only those of one of these types."""
    action_attempt_id: Maybe[str] = None
    """Only what is about this attempt; how it stands now comes first."""
    include_attempts: bool = True
    """Whether to tell how attempts move, beside the events."""
    last_event_id: Maybe[str] = None
    """The id behind which to go on, for clients that cannot send the header Last-Event-ID, which wins."""


def view_of(ask: StreamOpen) -> View:
    """What he sees: what he chose, of what his key opens."""
    device_ids = either(ask.device_id, ask.device_ids)
    event_types = either(ask.event_type, ask.event_types)
    return View(
        device_ids=None if device_ids is None else frozenset(device_ids),
        event_types=None if event_types is None else frozenset(event_types),
        action_attempt_id=ask.action_attempt_id,
        with_attempts=ask.include_attempts,
    )


def place_of(last_event_id: str, newest: int, oldest: int) -> int:
    """The place in the sequence that the id names, where ``oldest`` is the first that is on record.

    Raises ``InvalidInput`` if there is none such yet, ``EventsForgotten`` if what comes next is gone.
    """
    if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 19):
        raise InvalidInput.of("last_event_id", "Expected the id of an event of this stream, a whole number")
    place = int(last_event_id)
    if place > newest:
        raise InvalidInput.of("last_event_id", f"No event has this id yet, the newest is {newest}")
    if place + 1 < oldest:
        raise EventsForgotten(
            f"Events up to the id {oldest - 1} are not kept any more. Connect with that as the last id to go "
            "on with what there is.",
            data={"forgotten_up_to": oldest - 1},
        )
    return place
