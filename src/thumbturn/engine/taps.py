"""Where the conversation with a hub can be listened to: its driver says here what goes over the link.

Nobody listens but while a device is recorded (``recordings.py``), and then only to what that device's cleaner
keeps. A driver that can be recorded has ``Taps``, tells them each message of each link, and makes cleaners.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from thumbturn.domain.hub import HubFacts, Settings
from thumbturn.engine.hub_ports import HubDriver
from thumbturn.engine.web_socket import Socket


class Kept(NamedTuple):
    """What a recording keeps of a message."""

    said: Mapping[str, Any]
    #: What tells which answer is to which message, without the number that it had on the link.
    id: str | None = None


class Cleaner(Protocol):
    """What a recording may keep of a conversation about one device: only what it knows to be no secret."""

    def sent(self, message: str) -> Kept | None:
        """What is kept of a message of the driver; ``None`` if it is not about the device."""

    def heard(self, message: str) -> Kept | None:
        """What is kept of a message of the hub; ``None`` likewise."""

    def pin(self, pin: str) -> str:
        """What stands in a recording in the place of this PIN, always the same for the same."""


class Ear(Protocol):
    """Somebody who listens to a link."""

    @property
    def is_open(self) -> bool:
        """Whether he listens now: for whoever would have to make a text first."""

    def sent(self, message: str) -> None:
        """The driver says this."""

    def heard(self, message: str) -> None:
        """The hub says this."""


class Taps:
    """Who listens to which link, by the account of its hub."""

    def __init__(self) -> None:
        self._ears: dict[str, tuple[Ear, ...]] = {}

    def sent(self, account_id: str, message: str) -> None:
        """A driver says this to a hub."""
        for ear in self._ears.get(account_id, ()):
            ear.sent(message)

    def heard(self, account_id: str, message: str) -> None:
        """A hub says this."""
        for ear in self._ears.get(account_id, ()):
            ear.heard(message)

    def line(self, account_id: str) -> Ear:
        """Whoever listens to the link of this account, at any time."""
        return _Line(self, account_id)

    def open(self, account_id: str, ear: Ear) -> None:
        """Listen from now on."""
        self._ears[account_id] = (*self._ears.get(account_id, ()), ear)

    def close(self, account_id: str, ear: Ear) -> None:
        """Listen no more."""
        left = tuple(each for each in self._ears.get(account_id, ()) if each is not ear)
        if left:
            self._ears[account_id] = left
        else:
            self._ears.pop(account_id, None)

    def is_open(self, account_id: str) -> bool:
        """Whether anybody listens to this link."""
        return account_id in self._ears


class _Nobody:
    is_open = False

    def sent(self, message: str) -> None:
        """Nobody listens."""

    def heard(self, message: str) -> None:
        """Nobody listens."""


NOBODY: Final[Ear] = _Nobody()


class _Line(NamedTuple):
    taps: Taps
    account_id: str

    @property
    def is_open(self) -> bool:
        return self.taps.is_open(self.account_id)

    def sent(self, message: str) -> None:
        self.taps.sent(self.account_id, message)

    def heard(self, message: str) -> None:
        self.taps.heard(self.account_id, message)


class TappedSocket:
    """A WebSocket with somebody who listens. Implements ``Socket``."""

    def __init__(self, socket: Socket, ear: Ear) -> None:
        self._socket = socket
        self._ear = ear

    async def send(self, text: str) -> None:
        """Send a text. Raises ``LinkLost``."""
        self._ear.sent(text)
        await self._socket.send(text)

    async def receive(self) -> str:
        """The next text. Raises ``LinkLost`` when none can come any more."""
        text = await self._socket.receive()
        self._ear.heard(text)
        return text

    async def close(self) -> None:
        """Let go of it."""
        await self._socket.close()


class Recordable(HubDriver, Protocol):
    """A driver whose devices can be recorded."""

    taps: Taps

    def cleaner(self, address: str, settings: Settings) -> Cleaner:
        """Who keeps what is no secret of the conversation about the device with this address."""

    async def look_aloud(self, settings: Settings, ear: Ear) -> HubFacts:
        """As ``look``, with somebody who listens."""
