"""What access grants and methods are about: the answers of their ``get_related``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Literal, TypeVar, get_args

from pydantic import model_validator
from typing_extensions import TypedDict

from thumbturn.actions.access_methods import AccessMethod
from thumbturn.actions.acs_credentials import AcsCredential, credential_json
from thumbturn.api.access_grants import grants_shown, methods_shown
from thumbturn.api.callers import Caller
from thumbturn.api.parameters import Maybe, Parameters
from thumbturn.api.placed import devices_json, entrances_json, spaces_json, systems_json
from thumbturn.api.wire.access import (
    AcsAccessGroup,
    AcsEntrance,
    AcsSystem,
    UserIdentity,
    user_identity_json,
)
from thumbturn.api.wire.access_grant import AccessGrant
from thumbturn.api.wire.client_session import ClientSession
from thumbturn.api.wire.connected_account import ConnectedAccount, connected_account_json
from thumbturn.api.wire.device import Device
from thumbturn.api.wire.space import Space
from thumbturn.domain import access as domain
from thumbturn.domain.access_grant import AccessGrant as Grant
from thumbturn.domain.access_grant_refusals import AccessGrantNotFound, AccessMethodNotFound
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.engine.acs_credentials import AcsCredentials
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import DeviceFilter, Store

P = TypeVar("P", bound=str)
GrantPart = Literal[
    "spaces",
    "devices",
    "acs_entrances",
    "connected_accounts",
    "acs_systems",
    "user_identities",
    "acs_access_groups",
    "access_methods",
]
MethodPart = Literal[
    "spaces",
    "devices",
    "acs_entrances",
    "access_grants",
    "access_methods",
    "instant_keys",
    "client_sessions",
    "acs_credentials",
]


class GrantRelated(TypedDict, total=False):
    """What grants are about. No grant rests on an access group: there is none among these."""

    spaces: list[Space]
    devices: list[Device]
    acs_entrances: list[AcsEntrance]
    connected_accounts: list[ConnectedAccount]
    acs_systems: list[AcsSystem]
    user_identities: list[UserIdentity]
    acs_access_groups: list[AcsAccessGroup]
    access_methods: list[AccessMethod]


class MethodRelated(TypedDict, total=False):
    """What methods are about. Instant keys, and sessions for them, are of mobile keys: there are none."""

    spaces: list[Space]
    devices: list[Device]
    acs_entrances: list[AcsEntrance]
    access_grants: list[AccessGrant]
    access_methods: list[AccessMethod]
    instant_keys: list[dict[str, Any]]
    client_sessions: list[ClientSession]
    acs_credentials: list[AcsCredential]


class GrantsRelated(Parameters):
    """Of which access grants what is wanted."""

    access_grant_ids: Maybe[list[str]] = None
    """These access grants."""
    access_grant_keys: Maybe[list[str]] = None
    """And those with these keys."""
    include: Maybe[list[GrantPart]] = None
    """Only these parts of the answer; otherwise all."""
    exclude: Maybe[list[GrantPart]] = None
    """All but these parts."""

    @model_validator(mode="after")
    def _some_grants(self) -> GrantsRelated:
        if self.access_grant_ids is None and self.access_grant_keys is None:
            raise ValueError("Either 'access_grant_ids' or 'access_grant_keys' is required")
        return self


class MethodsRelated(Parameters):
    """Of which access methods what is wanted."""

    access_method_ids: list[str]
    """These access methods."""
    include: Maybe[list[MethodPart]] = None
    """Only these parts of the answer; otherwise all."""
    exclude: Maybe[list[MethodPart]] = None
    """All but these parts."""


async def related_to_grants(ask: GrantsRelated, caller: Caller, engine: Engine, store: Store) -> GrantRelated:
    """What is asked for of what these grants are about. Raises ``AccessGrantNotFound``."""
    parts = _parts(GrantPart, ask.include, ask.exclude)
    found = await _grants(ask, caller, engine)
    there = _Places(found, caller, engine, store)
    batch: GrantRelated = {}
    if "spaces" in parts:
        batch["spaces"] = await there.spaces()
    if "devices" in parts:
        batch["devices"] = await there.devices()
    if "acs_entrances" in parts:
        batch["acs_entrances"] = await there.entrances()
    if "connected_accounts" in parts:
        batch["connected_accounts"] = await there.accounts()
    if "acs_systems" in parts:
        batch["acs_systems"] = await there.systems()
    if "user_identities" in parts:
        batch["user_identities"] = await there.identities()
    if "acs_access_groups" in parts:
        batch["acs_access_groups"] = []
    if "access_methods" in parts:
        methods = await engine.access_grants.methods(caller.workspace.id, [grant.id for grant in found])
        batch["access_methods"] = await methods_shown(methods, engine.access_grants)
    return batch


async def related_to_methods(
    ask: MethodsRelated, caller: Caller, engine: Engine, store: Store, credentials: AcsCredentials
) -> MethodRelated:
    """What is asked for of what these methods are about. Raises ``AccessMethodNotFound``."""
    parts = _parts(MethodPart, ask.include, ask.exclude)
    workspace_id, grants = caller.workspace.id, engine.access_grants
    methods = await grants.methods(workspace_id, ids=ask.access_method_ids)
    missing = set(ask.access_method_ids) - {method.id for method in methods}
    if missing:
        raise AccessMethodNotFound(data={"access_method_ids": sorted(missing)})
    found = await grants.with_ids(workspace_id, {method.access_grant_id for method in methods})
    there = _Places(
        found,
        caller,
        engine,
        store,
        {id for method in methods for id in method.device_ids},
        {id for method in methods for id in method.acs_entrance_ids},
    )
    batch: MethodRelated = {}
    if "spaces" in parts:
        batch["spaces"] = await there.spaces()
    if "devices" in parts:
        batch["devices"] = await there.devices()
    if "acs_entrances" in parts:
        batch["acs_entrances"] = await there.entrances()
    if "access_grants" in parts:
        batch["access_grants"] = await grants_shown(found, grants)
    if "access_methods" in parts:
        batch["access_methods"] = await methods_shown(methods, grants)
    if "instant_keys" in parts:
        batch["instant_keys"] = []
    if "client_sessions" in parts:
        batch["client_sessions"] = []
    if "acs_credentials" in parts:
        wanted = Wanted(ids=[id for method in methods for id in method.credentials.values()])
        rested_on = await store.access.find(domain.AcsCredential, workspace_id, wanted)
        shown: list[Any] = [credential_json(each, credentials.code_of(each)) for each in rested_on]
        batch["acs_credentials"] = shown
    return batch


class _Places:
    """What grants of a workspace are for."""

    def __init__(
        self,
        grants: Collection[Grant],
        caller: Caller,
        engine: Engine,
        store: Store,
        device_ids: Iterable[str] | None = None,
        entrance_ids: Iterable[str] | None = None,
    ) -> None:
        self._grants = grants
        self._caller = caller
        self._engine = engine
        self._store = store
        if device_ids is None:
            device_ids = (id for grant in grants for id in grant.planned_device_ids)
        if entrance_ids is None:
            entrance_ids = (id for grant in grants for id in grant.planned_entrance_ids)
        self._device_ids, self._entrance_ids = sorted(set(device_ids)), sorted(set(entrance_ids))

    async def spaces(self) -> list[Space]:
        ids = {id for grant in self._grants for id in grant.space_ids}
        found = await self._engine.spaces.named(self._caller.workspace.id, ids)
        return await spaces_json(found, self._engine.spaces)

    async def devices(self) -> list[Device]:
        return await devices_json(await self._known_devices(), self._caller, self._store)

    async def entrances(self) -> list[AcsEntrance]:
        return await entrances_json(await self._known_entrances(), self._caller, self._store)

    async def accounts(self) -> list[ConnectedAccount]:
        ids = {each.connected_account_id for each in await self._known_devices()}
        ids |= {each.connected_account_id for each in await self._known_entrances()}
        if not ids:
            return []
        wanted = AccountFilter(account_ids=ids)
        found = await self._engine.accounts.listed(self._caller.workspace.id, wanted, limit=len(ids))
        return [connected_account_json(each) for each in found]

    async def systems(self) -> list[AcsSystem]:
        wanted = Wanted(ids={each.acs_system_id for each in await self._known_entrances()})
        found = await self._store.access.find(domain.AcsSystem, self._caller.workspace.id, wanted)
        return await systems_json(found, self._caller, self._store)

    async def identities(self) -> list[UserIdentity]:
        workspace_id = self._caller.workspace.id
        ids = sorted({grant.user_identity_id for grant in self._grants})
        found = await self._store.access.find(domain.UserIdentity, workspace_id, Wanted(ids=ids))
        users = await self._store.access.find(domain.AcsUser, workspace_id, Wanted(holder_ids=ids))
        return [
            user_identity_json(each, [user.id for user in users if user.user_identity_id == each.id])
            for each in found
        ]

    async def _known_devices(self) -> list[Any]:
        if not self._device_ids:
            return []
        wanted = DeviceFilter(device_ids=self._device_ids, is_managed=True)
        return await self._store.devices(self._caller.workspace.id, wanted, limit=len(self._device_ids))

    async def _known_entrances(self) -> list[domain.AcsEntrance]:
        wanted = Wanted(ids=self._entrance_ids)
        return await self._store.access.find(domain.AcsEntrance, self._caller.workspace.id, wanted)


async def _grants(ask: GrantsRelated, caller: Caller, engine: Engine) -> list[Grant]:
    grants, workspace_id = engine.access_grants, caller.workspace.id
    ids = set(ask.access_grant_ids or ())
    for key in ask.access_grant_keys or ():
        ids.add((await grants.get(workspace_id, None, key)).id)
    found = await grants.with_ids(workspace_id, ids)
    missing = ids - {grant.id for grant in found}
    if missing:
        raise AccessGrantNotFound(data={"access_grant_ids": sorted(missing)})
    return found


def _parts(kind: Any, include: Collection[str] | None, exclude: Collection[str] | None) -> set[str]:
    wanted = set(get_args(kind)) if include is None else set(include)
    return wanted.difference(exclude or ())
