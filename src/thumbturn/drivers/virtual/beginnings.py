"""How the virtual world begins, which is another in another world."""

from __future__ import annotations

from typing import Protocol

from thumbturn.domain.device import Device
from thumbturn.engine.ports import Seed


class Beginnings(Protocol):
    """What there is before anybody did anything. ``seeds.py`` is the sandbox's own."""

    def first_things(self, workspace_id: str, now: int) -> Seed:
        """What a sandbox workspace begins with: always with the same ids for the same workspace."""

    def account_things(self, workspace_id: str, account_id: str, now: int) -> list[Device]:
        """The devices behind a virtual account: always with the same ids for the same account."""

    def more_devices(
        self, workspace_id: str, count: int, *, kind: str, travel_milliseconds: int, now: int
    ) -> list[Device]:
        """New devices of a kind at home in this workspace; ``KeyError`` for a kind there is not."""
