"""What is in some spaces, and what that is of: the answer of ``/spaces/get_related``."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from thumbturn.api.access_grants import methods_shown
from thumbturn.api.callers import Caller
from thumbturn.api.placed import devices_json, entrances_json, systems_json
from thumbturn.api.space_asks import Part
from thumbturn.api.wire.connected_account import connected_account_json
from thumbturn.api.wire.space import Related
from thumbturn.domain.access import AcsEntrance, AcsSystem
from thumbturn.domain.device import Device
from thumbturn.domain.space import Space
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import DeviceFilter, Store


async def related(
    spaces: Sequence[Space], parts: Collection[Part], caller: Caller, engine: Engine, store: Store
) -> Related:
    """These parts of what is in the spaces, but for the spaces themselves; and the access methods of the
    grants that are for them.

    Accounts are those that are in the spaces and those that their devices and entrances are reached through;
    systems are those of the entrances.
    """
    workspace_id = caller.workspace.id
    inside = await engine.spaces.inside(workspace_id, [space.id for space in spaces])
    devices: list[Device] = []
    if inside.device_ids:
        wanted = DeviceFilter(device_ids=inside.device_ids, is_managed=True)
        devices = await store.devices(workspace_id, wanted, limit=len(inside.device_ids))
    entrances = await store.access.find(AcsEntrance, workspace_id, Wanted(ids=inside.acs_entrance_ids))
    batch: Related = {}
    if "devices" in parts:
        batch["devices"] = await devices_json(devices, caller, store)
    if "acs_entrances" in parts:
        batch["acs_entrances"] = await entrances_json(entrances, caller, store)
    if "connected_accounts" in parts:
        ids = {*inside.connected_account_ids}
        ids.update(each.connected_account_id for each in devices)
        ids.update(each.connected_account_id for each in entrances)
        accounts = []
        if ids:
            ask = AccountFilter(account_ids=ids)
            accounts = await engine.accounts.listed(workspace_id, ask, limit=len(ids))
        batch["connected_accounts"] = [connected_account_json(each) for each in accounts]
    if "acs_systems" in parts:
        of_them = Wanted(ids={each.acs_system_id for each in entrances})
        systems = await store.access.find(AcsSystem, workspace_id, of_them)
        batch["acs_systems"] = await systems_json(systems, caller, store)
    if "access_methods" in parts:
        ids = {space.id for space in spaces}
        grants = await engine.access_grants.find(
            workspace_id, Wanted(), lambda grant: not ids.isdisjoint(grant.space_ids)
        )
        methods = await engine.access_grants.methods(workspace_id, [grant.id for grant in grants])
        batch["access_methods"] = await methods_shown(methods, engine.access_grants)
    return batch
