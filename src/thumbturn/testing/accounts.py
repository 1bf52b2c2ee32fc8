"""Connected accounts that are forgotten when the process ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Protocol

from thumbturn.domain.access_code import AccessCode
from thumbturn.domain.client_session import Reach, among
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event
from thumbturn.domain.space import Members, Space
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.testing.access import MemoryAccess
from thumbturn.testing.access_codes import MemoryAccessCodes
from thumbturn.testing.client_sessions import MemoryClientSessions
from thumbturn.testing.spaces import MemorySpaces


class Forgetful(Protocol):
    """What is kept of devices."""

    def forget(self, device_ids: Collection[str]) -> None:
        """Forget what is kept of these."""


class MemoryAccounts:
    """Implements ``engine.account_ports.AccountStore`` on the dictionaries of a ``MemoryStore``."""

    def __init__(
        self,
        accounts: dict[str, ConnectedAccount],
        devices: dict[str, Device],
        codes: MemoryAccessCodes,
        of_devices: Sequence[Forgetful],
        sessions: MemoryClientSessions,
        access: MemoryAccess,
        spaces: MemorySpaces,
        tell: Callable[[Sequence[Event]], None],
    ) -> None:
        self._accounts = accounts
        self._devices = devices
        self._codes = codes
        self._of_devices = of_devices
        self._sessions = sessions
        self._access = access
        self._spaces = spaces
        self._tell = tell

    async def get(self, workspace_id: str, account_id: str, reach: Reach = None) -> ConnectedAccount | None:
        found = self._accounts.get(account_id)
        if found is None or found.workspace_id != workspace_id or not among(reach, account_id):
            return None
        return found

    async def listed(
        self,
        workspace_id: str,
        wanted: AccountFilter,
        *,
        after: tuple[int, str] | None = None,
        limit: int,
    ) -> list[ConnectedAccount]:
        found = [
            each
            for each in self._accounts.values()
            if each.workspace_id == workspace_id
            and (wanted.account_ids is None or each.id in wanted.account_ids)
            and among(wanted.reach, each.id)
            and wanted.customer_key in (None, each.customer_key)
            and wanted.fits(each)
            and (after is None or (each.created_at, each.id) > after)
        ]
        return sorted(found, key=lambda each: (each.created_at, each.id))[:limit]

    async def change(self, account: ConnectedAccount) -> bool:
        known = await self.get(account.workspace_id, account.id)
        if known is None:
            return False
        self._accounts[account.id] = replace(
            account, disconnected_at=known.disconnected_at, user_identifier=known.user_identifier
        )
        return True

    async def disconnect(self, workspace_id: str, account_id: str, at: int, told: Sequence[Event]) -> bool:
        known = await self.get(workspace_id, account_id)
        if known is None or known.disconnected_at is not None:
            return False
        self._accounts[account_id] = replace(known, disconnected_at=at)
        self._tell(told)
        return True

    async def link(
        self, account: ConnectedAccount, new_devices: Sequence[Device], told: Sequence[Event]
    ) -> None:
        self.put(account, new_devices)
        self._tell(told)

    async def describe(self, known: Sequence[Device], told: Sequence[Event]) -> None:
        for device in known:
            before = self._devices.get(device.id)
            if before is not None and before.workspace_id == device.workspace_id:
                self._devices[device.id] = replace(
                    before,
                    name=device.name,
                    device_type=device.device_type,
                    capabilities=device.capabilities,
                    details=device.details,
                )
        self._tell(told)

    def put(self, account: ConnectedAccount, new_devices: Sequence[Device]) -> None:
        """Remember an account, or of one that is there how it is reached, and its new devices."""
        known = self._accounts.get(account.id, account)
        self._accounts[account.id] = replace(
            known, disconnected_at=None, hub=account.hub, hub_id=account.hub_id
        )
        self._devices.update({device.id: device for device in new_devices})

    async def remove(
        self,
        workspace_id: str,
        account_id: str,
        told: Sequence[Event],
        told_of_code: Callable[[AccessCode], Event],
        told_of_space: Callable[[Space, Members], Event],
    ) -> bool:
        if await self.get(workspace_id, account_id) is None:
            return False
        gone = {each.id for each in self._devices.values() if each.connected_account_id == account_id}
        self._tell([told_of_code(code) for code in self._codes.of_locks(gone)])
        self._tell([told_of_space(space, left) for space, left in self.drop((account_id,))])
        self._sessions.take_from_all(workspace_id, (account_id,))
        self._tell(told)
        return True

    def drop(self, account_ids: Collection[str]) -> list[tuple[Space, Members]]:
        """Forget these accounts and everything that is kept of their devices; the spaces that lose some of
        these, and what is left in them.
        """
        gone = [each.id for each in self._devices.values() if each.connected_account_id in account_ids]
        for each in self._of_devices:
            each.forget(gone)
        lost = self._spaces.let_go({*gone, *account_ids, *self._access.forget_accounts(account_ids)})
        for device_id in gone:
            del self._devices[device_id]
        for account_id in account_ids:
            del self._accounts[account_id]
        return lost
