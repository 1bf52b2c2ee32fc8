"""What a driver of real hubs implements, beyond ``Driver`` of ``ports.py`` (ADR 0029)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from thumbturn.domain.hub import Field, Hub, HubFacts, Settings, Told
from thumbturn.engine.ports import Driver


class HubDriver(Driver, Protocol):
    """An ecosystem whose devices are behind hubs that people link.

    It keeps a link to each hub, and is heard through ``observe`` of its devices, and through ``tell`` of what
    devices there are. A hub whose link is lost has no device that is online; what is behind one that came
    back is online once it was read, each device by itself. Nothing that a hub remembers is ever observed.
    """

    #: What people call it.
    title: str
    #: What must be known to reach a hub.
    fields: tuple[Field, ...]
    #: The capabilities that its devices have at best.
    capabilities: frozenset[str]

    async def look(self, settings: Settings) -> HubFacts:
        """Connect to the hub once, and say what it is and what is behind it.

        Raises ``HubUnreachable``, ``HubLoginRefused`` and ``HubNotUnderstood``, in words for people.
        """

    def follow(self, hub: Hub, tell: Callable[[Told], None]) -> None:
        """From now on hold a link to this hub, in the place of any other to the same account.

        ``tell`` is called with all that is behind it (``Inventory``) each time it was connected and when that
        changes, and with ``ShutOut`` when it refuses the login, as often as it does.
        """

    async def leave(self, account_id: str) -> None:
        """Let go of the hub; nothing is told of it any more."""
