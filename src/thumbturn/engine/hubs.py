"""The hubs of all workspaces: they are linked, what is behind them is followed, and they are let go.

What a hub says of its devices becomes true here, in one place for all drivers: a device that is new is
stored and told of, one that is gone is ``removed``, one that has another name has it here too. How a device
*is* says nobody but its own driver, once it was read.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.connected_account import AcceptedCapability, ConnectedAccount
from thumbturn.domain.device import Device, Observation, added, told_of_change
from thumbturn.domain.event import Event
from thumbturn.domain.hub import (
    Found,
    Hub,
    HubFacts,
    HubUnreachable,
    ProviderHasNoHubs,
    SandboxHasNoHubs,
    Settings,
    ShutOut,
    Told,
    TooManyHubsTried,
    checked_settings,
)
from thumbturn.domain.ids import new_id
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.account_ports import AccountFilter
from thumbturn.engine.devices import Devices
from thumbturn.engine.hub_logins import HubLogins
from thumbturn.engine.hub_offer import Link, described, new_device
from thumbturn.engine.hub_ports import HubDriver
from thumbturn.engine.moving import Moving
from thumbturn.engine.observations import Observations
from thumbturn.engine.ports import Driver, Store
from thumbturn.engine.supervised import supervised
from thumbturn.engine.webhook_ports import Seal

#: For so long somebody who links a hub waits for its answer.
ANSWERS_WITHIN = seconds(10)
#: So many hubs a workspace may try at a time: each takes a connection, and perhaps a thread, for so long.
MOST_TRIED_AT_ONCE = 4
#: A workspace with more hubs than that is no home.
_MOST_LOOKED_AT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What shall be taken from a new account, and how it is labelled."""

    accepted_capabilities: tuple[AcceptedCapability, ...] = ()
    manages_new_devices: bool = True
    custom_metadata: Mapping[str, str | bool] = field(default_factory=dict)
    customer_key: str | None = None


