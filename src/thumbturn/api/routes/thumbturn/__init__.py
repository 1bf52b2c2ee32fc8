"""``/thumbturn``: what this server has beyond the contract. Here: whether it can work, and the stream."""

from __future__ import annotations

from collections.abc import Iterator

from thumbturn.api.call import Call
from thumbturn.api.callers import Caller, Callers
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.following import Following, Sources
from thumbturn.api.listening import StreamOpen, place_of, view_of
from thumbturn.api.readiness import Observer
from thumbturn.api.refusals import NotReady, TooManyStreams
from thumbturn.api.stream import EventStream
from thumbturn.api.surroundings import ApiSettings
from thumbturn.api.wire.event import Event
from thumbturn.api.wire.frames import AttemptChange, Ending, Notice, Place
from thumbturn.api.wire.readiness import Readiness
from thumbturn.domain.clock import Clock
from thumbturn.domain.refusals import ActionAttemptNotFound
from thumbturn.engine.feed import Feed
from thumbturn.engine.pins import Pins
from thumbturn.engine.ports import Store
from thumbturn.engine.underway import Underway

#: Of one workspace at a time. Each holds a connection, of which the machine has so many and no more.
MOST_STREAMS = 1_000
#: One person's pages must not take the streams of all others.
MOST_STREAMS_OF_A_SESSION = 20


@endpoint({"readiness": Readiness}, methods=("GET",), is_public=True)
async def ready(observer: Observer) -> Answer:
    """Says whether the server can do its work, part by part. Needs no token.

    If a part cannot, the answer is 503 `not_ready`, with the same `readiness` in the error's `data`.
    """
    readiness = await observer.look()
    if not readiness["is_ready"]:
        raise NotReady(" ".join(_complaints(readiness)), data={"readiness": readiness})
    return {"readiness": readiness}


@endpoint(
    {"event": Event, "action_attempt": AttemptChange, "ready": Place, "skipped": Notice, "closed": Ending},
    methods=("GET",),
    is_stream=True,
)
async def stream(
    ask: StreamOpen,
    caller: Caller,
    call: Call,
    underway: Underway,
    feed: Feed,
    store: Store,
    callers: Callers,
    pins: Pins,
    clock: Clock,
    settings: ApiSettings,
) -> EventStream:
    """Tells the workspace's events, and how its attempts move, as Server-Sent Events, without end.

    Each event has its place in the workspace's sequence as its id; whoever connects again with the last
    id in the header Last-Event-ID goes on right behind it, without loss or repeat; if what comes next is
    not kept any more, he is refused with 410 `events_forgotten`.
    """
    if ask.action_attempt_id is not None:
        found = await store.attempt(caller.workspace.id, ask.action_attempt_id, caller.reach)
        if found is None:
            raise ActionAttemptNotFound(data={"action_attempt_id": ask.action_attempt_id})
    newest = await store.last_sequence(caller.workspace.id)
    # Clients that were never told an id send an empty header.
    last_event_id = call.header(b"last-event-id") or ask.last_event_id
    after = newest
    if last_event_id is not None:
        oldest = await store.retention.oldest_event(caller.workspace.id)
        after = place_of(last_event_id, newest, oldest)
    if underway.live.watchers(caller.workspace.id) >= MOST_STREAMS:
        raise TooManyStreams
    if caller.reach is not None and callers.watchers(caller.key.id) >= MOST_STREAMS_OF_A_SESSION:
        raise TooManyStreams("A client session has at most 20 streams open at a time. Close one.")
    sources = Sources(feed=feed, live=underway.live, store=store, callers=callers, clock=clock, pins=pins)
    return EventStream(Following(sources, caller, view_of(ask), after), settings.stream_patience)


def _complaints(readiness: Readiness) -> Iterator[str]:
    for part in (readiness[each] for each in ("database", "writer", "backlog", "webhooks")):
        if part["message"]:
            yield part["message"]
    for driver in readiness["drivers"]:
        if driver["message"]:
            yield f"Driver {driver['driver']}: {driver['message']}"
