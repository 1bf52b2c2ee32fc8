"""What the workspace is told when a caller changes what a code shall be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.access_code_news import tell
from thumbturn.domain.clock import to_wire
from thumbturn.domain.event import Event


class Mutation(NamedTuple):
    """One thing that changed of a code. PINs in it are sealed."""

    #: The wire's word while it is not at the lock yet, and the event that tells of it.
    code: str
    event_type: str
    description: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]

    def json(self) -> Mapping[str, Any]:
        """The mutation as events have it."""
        return {"mutation_code": self.code, "from": self.before, "to": self.after}


def mutations(before: AccessCode, after: AccessCode) -> list[Mutation]:
    """What is different of a code."""
    found = []
    if before.pin_key != after.pin_key:
        found.append(
            Mutation(
                "updating_code",
                "code_changed",
                "The code was changed.",
                {"code": before.pin},
                {"code": after.pin},
            )
        )
    if before.name != after.name:
        found.append(
            Mutation(
                "updating_name",
                "name_changed",
                "The name was changed.",
                {"name": before.name},
                {"name": after.name},
            )
        )
    if (before.starts_at, before.ends_at) != (after.starts_at, after.ends_at):
        found.append(
            Mutation(
                "updating_time_frame",
                "time_frame_changed",
                "The time was changed.",
                times(before),
                times(after),
            )
        )
    return found


def told_of_update(before: AccessCode, after: AccessCode, now: int, *, was_at_lock: bool) -> list[Event]:
    """The events of a change: each fact once. Nothing, if nothing is different."""
    changed = mutations(before, after)
    if not changed:
        return []
    told = []
    if was_at_lock:
        told.append(
            tell(after, "mutations_requested", now, requested_mutations=[each.json() for each in changed])
        )
    properties = [
        {"property": name, "from": each.before[name], "to": each.after[name]}
        for each in changed
        for name in each.after
    ]
    told.append(tell(after, "changed", now, change_reason="updated", changed_properties=properties))
    for each in changed:
        described: dict[str, Any] = {"from": each.before, "to": each.after, "description": each.description}
        told.append(tell(after, each.event_type, now, **described))
    return told


def told_of_removal(code: AccessCode, now: int) -> list[Event]:
    """The events of a caller's wish that it be gone."""
    return [tell(code, "mutations_requested", now, requested_mutations=[{"mutation_code": "deleting"}])]


def times(code: AccessCode) -> Mapping[str, str | None]:
    """From when until when a code lets in, as the wire has it."""
    return {
        "starts_at": None if code.starts_at is None else to_wire(code.starts_at),
        "ends_at": None if code.ends_at is None else to_wire(code.ends_at),
    }
