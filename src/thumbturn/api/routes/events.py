"""``/events``: what the workspace was told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.parameters import MOST_AT_ONCE, Maybe, Moment, Parameters, either
from thumbturn.api.refusals import EventNotFound
from thumbturn.api.wire.event import Event, event_json
from thumbturn.api.wire.vocabulary import EventType
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import EventFilter, Store

Hundred = Annotated[list[str], Field(max_length=100)]


class EventGet(Parameters):
    """Which event: the newest that fits."""

    event_id: Maybe[str] = None
    """The event."""
    device_id: Maybe[str] = None
    """Of this device."""
    event_type: Maybe[str] = None
    """Of this type."""

    @model_validator(mode="after")
    def _something(self) -> EventGet:
        if self.event_id is None and self.device_id is None and self.event_type is None:
            raise ValueError("One of 'event_id', 'device_id' or 'event_type' is required")
        return self


class EventList(Parameters):
    """Which events. At least one filter is needed."""

    event_ids: Maybe[list[str]] = None
    """Only these."""
    event_type: Maybe[EventType] = None
    """Only of this type."""
    event_types: Maybe[list[EventType]] = None
    """Only of one of these types."""
    device_id: Maybe[str] = None
    """Only of this device."""
    device_ids: Maybe[list[str]] = None
    """Only of one of these devices."""
    connected_account_id: Maybe[str] = None
    """Only of this account."""
    since: Maybe[Moment] = None
    """Only what came after this moment."""
    between: Maybe[Annotated[list[Moment], Field(min_length=2, max_length=2)]] = None
    """Only what came after the first and before the second moment."""
    access_code_id: Maybe[str] = None
    """Only about this access code."""
    access_code_ids: Maybe[list[str]] = None
    """Only about one of these access codes."""
    access_grant_id: Maybe[str] = None
    access_grant_ids: Maybe[Hundred] = None
    access_method_id: Maybe[str] = None
    access_method_ids: Maybe[Hundred] = None
    acs_access_group_id: Maybe[str] = None
    acs_credential_id: Maybe[str] = None
    acs_encoder_id: Maybe[str] = None
    acs_entrance_id: Maybe[str] = None
    acs_system_id: Maybe[str] = None
    acs_system_ids: Maybe[list[str]] = None
    acs_user_id: Maybe[str] = None
    connect_webview_id: Maybe[str] = None
    customer_key: Maybe[str] = None
    space_id: Maybe[str] = None
    space_ids: Maybe[Hundred] = None
    user_identity_id: Maybe[str] = None
    limit: Annotated[int, Field(gt=0)] = 500
    """How many at most; never more than 10,000 at once."""
    unstable_offset: Annotated[int, Field(ge=0, le=1_000_000_000)] = 0
    """How many of them to leave out at the beginning."""

    @model_validator(mode="after")
    def _filters(self) -> EventList:
        if not any(getattr(self, name) is not None for name in _FILTERS):
            raise ValueError("At least one filter is required, such as 'since', 'between' or 'device_id'")
        if self.since is not None and self.between is not None:
            raise ValueError("Only one of 'since' and 'between' can be given")
        return self


_FILTERS = frozenset(EventList.model_fields) - {"limit", "unstable_offset"}
#: Filters by a thing of an access control system, or a space, as it stands in the event.
_OF_ACCESS = (
    "acs_access_group_id",
    "acs_credential_id",
    "acs_encoder_id",
    "acs_entrance_id",
    "acs_user_id",
    "space_id",
)
#: Filters for things that no event of this server is about yet: nothing matches them.
_UNKNOWN = _FILTERS - {
    "event_ids",
    "event_type",
    "event_types",
    "device_id",
    "device_ids",
    "connected_account_id",
    "access_code_id",
    "access_code_ids",
    "since",
    "between",
    "acs_system_id",
    "acs_system_ids",
    "space_ids",
    *_OF_ACCESS,
}


@endpoint({"event": Event})
async def get(ask: EventGet, caller: Caller, store: Store, engine: Engine) -> Answer:
    """Returns an event: by its id, or the newest of a device or a type."""
    wanted = EventFilter(
        event_ids=either(ask.event_id, None),
        event_types=either(ask.event_type, None),
        device_ids=either(ask.device_id, None),
        reach=caller.reach,
    )
    event = await store.event(caller.workspace.id, wanted)
    if event is None:
        raise EventNotFound
    return {"event": event_json(event, engine.access_codes.pins)}


@endpoint({"events": list[Event]})
async def list_(ask: EventList, caller: Caller, store: Store, engine: Engine) -> Answer:
    """Lists events in the order in which they were told."""
    systems = either(ask.acs_system_id, ask.acs_system_ids)
    if any(getattr(ask, name) is not None for name in _UNKNOWN):
        return {"events": []}
    among = {
        name: values
        for name, values in (("acs_system_id", systems), ("space_id", ask.space_ids))
        if values is not None
    }
    after, before = ask.between or (ask.since, None)
    wanted = EventFilter(
        event_ids=ask.event_ids,
        event_types=either(ask.event_type, ask.event_types),
        device_ids=either(ask.device_id, ask.device_ids),
        connected_account_id=ask.connected_account_id,
        access_code_ids=either(ask.access_code_id, ask.access_code_ids),
        after=after,
        before=before,
        payload={name: id for name in _OF_ACCESS if (id := getattr(ask, name)) is not None},
        payload_among=among,
        reach=caller.reach,
    )
    events = await store.events(
        caller.workspace.id, wanted, limit=min(ask.limit, MOST_AT_ONCE), offset=ask.unstable_offset
    )
    return {"events": [event_json(event, engine.access_codes.pins) for event in events]}
