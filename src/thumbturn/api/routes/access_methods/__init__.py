"""``/access_methods``: the ways in that access grants have. Encoding, assigning and unlocking are actions."""

from __future__ import annotations

from thumbturn.actions.access_methods import AccessMethod
from thumbturn.api.access_grants import MethodDelete, MethodList, OfMethod, methods_shown
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, Answer, endpoint
from thumbturn.api.grant_relations import MethodRelated, MethodsRelated, related_to_methods
from thumbturn.api.granted import methods_fitting
from thumbturn.api.pages import Pages
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain.access_grant_refusals import AccessMethodNotFound
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store


@endpoint({"access_method": AccessMethod})
async def get(ask: OfMethod, caller: Caller, engine: Engine) -> Answer:
    """Returns an access method."""
    found = await engine.access_grants.method(caller.workspace.id, ask.access_method_id)
    shown = await methods_shown((found,), engine.access_grants)
    if not shown:
        raise AccessMethodNotFound(data={"access_method_id": ask.access_method_id})
    return {"access_method": shown[0]}


@endpoint({"access_methods": list[AccessMethod], "pagination": Pagination})
async def list_(ask: MethodList, caller: Caller, engine: Engine, pages: Pages) -> Answer:
    """Lists access methods, oldest first."""
    found = await methods_fitting(ask, caller, engine, pages.after)
    page, pagination = pages.turn(found[: ask.most + 1], ask.most, lambda each: (each.created_at, each.id))
    return {"access_methods": await methods_shown(page, engine.access_grants), "pagination": pagination}


@endpoint(methods=DELETE)
async def delete(ask: MethodDelete, caller: Caller, engine: Engine) -> Answer:
    """Revokes access methods. Each is gone when nothing of it is left at any lock."""
    grants, workspace_id = engine.access_grants, caller.workspace.id
    if ask.access_method_id is not None:
        await grants.delete_methods(workspace_id, [await grants.method(workspace_id, ask.access_method_id)])
        return {}
    if ask.access_grant_id is not None:
        ids = [(await grants.get(workspace_id, ask.access_grant_id)).id]
    else:
        key = ask.reservation_key
        found = await grants.find(workspace_id, Wanted(), lambda grant: grant.reservation_key == key)
        ids = [grant.id for grant in found]
    await grants.delete_methods(workspace_id, await grants.methods(workspace_id, ids))
    return {}


@endpoint({"batch": MethodRelated})
async def get_related(
    ask: MethodsRelated, caller: Caller, engine: Engine, store: Store, credentials: AcsCredentials
) -> Answer:
    """Returns what access methods are about: their grants, their doors, and what they rest on there."""
    return {"batch": await related_to_methods(ask, caller, engine, store, credentials)}
