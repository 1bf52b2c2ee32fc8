"""What a workspace may do with its spaces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from thumbturn.domain.access_refusals import AcsEntranceNotFound
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import ConnectedAccountNotFound, DeviceNotFound
from thumbturn.domain.space import (
    MOVED,
    Members,
    Space,
    SpaceKeyTaken,
    SpaceNotFound,
    told_of_space,
)
from thumbturn.engine.access_ports import AccessStore, KeyIsTaken, Wanted
from thumbturn.engine.space_ports import NotInWorkspace, SpaceStore


class Spaces:
    """The spaces of all workspaces. ``SpaceNotFound`` is raised for what is not the given workspace's."""

    def __init__(self, things: AccessStore, store: SpaceStore, clock: Clock) -> None:
        self._things = things
        self._store = store
        self._clock = clock
        #: Told which spaces were changed, once they are.
        self.changed: Callable[[Iterable[str]], None] = lambda space_ids: None

    async def get(self, workspace_id: str, id: str | None, key: str | None = None) -> Space:
        """The space with this id, or with this key."""
        wanted = Wanted(ids=None if id is None else (id,), key=key)
        found = await self._things.find(Space, workspace_id, wanted, limit=1)
        if not found:
            named = {"space_id": id, "space_key": key}
            raise SpaceNotFound(data={name: value for name, value in named.items() if value is not None})
        return found[0]

    async def all_of(self, workspace_id: str, ids: Collection[str], keys: Collection[str]) -> list[Space]:
        """These spaces, by their ids or their keys, oldest first."""
        found = {each.id: each for each in await self.named(workspace_id, ids)}
        missing = set(ids) - found.keys()
        if missing:
            raise SpaceNotFound(data={"space_ids": sorted(missing)})
        for key in keys:
            space = await self.get(workspace_id, None, key)
            found[space.id] = space
        return sorted(found.values(), key=lambda each: (each.created_at, each.id))

    async def named(self, workspace_id: str, ids: Collection[str]) -> list[Space]:
        """Those of these spaces that are there."""
        return await self._things.find(Space, workspace_id, Wanted(ids=ids)) if ids else []

    async def find(
        self,
        workspace_id: str,
        wanted: Wanted,
        *,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> list[Space]:
        """Spaces in order of (created_at, id), behind ``after``; the holder of a space is its parent."""
        return await self._things.find(Space, workspace_id, wanted, after=after, limit=limit)

    async def inside(self, workspace_id: str, ids: Collection[str]) -> Members:
        """All that is in any of these spaces; of an unknown one, nothing."""
        found = (await self._store.inside(workspace_id, ids)).values()
        whole = Members()
        for each in found:
            whole = whole.with_all(each)
        return whole

    async def inside_each(self, workspace_id: str, ids: Collection[str]) -> Mapping[str, Members]:
        """What is in each of these spaces that anything is in."""
        return await self._store.inside(workspace_id, ids)

    async def around(self, workspace_id: str, member_ids: Collection[str]) -> Mapping[str, list[str]]:
        """The spaces that each of these devices, entrances or accounts is in; who is in none is left out."""
        return await self._store.around(workspace_id, member_ids)

    async def create(self, workspace_id: str, known: Mapping[str, Any], inside: Members) -> Space:
        """A new space with this in it.

        Raises ``SpaceKeyTaken``, and ``DeviceNotFound`` or its like for what the workspace has not.
        """
        now = self._clock.now()
        space = Space(id=new_id(), workspace_id=workspace_id, created_at=now, **known)
        inside = Members().with_all(inside)
        try:
            is_new = await self._store.add(space, inside, told_of_space("created", workspace_id, now))
        except NotInWorkspace as refused:
            _refuse(refused.missing)
        if not is_new:
            raise SpaceKeyTaken(data={"space_key": space.space_key})
        return space

    async def put(self, workspace_id: str, id: str, more: Members) -> None:
        """Put this in a space; once, however often. Raises ``DeviceNotFound`` or its like."""
        await self._change(workspace_id, id, _same, more, lambda inside: inside.with_all(more))

    async def take(self, workspace_id: str, id: str, less: Members) -> None:
        """Take this out of a space, if it is in it. Raises ``DeviceNotFound`` or its like."""
        await self._change(workspace_id, id, _same, less, lambda inside: inside.without(less))

    async def change(
        self,
        workspace_id: str,
        id: str,
        given: Mapping[str, Any],
        *,
        device_ids: Sequence[str] | None = None,
        acs_entrance_ids: Sequence[str] | None = None,
    ) -> Space:
        """Change what is given of a space; devices or entrances that are given are all that are in it then.

        Of ``customer_data`` too, what is given is changed. Raises ``SpaceKeyTaken``, ``SpaceInsideItself``,
        ``DeviceNotFound`` or its like; ``SpaceNotFound`` also if its new parent is not there.
        """

        def change(space: Space) -> Space:
            changed = replace(space, **given)
            if "customer_data" in given:
                changed = replace(changed, customer_data={**space.customer_data, **given["customer_data"]})
            return changed

        def refill(inside: Members) -> Members:
            if device_ids is not None:
                inside = inside._replace(device_ids=tuple(device_ids))
            if acs_entrance_ids is not None:
                inside = inside._replace(acs_entrance_ids=tuple(acs_entrance_ids))
            return Members().with_all(inside)

        named = Members(tuple(device_ids or ()), tuple(acs_entrance_ids or ()))
        return await self._change(workspace_id, id, change, named, refill)

    async def delete(self, workspace_id: str, id: str) -> None:
        """Forget a space, and tell so. What is in it stays; spaces in it are in no other then."""
        told = told_of_space("deleted", workspace_id, self._clock.now())
        if not await self._store.remove(workspace_id, id, told):
            raise SpaceNotFound(data={"space_id": id})
        self.changed((id,))

    async def _change(
        self,
        workspace_id: str,
        id: str,
        change: Callable[[Space], Space],
        named: Members,
        refill: Callable[[Members], Members],
    ) -> Space:
        told = told_of_space(MOVED, workspace_id, self._clock.now())
        try:
            changed = await self._store.change(workspace_id, id, change, named, refill, told)
        except NotInWorkspace as refused:
            _refuse(refused.missing)
        except KeyIsTaken:
            raise SpaceKeyTaken(data={"space_id": id}) from None
        if changed is None:
            raise SpaceNotFound(data={"space_id": id})
        self.changed((id,))
        return changed


def _same(space: Space) -> Space:
    return space


def _refuse(missing: Members) -> NoReturn:
    if missing.device_ids:
        raise DeviceNotFound(data={"device_ids": list(missing.device_ids)}) from None
    if missing.acs_entrance_ids:
        raise AcsEntranceNotFound(data={"acs_entrance_ids": list(missing.acs_entrance_ids)}) from None
    raise ConnectedAccountNotFound(
        data={"connected_account_ids": list(missing.connected_account_ids)}
    ) from None
