"""What a workspace may do with its user identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from thumbturn.domain.access import AcsCredential, AcsSystem, AcsUser, UserIdentity, told
from thumbturn.domain.access_refusals import (
    IdentityHasUserThere,
    UserIdentityKeyTaken,
    UserOfAnotherIdentity,
)
from thumbturn.domain.clock import Clock
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event
from thumbturn.domain.ids import new_id
from thumbturn.domain.phone import Phone
from thumbturn.domain.refusals import DeviceNotFound, UserIdentityNotFound
from thumbturn.engine.access import Access
from thumbturn.engine.access_ports import AccessStore, KeyIsTaken, Wanted
from thumbturn.engine.client_session_ports import ClientSessionFilter
from thumbturn.engine.client_sessions import ClientSessions
from thumbturn.engine.found_identities import FoundIdentities
from thumbturn.engine.ports import DeviceFilter, Store

#: Sessions of an identity that are deleted at a time, when it is.
_AT_A_TIME = 500


class UserIdentities:
    """The user identities of all workspaces.

    ``UserIdentityNotFound`` is raised for what is not the given workspace's.
    """

    def __init__(self, store: Store, sessions: ClientSessions, clock: Clock) -> None:
        self._store = store
        self._things: AccessStore = store.access
        self._sessions = sessions
        self._clock = clock
        self.access = Access(store.access)
        #: Those whom nobody here made.
        self.found = FoundIdentities(store.access, clock)

    async def get(self, workspace_id: str, id: str | None, key: str | None = None) -> UserIdentity:
        """The identity with this id, or with this key."""
        wanted = Wanted(ids=None if id is None else (id,), key=key)
        found = await self._things.find(UserIdentity, workspace_id, wanted, limit=1)
        if not found:
            named = {"user_identity_id": id, "user_identity_key": key}
            raise UserIdentityNotFound(data={name: value for name, value in named.items() if value})
        return found[0]

    async def of_session(self, workspace_id: str, session_id: str) -> str | None:
        """The id of the identity that a client session is for."""
        session = await self._store.client_sessions.get(workspace_id, session_id)
        return None if session is None else session.user_identity_id

    async def create(
        self, workspace_id: str, known: Mapping[str, Any], acs_system_ids: Sequence[str] = ()
    ) -> UserIdentity:
        """A new identity, and a user for it in each of these systems.

        Raises ``UserIdentityKeyTaken``, ``AcsSystemNotFound``.
        """
        systems = await self.access.all_of(AcsSystem, workspace_id, acs_system_ids)
        now = self._clock.now()
        identity = UserIdentity(id=new_id(), workspace_id=workspace_id, created_at=now, **known)
        if not await self._things.add(identity):
            raise UserIdentityKeyTaken(data={"user_identity_key": identity.user_identity_key})
        for system in systems:
            user = AcsUser(
                id=new_id(),
                workspace_id=workspace_id,
                created_at=now,
                acs_system_id=system.id,
                connected_account_id=system.connected_account_id,
                full_name=identity.display_name,
                email_address=identity.email_address,
                phone_number=identity.phone_number,
                user_identity_id=identity.id,
            )
            await self._things.add(user, (told("acs_user.created", user, now),))
        return identity

    async def change(self, workspace_id: str, id: str, given: Mapping[str, Any]) -> UserIdentity:
        """Change what is given of an identity. Raises ``UserIdentityKeyTaken``."""
        try:
            changed = await self._things.change(
                UserIdentity, workspace_id, id, lambda known: replace(known, **given)
            )
        except KeyIsTaken:
            raise UserIdentityKeyTaken(data={"user_identity_id": id}) from None
        return _there(changed, id)

    async def delete(self, workspace_id: str, id: str) -> list[str]:
        """Forget an identity with its users, their credentials, its phones and sessions; the ids of these."""
        await self.get(workspace_id, id)
        users = await self.users(workspace_id, (id,))
        credentials: list[AcsCredential] = []
        if users:
            holders = Wanted(holder_ids=[user.id for user in users])
            credentials = await self._things.find(AcsCredential, workspace_id, holders)
        now = self._clock.now()
        gone: dict[str, Event | None] = {id: None}
        phones = await self._things.find(Phone, workspace_id, Wanted(holder_ids=(id,)))
        gone |= {each.id: each.deactivated(now) for each in phones}
        gone |= {each.id: told("acs_credential.deleted", each, now) for each in credentials}
        gone |= {each.id: told("acs_user.deleted", each, now) for each in users}
        await self._things.remove(workspace_id, gone)
        ended: list[str] = []
        wanted = ClientSessionFilter(user_identity_id=id)
        while found := await self._sessions.listed(workspace_id, wanted, limit=_AT_A_TIME):
            ended += [(await self._sessions.delete(workspace_id, each.id)).id for each in found]
        return ended

    async def users(self, workspace_id: str, ids: Sequence[str]) -> list[AcsUser]:
        """The users, in whatever systems, of these identities."""
        return await self._things.find(AcsUser, workspace_id, Wanted(holder_ids=ids)) if ids else []

    async def add_user(self, workspace_id: str, id: str, acs_user_id: str) -> None:
        """Let a user of a system be this identity's. Raises ``UserOfAnotherIdentity``,
        ``IdentityHasUserThere`` if it has another one in his system, ``AcsUserNotFound``.
        """
        await self.get(workspace_id, id)
        user = await self.access.one(AcsUser, workspace_id, acs_user_id)
        others = await self.users(workspace_id, (id,))
        if any(each.acs_system_id == user.acs_system_id and each.id != user.id for each in others):
            raise IdentityHasUserThere(data={"acs_system_id": user.acs_system_id})

        def change(known: AcsUser) -> AcsUser:
            if known.user_identity_id not in (None, id):
                raise UserOfAnotherIdentity(data={"acs_user_id": acs_user_id})
            return replace(known, user_identity_id=id)

        try:
            await self._things.change(AcsUser, workspace_id, acs_user_id, change)
        except KeyIsTaken:
            raise IdentityHasUserThere(data={"acs_system_id": user.acs_system_id}) from None

    async def remove_user(self, workspace_id: str, id: str, acs_user_id: str) -> None:
        """Let a user of a system be this identity's no more."""
        await self.get(workspace_id, id)
        user = await self.access.one(AcsUser, workspace_id, acs_user_id)
        if user.user_identity_id == id:
            await self._things.change(
                AcsUser, workspace_id, acs_user_id, lambda known: replace(known, user_identity_id=None)
            )

    async def grant_device(self, workspace_id: str, id: str, device_id: str) -> None:
        """Grant an identity a device. Raises ``DeviceNotFound``."""
        if not await self._store.devices(workspace_id, DeviceFilter(device_ids=[device_id]), limit=1):
            raise DeviceNotFound
        changed = await self._things.change(
            UserIdentity,
            workspace_id,
            id,
            lambda known: replace(known, device_ids=tuple(dict.fromkeys([*known.device_ids, device_id]))),
        )
        _there(changed, id)

    async def revoke_device(self, workspace_id: str, id: str, device_id: str) -> None:
        """Grant an identity a device no more."""
        changed = await self._things.change(
            UserIdentity,
            workspace_id,
            id,
            lambda known: replace(
                known, device_ids=tuple(each for each in known.device_ids if each != device_id)
            ),
        )
        _there(changed, id)

    async def devices(self, workspace_id: str, id: str) -> list[Device]:
        """The devices that an identity was granted and that are still there, oldest first."""
        identity = await self.get(workspace_id, id)
        wanted = DeviceFilter(device_ids=list(identity.device_ids), is_managed=True)
        return await self._store.devices(workspace_id, wanted, limit=max(1, len(identity.device_ids)))


def _there(identity: UserIdentity | None, id: str) -> UserIdentity:
    if identity is None:
        raise UserIdentityNotFound(data={"user_identity_id": id})
    return identity
