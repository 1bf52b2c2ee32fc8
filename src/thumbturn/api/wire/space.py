"""A space, and what is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NotRequired

from typing_extensions import TypedDict

from thumbturn.actions.access_methods import AccessMethod
from thumbturn.api.wire.access import AcsEntrance, AcsSystem
from thumbturn.api.wire.connected_account import ConnectedAccount
from thumbturn.api.wire.device import Device
from thumbturn.domain import space as domain
from thumbturn.domain.clock import to_wire


class Space(TypedDict):
    """A room, a flat, a building."""

    space_id: str
    workspace_id: str
    space_key: NotRequired[str]
    name: str
    display_name: str
    customer_key: NotRequired[str]
    customer_data: NotRequired[Mapping[str, str | None]]
    parent_space_id: NotRequired[str]
    parent_space_key: NotRequired[str]
    device_count: int
    acs_entrance_count: int
    created_at: str


class Related(TypedDict):
    """What there is in some spaces."""

    spaces: NotRequired[list[Space]]
    devices: NotRequired[list[Device]]
    acs_entrances: NotRequired[list[AcsEntrance]]
    connected_accounts: NotRequired[list[ConnectedAccount]]
    acs_systems: NotRequired[list[AcsSystem]]
    access_methods: NotRequired[list[AccessMethod]]


def space_json(space: domain.Space, inside: domain.Members, parent: domain.Space | None) -> Space:
    """The space as the wire has it."""
    json: Space = {
        "space_id": space.id,
        "workspace_id": space.workspace_id,
        "name": space.name,
        "display_name": space.name,
        "device_count": len(inside.device_ids),
        "acs_entrance_count": len(inside.acs_entrance_ids),
        "created_at": to_wire(space.created_at),
    }
    if space.space_key is not None:
        json["space_key"] = space.space_key
    if space.customer_key is not None:
        json["customer_key"] = space.customer_key
    if space.customer_data:
        json["customer_data"] = space.customer_data
    if space.parent_space_id is not None:
        json["parent_space_id"] = space.parent_space_id
        if parent is not None and parent.space_key is not None:
            json["parent_space_key"] = parent.space_key
    return json
