"""``/access_grants``: letting somebody in, somewhere, for a time."""

from __future__ import annotations

from thumbturn.api.access_grants import (
    GrantCreate,
    GrantGet,
    GrantList,
    GrantUpdate,
    MethodsRequest,
    OfGrant,
    grants_shown,
)
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, UPDATE, WRITE, Answer, endpoint
from thumbturn.api.grant_relations import GrantRelated, GrantsRelated, related_to_grants
from thumbturn.api.granted import fitting
from thumbturn.api.pages import Pages
from thumbturn.api.wire.access_grant import AccessGrant
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain.access_grant_refusals import CustomizationProfileNotFound
from thumbturn.domain.new_grant import NewGrant
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store


@endpoint({"access_grant": AccessGrant}, methods=WRITE)
async def create(ask: GrantCreate, caller: Caller, engine: Engine) -> Answer:
    """Lets somebody in: makes an access grant, and the access methods that it needs."""
    if ask.customization_profile_id is not None:
        raise CustomizationProfileNotFound(data={"customization_profile_id": ask.customization_profile_id})
    spaces = await engine.spaces.all_of(caller.workspace.id, ask.all_space_ids, ask.space_keys or ())
    made = await engine.access_grants.create(
        caller.workspace.id,
        NewGrant(
            user_identity_id=ask.user_identity_id,
            user_identity=None if ask.user_identity is None else ask.user_identity.given(),
            starts_at=ask.starts_at,
            ends_at=ask.ends_at,
            name=ask.name,
            access_grant_key=ask.access_grant_key,
            reservation_key=ask.reservation_key,
            device_ids=ask.all_device_ids,
            acs_entrance_ids=ask.all_entrance_ids,
            space_ids=[space.id for space in spaces],
            requested=[each.wanted for each in ask.requested_access_methods],
        ),
    )
    [shown] = await grants_shown((made,), engine.access_grants)
    return {"access_grant": shown}


@endpoint({"access_grant": AccessGrant})
async def get(ask: GrantGet, caller: Caller, engine: Engine) -> Answer:
    """Returns an access grant."""
    found = await engine.access_grants.get(caller.workspace.id, ask.access_grant_id, ask.access_grant_key)
    [shown] = await grants_shown((found,), engine.access_grants)
    return {"access_grant": shown}


@endpoint({"access_grants": list[AccessGrant], "pagination": Pagination})
async def list_(ask: GrantList, caller: Caller, engine: Engine, store: Store, pages: Pages) -> Answer:
    """Lists access grants, oldest first."""
    wanted, fits = await fitting(ask, caller, engine, store)
    found = await engine.access_grants.find(
        caller.workspace.id, wanted, fits, after=pages.after, limit=ask.most + 1
    )
    page, pagination = pages.turn(found, ask.most, lambda each: (each.created_at, each.id))
    return {"access_grants": await grants_shown(page, engine.access_grants), "pagination": pagination}


@endpoint({"access_grant": AccessGrant}, methods=WRITE)
async def request_access_methods(ask: MethodsRequest, caller: Caller, engine: Engine) -> Answer:
    """Gives an access grant further ways in."""
    wanted = [each.wanted for each in ask.requested_access_methods]
    changed = await engine.access_grants.request(caller.workspace.id, ask.access_grant_id, wanted)
    [shown] = await grants_shown((changed,), engine.access_grants)
    return {"access_grant": shown}


@endpoint(methods=UPDATE)
async def update(ask: GrantUpdate, caller: Caller, engine: Engine) -> Answer:
    """Changes the times, the name or the key of an access grant, with all that rests on it."""
    id = ask.access_grant_id
    if id is None:
        id = (await engine.access_grants.get(caller.workspace.id, None, ask.access_grant_key)).id
    await engine.access_grants.change(caller.workspace.id, id, ask.given())
    return {}


@endpoint(methods=DELETE)
async def delete(ask: OfGrant, caller: Caller, engine: Engine) -> Answer:
    """Revokes an access grant. It is gone when nothing of it is left at any lock."""
    await engine.access_grants.delete(caller.workspace.id, ask.access_grant_id)
    return {}


@endpoint({"batch": GrantRelated})
async def get_related(ask: GrantsRelated, caller: Caller, engine: Engine, store: Store) -> Answer:
    """Returns what access grants are about: whom, where, and by which access methods."""
    return {"batch": await related_to_grants(ask, caller, engine, store)}
