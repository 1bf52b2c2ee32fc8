"""Virtual access control systems: the one that a sandbox begins with, and one that comes with an account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from thumbturn.domain.access import AcsAccessGroup, AcsEntrance, AcsSystem, Thing
from thumbturn.domain.device import Device
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
    system = _system(system_id(workspace_id), workspace_id, account_id, now)
    entrances = _entrances(system, {name: locks[name] for name in ENTRANCES})
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


def account_access(account_id: str, devices: Sequence[Device], now: int) -> tuple[Thing, ...]:
    """The system that comes with an account, its entrances being the doors with a keypad among these devices;
    none without such a door. Always with the same ids for the same account.
    """
    doors = {device.name: device.id for device in devices if {"lock", "keypad"} <= device.capabilities}
    if not doors:
        return ()
    system = _system(named_id(account_id, "acs-system"), devices[0].workspace_id, account_id, now)
    return (system, *_entrances(system, doors).values())


def _system(id: str, workspace_id: str, account_id: str, now: int) -> AcsSystem:
    return AcsSystem(
        id=id,
        workspace_id=workspace_id,
        created_at=now,
        connected_account_id=account_id,
        name=SYSTEM,
        time_zone="Etc/UTC",
    )


def _entrances(system: AcsSystem, locks: Mapping[str, str]) -> dict[str, AcsEntrance]:
    return {
        name: AcsEntrance(
            id=named_id(lock_id, "acs-entrance"),
            workspace_id=system.workspace_id,
            # One µs apart, so that lists by age show them in this order.
            created_at=system.created_at + number,
            acs_system_id=system.id,
            connected_account_id=system.connected_account_id,
            name=name,
            device_id=lock_id,
        )
        for number, (name, lock_id) in enumerate(locks.items())
    }
