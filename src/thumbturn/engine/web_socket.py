"""A WebSocket to a hub, as far as a link needs one, so that a test can be the hub."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from thumbturn.engine.link_life import LinkLost

if TYPE_CHECKING:
    from aiohttp import ClientSession, ClientWebSocketResponse

#: A hub with many devices says all of them in one message.
_LONGEST_MESSAGE = 64 << 20
#: Seconds without a sign of life after which the other end is asked for one, and is given up without.
_HEARTBEAT = 10.0
#: Seconds for the connection to be made.
_CONNECTED_WITHIN = 8.0


class Socket(Protocol):
    """A connection that texts come and go over."""

    async def send(self, text: str) -> None:
        """Send a text. Raises ``LinkLost``."""

    async def receive(self) -> str:
        """The next text. Raises ``LinkLost`` when none can come any more."""

    async def close(self) -> None:
        """Let go of it."""


class Dial(Protocol):
    """Makes connections."""

    async def __call__(self, url: str) -> Socket:
        """A connection to this address. Raises ``LinkLost``."""


async def dial(url: str) -> Socket:
    """A WebSocket to this address. Raises ``LinkLost``."""
    # Loaded when the first hub is: a server without hubs starts faster.
    from aiohttp import ClientError, ClientSession, ClientTimeout, ClientWSTimeout

    session = ClientSession(timeout=ClientTimeout(total=None, sock_connect=_CONNECTED_WITHIN))
    try:
        async with asyncio.timeout(_CONNECTED_WITHIN):
            socket = await session.ws_connect(
                url,
                max_msg_size=_LONGEST_MESSAGE,
                heartbeat=_HEARTBEAT,
                timeout=ClientWSTimeout(ws_close=1.0),
            )
    except (ClientError, OSError, TimeoutError, ValueError) as reason:
        await session.close()
        raise LinkLost(f"no WebSocket: {type(reason).__name__}") from None
    except BaseException:  # also when whoever connects is given up: no session is left open
        await session.close()
        raise
    return _AiohttpSocket(session, socket)


class _AiohttpSocket:
    def __init__(self, session: ClientSession, socket: ClientWebSocketResponse) -> None:
        self._session = session
        self._socket = socket

    async def send(self, text: str) -> None:
        try:
            await self._socket.send_str(text)
        except (OSError, RuntimeError) as reason:
            raise LinkLost(f"cannot send: {type(reason).__name__}") from None

    async def receive(self) -> str:
        from aiohttp import WSMsgType

        while True:
            message = await self._socket.receive()
            if message.type is WSMsgType.TEXT:
                return str(message.data)
            if message.type is not WSMsgType.BINARY:
                raise LinkLost(f"the other end hung up ({message.type.name.lower()})")

    async def close(self) -> None:
        await self._socket.close()
        await self._session.close()
