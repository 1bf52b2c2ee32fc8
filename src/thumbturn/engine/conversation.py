"""Commands and answers over one socket, for hubs that answer each command by its number.

Between the answers comes what devices report, at any time and in any order. Whatever was asked when the
link is lost has no answer: it may have been done.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Generic, Protocol, TypeVar

from thumbturn.domain.clock import Clock
from thumbturn.engine.link_life import LinkLost
from thumbturn.engine.web_socket import Socket


class Answer(Protocol):
    """What a hub answers to a command."""

    @property
    def message_id(self) -> str | int:
        """The number of the command, as it was sent."""


A = TypeVar("A", bound=Answer)


class Conversation(Generic[A]):
    """What is said over one socket: ``read`` understands it, ``answer`` is what an answer is among that."""

    def __init__(
        self,
        socket: Socket,
        clock: Clock,
        *,
        read: Callable[[str], Any],
        answer: type[A],
        id_word: str,
        hear: Callable[[Any, int], None],
        command_word: str = "command",
        number: type[str | int] = str,
    ) -> None:
        """``id_word`` and ``command_word``: where a command has its number, of which type, and its name.

        ``hear`` is given whatever is no answer, numbered.
        """
        self._socket = socket
        self._clock = clock
        self._understand = read
        self._answer = answer
        self._id_word, self._command_word, self._number = id_word, command_word, number
        self._hear = hear
        self._ids = count(1)
        self._numbers = count(1)
        self._asked: dict[str | int, asyncio.Future[A]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def greeting(self, within: int) -> Any:
        """What the hub says first, understood; ``None`` if it says nothing. Raises ``LinkLost``."""
        said = asyncio.ensure_future(self._socket.receive())
        try:
            return self._understand(said.result()) if await self._clock.wait(said, within) else None
        finally:
            said.cancel()

    def listen(self) -> None:
        """From now on take in what the hub says."""
        self._reading = asyncio.get_running_loop().create_task(self._read())

    async def send(self, message: Mapping[str, Any]) -> None:
        """Say something that has no number, and no answer by it. Raises ``LinkLost``."""
        await self._socket.send(json.dumps(message))

    async def call(self, command: str, within: int, **more: Any) -> A | None:
        """What the hub answers; ``None`` if it does not. Raises ``LinkLost``: it may have been done."""
        id = self._number(next(self._ids))
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._asked[id] = answer
        try:
            await self._socket.send(json.dumps({self._id_word: id, self._command_word: command, **more}))
            return answer.result() if await self._clock.wait(answer, within) else None
        finally:
            del self._asked[id]

    async def lasts(self) -> None:
        """Return when it is over; raises ``LinkLost`` then."""
        assert self._reading is not None  # it has begun
        await asyncio.shield(self._reading)

    async def end(self) -> None:
        """Hang up."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._socket.close()

    async def _read(self) -> None:
        try:
            while True:
                message = self._understand(await self._socket.receive())
                if isinstance(message, self._answer):
                    asked = self._asked.get(message.message_id)
                    if asked is not None and not asked.done():
                        asked.set_result(message)
                elif message is not None:
                    self._hear(message, next(self._numbers))
        except LinkLost as reason:
            for asked in self._asked.values():
                if not asked.done():
                    asked.set_exception(LinkLost(str(reason)))
            raise