class Hubs:
    """The hubs that accounts are."""

    def __init__(
        self,
        *,
        store: Store,
        drivers: Mapping[str, Driver],
        devices: Devices,
        moving: Moving,
        observations: Observations,
        seal: Seal,
        clock: Clock,
    ) -> None:
        self._store = store
        #: The drivers whose hubs can be linked, by their names.
        self.drivers = {
            name: cast("HubDriver", driver) for name, driver in drivers.items() if hasattr(driver, "fields")
        }
        self._devices = devices
        self._labels = devices.labels
        self._moving = moving
        self._observations = observations
        self._seal = seal
        self._clock = clock
        self._logins = HubLogins(store, observations, self._labels, clock)
        #: Those that are followed, by their accounts: whose, and what was said of them and is not taken in.
        self._followed: dict[str, str] = {}
        self._news: dict[str, Told] = {}
        self._taking_in: dict[str, asyncio.Task[None]] = {}
        #: The workspaces that are trying hubs now, each as often as it does.
        self._trying: Counter[str] = Counter()

    # its own life -------------------------------------------------------------------------------

    def start(self, accounts: Iterable[ConnectedAccount]) -> None:
        """Follow the hubs among these accounts."""
        for account in accounts:
            if account.hub is not None and account.driver in self.drivers:
                self.follow(account)

    async def stop(self) -> None:
        """Take nothing in any more. The links themselves are the drivers'."""
        self._followed.clear()
        tasks = [*self._taking_in.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # linking ------------------------------------------------------------------------------------

    def driver(self, provider: str) -> HubDriver:
        """The driver of this name. Raises ``ProviderHasNoHubs``."""
        if provider not in self.drivers:
            raise ProviderHasNoHubs(f"There are hubs of: {', '.join(self.drivers) or 'nobody'}.")
        return self.drivers[provider]

    async def look(
        self, workspace_id: str, provider: str, given: Mapping[str, str]
    ) -> tuple[Settings, HubFacts]:
        """The settings, checked, and what the hub says of itself. Stores nothing.

        Raises ``ProviderHasNoHubs``, ``HubSettingsWrong``, ``TooManyHubsTried``, ``HubUnreachable``,
        ``HubLoginRefused`` and ``HubNotUnderstood``.
        """
        driver = self.driver(provider)
        settings = checked_settings(driver.fields, given)
        if self._trying[workspace_id] >= MOST_TRIED_AT_ONCE:
            raise TooManyHubsTried
        self._trying[workspace_id] += 1
        looking = asyncio.ensure_future(driver.look(settings))
        try:
            if not await self._clock.wait(looking, ANSWERS_WITHIN):
                raise HubUnreachable("The hub did not answer in time.")
            return settings, looking.result()
        finally:
            looking.cancel()
            self._trying -= Counter((workspace_id,))

    async def link(
        self, workspace: Workspace, provider: str, given: Mapping[str, str], taking: Taking
    ) -> ConnectedAccount:
        """The account that this hub is from now on; one that it was before is reached like this now.

        Raises ``SandboxHasNoHubs``, and what ``look`` raises.
        """
        if workspace.is_sandbox:
            raise SandboxHasNoHubs
        settings, facts = await self.look(workspace.id, provider, given)
        async with self._moving.alone(workspace.id):
            known = await self.account_of(workspace.id, provider, facts.hub_id)
            account = self.account(workspace.id, provider, facts, Link(settings), known, taking)
            devices = [] if known else self.devices_of(account, facts.found)
            told = self.told_of(account, devices, known)
            self._labels.follow((account,))
            await self._store.accounts.link(account, devices, self._labels.on(told))
            self._moving.move_in(devices)
            self.follow(account)
        return account

    async def account_of(self, workspace_id: str, provider: str, hub_id: str) -> ConnectedAccount | None:
        """The account that this hub is already."""
        every = await self._store.accounts.listed(workspace_id, AccountFilter(), limit=_MOST_LOOKED_AT)
        return next((each for each in every if (each.driver, each.hub_id) == (provider, hub_id)), None)

    def account(
        self,
        workspace_id: str,
        provider: str,
        facts: HubFacts,
        link: Link,
        known: ConnectedAccount | None,
        taking: Taking,
    ) -> ConnectedAccount:
        """A hub's account: a new one, or the one that it is already, reached like this."""
        if known is None:
            url = link.settings.get("url")
            known = ConnectedAccount(
                id=new_id(),
                workspace_id=workspace_id,
                driver=provider,
                name=facts.name,
                created_at=self._clock.now(),
                custom_metadata=dict(taking.custom_metadata),
                customer_key=taking.customer_key,
                accepted_capabilities=taking.accepted_capabilities,
                manages_new_devices=taking.manages_new_devices,
                user_identifier={} if url is None else {"api_url": url},
                hub_id=facts.hub_id,
            )
        else:
            # What was chosen stays chosen, whoever says how it is reached now.
            link = replace(Link.opened(known, self._seal), settings=link.settings)
        return replace(known, hub=link.sealed(known.id, self._seal), disconnected_at=None)

    def devices_of(self, account: ConnectedAccount, found: Sequence[Found]) -> list[Device]:
        """The devices that a new account takes from its hub."""
        taken = Link.opened(account, self._seal).takes(found, account.accepted_capabilities)
        return [new_device(account, each, self._clock) for each in taken]

    def told_of(
        self,
        account: ConnectedAccount,
        devices: Sequence[Device],
        known: ConnectedAccount | None,
        **of_it: str,
    ) -> list[Event]:
        """The events of an account that was linked, new or known."""
        now = self._clock.now()
        word = "completed_first_sync_after_reconnection" if known else "completed_first_sync"
        return [
            *(() if known else (account.told("created", now, **of_it),)),
            account.told("connected", now, **of_it),
            account.told("successful_login", now, **of_it),
            *(added(device, now) for device in devices),
            account.told(word, now),
        ]

    # following ----------------------------------------------------------------------------------

    def follow(self, account: ConnectedAccount) -> None:
        """Hold a link to a hub's account, in the place of any other to it."""
        self._followed[account.id] = account.workspace_id
        link = Link.opened(account, self._seal)
        hub = Hub(account.id, account.workspace_id, account.hub_id or "", link.settings)
        self.drivers[account.driver].follow(hub, self._hear)

    async def leave(self, account: ConnectedAccount) -> None:
        """Let go of an account's hub."""
        if self._followed.pop(account.id, None) is not None:
            self._news.pop(account.id, None)
            await self.drivers[account.driver].leave(account.id)

    def _hear(self, told: Told) -> None:
        """Only the newest counts: each is the whole truth."""
        account_id = told.account_id
        if account_id not in self._followed:
            return
        self._news[account_id] = told
        if account_id not in self._taking_in:
            task = asyncio.get_running_loop().create_task(self._take_in_all(account_id))
            self._taking_in[account_id] = task

    async def _take_in_all(self, account_id: str) -> None:
        try:
            while account_id in self._news:
                with supervised("inventory_not_taken_in", connected_account_id=account_id) as look:
                    await self._take_in(self._news.pop(account_id))
                if look.failed:
                    # The hub says it again when it is connected again: that is soon enough for what is rare.
                    return
        finally:
            del self._taking_in[account_id]

    async def _take_in(self, told: Told) -> None:
        account_id = told.account_id
        workspace_id = self._followed[account_id]
        async with self._moving.alone(workspace_id):
            account = await self._store.accounts.get(workspace_id, account_id)
            if account is None or account_id not in self._followed:
                return
            known = {
                each.address: each
                for each in self._devices.of_workspace(workspace_id)
                if each.connected_account_id == account_id
            }
            if isinstance(told, ShutOut):
                await self._logins.shut_out(account, known.values())
                return
            await self._logins.let_in(account, self.told_of(account, [], known=account))
            taken = Link.opened(account, self._seal).takes(told.found, account.accepted_capabilities)
            there = {each.address: each for each in taken}
            await self._add(account, [each for address, each in there.items() if address not in known])
            await self._describe(there, known)
            for address, device in known.items():
                self._say_whether_there(device, is_there=address in there)

    async def _add(self, account: ConnectedAccount, new: Sequence[Found]) -> None:
        if not new:
            return
        devices = [new_device(account, each, self._clock) for each in new]
        told = self._labels.on([added(device, self._clock.now()) for device in devices])
        await self._store.add_devices(devices, told)
        self._moving.move_in(devices)

    async def _describe(self, there: Mapping[str, Found], known: Mapping[str, Device]) -> None:
        """Store what a hub says otherwise of devices than before."""
        changed: list[Device] = []
        told: list[Event] = []
        for address, before in known.items():
            after = described(before, there[address]) if address in there else before
            if after is not before:
                changed.append(after)
                told += told_of_change(before, after, self._clock.now())
        if not changed:
            return
        await self._store.accounts.describe(changed, self._labels.on(told))
        # They may have reported something meanwhile.
        now = [self._devices.get(each.id) or each for each in changed]
        self._moving.move_in([described(each, there[each.address]) for each in now])

    def _say_whether_there(self, device: Device, *, is_there: bool) -> None:
        was_there = not device.state.get("removed", False)
        if is_there is not was_there:
            changes = {"removed": False} if is_there else {"removed": True, "online": False}
            self._observations.observe(Observation(device.id, self._clock.now(), changes))
