"""Persons whom a system knows and nobody here made: found with their users there, and taken over."""

from __future__ import annotations

from typing import Any

from thumbturn.domain.access import AcsSystem, AcsUser, UnmanagedIdentity, UserIdentity, told
from thumbturn.domain.access_refusals import UserIdentityKeyTaken
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import UserIdentityNotFound, WorkspaceNotSandbox
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.access import Access
from thumbturn.engine.access_ports import AccessStore, KeyIsTaken


class FoundIdentities:
    """The unmanaged user identities of all workspaces."""

    def __init__(self, store: AccessStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.access = Access(store)

    async def add_by_hand(
        self,
        workspace: Workspace,
        acs_system_id: str,
        *,
        full_name: str,
        email_address: str | None = None,
        phone_number: str | None = None,
    ) -> AcsUser:
        """Somebody adds a user at a virtual system itself; that user, whose identity is unmanaged.

        Raises ``WorkspaceNotSandbox``, ``AcsSystemNotFound``.
        """
        if not workspace.is_sandbox:
            raise WorkspaceNotSandbox
        system = await self.access.one(AcsSystem, workspace.id, acs_system_id)
        now = self._clock.now()
        where: dict[str, Any] = {
            "workspace_id": workspace.id,
            "created_at": now,
            "acs_system_id": system.id,
            "connected_account_id": system.connected_account_id,
            "full_name": full_name,
            "email_address": email_address,
            "phone_number": phone_number,
        }
        person = UnmanagedIdentity(id=new_id(), **where)
        user = AcsUser(id=new_id(), user_identity_id=person.id, **where)
        await self._store.settle(
            workspace.id, new=(person, user), told=(told("acs_user.created", user, now),)
        )
        return user

    async def take_over(self, workspace_id: str, id: str, user_identity_key: str | None) -> None:
        """From now on this is a user identity like those that were made here, with this key.

        Raises ``UserIdentityNotFound``, ``UserIdentityKeyTaken``.
        """
        kind: type[UserIdentity] = UnmanagedIdentity

        def manage(known: UserIdentity) -> UserIdentity:
            return UserIdentity(
                id=known.id,
                workspace_id=known.workspace_id,
                created_at=known.created_at,
                user_identity_key=user_identity_key,
                full_name=known.full_name,
                email_address=known.email_address,
                phone_number=known.phone_number,
            )

        try:
            managed = await self._store.change(kind, workspace_id, id, manage)
        except KeyIsTaken:
            raise UserIdentityKeyTaken(data={"user_identity_key": user_identity_key}) from None
        if managed is None:
            raise UserIdentityNotFound(data={"user_identity_id": id})
