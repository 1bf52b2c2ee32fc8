"""The access control system that a sandbox begins with: what it is, its entrances and its access groups."""

from __future__ import annotations

from collections.abc import Mapping

from thumbturn.domain.access import AcsAccessGroup, AcsEntrance, AcsSystem, Thing
from thumbturn.domain.ids import named_id

SYSTEM = "Virtual Access Control"
#: The doors that are its entrances, by the names of their locks.
ENTRANCES = ("Front Door", "Back Door", "Garage Side Door")
#: Its access groups, and what each opens.
GROUPS: Mapping[str, tuple[str, ...]] = {"Residents": ENTRANCES, "Visitors": ("Front Door",)}


def system_id(workspace_id: str) -> str:
    """The id of the system in this workspace."""
    return named_id(workspace_id, "acs-system")


def first_access(workspace_id: str, account_id: str, locks: Mapping[str, str], now: int) -> tuple[Thing, ...]:
    """The system with its entrances and groups; ``locks`` are the ids of the locks by their names."""
    system = AcsSystem(
        id=system_id(workspace_id),
        workspace_id=workspace_id,
        created_at=now,
        connected_account_id=account_id,
        name=SYSTEM,
        time_zone="Etc/UTC",
    )
    entrances = {
        name: AcsEntrance(
            id=named_id(locks[name], "acs-entrance"),
            workspace_id=workspace_id,
            # One µs apart, so that lists by age show them in this order.
            created_at=now + number,
            acs_system_id=system.id,
            connected_account_id=account_id,
            name=name,
            device_id=locks[name],
        )
        for number, name in enumerate(ENTRANCES)
    }
    groups = [
        AcsAccessGroup(
            id=named_id(system.id, name),
            workspace_id=workspace_id,
            created_at=now + number,
            acs_system_id=system.id,
            connected_account_id=account_id,
            name=name,
            acs_entrance_ids=tuple(entrances[each].id for each in opened),
        )
        for number, (name, opened) in enumerate(GROUPS.items())
    ]
    return (system, *entrances.values(), *groups)
