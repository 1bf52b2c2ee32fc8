"""Whether a command has come true: what a change that follows it must stand before it is believed.

Home Assistant answers a command well that did nothing, and an integration may say that a thing is as it was
told to be before that has heard of it. So three things are wanted: the command was answered, the entity has
*changed* to what was asked for since, and it still is so after its integration was made to look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Proof:
    """The command that was last sent to a device."""

    def __init__(
        self, look: Callable[[], Awaitable[object]], is_so: Callable[[], bool], tell: Callable[[], None]
    ) -> None:
        """``look`` has the integration look; ``tell`` is called once, when the command has come true."""
        self._look = look
        self._is_so = is_so
        self._tell = tell
        self._is_open = self._is_answered = self._is_seen = False
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """True from a command until it has come true, or is given up."""
        return self._is_open

    def begin(self) -> None:
        """A command is sent now."""
        self.give_up()
        self._is_open = True

    def answered(self) -> None:
        """It was answered, or an answer is not waited for any more."""
        self._is_answered = True
        self._go_on()

    def seen(self) -> None:
        """The entity has changed to what was asked for."""
        self._is_seen = True
        self._go_on()

    def unseen(self) -> None:
        """It has changed to something else."""
        self._is_seen = False

    def give_up(self) -> None:
        """Whatever changes from now on is not about it."""
        self._is_open = self._is_answered = self._is_seen = False
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None

    def _go_on(self) -> None:
        if self._is_open and self._is_answered and self._is_seen and self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._judge())

    async def _judge(self) -> None:
        await self._look()
        self._looking = None
        if self._is_seen and self._is_so():
            self._is_open = False
            self._tell()
