"""Which access grants and methods are asked for: by whom, where and what they are for."""

from __future__ import annotations

from collections.abc import Callable

from thumbturn.api.access_grants import GrantList, MethodList
from thumbturn.api.callers import Caller
from thumbturn.domain.access import AcsEntrance
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod, codes_of
from thumbturn.engine.access_grants import AccessGrants
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store

Fits = Callable[[AccessGrant], bool]
#: What grants are asked for by that the record is not asked by: it is looked at here.
_BY_DOOR = (
    "reservation_key",
    "acs_entrance_id",
    "acs_system_id",
    "device_id",
    "space_id",
    "location_id",
    "customer_key",
)


async def fitting(ask: GrantList, caller: Caller, engine: Engine, store: Store) -> tuple[Wanted, Fits | None]:
    """What is asked of the record, and whether a grant of those that are found there is meant; ``None`` if
    all of them are.
    """
    workspace_id = caller.workspace.id
    ids = None if ask.access_grant_ids is None else set(ask.access_grant_ids)
    if ask.access_code_id is not None:
        of_code = {method.access_grant_id for method in await _of_code(ask.access_code_id, caller, engine)}
        ids = of_code if ids is None else ids & of_code
    identity = ask.user_identity_id
    wanted = Wanted(ids=ids, holder_ids=None if identity is None else (identity,), key=ask.access_grant_key)
    entrances: set[str] | None = None
    if ask.acs_system_id is not None:
        of_system = Wanted(acs_system_ids=(ask.acs_system_id,))
        entrances = {each.id for each in await store.access.find(AcsEntrance, workspace_id, of_system)}
    spaces: set[str] | None = None
    if ask.customer_key is not None:
        found = await engine.spaces.find(workspace_id, Wanted())
        spaces = {space.id for space in found if space.customer_key == ask.customer_key}
    if all(getattr(ask, name) is None for name in _BY_DOOR):
        return wanted, None

    def fits(grant: AccessGrant) -> bool:
        opens = {*grant.acs_entrance_ids, *grant.planned_entrance_ids}
        return (
            ask.reservation_key in (None, grant.reservation_key)
            and (ask.acs_entrance_id is None or ask.acs_entrance_id in opens)
            and (entrances is None or not entrances.isdisjoint(opens))
            and (ask.device_id is None or ask.device_id in (*grant.device_ids, *grant.planned_device_ids))
            and (ask.space_id is None or ask.space_id in grant.space_ids)
            and (ask.location_id is None or ask.location_id in grant.space_ids)
            and (spaces is None or not spaces.isdisjoint(grant.space_ids))
        )

    return wanted, fits


async def methods_fitting(
    ask: MethodList, caller: Caller, engine: Engine, after: tuple[int, str] | None
) -> list[GrantedMethod]:
    """The methods that are asked for, oldest first, behind ``after``; one more than the page, at least."""
    grants, workspace_id = engine.access_grants, caller.workspace.id
    of: list[str] | None = None
    if (ask.access_grant_id, ask.access_grant_key, ask.space_id) != (None, None, None):
        own, space = ask.access_grant_id, ask.space_id
        wanted = Wanted(ids=None if own is None else (own,), key=ask.access_grant_key)
        in_space = None if space is None else lambda grant: space in grant.space_ids
        of = [grant.id for grant in await grants.find(workspace_id, wanted, in_space)]
    if (ask.access_code_id, ask.device_id, ask.acs_entrance_id) == (None, None, None):
        return await grants.methods(workspace_id, of, after=after, limit=ask.most + 1)
    of_code = None if ask.access_code_id is None else await _of_code(ask.access_code_id, caller, engine)
    return [
        method
        for method in await grants.methods(workspace_id, of, after=after)
        if (of_code is None or method in of_code)
        and (ask.device_id is None or ask.device_id in method.device_ids)
        and (ask.acs_entrance_id is None or ask.acs_entrance_id in method.acs_entrance_ids)
    ]


async def codes_of_grants(
    workspace_id: str, grants: AccessGrants, grant_id: str | None, key: str | None, method_id: str | None
) -> list[str]:
    """The ids of the access codes that this grant, or the one with this key, or this method rests on."""
    of: list[str] | None = None
    if grant_id is not None or key is not None:
        wanted = Wanted(ids=None if grant_id is None else (grant_id,), key=key)
        of = [grant.id for grant in await grants.find(workspace_id, wanted)]
    return codes_of(await grants.methods(workspace_id, of, None if method_id is None else (method_id,)))


async def _of_code(access_code_id: str, caller: Caller, engine: Engine) -> list[GrantedMethod]:
    """The method that an access code was made for, if it was made for one."""
    found = await engine.access_grants.methods(caller.workspace.id)
    return [method for method in found if access_code_id in codes_of((method,))]
