"""What callers may do with access grants and their methods. What follows from it is the keeper's affair."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from thumbturn.domain.access import AcsCredential, AcsEntrance, UserIdentity
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod, RequestedMethod
from thumbturn.domain.access_grant_news import of_grant, of_times
from thumbturn.domain.access_grant_refusals import (
    AccessGrantIsOver,
    AccessGrantKeyTaken,
    AccessGrantNotFound,
    AccessMethodIsNoCard,
    AccessMethodNotFound,
    AccessMethodNotReady,
)
from thumbturn.domain.access_refusals import (
    UserIdentityKeyTaken,
)
from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.encoder import is_encoder
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id
from thumbturn.domain.new_grant import NewGrant, WantedMethod, check_times, requested_methods
from thumbturn.domain.refusals import DeviceNotFound, DeviceUnmanaged, UserIdentityNotFound
from thumbturn.engine.access import Access
from thumbturn.engine.access_ports import AccessStore, KeyIsTaken, Wanted
from thumbturn.engine.devices import Devices
from thumbturn.engine.grant_keeper import GrantKeeper
from thumbturn.engine.pins import Pins

#: For so long a call waits until what it asked for was seen to: what takes longer goes on by itself.
SEEN_TO_WITHIN = seconds(5)


class AccessGrants:
    """The grants of all workspaces. What is not the given workspace's is not found."""

    def __init__(
        self,
        *,
        store: AccessStore,
        keeper: GrantKeeper,
        access: Access,
        devices: Devices,
        pins: Pins,
        clock: Clock,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._access = access
        self._devices = devices
        self._clock = clock
        #: The time, µs.
        self.now = clock.now
        self.pins = pins
        #: Say that something may have become of codes, devices, spaces or credentials, by their ids.
        self.touched = keeper.touched

    # finding ------------------------------------------------------------------------------------

    async def get(self, workspace_id: str, id: str | None, key: str | None = None) -> AccessGrant:
        """The grant with this id, or with this key. Raises ``AccessGrantNotFound``."""
        wanted = Wanted(ids=None if id is None else (id,), key=None if id is not None else key)
        found = await self._store.find(AccessGrant, workspace_id, wanted, limit=1)
        if not found:
            named = {"access_grant_id": id, "access_grant_key": key}
            raise AccessGrantNotFound(data={name: value for name, value in named.items() if value})
        return found[0]

    async def method(self, workspace_id: str, id: str) -> GrantedMethod:
        """One method. Raises ``AccessMethodNotFound``."""
        found = await self._store.get(GrantedMethod, workspace_id, id)
        if found is None:
            raise AccessMethodNotFound(data={"access_method_id": id})
        return found

    async def find(
        self,
        workspace_id: str,
        wanted: Wanted,
        fits: Callable[[AccessGrant], bool] | None = None,
        *,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> list[AccessGrant]:
        """Grants that fit, in order of (created_at, id), behind ``after``."""
        if fits is None:
            return await self._store.find(AccessGrant, workspace_id, wanted, after=after, limit=limit)
        found = await self._store.find(AccessGrant, workspace_id, wanted, after=after)
        return [grant for grant in found if fits(grant)][:limit]

    async def with_ids(self, workspace_id: str, ids: Collection[str]) -> list[AccessGrant]:
        """Those of these grants that are there, oldest first."""
        return await self._store.find(AccessGrant, workspace_id, Wanted(ids=ids))

    async def methods(
        self,
        workspace_id: str,
        grant_ids: Sequence[str] | None = None,
        ids: Sequence[str] | None = None,
        *,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> list[GrantedMethod]:
        """The methods of these grants, or with these ids, in order of (created_at, id), behind ``after``."""
        wanted = Wanted(holder_ids=grant_ids, ids=ids)
        return await self._store.find(GrantedMethod, workspace_id, wanted, after=after, limit=limit)

    async def credential_of(self, workspace_id: str, method_id: str, entrance_id: str | None = None) -> str:
        """The id of the credential that a method rests on, at this entrance.

        Raises ``AccessMethodNotFound``; ``AccessMethodNotReady`` if there is none, or not there.
        """
        method = await self.method(workspace_id, method_id)
        found = list(method.credentials.values())
        if entrance_id is not None:
            entrance = await self._access.one(AcsEntrance, workspace_id, entrance_id)
            found = [id for system, id in method.credentials.items() if system == entrance.acs_system_id]
        for id in found:
            if await self._store.get(AcsCredential, workspace_id, id) is not None:
                return id
        raise AccessMethodNotReady(data={"access_method_id": method_id})

    async def card_method(self, workspace_id: str, id: str) -> GrantedMethod:
        """A method that is to have a card. Raises ``AccessMethodNotFound``, ``AccessMethodIsNoCard``, and
        ``AccessMethodNotReady`` if it is to have none any more.
        """
        method = await self.method(workspace_id, id)
        if method.mode != "card":
            raise AccessMethodIsNoCard(data={"access_method_id": id})
        if not method.is_wanted(await self.get(workspace_id, method.access_grant_id), self._clock.now()):
            raise AccessMethodNotReady(data={"access_method_id": id})
        return method

    # changing -----------------------------------------------------------------------------------

    async def create(self, workspace_id: str, new: NewGrant) -> AccessGrant:
        """A new grant, with its methods as far as they could be made at once.

        Raises ``UserIdentityNotFound``, ``UserIdentityKeyTaken``, ``DeviceNotFound``, ``DeviceUnmanaged``,
        ``AcsEntranceNotFound``, ``InvalidAccessTimes``, ``AccessMethodNotSupported``, ``CodeOfNoCode``,
        ``AccessGrantKeyTaken``.
        """
        now = self._clock.now()
        starts_at = now if new.starts_at is None else new.starts_at
        check_times(starts_at, new.ends_at, now)
        requested = requested_methods(new.requested, now, self.pins.seal)
        for device_id in new.device_ids:
            device = self._devices.find(workspace_id, device_id)
            if device is None or is_encoder(device):
                raise DeviceNotFound(data={"device_id": device_id})
            if not device.is_managed:
                raise DeviceUnmanaged(data={"device_id": device_id})
        await self._access.all_of(AcsEntrance, workspace_id, new.acs_entrance_ids)
        identity = await self._whose(workspace_id, new, now)
        grant = AccessGrant(
            id=new_id(),
            workspace_id=workspace_id,
            created_at=now,
            user_identity_id=identity.id,
            starts_at=starts_at,
            ends_at=new.ends_at,
            name=new.name,
            access_grant_key=new.access_grant_key,
            reservation_key=new.reservation_key,
            device_ids=tuple(dict.fromkeys(new.device_ids)),
            acs_entrance_ids=tuple(dict.fromkeys(new.acs_entrance_ids)),
            space_ids=tuple(dict.fromkeys(new.space_ids)),
            requested=requested,
        )
        made = [grant] if new.user_identity_id is not None else [grant, identity]
        told = (of_grant(grant, "created", now),)
        needs = (identity.id,) if new.user_identity_id is not None else ()
        if not await self._tried(workspace_id, new=made, needs=needs, told=told):
            raise UserIdentityNotFound(data={"user_identity_id": identity.id})
        return await self._seen_to(grant)

    async def change(self, workspace_id: str, id: str, given: Mapping[str, Any]) -> AccessGrant:
        """Change the name, the key or the times of a grant. Raises ``InvalidAccessTimes``,
        ``AccessGrantKeyTaken``, ``AccessGrantIsOver``.
        """

        def change(known: AccessGrant, now: int) -> tuple[AccessGrant, list[Event]]:
            changed = replace(known, **given)
            old = (known.starts_at, known.ends_at)
            if (changed.starts_at, changed.ends_at) == old:
                return changed, []
            check_times(changed.starts_at, changed.ends_at, now)
            # What was changed before and has not arrived yet began from there.
            first = old if known.times_changed_at is None else (known.old_starts_at, known.old_ends_at)
            changed = replace(changed, old_starts_at=first[0], old_ends_at=first[1], times_changed_at=now)
            return changed, [of_times(changed, now)]

        return await self._change(workspace_id, id, change)

    async def request(self, workspace_id: str, id: str, requested: Sequence[WantedMethod]) -> AccessGrant:
        """Ask for further ways in. Raises ``AccessMethodNotSupported``, ``CodeOfNoCode``,
        ``AccessGrantIsOver``.
        """

        def change(known: AccessGrant, now: int) -> tuple[AccessGrant, list[Event]]:
            more = requested_methods(requested, now, self.pins.seal, already=len(known.requested))
            return replace(known, requested=(*known.requested, *more)), []

        return await self._change(workspace_id, id, change)

    async def delete(self, workspace_id: str, id: str) -> None:
        """Have a grant revoked with all that rests on it, and forgotten when nothing is left at any lock."""

        def change(known: AccessGrant, now: int) -> tuple[AccessGrant, list[Event]]:
            return replace(known, removed_at=known.removed_at or now), []

        await self._change(workspace_id, id, change, also_over=True)

    async def delete_of_identity(self, workspace_id: str, identity_id: str) -> None:
        """Have the grants of a user identity revoked, as ``delete`` does."""
        for grant in await self._store.find(AccessGrant, workspace_id, Wanted(holder_ids=(identity_id,))):
            with suppress(AccessGrantNotFound):  # it may have gone meanwhile
                await self.delete(workspace_id, grant.id)

    async def delete_methods(self, workspace_id: str, methods: Sequence[GrantedMethod]) -> None:
        """Have methods revoked, and forgotten when nothing is left of them at any lock."""
        for grant_id in dict.fromkeys(method.access_grant_id for method in methods):
            which = (workspace_id, grant_id)
            async with self._keeper.alone(which):
                now = self._clock.now()
                ids = [method.id for method in methods if method.access_grant_id == grant_id]
                known = await self.methods(workspace_id, ids=ids)
                changed = [replace(each, removed_at=each.removed_at or now) for each in known]
                grant = await self._store.get(AccessGrant, workspace_id, grant_id)
                if not changed or grant is None:
                    raise AccessMethodNotFound(data={"access_method_ids": ids})
                denied = replace(grant, requested=tuple(_without(each, known) for each in grant.requested))
                if not await self._store.settle(workspace_id, changed=[denied, *changed]):
                    raise AccessMethodNotFound(data={"access_method_ids": ids})
            await self.wait_for(which)

    async def wait_for(self, which: tuple[str, str]) -> None:
        """Return when the keeper has seen to a grant as it stands now, or when that takes long."""
        # Shielded: what has begun goes on, also when whoever asked for it goes away.
        await self._clock.wait(asyncio.shield(self._keeper.look(which)), SEEN_TO_WITHIN)

    # inside -------------------------------------------------------------------------------------

    async def _change(
        self,
        workspace_id: str,
        id: str,
        change: Callable[[AccessGrant, int], tuple[AccessGrant, list[Event]]],
        *,
        also_over: bool = False,
    ) -> AccessGrant:
        async with self._keeper.alone((workspace_id, id)):
            known = await self.get(workspace_id, id)
            if known.removed_at is not None and not also_over:
                raise AccessGrantIsOver(data={"access_grant_id": id})
            changed, told = change(known, self._clock.now())
            if changed != known and not await self._tried(workspace_id, changed=(changed,), told=told):
                raise AccessGrantNotFound(data={"access_grant_id": id})
        return await self._seen_to(changed)

    async def _tried(self, workspace_id: str, **what: Any) -> bool:
        try:
            return await self._store.settle(workspace_id, **what)
        except KeyIsTaken:
            for each in what.get("new", ()):
                if isinstance(each, UserIdentity):  # somebody may have been faster with its key
                    await self._check_free(workspace_id, each.user_identity_key)
            raise AccessGrantKeyTaken from None

    async def _seen_to(self, grant: AccessGrant) -> AccessGrant:
        """The grant once the keeper has seen to it; as it was if it is gone with that."""
        await self.wait_for((grant.workspace_id, grant.id))
        return await self._store.get(AccessGrant, grant.workspace_id, grant.id) or grant

    async def _whose(self, workspace_id: str, new: NewGrant, now: int) -> UserIdentity:
        if new.user_identity_id is not None:
            return await self._access.one(UserIdentity, workspace_id, new.user_identity_id)
        known = dict(new.user_identity or {})
        await self._check_free(workspace_id, known.get("user_identity_key"))
        return UserIdentity(id=new_id(), workspace_id=workspace_id, created_at=now, **known)

    async def _check_free(self, workspace_id: str, key: str | None) -> None:
        if key is not None and await self._store.find(UserIdentity, workspace_id, Wanted(key=key), limit=1):
            raise UserIdentityKeyTaken(data={"user_identity_key": key})


def _without(request: RequestedMethod, methods: Sequence[GrantedMethod]) -> RequestedMethod:
    """The request once these methods are deleted: their doors are not opened by it any more."""
    mine = [each for each in methods if each.id in request.access_method_ids]
    doors = (id for each in mine for id in (*each.device_ids, *each.acs_entrance_ids))
    return replace(request, denied_ids=tuple(dict.fromkeys([*request.denied_ids, *doors])))
