"""The accounts of hubs that do not accept their login any more, and of those that do again.

A hub that does not answer may be back in a moment, and its account stands. One that answers and refuses
waits for a person: its account says so, and so does each device behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from thumbturn.domain.clock import Clock
from thumbturn.domain.connected_account import ACCOUNT_DISCONNECTED, ConnectedAccount, told_of_cut
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.event import Event
from thumbturn.engine.labels import Labels
from thumbturn.engine.observations import Observations
from thumbturn.engine.ports import Store


class HubLogins:
    """Marks accounts, and tells of each change once."""

    def __init__(self, store: Store, observations: Observations, labels: Labels, clock: Clock) -> None:
        self._store = store
        self._observations = observations
        self._labels = labels
        self._clock = clock

    async def shut_out(self, account: ConnectedAccount, behind: Iterable[Device]) -> None:
        """The hub has refused the login: nothing behind it can be reached until a person signs in anew."""
        now = self._clock.now()
        for device in behind:
            away = {"online": False, "offline_because": ACCOUNT_DISCONNECTED}
            self._observations.observe(Observation(device.id, now, away))
        if account.disconnected_at is not None:
            return
        # Its devices are told of first: if this process ends here, the hub refuses again and does the rest.
        await self._observations.written()
        told = self._labels.on(told_of_cut(replace(account, disconnected_at=now), now))
        await self._store.accounts.disconnect(account.workspace_id, account.id, now, told)

    async def let_in(self, account: ConnectedAccount, told: Sequence[Event]) -> None:
        """The hub has accepted it: whoever was shut out is not any more, and is told so."""
        if account.disconnected_at is not None:
            await self._store.accounts.link(replace(account, disconnected_at=None), (), self._labels.on(told))
