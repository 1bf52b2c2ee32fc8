"""Whose end is told as an event: that of four types always, and of others where a workspace wants it.

The contract knows events for the ends of four types of attempts, and no others. A workspace may choose to be
told the ends of further types too, by events of the same form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id

if TYPE_CHECKING:
    from thumbturn.domain.attempt import Attempt

#: The types whose end the wire announces with an event (contract: these four, no others).
ANNOUNCED = frozenset(
    {"LOCK_DOOR", "UNLOCK_DOOR", "SIMULATE_KEYPAD_CODE_ENTRY", "SIMULATE_MANUAL_LOCK_VIA_KEYPAD"}
)
#: What a workspace chooses that wants all of them.
EVERY_ACTION = "*"

#: By workspace, the types whose ends it wants to be told beyond those; who wants none is not in it.
Chosen: TypeAlias = Mapping[str, frozenset[str]]
NONE_CHOSEN: Chosen = MappingProxyType({})


def chosen_among(choice: Iterable[str], all_types: Iterable[str]) -> frozenset[str]:
    """The types that a workspace chose, of all there are."""
    choice = frozenset(choice)
    return frozenset(all_types) if EVERY_ACTION in choice else choice


def event_types_of(action_types: Iterable[str]) -> list[str]:
    """What the events of the ends of attempts of these types are called."""
    return [
        f"action_attempt.{type.lower()}.{end}" for type in action_types for end in ("succeeded", "failed")
    ]


def announce(ended: Attempt, now: int, chosen: Chosen) -> tuple[Event, ...]:
    """The event of an attempt's end, if its workspace is told of it."""
    type = ended.action_type
    if type not in ANNOUNCED and type not in chosen.get(ended.workspace_id, ()):
        return ()
    outcome = "succeeded" if ended.failure is None else "failed"
    return (
        Event(
            event_id=new_id(),
            event_type=f"action_attempt.{type.lower()}.{outcome}",
            workspace_id=ended.workspace_id,
            occurred_at=now,
            created_at=now,
            device_id=ended.device_id,
            connected_account_id=ended.connected_account_id,
            action_attempt_id=ended.id,
            payload={"action_type": type, "status": ended.status},
        ),
    )
