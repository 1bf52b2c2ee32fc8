"""Spaces, and devices and entrances with their spaces, on the wire; and finding them by where they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from thumbturn.api.callers import Caller
from thumbturn.api.parameters import MOST_AT_ONCE
from thumbturn.api.wire.access import AcsEntrance, AcsSystem, entrance_json, system_json
from thumbturn.api.wire.device import Device, device_json
from thumbturn.api.wire.space import Space, space_json
from thumbturn.domain import access, device, space
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.engine.ports import Store
from thumbturn.engine.spaces import Spaces


async def devices_json(found: Sequence[device.Device], caller: Caller, store: Store) -> list[Device]:
    """These devices of the caller's workspace."""
    spaces = await store.spaces.around(caller.workspace.id, [each.id for each in found])
    is_sandbox = caller.workspace.is_sandbox
    return [device_json(each, is_sandbox=is_sandbox, space_ids=spaces.get(each.id, ())) for each in found]


async def entrances_json(
    found: Sequence[access.AcsEntrance], caller: Caller, store: Store
) -> list[AcsEntrance]:
    """These entrances of the caller's workspace."""
    spaces = await store.spaces.around(caller.workspace.id, [each.id for each in found])
    return [entrance_json(each, spaces.get(each.id, ())) for each in found]


async def systems_json(found: Sequence[access.AcsSystem], caller: Caller, store: Store) -> list[AcsSystem]:
    """These access control systems of the caller's workspace: an account that is cut off cuts off its own."""
    wanted = AccountFilter(account_ids={each.connected_account_id for each in found})
    accounts = await store.accounts.listed(caller.workspace.id, wanted, limit=max(1, len(found)))
    errors = {each.id: access.system_errors(each.errors) for each in accounts}
    return [system_json(each, errors.get(each.connected_account_id, ())) for each in found]


async def devices_in(space_id: str, caller: Caller, store: Store) -> Sequence[str]:
    """The ids of the devices in a space; none if the workspace has no such space."""
    found = await store.spaces.inside(caller.workspace.id, (space_id,))
    return found[space_id].device_ids if space_id in found else ()


async def entrances_in(space_id: str, caller: Caller, store: Store) -> Sequence[str]:
    """The ids of the entrances in a space; none if the workspace has no such space."""
    found = await store.spaces.inside(caller.workspace.id, (space_id,))
    return found[space_id].acs_entrance_ids if space_id in found else ()


async def accounts_in(space_id: str, caller: Caller, store: Store) -> Collection[str]:
    """The ids of the accounts in a space; none if the workspace has no such space."""
    found = await store.spaces.inside(caller.workspace.id, (space_id,))
    return found[space_id].connected_account_ids if space_id in found else ()


async def accounts_of(
    customer_key: str | None, account_id: str | None, caller: Caller, store: Store
) -> Collection[str] | None:
    """The ids of a customer's accounts, or of this one if it is among them; ``None`` if neither is given."""
    own = None if account_id is None else (account_id,)
    if customer_key is None:
        return own
    wanted = AccountFilter(customer_key=customer_key, account_ids=own, reach=caller.reach)
    found = await store.accounts.listed(caller.workspace.id, wanted, limit=MOST_AT_ONCE)
    return [each.id for each in found]


async def spaces_json(found: Sequence[space.Space], spaces: Spaces) -> list[Space]:
    """These spaces of one workspace."""
    if not found:
        return []
    workspace_id = found[0].workspace_id
    inside = await spaces.inside_each(workspace_id, [each.id for each in found])
    above = {each.parent_space_id for each in found if each.parent_space_id is not None}
    parents = {each.id: each for each in await spaces.named(workspace_id, above)}
    return [
        space_json(each, inside.get(each.id, space.Members()), parents.get(each.parent_space_id or ""))
        for each in found
    ]
