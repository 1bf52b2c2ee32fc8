"""A hub as it is kept: how it is reached and what was chosen of it, as a text that is sealed."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from thumbturn.domain.clock import Clock
from thumbturn.domain.connected_account import AcceptedCapability, ConnectedAccount, is_accepted
from thumbturn.domain.device import Device
from thumbturn.domain.hub import Found, HubFacts, Settings
from thumbturn.domain.ids import named_id
from thumbturn.engine.secrets import sealed_for
from thumbturn.engine.webhook_ports import Seal


@dataclass(frozen=True, slots=True)
class Link:
    """How a linked hub is reached."""

    settings: Settings
    #: The addresses of the devices that were chosen; ``None`` if all are taken, also those that come.
    only: frozenset[str] | None = None

    def sealed(self, account_id: str, seal: Seal) -> str:
        """As it is kept with its account."""
        only = None if self.only is None else sorted(self.only)
        text = json.dumps({"settings": dict(self.settings), "only": only})
        return seal.seal(text, sealed_for("connected_account", account_id))

    @staticmethod
    def opened(account: ConnectedAccount, seal: Seal) -> Link:
        """That of an account that is a hub."""
        kept: dict[str, Any] = json.loads(
            seal.open(account.hub or "", sealed_for("connected_account", account.id))
        )
        only = kept["only"]
        return Link(kept["settings"], None if only is None else frozenset(only))

    def takes(self, found: Sequence[Found], accepted: Collection[AcceptedCapability]) -> list[Found]:
        """Those of the devices behind the hub that are taken from it."""
        return [
            each
            for each in found
            if (self.only is None or each.address in self.only) and is_accepted(each.capabilities, accepted)
        ]


@dataclass(frozen=True, slots=True)
class Offer:
    """A hub that was tried on a connect webview, and answered."""

    provider: str
    settings: Settings
    facts: HubFacts

    def sealed(self, webview_id: str, seal: Seal) -> str:
        """As it is kept with its webview until that has ended."""
        found = [{**asdict(each), "capabilities": sorted(each.capabilities)} for each in self.facts.found]
        facts = {"hub_id": self.facts.hub_id, "name": self.facts.name, "found": found}
        text = json.dumps({"provider": self.provider, "settings": dict(self.settings), "facts": facts})
        return seal.seal(text, sealed_for("connect_webview", webview_id))

    @staticmethod
    def opened(webview_id: str, sealed: str, seal: Seal) -> Offer:
        """That of a webview."""
        kept: dict[str, Any] = json.loads(seal.open(sealed, sealed_for("connect_webview", webview_id)))
        facts = kept["facts"]
        found = tuple(
            Found(**{**each, "capabilities": frozenset(each["capabilities"])}) for each in facts["found"]
        )
        return Offer(kept["provider"], kept["settings"], HubFacts(facts["hub_id"], facts["name"], found))


def new_device(account: ConnectedAccount, found: Found, clock: Clock) -> Device:
    """A device that was found behind a hub. Offline until it was read."""
    return Device(
        # The same each time it is found, so that one who comes back is the one who went.
        id=named_id(account.id, found.address),
        workspace_id=account.workspace_id,
        connected_account_id=account.id,
        driver=account.driver,
        address=found.address,
        device_type=found.device_type,
        name=found.name,
        capabilities=found.capabilities,
        state={"online": False, **found.state},
        details=found.details,
        is_managed=account.manages_new_devices,
        created_at=clock.now(),
    )


def described(device: Device, found: Found) -> Device:
    """The device as its hub describes it now; the same object if that is nothing new."""
    now = replace(
        device,
        name=found.name,
        device_type=found.device_type,
        capabilities=found.capabilities,
        details=found.details,
    )
    return device if now == device else now
