"""``/acs/access_groups``: who gets through by being one of many."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, REPLACE, Answer, endpoint
from thumbturn.api.parameters import Maybe, Parameters
from thumbturn.api.persons import UserOrIdentity
from thumbturn.api.placed import entrances_json
from thumbturn.api.wire.access import (
    AcsAccessGroup,
    AcsEntrance,
    AcsUser,
    group_json,
    user_json,
)
from thumbturn.domain import access as domain
from thumbturn.engine.access import Whom
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.acs_users import AcsUsers
from thumbturn.engine.ports import Store


class OfGroup(Parameters):
    """One access group."""

    acs_access_group_id: str
    """The access group."""


class GroupAndUser(UserOrIdentity, OfGroup):
    """An access group and a user."""


class GroupList(Parameters):
    """Which access groups. What is not given does not matter."""

    acs_system_id: Maybe[str] = None
    """Only those of this system."""
    acs_user_id: Maybe[str] = None
    """Only those that this user is in."""
    user_identity_id: Maybe[str] = None
    """Only those that a user of this identity is in."""
    search: Maybe[Annotated[str, Field(min_length=1)]] = None
    """Only with this in their name, in any letter case."""


@endpoint({"acs_access_group": AcsAccessGroup})
async def get(ask: OfGroup, caller: Caller, users: AcsUsers) -> Answer:
    """Returns an access group."""
    found = await users.access.one(domain.AcsAccessGroup, caller.workspace.id, ask.acs_access_group_id)
    return {"acs_access_group": group_json(found)}


@endpoint({"acs_access_groups": list[AcsAccessGroup]})
async def list_(ask: GroupList, caller: Caller, users: AcsUsers) -> Answer:
    """Lists access groups, oldest first."""
    system, ids = ask.acs_system_id, None
    if ask.acs_user_id is not None or ask.user_identity_id is not None:
        whom = Whom(ask.acs_user_id, ask.user_identity_id)
        members = await users.access.find(
            domain.AcsUser,
            caller.workspace.id,
            Wanted(
                ids=None if whom.acs_user_id is None else (whom.acs_user_id,),
                holder_ids=None if whom.user_identity_id is None else (whom.user_identity_id,),
            ),
        )
        ids = {group for member in members for group in member.acs_access_group_ids}
    wanted = Wanted(ids=ids, acs_system_ids=None if system is None else (system,))
    found = await users.access.find(domain.AcsAccessGroup, caller.workspace.id, wanted)
    search = (ask.search or "").casefold()
    return {"acs_access_groups": [group_json(each) for each in found if search in each.name.casefold()]}


@endpoint({"acs_users": list[AcsUser]})
async def list_users(ask: OfGroup, caller: Caller, users: AcsUsers) -> Answer:
    """Lists the users in an access group, oldest first."""
    found = await users.in_group(caller.workspace.id, ask.acs_access_group_id)
    return {"acs_users": [user_json(each) for each in found]}


@endpoint({"acs_entrances": list[AcsEntrance]})
async def list_accessible_entrances(ask: OfGroup, caller: Caller, users: AcsUsers, store: Store) -> Answer:
    """Lists the entrances that an access group opens."""
    group = await users.access.one(domain.AcsAccessGroup, caller.workspace.id, ask.acs_access_group_id)
    wanted = Wanted(ids=group.acs_entrance_ids)
    found = await users.access.find(domain.AcsEntrance, caller.workspace.id, wanted)
    return {"acs_entrances": await entrances_json(found, caller, store)}


@endpoint(methods=REPLACE)
async def add_user(ask: GroupAndUser, caller: Caller, users: AcsUsers) -> Answer:
    """Puts a user into an access group."""
    await users.add_to_group(caller.workspace.id, ask.whom, ask.acs_access_group_id)
    return {}


@endpoint(methods=DELETE)
async def remove_user(ask: GroupAndUser, caller: Caller, users: AcsUsers) -> Answer:
    """Takes a user out of an access group."""
    await users.remove_from_group(caller.workspace.id, ask.whom, ask.acs_access_group_id)
    return {}


@endpoint(methods=DELETE)
async def delete(ask: OfGroup, caller: Caller, users: AcsUsers) -> Answer:
    """Deletes an access group: nobody gets through by it any more."""
    await users.delete_group(caller.workspace.id, ask.acs_access_group_id, caller.reach)
    return {}
