"""What a workspace may do with the users of its access control systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from thumbturn.domain.access import (
    AcsAccessGroup,
    AcsCredential,
    AcsEntrance,
    AcsSystem,
    AcsUser,
    UnmanagedIdentity,
    UserIdentity,
    told,
)
from thumbturn.domain.access_refusals import (
    AcsAccessGroupNotFound,
    AcsUserNotFound,
    IdentityHasUserThere,
    InvalidAccessTimes,
    ThingsOfTwoSystems,
)
from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import UserIdentityNotFound
from thumbturn.engine.access import Access, Whom
from thumbturn.engine.access_ports import AccessStore, KeyIsTaken, Wanted


class AcsUsers:
    """The users of all systems. What is not the given workspace's is not found."""

    def __init__(
        self, store: AccessStore, clock: Clock, touched: Callable[[Iterable[str]], None] = lambda ids: None
    ) -> None:
        """``touched`` is told, once that is on record, what of a user is no more, and the identity of one who
        was changed.
        """
        self._store = store
        self._touched = touched
        self._clock = clock
        self.access = Access(store)

    async def create(
        self,
        workspace_id: str,
        acs_system_id: str,
        known: Mapping[str, Any],
        group_ids: Sequence[str] = (),
    ) -> AcsUser:
        """A new user of a system, in these access groups.

        Raises ``IdentityHasUserThere``, ``ThingsOfTwoSystems``, ``InvalidAccessTimes``,
        ``UserIdentityNotFound``.
        """
        system = await self.access.one(AcsSystem, workspace_id, acs_system_id)
        for group in await self.access.all_of(AcsAccessGroup, workspace_id, group_ids):
            _same_system(system.id, group)
        identity_id = known.get("user_identity_id")
        if identity_id is not None:
            await self.access.one(UserIdentity, workspace_id, identity_id)
            wanted = Wanted(holder_ids=(identity_id,), acs_system_ids=(system.id,))
            if await self.access.find(AcsUser, workspace_id, wanted, limit=1):
                raise IdentityHasUserThere(data={"acs_system_id": system.id})
        now = self._clock.now()
        user = AcsUser(
            id=new_id(),
            workspace_id=workspace_id,
            created_at=now,
            acs_system_id=system.id,
            connected_account_id=system.connected_account_id,
            acs_access_group_ids=tuple(dict.fromkeys(group_ids)),
            **known,
        )
        check_times(user.starts_at, user.ends_at)
        needs = () if identity_id is None else (identity_id,)
        news = (told("acs_user.created", user, now),)
        try:
            is_made = await self._store.settle(workspace_id, new=(user,), needs=needs, told=news)
        except KeyIsTaken:
            raise IdentityHasUserThere(data={"acs_system_id": system.id}) from None
        if not is_made:
            raise UserIdentityNotFound(data={"user_identity_id": identity_id})
        return user

    async def change(self, workspace_id: str, whom: Whom, given: Mapping[str, Any]) -> AcsUser:
        """Change what is given of a user. Raises ``InvalidAccessTimes``."""

        def change(known: AcsUser) -> AcsUser:
            changed = replace(known, **given)
            check_times(changed.starts_at, changed.ends_at)
            return changed

        return await self._change(workspace_id, whom, change)

    async def delete(self, workspace_id: str, whom: Whom) -> None:
        """Forget a user and his credentials, and tell so."""
        user = await self.access.user(workspace_id, whom)
        now = self._clock.now()
        wanted = Wanted(holder_ids=(user.id,))
        gone: dict[str, Event | None] = {
            each.id: told("acs_credential.deleted", each, now)
            for each in await self.access.find(AcsCredential, workspace_id, wanted)
        }
        gone[user.id] = told("acs_user.deleted", user, now)
        if user.user_identity_id is not None:
            found_with_him = Wanted(ids=(user.user_identity_id,))
            for each in await self.access.find(UnmanagedIdentity, workspace_id, found_with_him):
                gone[each.id] = None
        if user.id not in await self._store.remove(workspace_id, gone):
            raise AcsUserNotFound(data={"acs_user_id": user.id})
        self._touched(gone)

    async def add_to_group(self, workspace_id: str, whom: Whom, group_id: str) -> None:
        """Put a user into an access group; once, however often. Raises ``ThingsOfTwoSystems``."""
        group = await self.access.one(AcsAccessGroup, workspace_id, group_id)
        whom = await self._in_system_of(workspace_id, whom, group)

        def change(known: AcsUser) -> AcsUser:
            _same_system(known.acs_system_id, group)
            groups = tuple(dict.fromkeys([*known.acs_access_group_ids, group_id]))
            return replace(known, acs_access_group_ids=groups)

        await self._change(workspace_id, whom, change)

    async def remove_from_group(self, workspace_id: str, whom: Whom, group_id: str) -> None:
        """Take a user out of an access group, if he is in it."""
        group = await self.access.one(AcsAccessGroup, workspace_id, group_id)
        whom = await self._in_system_of(workspace_id, whom, group)

        def change(known: AcsUser) -> AcsUser:
            left = tuple(each for each in known.acs_access_group_ids if each != group_id)
            return replace(known, acs_access_group_ids=left)

        await self._change(workspace_id, whom, change)

    async def in_group(self, workspace_id: str, group_id: str) -> list[AcsUser]:
        """The users in an access group, oldest first."""
        group = await self.access.one(AcsAccessGroup, workspace_id, group_id)
        wanted = Wanted(acs_system_ids=(group.acs_system_id,))
        found = await self.access.find(AcsUser, workspace_id, wanted)
        return [user for user in found if group_id in user.acs_access_group_ids]

    async def delete_group(self, workspace_id: str, group_id: str, reach: Reach = None) -> None:
        """Forget an access group: who got through by it, does no more. Tells so."""
        group = await self.access.one(AcsAccessGroup, workspace_id, group_id, reach)
        gone = {group.id: told("acs_access_group.deleted", group, self._clock.now())}
        if not await self._store.remove(workspace_id, gone):
            raise AcsAccessGroupNotFound(data={"acs_access_group_id": group_id})

    async def grant_entrance(self, workspace_id: str, whom: Whom, entrance_id: str) -> None:
        """Let a user through an entrance. Raises ``ThingsOfTwoSystems``."""
        entrance = await self.access.one(AcsEntrance, workspace_id, entrance_id)
        whom = await self._in_system_of(workspace_id, whom, entrance)

        def change(known: AcsUser) -> AcsUser:
            _same_system(known.acs_system_id, entrance)
            entrances = tuple(dict.fromkeys([*known.acs_entrance_ids, entrance_id]))
            return replace(known, acs_entrance_ids=entrances)

        await self._change(workspace_id, whom, change)

    async def revoke_all_entrances(self, workspace_id: str, whom: Whom) -> None:
        """Let a user through no entrance any more: neither by himself nor by an access group."""
        await self._change(
            workspace_id,
            whom,
            lambda known: replace(known, acs_entrance_ids=(), acs_access_group_ids=()),
        )

    async def suspend(self, workspace_id: str, whom: Whom, *, is_suspended: bool) -> None:
        """Let a user through nowhere for the time being, or again."""
        await self._change(workspace_id, whom, lambda known: replace(known, is_suspended=is_suspended))

    async def _change(self, workspace_id: str, whom: Whom, change: Callable[[AcsUser], AcsUser]) -> AcsUser:
        user = await self.access.user(workspace_id, whom)
        changed = await self._store.change(AcsUser, workspace_id, user.id, change)
        if changed is None:
            raise AcsUserNotFound(data={"acs_user_id": user.id})
        if changed.user_identity_id is not None:
            self._touched((changed.user_identity_id,))
        return changed

    async def _in_system_of(self, workspace_id: str, whom: Whom, thing: Any) -> Whom:
        """Of several users of an identity, the one in the system of this thing is meant."""
        return whom if whom.acs_user_id is not None else whom._replace(acs_system_id=thing.acs_system_id)


def check_times(starts_at: int | None, ends_at: int | None) -> None:
    """Raise ``InvalidAccessTimes`` for an end that is not after its start."""
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        raise InvalidAccessTimes


def _same_system(acs_system_id: str, thing: Any) -> None:
    if thing.acs_system_id != acs_system_id:
        raise ThingsOfTwoSystems(data={"acs_system_ids": sorted({acs_system_id, thing.acs_system_id})})
