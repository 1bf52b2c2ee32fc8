"""``/spaces``: rooms, flats and buildings, and what is in them."""

from __future__ import annotations

from typing import Any

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, REPLACE, UPDATE, WRITE, Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.placed import spaces_json
from thumbturn.api.related import related
from thumbturn.api.space_asks import (
    OfSpace,
    SpaceAndAccount,
    SpaceAndDevices,
    SpaceAndEntrances,
    SpaceAndSomeDevices,
    SpaceAndSomeEntrances,
    SpaceCreate,
    SpaceGet,
    SpaceList,
    SpaceUpdate,
    WhatIsThere,
)
from thumbturn.api.wire.pagination import Pagination
from thumbturn.api.wire.space import Related, Space
from thumbturn.domain import space as domain
from thumbturn.domain.space import Members
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store
from thumbturn.engine.spaces import Spaces


@endpoint({"space": Space}, methods=WRITE)
async def create(ask: SpaceCreate, caller: Caller, engine: Engine) -> Answer:
    """Makes a space, with devices, entrances and accounts in it."""
    known: dict[str, Any] = {
        "name": ask.name,
        "space_key": ask.space_key,
        "customer_key": ask.customer_key,
        "customer_data": ask.customer_data.given() if ask.customer_data is not None else {},
    }
    inside = Members(
        tuple(ask.device_ids or ()), tuple(ask.acs_entrance_ids or ()), tuple(ask.connected_account_ids or ())
    )
    made = await engine.spaces.create(caller.workspace.id, known, inside)
    return {"space": await _shown(made, engine.spaces)}


@endpoint({"space": Space})
async def get(ask: SpaceGet, caller: Caller, engine: Engine) -> Answer:
    """Returns a space."""
    found = await engine.spaces.get(caller.workspace.id, ask.space_id, ask.space_key)
    return {"space": await _shown(found, engine.spaces)}


@endpoint({"spaces": list[Space], "pagination": Pagination})
async def list_(ask: SpaceList, caller: Caller, engine: Engine, pages: Pages) -> Answer:
    """Lists spaces, oldest first."""
    spaces, workspace_id = engine.spaces, caller.workspace.id
    ids = parents = None
    if ask.connected_account_id is not None:
        around = await spaces.around(workspace_id, (ask.connected_account_id,))
        ids = around.get(ask.connected_account_id, [])
    if ask.parent_space_id is not None or ask.parent_space_key is not None:
        own = None if ask.parent_space_id is None else (ask.parent_space_id,)
        above = await spaces.find(workspace_id, Wanted(ids=own, key=ask.parent_space_key))
        parents = [each.id for each in above]
    # What is searched for is looked for here: the two databases know letter cases differently.
    search = (ask.search or "").casefold()
    is_chosen_here = bool(search) or ask.customer_key is not None
    found = await spaces.find(
        workspace_id,
        Wanted(ids=ids, key=ask.space_key, holder_ids=parents),
        after=pages.after,
        limit=None if is_chosen_here else ask.most + 1,
    )
    kept = [
        each
        for each in found
        if ask.customer_key in (None, each.customer_key)
        and (search in each.name.casefold() or search in (each.space_key or "").casefold())
    ]
    page, pagination = pages.turn(kept, ask.most, lambda each: (each.created_at, each.id))
    return {"spaces": await spaces_json(page, spaces), "pagination": pagination}


@endpoint({"batch": Related})
async def get_related(ask: WhatIsThere, caller: Caller, engine: Engine, store: Store) -> Answer:
    """Returns spaces together with what is in them, and with the accounts and systems that this is of."""
    spaces = await engine.spaces.all_of(caller.workspace.id, ask.space_ids or (), ask.space_keys or ())
    batch = await related(spaces, ask.parts, caller, engine, store)
    if "spaces" in ask.parts:
        batch["spaces"] = await spaces_json(spaces, engine.spaces)
    return {"batch": batch}


@endpoint({"space": Space}, methods=UPDATE)
async def update(ask: SpaceUpdate, caller: Caller, engine: Engine) -> Answer:
    """Changes a space, and what is in it."""
    spaces, workspace_id = engine.spaces, caller.workspace.id
    id = ask.space_id
    known: dict[str, Any] = {"name": ask.name}
    if id is None:
        id = (await spaces.get(workspace_id, None, ask.space_key)).id
    else:
        known["space_key"] = ask.space_key
    if ask.customer_data is not None:
        known["customer_data"] = ask.customer_data.given()
    if ask.parent_space_id is not None or ask.parent_space_key is not None:
        parent = await spaces.get(workspace_id, ask.parent_space_id, ask.parent_space_key)
        known["parent_space_id"] = parent.id
    changed = await spaces.change(
        workspace_id,
        id,
        {name: value for name, value in known.items() if value is not None},
        device_ids=ask.device_ids,
        acs_entrance_ids=ask.acs_entrance_ids,
    )
    return {"space": await _shown(changed, spaces)}


@endpoint(methods=DELETE)
async def delete(ask: OfSpace, caller: Caller, engine: Engine) -> Answer:
    """Deletes a space. What is in it stays."""
    await engine.spaces.delete(caller.workspace.id, ask.space_id)
    return {}


@endpoint(methods=REPLACE)
async def add_devices(ask: SpaceAndSomeDevices, caller: Caller, engine: Engine) -> Answer:
    """Puts devices in a space."""
    more = Members(device_ids=tuple(ask.device_ids))
    await engine.spaces.put(caller.workspace.id, ask.space_id, more)
    return {}


@endpoint(methods=DELETE)
async def remove_devices(ask: SpaceAndDevices, caller: Caller, engine: Engine) -> Answer:
    """Takes devices out of a space."""
    less = Members(device_ids=tuple(ask.device_ids))
    await engine.spaces.take(caller.workspace.id, ask.space_id, less)
    return {}


@endpoint(methods=REPLACE)
async def add_acs_entrances(ask: SpaceAndSomeEntrances, caller: Caller, engine: Engine) -> Answer:
    """Puts entrances in a space."""
    more = Members(acs_entrance_ids=tuple(ask.acs_entrance_ids))
    await engine.spaces.put(caller.workspace.id, ask.space_id, more)
    return {}


@endpoint(methods=DELETE)
async def remove_acs_entrances(ask: SpaceAndEntrances, caller: Caller, engine: Engine) -> Answer:
    """Takes entrances out of a space."""
    less = Members(acs_entrance_ids=tuple(ask.acs_entrance_ids))
    await engine.spaces.take(caller.workspace.id, ask.space_id, less)
    return {}


@endpoint(methods=REPLACE)
async def add_connected_account(ask: SpaceAndAccount, caller: Caller, engine: Engine) -> Answer:
    """Puts an account in a space; its devices are put there by themselves."""
    more = Members(connected_account_ids=(ask.connected_account_id,))
    await engine.spaces.put(caller.workspace.id, ask.space_id, more)
    return {}


@endpoint(methods=DELETE)
async def remove_connected_account(ask: SpaceAndAccount, caller: Caller, engine: Engine) -> Answer:
    """Takes an account out of a space."""
    less = Members(connected_account_ids=(ask.connected_account_id,))
    await engine.spaces.take(caller.workspace.id, ask.space_id, less)
    return {}


async def _shown(space: domain.Space, spaces: Spaces) -> Space:
    [shown] = await spaces_json((space,), spaces)
    return shown
