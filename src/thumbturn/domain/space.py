"""A space: a room, a flat, a building. Devices, entrances and accounts are put in it; it may be in another.

What is in a space is kept as pairs beside it (``Members``), since each of them may be in many spaces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from thumbturn.domain.errors import Refusal
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id

#: What is told when devices or entrances came or went.
MOVED = "device_membership_changed"


class SpaceNotFound(Refusal, type="space_not_found", status=404):
    """Space not found"""


class SpaceKeyTaken(Refusal, type="space_key_taken", status=409):
    """Another space of this workspace has this key"""


class SpaceInsideItself(Refusal, type="space_inside_itself", status=400):
    """A space cannot be in itself, nor in a space that is in it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A space, without what is in it."""

    id: str
    workspace_id: str
    created_at: int
    name: str
    #: The workspace's own word for it, which no other space has.
    space_key: str | None = None
    #: Whose customer's it is, in the workspace's words.
    customer_key: str | None = None
    #: What guests are told: address, time zone, times of the day to come and to leave. Null is nothing.
    customer_data: Mapping[str, str | None] = field(default_factory=dict)
    #: The space that it is in.
    parent_space_id: str | None = None


class Members(NamedTuple):
    """What is in a space: ids, each once, in their order."""

    device_ids: tuple[str, ...] = ()
    acs_entrance_ids: tuple[str, ...] = ()
    connected_account_ids: tuple[str, ...] = ()

    def with_all(self, others: Members) -> Members:
        """These and the others."""
        return Members(*(_in_order({*mine, *more}) for mine, more in zip(self, others, strict=True)))

    def without(self, others: Members) -> Members:
        """These but for the others."""
        return Members(*(_in_order(set(mine) - set(less)) for mine, less in zip(self, others, strict=True)))


def check_parent(space: Space, find: Callable[[str], Space | None]) -> None:
    """Raise ``SpaceInsideItself`` for a space whose parent is itself, or is in it; ``SpaceNotFound`` if there
    is no such parent. ``find`` is asked for the spaces of its workspace, by their ids.
    """
    parent_id = space.parent_space_id
    above, seen = parent_id, {space.id}
    while above is not None:
        if above == space.id:
            raise SpaceInsideItself(data={"space_id": space.id, "parent_space_id": parent_id})
        if above in seen:
            return
        seen.add(above)
        found = find(above)
        if found is None and above == parent_id:
            raise SpaceNotFound(data={"space_id": parent_id})
        above = None if found is None else found.parent_space_id


def told_of_space(word: str, workspace_id: str, now: int) -> Event:
    """The event ``space.<word>``, still without the space: ``naming`` says which, and what is in it."""
    return Event(
        event_id=new_id(),
        event_type=f"space.{word}",
        workspace_id=workspace_id,
        occurred_at=now,
        created_at=now,
        payload={},
    )


def naming(told: Event, space: Space, inside: Members) -> Event:
    """The event with the space that it is about, and all that is in it then; or was, when it was deleted."""
    payload: dict[str, Any] = {
        "space_id": space.id,
        "device_ids": list(inside.device_ids),
        "acs_entrance_ids": list(inside.acs_entrance_ids),
    }
    if space.space_key is not None:
        payload["space_key"] = space.space_key
    return told._replace(payload=payload)


def told_of_loss(space: Space, left: Members, now: int) -> Event:
    """The event of a space that lost devices or entrances which are gone for good; this is left in it."""
    return naming(told_of_space(MOVED, space.workspace_id, now), space, left)


def has_moved(before: Members, after: Members) -> bool:
    """Whether devices or entrances came or went; of accounts nothing is told."""
    return before[:2] != after[:2]


def _in_order(ids: set[str]) -> tuple[str, ...]:
    return tuple(sorted(ids))
