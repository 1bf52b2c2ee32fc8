"""Finding what access control knows: one thing, many, the user that is meant, and who gets through where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

from thumbturn.domain.access import (
    AcsAccessGroup,
    AcsCredential,
    AcsEntrance,
    AcsSystem,
    AcsUser,
    Entry,
    Thing,
    entrances_of,
    is_on,
    opened_by,
    told,
    told_of_system,
)
from thumbturn.domain.access_refusals import NOT_FOUND, AcsUserNotFound, CredentialCannotUnlock
from thumbturn.domain.client_session import Reach
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.event import Event
from thumbturn.engine.access_ports import AccessStore, Wanted

T = TypeVar("T", bound=Thing)
#: What is told of a thing that goes with its account. Of a system there is no such event.
_ENDS: Mapping[type[Any], str] = {
    AcsCredential: "acs_credential.deleted",
    AcsUser: "acs_user.deleted",
    AcsAccessGroup: "acs_access_group.deleted",
    AcsEntrance: "acs_entrance.removed",
}
_NAMES = {
    AcsSystem: "acs_system_id",
    AcsUser: "acs_user_id",
    AcsEntrance: "acs_entrance_id",
    AcsAccessGroup: "acs_access_group_id",
    AcsCredential: "acs_credential_id",
}


class Whom(NamedTuple):
    """A user of a system, as callers name him."""

    acs_user_id: str | None = None
    #: Or the one of this identity,
    user_identity_id: str | None = None
    #: in this system, if he is one in several.
    acs_system_id: str | None = None


class Access:
    """What access control knows, of all workspaces. Every verb names the workspace, and the reach, of whoever
    asks; what is outside is not found.
    """

    def __init__(self, store: AccessStore) -> None:
        self._store = store

    async def one(self, kind: type[T], workspace_id: str, id: str, reach: Reach = None) -> T:
        """One thing. Raises the refusal of its kind in ``NOT_FOUND``."""
        found = await self._store.get(kind, workspace_id, id, reach)
        if found is None:
            raise NOT_FOUND[kind](data={_NAMES.get(kind, "user_identity_id"): id})
        return found

    async def all_of(self, kind: type[T], workspace_id: str, ids: Iterable[str]) -> list[T]:
        """These things, oldest first. Raises the refusal of their kind if one is not there."""
        wanted = set(ids)
        found = await self._store.find(kind, workspace_id, Wanted(ids=wanted)) if wanted else []
        missing = wanted - {each.id for each in found}
        if missing:
            raise NOT_FOUND[kind](data={f"{_NAMES.get(kind, 'user_identity_id')}s": sorted(missing)})
        return found

    async def find(
        self,
        kind: type[T],
        workspace_id: str,
        wanted: Wanted,
        *,
        after: tuple[int, str] | None = None,
        limit: int | None = None,
    ) -> list[T]:
        """Things of a kind in order of (created_at, id), behind ``after``."""
        return await self._store.find(kind, workspace_id, wanted, after=after, limit=limit)

    async def user(self, workspace_id: str, whom: Whom, reach: Reach = None) -> AcsUser:
        """The user that is meant. Raises ``AcsUserNotFound`` if there is none, or more than one."""
        found = await self._store.find(
            AcsUser,
            workspace_id,
            Wanted(
                ids=None if whom.acs_user_id is None else (whom.acs_user_id,),
                holder_ids=None if whom.user_identity_id is None else (whom.user_identity_id,),
                acs_system_ids=None if whom.acs_system_id is None else (whom.acs_system_id,),
                reach=reach,
            ),
            limit=2,
        )
        named = {name: value for name, value in whom._asdict().items() if value is not None}
        if len(found) > 1:
            raise AcsUserNotFound(
                "The user identity is a user of several systems: name the acs_system_id, too", data=named
            )
        if not found:
            raise AcsUserNotFound(data=named)
        return found[0]

    async def entrances_of(self, user: AcsUser) -> frozenset[str]:
        """The ids of the entrances that a user gets through."""
        groups: list[AcsAccessGroup] = []
        if user.acs_access_group_ids:
            groups = await self._store.find(
                AcsAccessGroup, user.workspace_id, Wanted(ids=user.acs_access_group_ids)
            )
        return entrances_of(user, groups)

    async def reached_by(self, user: AcsUser) -> frozenset[str]:
        """The ids of the entrances that a user gets through, by himself or by an access grant."""
        wanted = Wanted(holder_ids=(user.id,))
        of_grants = await self._store.find(AcsCredential, user.workspace_id, wanted)
        granted = {
            id
            for each in of_grants
            if each.access_method_id is not None and each.issued_at is not None
            for id in each.acs_entrance_ids or ()
        }
        return (await self.entrances_of(user)).union(granted)

    async def opened_by(self, credential: AcsCredential) -> frozenset[str]:
        """The ids of the entrances that a credential opens; none while nobody has it."""
        if credential.acs_user_id is None:
            return frozenset()
        user = await self._store.get(AcsUser, credential.workspace_id, credential.acs_user_id)
        if user is None or user.is_suspended:
            return frozenset()
        return opened_by(credential, await self.entrances_of(user))

    async def told_of_end(self, workspace_id: str, account_id: str, now: int) -> list[Event]:
        """What there is to tell when all that is of an account goes: of each thing of its systems, once."""
        wanted = Wanted(connected_account_ids=(account_id,))
        return [
            told(word, each, now)
            for kind, word in _ENDS.items()
            for each in await self._store.find(kind, workspace_id, wanted)
        ]

    async def told_of_link(self, account: ConnectedAccount, now: int) -> list[Event]:
        """What there is to tell of the systems of an account that was cut off, or that lets in again."""
        wanted = Wanted(connected_account_ids=(account.id,))
        word = "disconnected" if account.errors else "connected"
        return [
            told_of_system(word, system, now, account.errors)
            for system in await self._store.find(AcsSystem, account.workspace_id, wanted)
        ]

    async def unlocked_by(self, workspace_id: str, credential_id: str, entrance_id: str, now: int) -> Entry:
        """Whom a cloud key is to let in at an entrance, and the lock there. Raises
        ``CredentialCannotUnlock``.
        """
        credential = await self.one(AcsCredential, workspace_id, credential_id)
        entrance = await self.one(AcsEntrance, workspace_id, entrance_id)
        is_good = (
            credential.access_method == "cloud_key"
            and is_on(credential.starts_at, credential.ends_at, now)
            and entrance.id in await self.opened_by(credential)
        )
        user = None
        if is_good and credential.acs_user_id is not None:
            user = await self.one(AcsUser, workspace_id, credential.acs_user_id)
        if user is None or not is_on(user.starts_at, user.ends_at, now):
            named = {"acs_credential_id": credential_id, "acs_entrance_id": entrance_id}
            raise CredentialCannotUnlock(data=named)
        return Entry(entrance.device_id, entrance.acs_system_id, entrance.id, user.id, user.user_identity_id)
