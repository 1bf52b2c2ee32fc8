"""What a workspace may do with its connected accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from weakref import WeakValueDictionary

from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.access_code_news import forgotten
from thumbturn.domain.client_session import Reach
from thumbturn.domain.clock import Clock
from thumbturn.domain.connected_account import ConnectedAccount, told_of_cut
from thumbturn.domain.device import Device, deleted
from thumbturn.domain.event import Event
from thumbturn.domain.refusals import ConnectedAccountNotFound, WorkspaceNotSandbox
from thumbturn.domain.space import told_of_loss
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.access import Access
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.engine.devices import Devices
from thumbturn.engine.hubs import Hubs
from thumbturn.engine.moving import Moving
from thumbturn.engine.observations import Observations
from thumbturn.engine.ports import Driver, Store
from thumbturn.engine.sandbox_ports import SandboxWorld
from thumbturn.engine.webhook_ports import Seal

WAS_DELETED = "Its account was deleted."


class ConnectedAccounts:
    """The connected accounts of all workspaces.

    ``ConnectedAccountNotFound`` is raised for what is not the given workspace's, or beyond the reach.
    """

    def __init__(
        self,
        *,
        store: Store,
        access: Access,
        devices: Devices,
        drivers: Mapping[str, Driver],
        world: SandboxWorld,
        moving: Moving,
        observations: Observations,
        seal: Seal,
        clock: Clock,
    ) -> None:
        self._store = store.accounts
        self._access = access
        self._devices = devices
        self._labels = devices.labels
        self._drivers = drivers
        self._world = world
        self._moving = moving
        self._observations = observations
        self._clock = clock
        #: Those of them that are hubs.
        self.hubs = Hubs(
            store=store,
            drivers=drivers,
            devices=devices,
            moving=moving,
            observations=observations,
            seal=seal,
            clock=clock,
        )
        #: Held while an account is changed; gone when nobody changes it any more.
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, workspace_id: str, account_id: str, reach: Reach = None) -> ConnectedAccount:
        """One account."""
        return _there(await self._store.get(workspace_id, account_id, reach))

    async def with_email(self, workspace_id: str, email: str, reach: Reach = None) -> ConnectedAccount:
        """The oldest account that somebody with this mail address signed in to."""
        wanted = AccountFilter(email=email, reach=reach)
        found = await self._store.listed(workspace_id, wanted, limit=1)
        return _there(found[0] if found else None)

    async def listed(
        self, workspace_id: str, wanted: AccountFilter, *, after: tuple[int, str] | None = None, limit: int
    ) -> list[ConnectedAccount]:
        """Accounts in order of (created_at, id), behind ``after``."""
        return await self._store.listed(workspace_id, wanted, after=after, limit=limit)

    async def change(
        self, workspace_id: str, account_id: str, change: Callable[[ConnectedAccount], ConnectedAccount]
    ) -> ConnectedAccount:
        """Change an account, and store that; the account as it is then.

        Changes of one account are made one after the other, so that none undoes another.
        """
        async with self._changing.setdefault(account_id, asyncio.Lock()):
            changed = change(await self.get(workspace_id, account_id))
            if not await self._store.change(changed):
                raise ConnectedAccountNotFound
            self._labels.follow((changed,))
            return changed

    async def delete(self, workspace_id: str, account_id: str) -> None:
        """Forget an account, its devices and systems, and tell the workspace so; devices stay as they are.

        Attempts on them that are open end. No client session reaches it any more.
        """
        async with self._moving.alone(workspace_id):
            account = await self.get(workspace_id, account_id)

            async def remove() -> None:
                now = self._clock.now()
                gone = [deleted(device, now) for device in self._behind(account)]
                gone += await self._access.told_of_end(workspace_id, account_id, now)
                told = self._labels.on(
                    (*gone, account.told("deleted", now, connected_account_type=account.driver))
                )

                def of_code(code: AccessCode) -> Event:
                    [told_of_it] = self._labels.on((forgotten(code, now),))
                    return told_of_it

                of_space = partial(told_of_loss, now=now)
                if not await self._store.remove(workspace_id, account_id, told, of_code, of_space):
                    raise ConnectedAccountNotFound

            await self._moving.move_out(workspace_id, account_id, WAS_DELETED, remove)
            await self.hubs.leave(account)
            self._labels.forget(workspace_id, account_id)

    async def sync(self, workspace_id: str, account_id: str) -> None:
        """Have the account's devices report how they are; what is news is on record when this returns."""
        account = await self.get(workspace_id, account_id)
        if account.disconnected_at is None:
            # It may have been signed in to just before a process ended.
            self._world.let_in([device.id for device in self._behind(account)])
        self._drivers[account.driver].refresh([device.id for device in self._behind(account)])
        await self._observations.written()

    async def disconnect(self, workspace: Workspace, account_id: str) -> None:
        """A virtual account lets nobody in any more, so its devices cannot be reached.

        Raises ``WorkspaceNotSandbox`` elsewhere.
        """
        if not workspace.is_sandbox:
            raise WorkspaceNotSandbox
        account = await self.get(workspace.id, account_id)
        if account.disconnected_at is not None:
            return
        self._world.lock_out([device.id for device in self._behind(account)])
        # Its devices are told of first: if this process ends here, asking again does the rest.
        await self._observations.written()
        now = self._clock.now()
        cut_off = replace(account, disconnected_at=now)
        told = [*told_of_cut(cut_off, now), *await self._access.told_of_link(cut_off, now)]
        await self._store.disconnect(workspace.id, account_id, now, self._labels.on(told))

    async def let_in(self, account: ConnectedAccount) -> None:
        """Speak to the devices of an account again that somebody signed in to anew."""
        self._world.let_in([device.id for device in self._behind(account)])
        await self._observations.written()

    def _behind(self, account: ConnectedAccount) -> list[Device]:
        return [
            device
            for device in self._devices.of_workspace(account.workspace_id)
            if device.connected_account_id == account.id
        ]


def _there(account: ConnectedAccount | None) -> ConnectedAccount:
    if account is None:
        raise ConnectedAccountNotFound
    return account
