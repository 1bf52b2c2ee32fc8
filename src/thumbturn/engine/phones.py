"""What a workspace may do with the phones of its user identities."""

from __future__ import annotations

from typing import Any

from thumbturn.domain.access import UserIdentity
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import new_id
from thumbturn.domain.phone import Phone, PhoneNotFound
from thumbturn.domain.refusals import WorkspaceNotSandbox
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.access import Access
from thumbturn.engine.access_ports import AccessStore, Wanted


class Phones:
    """The phones of all workspaces. ``PhoneNotFound`` is raised for what is not the given workspace's."""

    def __init__(self, store: AccessStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._access = Access(store)

    async def make(self, workspace: Workspace, user_identity_id: str, **known: Any) -> Phone:
        """A new phone of an identity. Raises ``WorkspaceNotSandbox``, ``UserIdentityNotFound``."""
        if not workspace.is_sandbox:
            raise WorkspaceNotSandbox
        await self._access.one(UserIdentity, workspace.id, user_identity_id)
        phone = Phone(
            id=new_id(),
            workspace_id=workspace.id,
            created_at=self._clock.now(),
            user_identity_id=user_identity_id,
            **known,
        )
        await self._store.add(phone)
        return phone

    async def get(self, workspace_id: str, phone_id: str) -> Phone:
        """One phone."""
        found = await self._store.get(Phone, workspace_id, phone_id)
        if found is None:
            raise PhoneNotFound(data={"device_id": phone_id})
        return found

    async def listed(self, workspace_id: str, user_identity_id: str | None) -> list[Phone]:
        """The phones of an identity, or all, oldest first."""
        holders = None if user_identity_id is None else (user_identity_id,)
        return await self._store.find(Phone, workspace_id, Wanted(holder_ids=holders))

    async def deactivate(self, workspace_id: str, phone_id: str) -> None:
        """Take a phone out of use, and tell so. It is not found any more."""
        phone = await self.get(workspace_id, phone_id)
        gone = {phone.id: phone.deactivated(self._clock.now())}
        if not await self._store.remove(workspace_id, gone):
            raise PhoneNotFound(data={"device_id": phone_id})
