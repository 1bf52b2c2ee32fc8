"""``/user_identities``: persons, whatever systems they are users of."""

from __future__ import annotations

from pydantic import model_validator

from thumbturn.api.callers import Caller, Callers
from thumbturn.api.endpoint import DELETE, READ, UPDATE, WRITE, Answer, endpoint
from thumbturn.api.pages import Pages
from thumbturn.api.parameters import Listing, Maybe, Moment, Parameters
from thumbturn.api.persons import Described, has_in_it
from thumbturn.api.placed import devices_json, entrances_json, systems_json
from thumbturn.api.wire.access import (
    AcsEntrance,
    AcsSystem,
    AcsUser,
    UserIdentity,
    user_identity_json,
    user_json,
)
from thumbturn.api.wire.device import Device
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain import access as domain
from thumbturn.domain.workspace import KeyKind
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store
from thumbturn.engine.user_identities import UserIdentities

#: As the contract has it: what is put in its place again and again is there once.
PUT = ("POST", "PUT")


class OfIdentity(Parameters):
    """One user identity."""

    user_identity_id: str
    """The user identity."""


class IdentityCreate(Described):
    """A new user identity."""

    acs_system_ids: Maybe[list[str]] = None
    """The access control systems in which he gets a user."""


class IdentityUpdate(Described, OfIdentity):
    """What shall change of a user identity. What is not given stays."""


class IdentityGet(Parameters):
    """Which user identity."""

    user_identity_id: Maybe[str] = None
    """The user identity."""
    user_identity_key: Maybe[str] = None
    """Or its key."""

    @model_validator(mode="after")
    def _one_of_them(self) -> IdentityGet:
        if self.user_identity_id is None and self.user_identity_key is None:
            raise ValueError("Either 'user_identity_id' or 'user_identity_key' is required")
        return self


class IdentityList(Listing):
    """Which user identities. What is not given does not matter."""

    user_identity_ids: Maybe[list[str]] = None
    """Only these."""
    search: Maybe[str] = None
    """Only with this in their name, address, number or key, in any letter case."""
    created_before: Maybe[Moment] = None
    """Only older ones."""
    credential_manager_acs_system_id: Maybe[str] = None
    """Only those of this credential manager. There are none."""


class IdentityAndDevice(OfIdentity):
    """A user identity and a device."""

    device_id: str
    """The device."""


class IdentityAndUser(OfIdentity):
    """A user identity and a user of an access control system."""

    acs_user_id: str
    """The ACS user."""


class UserAdd(IdentityGet):
    """A user of an access control system, and whose he shall be."""

    acs_user_id: str
    """The ACS user."""


@endpoint({"user_identity": UserIdentity}, methods=WRITE)
async def create(ask: IdentityCreate, caller: Caller, identities: UserIdentities) -> Answer:
    """Makes a user identity, with a user in each access control system that is named."""
    made = await identities.create(caller.workspace.id, ask.given(), ask.acs_system_ids or ())
    return {"user_identity": await _shown(made, identities)}


@endpoint({"user_identity": UserIdentity})
async def get(ask: IdentityGet, caller: Caller, identities: UserIdentities) -> Answer:
    """Returns a user identity."""
    found = await identities.get(caller.workspace.id, ask.user_identity_id, ask.user_identity_key)
    return {"user_identity": await _shown(found, identities)}


@endpoint({"user_identities": list[UserIdentity], "pagination": Pagination})
async def list_(ask: IdentityList, caller: Caller, identities: UserIdentities, pages: Pages) -> Answer:
    """Lists user identities, oldest first. A client session sees the one that it is for."""
    ids = None if ask.user_identity_ids is None else set(ask.user_identity_ids)
    if caller.key.kind is KeyKind.CLIENT_SESSION:
        own = await identities.of_session(caller.workspace.id, caller.key.id)
        ids = {own or ""} if ids is None else ids & {own or ""}
    if ask.credential_manager_acs_system_id is not None:
        ids = set()
    wanted = Wanted(ids=ids, created_before=ask.created_before)
    # What is searched for is looked for here: the two databases know letter cases differently.
    limit = ask.most + 1 if ask.search is None else None
    found = await identities.access.find(
        domain.UserIdentity, caller.workspace.id, wanted, after=pages.after, limit=limit
    )
    kept = [each for each in found if ask.search is None or has_in_it(each, ask.search)]
    page, pagination = pages.turn(kept, ask.most, lambda each: (each.created_at, each.id))
    users = await identities.users(caller.workspace.id, [each.id for each in page])
    shown = [
        user_identity_json(each, [user.id for user in users if user.user_identity_id == each.id])
        for each in page
    ]
    return {"user_identities": shown, "pagination": pagination}


