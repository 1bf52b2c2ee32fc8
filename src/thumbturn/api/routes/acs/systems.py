"""``/acs/systems``: looking at access control systems."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import Answer, endpoint
from thumbturn.api.parameters import Maybe, Parameters
from thumbturn.api.placed import accounts_of, systems_json
from thumbturn.api.wire.access import AcsSystem
from thumbturn.domain import access as domain
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.acs_users import AcsUsers
from thumbturn.engine.ports import Store


class OfSystem(Parameters):
    """One access control system."""

    acs_system_id: str
    """The system."""


class SystemList(Parameters):
    """Which access control systems. What is not given does not matter."""

    connected_account_id: Maybe[str] = None
    """Only those of this account."""
    customer_key: Maybe[str] = None
    """Only those of accounts of this customer."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in their name, in any letter case."""


@endpoint({"acs_system": AcsSystem})
async def get(ask: OfSystem, caller: Caller, users: AcsUsers, store: Store) -> Answer:
    """Returns an access control system."""
    found = await users.access.one(domain.AcsSystem, caller.workspace.id, ask.acs_system_id)
    [shown] = await systems_json((found,), caller, store)
    return {"acs_system": shown}


@endpoint({"acs_systems": list[AcsSystem]})
async def list_(ask: SystemList, caller: Caller, users: AcsUsers, store: Store) -> Answer:
    """Lists access control systems, oldest first."""
    accounts = await accounts_of(ask.customer_key, ask.connected_account_id, caller, store)
    wanted = Wanted(connected_account_ids=accounts, reach=caller.reach)
    found = await users.access.find(domain.AcsSystem, caller.workspace.id, wanted)
    search = (ask.search or "").casefold()
    kept = [each for each in found if search in each.name.casefold()]
    return {"acs_systems": await systems_json(kept, caller, store)}


@endpoint({"acs_systems": list[AcsSystem]})
async def list_compatible_credential_manager_acs_systems(
    ask: OfSystem, caller: Caller, users: AcsUsers
) -> Answer:
    """Lists the credential managers that go with an access control system: none of these here has one."""
    await users.access.one(domain.AcsSystem, caller.workspace.id, ask.acs_system_id)
    return {"acs_systems": []}
