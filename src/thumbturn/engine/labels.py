"""What events carry of what people attach to devices and accounts: custom metadata, and whose customer's.

The contract gives these keys to the events of some families. They are written with the event, as they are
when it goes on record, so that whoever reads it later, or is sent it again, reads the same. What nobody
attached is not there, and then an event is what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from thumbturn.domain.access_code_news import is_by_code
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.event import Event
from thumbturn.engine.ports import Change

OF_DEVICE, OF_ACCOUNT = "device_custom_metadata", "connected_account_custom_metadata"
CUSTOMER = "customer_key"
_WITH_CUSTOMER = frozenset({OF_DEVICE, OF_ACCOUNT, CUSTOMER})
#: By the family of events, what they carry.
_CARRIED: Mapping[str, Collection[str]] = MappingProxyType(
    {
        "device": _WITH_CUSTOMER,
        "lock": _WITH_CUSTOMER,
        "thermostat": _WITH_CUSTOMER,
        "noise_sensor": _WITH_CUSTOMER,
        "access_code": (OF_DEVICE, OF_ACCOUNT),
        "connected_account": (OF_ACCOUNT,),
    }
)
#: Of the other types of a family, and of other families.
_TYPES: Mapping[str, Collection[str]] = MappingProxyType(
    dict.fromkeys(
        ("connected_account.connected", "connected_account.deleted", "connect_webview.login_succeeded"),
        (OF_ACCOUNT, CUSTOMER),
    )
)


class Labels:
    """What is attached now. Kept in memory: a command's events ask for it."""

    def __init__(self, device: Callable[[str], Device | None]) -> None:
        self._device = device
        #: By account, with its workspace; only of accounts that have something.
        self._accounts: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def follow(self, accounts: Iterable[ConnectedAccount]) -> None:
        """From now on go by what these accounts have attached."""
        for account in accounts:
            attached: dict[str, Any] = {}
            if account.custom_metadata:
                attached[OF_ACCOUNT] = account.custom_metadata
            if account.customer_key is not None:
                attached[CUSTOMER] = account.customer_key
            if attached:
                self._accounts[account.id] = account.workspace_id, attached
            else:
                self._accounts.pop(account.id, None)

    def forget(self, workspace_id: str, account_id: str | None = None) -> None:
        """Forget what an account of a workspace has attached, or all of them."""
        self._accounts = {
            id: each
            for id, each in self._accounts.items()
            if each[0] != workspace_id or (account_id is not None and id != account_id)
        }

    def on(self, told: Iterable[Event]) -> tuple[Event, ...]:
        """These events with what they carry."""
        return tuple([self._on(event) for event in told])

    def on_change(self, change: Change) -> Change:
        """The change with what its events carry; the same object if that is nothing."""
        for event in change.events:
            if self._on(event) is not event or is_by_code(event):
                by_code = any(is_by_code(each) for each in change.events)
                return replace(change, events=self.on(change.events), names_codes=by_code)
        return change

    def _on(self, event: Event) -> Event:
        device = None if event.device_id is None else self._device(event.device_id)
        of_device = None if device is None else device.custom_metadata
        account = self._accounts.get(event.connected_account_id or "")
        if not of_device and account is None:
            return event
        type = event.event_type
        carried = _TYPES.get(type) or _CARRIED.get(type.partition(".")[0], ())
        attached = {} if account is None else {**account[1]}
        if of_device:
            attached[OF_DEVICE] = of_device
        labels = {name: value for name, value in attached.items() if name in carried}
        return event._replace(payload={**event.payload, **labels}) if labels else event