@endpoint(methods=UPDATE)
async def update(ask: IdentityUpdate, caller: Caller, identities: UserIdentities) -> Answer:
    """Changes what is given of a user identity."""
    await identities.change(caller.workspace.id, ask.user_identity_id, ask.given())
    return {}


@endpoint(methods=DELETE)
async def delete(
    ask: OfIdentity, caller: Caller, identities: UserIdentities, callers: Callers, engine: Engine
) -> Answer:
    """Deletes a user identity with its access grants, users, their credentials, its phones and sessions."""
    await identities.get(caller.workspace.id, ask.user_identity_id)
    await engine.access_grants.delete_of_identity(caller.workspace.id, ask.user_identity_id)
    for session_id in await identities.delete(caller.workspace.id, ask.user_identity_id):
        callers.forget_key(session_id)
    # Those that were made for it meanwhile: from now on there can be none.
    await engine.access_grants.delete_of_identity(caller.workspace.id, ask.user_identity_id)
    return {}


@endpoint(methods=PUT)
async def add_acs_user(ask: UserAdd, caller: Caller, identities: UserIdentities) -> Answer:
    """Lets a user of an access control system be a user identity's."""
    whose = await identities.get(caller.workspace.id, ask.user_identity_id, ask.user_identity_key)
    await identities.add_user(caller.workspace.id, whose.id, ask.acs_user_id)
    return {}


@endpoint(methods=DELETE)
async def remove_acs_user(ask: IdentityAndUser, caller: Caller, identities: UserIdentities) -> Answer:
    """Lets a user of an access control system be a user identity's no more."""
    await identities.remove_user(caller.workspace.id, ask.user_identity_id, ask.acs_user_id)
    return {}


@endpoint(methods=PUT)
async def grant_access_to_device(
    ask: IdentityAndDevice, caller: Caller, identities: UserIdentities
) -> Answer:
    """Grants a user identity a device."""
    await identities.grant_device(caller.workspace.id, ask.user_identity_id, ask.device_id)
    return {}


@endpoint(methods=DELETE)
async def revoke_access_to_device(
    ask: IdentityAndDevice, caller: Caller, identities: UserIdentities
) -> Answer:
    """Grants a user identity a device no more."""
    await identities.revoke_device(caller.workspace.id, ask.user_identity_id, ask.device_id)
    return {}


@endpoint({"accessible_devices": list[Device], "devices": list[Device]}, methods=READ)
async def list_accessible_devices(
    ask: OfIdentity, caller: Caller, identities: UserIdentities, store: Store
) -> Answer:
    """Lists the devices that a user identity was granted."""
    found = await identities.devices(caller.workspace.id, ask.user_identity_id)
    shown = await devices_json(found, caller, store)
    return {"accessible_devices": shown, "devices": shown}


@endpoint({"acs_users": list[AcsUser]})
async def list_acs_users(ask: OfIdentity, caller: Caller, identities: UserIdentities) -> Answer:
    """Lists the users that a user identity has in access control systems."""
    return {"acs_users": [user_json(each) for each in await _users(ask, caller, identities)]}


@endpoint({"acs_systems": list[AcsSystem]})
async def list_acs_systems(
    ask: OfIdentity, caller: Caller, identities: UserIdentities, store: Store
) -> Answer:
    """Lists the access control systems in which a user identity has a user."""
    users = await _users(ask, caller, identities)
    wanted = Wanted(ids={user.acs_system_id for user in users}, reach=caller.reach)
    found = await identities.access.find(domain.AcsSystem, caller.workspace.id, wanted)
    return {"acs_systems": await systems_json(found, caller, store)}


@endpoint({"acs_entrances": list[AcsEntrance]})
async def list_accessible_entrances(
    ask: OfIdentity, caller: Caller, identities: UserIdentities, store: Store
) -> Answer:
    """Lists the entrances that a user identity gets through."""
    ids: set[str] = set()
    for user in await _users(ask, caller, identities):
        ids |= await identities.access.reached_by(user)
    wanted = Wanted(ids=ids, reach=caller.reach)
    found = await identities.access.find(domain.AcsEntrance, caller.workspace.id, wanted)
    return {"acs_entrances": await entrances_json(found, caller, store)}


async def _users(ask: OfIdentity, caller: Caller, identities: UserIdentities) -> list[domain.AcsUser]:
    """The users of an identity. To a client session there is no identity but its own."""
    wanted: str | None = ask.user_identity_id
    if caller.key.kind is KeyKind.CLIENT_SESSION:
        own = await identities.of_session(caller.workspace.id, caller.key.id)
        wanted = wanted if wanted == own else ""
    found = await identities.get(caller.workspace.id, wanted)
    return await identities.users(caller.workspace.id, (found.id,))


async def _shown(identity: domain.UserIdentity, identities: UserIdentities) -> UserIdentity:
    users = await identities.users(identity.workspace_id, (identity.id,))
    return user_identity_json(identity, [user.id for user in users])
