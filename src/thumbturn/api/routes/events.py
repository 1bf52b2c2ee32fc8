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
from thumbturn.engine.pins import Pins
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
    """Only about this access grant, or an access method of it."""
    access_grant_ids: Maybe[Hundred] = None
    """Only about one of these access grants, or an access method of one."""
    access_method_id: Maybe[str] = None
    """Only about this access method."""
    access_method_ids: Maybe[Hundred] = None
    """Only about one of these access methods."""
    acs_access_group_id: Maybe[str] = None
    """Only about this access group."""
    acs_credential_id: Maybe[str] = None
    """Only about this credential."""
    acs_encoder_id: Maybe[str] = None
    """Only about this encoder."""
    acs_entrance_id: Maybe[str] = None
    """Only about this entrance."""
    acs_system_id: Maybe[str] = None
    """Only about this access control system, and what is in it."""
    acs_system_ids: Maybe[list[str]] = None
    """Only about one of these systems, likewise."""
    acs_user_id: Maybe[str] = None
    """Only about this user of an access control system."""
    connect_webview_id: Maybe[str] = None
    """Only about this webview, and the account that came of it."""
    customer_key: Maybe[str] = None
    """Only those that name this customer."""
    space_id: Maybe[str] = None
    """Only about this space."""
    space_ids: Maybe[Hundred] = None
    """Only about one of these spaces."""
    user_identity_id: Maybe[str] = None
    """Only those that name this user identity."""
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
#: Filters by what stands in the event itself under this name, and by one of several of these.
_NAMED = {
    "access_method_id": "access_method_ids",
    "acs_access_group_id": None,
    "acs_credential_id": None,
    "acs_encoder_id": None,
    "acs_entrance_id": None,
    "acs_system_id": "acs_system_ids",
    "acs_user_id": None,
    "connect_webview_id": None,
    "customer_key": None,
    "space_id": "space_ids",
    "user_identity_id": None,
}


@endpoint({"event": Event})
async def get(ask: EventGet, caller: Caller, store: Store, pins: Pins) -> Answer:
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
    return {"event": event_json(event, pins)}


@endpoint({"events": list[Event]})
async def list_(ask: EventList, caller: Caller, store: Store, pins: Pins) -> Answer:
    """Lists events in the order in which they were told."""
    among = {
        name: values
        for name, many in _NAMED.items()
        if (values := either(getattr(ask, name), None if many is None else getattr(ask, many))) is not None
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
        access_grant_ids=either(ask.access_grant_id, ask.access_grant_ids),
        payload_among=among,
        reach=caller.reach,
    )
    events = await store.events(
        caller.workspace.id, wanted, limit=min(ask.limit, MOST_AT_ONCE), offset=ask.unstable_offset
    )
    return {"events": [event_json(event, pins) for event in events]}
