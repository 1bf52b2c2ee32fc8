"""What is in spaces, forgotten when the process ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from thumbturn.domain.access import AcsEntrance
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.encoder import ENCODER_TYPE
from thumbturn.domain.event import Event
from thumbturn.domain.space import Members, Space, check_parent, has_moved, naming
from thumbturn.engine.access_ports import Wanted
from thumbturn.engine.space_ports import NotInWorkspace
from thumbturn.testing.access import MemoryAccess


class MemorySpaces:
    """Implements ``engine.space_ports.SpaceStore`` on the dictionaries of a ``MemoryStore``."""

    def __init__(
        self,
        devices: dict[str, Device],
        accounts: dict[str, ConnectedAccount],
        access: MemoryAccess,
        tell: Callable[[Sequence[Event]], None],
    ) -> None:
        self._devices = devices
        self._accounts = accounts
        self._access = access
        self._tell = tell
        #: By space, with its workspace.
        self._inside: dict[str, tuple[str, Members]] = {}

    async def add(self, space: Space, inside: Members, told: Event) -> bool:
        await self._require(space.workspace_id, inside)
        check_parent(space, (await self._known(space.workspace_id)).get)
        if not await self._access.add(space):
            return False
        self._inside[space.id] = space.workspace_id, inside
        self._tell((naming(told, space, inside),))
        return True

    async def change(
        self,
        workspace_id: str,
        space_id: str,
        change: Callable[[Space], Space],
        named: Members,
        refill: Callable[[Members], Members],
        told: Event,
    ) -> Space | None:
        before = self._in(workspace_id, space_id)
        after = refill(before)
        if await self._access.get(Space, workspace_id, space_id) is None:
            return None
        await self._require(workspace_id, named)
        known = await self._known(workspace_id)

        def checked(before: Space) -> Space:
            after = change(before)
            if after.parent_space_id != before.parent_space_id:
                check_parent(after, known.get)
            return after

        space = await self._access.change(Space, workspace_id, space_id, checked)
        if space is not None:
            self._inside[space_id] = workspace_id, after
            if has_moved(before, after):
                self._tell((naming(told, space, after),))
        return space

    async def remove(self, workspace_id: str, space_id: str, told: Event) -> bool:
        space = await self._access.get(Space, workspace_id, space_id)
        if space is None:
            return False
        inside = self._in(workspace_id, space_id)
        for child in await self._access.find(Space, workspace_id, Wanted(holder_ids=(space_id,))):
            await self._access.change(
                Space, workspace_id, child.id, lambda each: replace(each, parent_space_id=None)
            )
        await self._access.remove(workspace_id, {space_id: None})
        self._inside.pop(space_id, None)
        self._tell((naming(told, space, inside),))
        return True

    async def inside(self, workspace_id: str, space_ids: Collection[str]) -> Mapping[str, Members]:
        found = {id: self._in(workspace_id, id) for id in space_ids}
        return {id: members for id, members in found.items() if any(members)}

    async def around(self, workspace_id: str, member_ids: Collection[str]) -> Mapping[str, list[str]]:
        found = {
            member: [
                space_id
                for space_id, (whose, members) in sorted(self._inside.items())
                if whose == workspace_id and any(member in part for part in members)
            ]
            for member in member_ids
        }
        return {member: spaces for member, spaces in found.items() if spaces}

    def forget(self, workspace_id: str) -> None:
        """Forget what is in the spaces of a workspace."""
        self._inside = {id: each for id, each in self._inside.items() if each[0] != workspace_id}

    def let_go(self, gone: Collection[str]) -> list[tuple[Space, Members]]:
        """Let none of these be in a space any more; the spaces that lose some, and what is left in them."""
        lost = []
        for id, (workspace_id, members) in self._inside.items():
            left = Members(*(tuple(each for each in part if each not in gone) for part in members))
            self._inside[id] = workspace_id, left
            if has_moved(members, left):
                lost.append((self._access.space(id), left))
        return sorted(lost, key=lambda each: (each[0].created_at, each[0].id))

    async def _known(self, workspace_id: str) -> dict[str, Space]:
        return {each.id: each for each in await self._access.find(Space, workspace_id, Wanted())}

    def _in(self, workspace_id: str, space_id: str) -> Members:
        whose, members = self._inside.get(space_id, ("", Members()))
        return members if whose == workspace_id else Members()

    async def _require(self, workspace_id: str, more: Members) -> None:
        devices = [
            id
            for id in more.device_ids
            if (device := self._devices.get(id)) is not None
            and device.workspace_id == workspace_id
            and device.device_type != ENCODER_TYPE
        ]
        wanted = Wanted(ids=more.acs_entrance_ids)
        entrances = [each.id for each in await self._access.find(AcsEntrance, workspace_id, wanted)]
        accounts = [
            id
            for id in more.connected_account_ids
            if id in self._accounts and self._accounts[id].workspace_id == workspace_id
        ]
        missing = more.without(Members(tuple(devices), tuple(entrances), tuple(accounts)))
        if any(missing):
            raise NotInWorkspace(missing)
