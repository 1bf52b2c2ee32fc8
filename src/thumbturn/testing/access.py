"""Things of access control that are forgotten when the process ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeVar

from thumbturn.domain.access import AcsCredential, AcsEntrance, AcsSystem, AcsUser, Thing, UserIdentity
from thumbturn.domain.access_grant import AccessGrant, GrantedMethod
from thumbturn.domain.client_session import Reach, among
from thumbturn.domain.event import Event
from thumbturn.domain.phone import Phone
from thumbturn.domain.space import Space
from thumbturn.engine.access_ports import KeyIsTaken, Wanted

T = TypeVar("T", bound=Thing)
#: As the names of columns in ``storage/access.py``.
_HOLDERS = {
    Phone: "user_identity_id",
    AcsUser: "user_identity_id",
    AcsCredential: "acs_user_id",
    AcsEntrance: "device_id",
    Space: "parent_space_id",
    AccessGrant: "user_identity_id",
    GrantedMethod: "access_grant_id",
}
_KEYS = {
    UserIdentity: ("user_identity_key",),
    AcsCredential: ("card_number", "code_key"),
    Space: ("space_key",),
    AccessGrant: ("access_grant_key",),
}


class MemoryAccess:
    """Implements ``engine.access_ports.AccessStore`` with a dictionary."""

    def __init__(self, tell: Callable[[Sequence[Event]], None]) -> None:
        self._tell = tell
        self._things: dict[str, Any] = {}

    async def add(self, thing: Thing, told: Sequence[Event] = ()) -> bool:
        if self._is_taken(thing):
            return False
        self._things[thing.id] = thing
        self._tell(told)
        return True

    async def change(
        self,
        kind: type[T],
        workspace_id: str,
        id: str,
        change: Callable[[T], T],
        told: Sequence[Event] = (),
    ) -> T | None:
        before = await self.get(kind, workspace_id, id)
        if before is None:
            return None
        after = change(before)
        if after != before:
            if _only_its(after) != _only_its(before) and self._is_taken(after):
                raise KeyIsTaken
            self._things[id] = after
            self._tell(told)
        return after

    async def settle(
        self,
        workspace_id: str,
        *,
        new: Sequence[Thing] = (),
        changed: Sequence[Thing] = (),
        gone: Sequence[str] = (),
        needs: Sequence[str] = (),
        as_known: Sequence[Thing] = (),
        told: Sequence[Event] = (),
    ) -> bool:
        known = {id for id, each in self._things.items() if each.workspace_id == workspace_id}
        if not known.issuperset([*(each.id for each in changed), *gone, *needs]):
            return False
        if any(each.id not in known or self._things[each.id] != each for each in as_known):
            return False
        if any(self._is_taken(each) for each in (*new, *changed)):
            raise KeyIsTaken
        self._things |= {each.id: each for each in (*new, *changed)}
        for id in gone:
            del self._things[id]
        self._tell(told)
        return True

    async def everywhere(self, kind: type[Any]) -> list[tuple[str, str]]:
        return [(each.workspace_id, each.id) for each in self._things.values() if type(each) is kind]

    async def remove(self, workspace_id: str, gone: Mapping[str, Event | None]) -> frozenset[str]:
        there = frozenset(
            id for id in gone if id in self._things and self._things[id].workspace_id == workspace_id
        )
        for id in there:
            del self._things[id]
        self._tell([event for id, event in gone.items() if event is not None and id in there])
        return there

    async def get(self, kind: type[T], workspace_id: str, id: str, reach: Reach = None) -> T | None:
        found = await self.find(kind, workspace_id, Wanted(ids=(id,), reach=reach))
        return found[0] if found else None

    async def find(
        self,
        kind: type[T],
        workspace_id: str,
        wanted: Wanted,
        *,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> list[T]:
        found = [
            each
            for each in self._things.values()
            if type(each) is kind and each.workspace_id == workspace_id and _fits(each, wanted)
        ]
        found.sort(key=lambda each: (each.created_at, each.id))
        return [each for each in found if after is None or (each.created_at, each.id) > after][:limit]

    def space(self, id: str) -> Space:
        """The space of this id."""
        found: Space = self._things[id]
        return found

    def plant(self, things: Sequence[Thing]) -> None:
        """Remember a workspace's first things."""
        self._things.update({each.id: each for each in things})

    def forget(self, workspace_id: str) -> None:
        """Forget those of a workspace."""
        kept = {id: each for id, each in self._things.items() if each.workspace_id != workspace_id}
        self._things = kept

    def forget_accounts(self, account_ids: Collection[str]) -> set[str]:
        """Forget what there is of these accounts; the ids of that."""
        gone = {
            id
            for id, each in self._things.items()
            if getattr(each, "connected_account_id", None) in account_ids
        }
        self._things = {id: each for id, each in self._things.items() if id not in gone}
        return gone

    def _is_taken(self, thing: Any) -> bool:
        key = _only_its(thing)
        return key is not None and any(
            type(each) is type(thing) and each.id != thing.id and _only_its(each) == key
            for each in self._things.values()
        )


def _only_its(thing: Any) -> tuple[str, ...] | None:
    """What only one may have, and within what."""
    if type(thing) is AcsCredential and thing.code_key is not None:
        return thing.acs_system_id, thing.code_key
    if type(thing) is UserIdentity and thing.user_identity_key is not None:
        return thing.workspace_id, thing.user_identity_key
    if type(thing) is Space and thing.space_key is not None:
        return thing.workspace_id, thing.space_key
    if type(thing) is AccessGrant and thing.access_grant_key is not None:
        return thing.workspace_id, thing.access_grant_key
    if type(thing) is AcsUser and thing.user_identity_id is not None:
        return thing.workspace_id, thing.acs_system_id, thing.user_identity_id
    return None


def _fits(thing: Any, wanted: Wanted) -> bool:
    kind = type(thing)
    system = thing.id if kind is AcsSystem else getattr(thing, "acs_system_id", None)
    account = getattr(thing, "connected_account_id", None)
    holder = getattr(thing, _HOLDERS[kind]) if kind in _HOLDERS else None
    for value, values in (
        (thing.id, wanted.ids),
        (system, wanted.acs_system_ids),
        (account, wanted.connected_account_ids),
        (holder, wanted.holder_ids),
    ):
        if values is not None and value not in values:
            return False
    if wanted.key is not None and wanted.key not in [getattr(thing, name) for name in _KEYS.get(kind, ())]:
        return False
    if wanted.created_before is not None and thing.created_at >= wanted.created_before:
        return False
    return among(wanted.reach, account)
