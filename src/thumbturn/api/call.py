"""One request, as an endpoint may see it beside its parameters, and its reply beside the body."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Mapping, MutableMapping
from itertools import chain
from types import MappingProxyType
from typing import Any, TypeVar

from thumbturn.actions import load
from thumbturn.api.body import Disconnected, Receive
from thumbturn.api.once import ANY_NUMBER_OF_TIMES, Once
from thumbturn.api.origin import origin_of

Header = tuple[bytes, bytes]
#: Parameters, of whichever endpoint, that nobody may read in a log.
SECRET_PARAMETERS = frozenset(chain.from_iterable(action.secrets for action in load().values()))
#: The headers that hold a token, beside ``Authorization``.
_WITH_TOKEN = (b"seam-client-session-token", b"client-session-token", b"seam-publishable-key")
#: Where a page names its user who shows a publishable key, if it is not among the parameters.
USER_HEADER = b"seam-user-identifier-key"
NOTHING: Mapping[type, Any] = MappingProxyType({})
T = TypeVar("T")


class Call:
    """What an endpoint gets that asks for it."""

    __slots__ = (
        "_headers",
        "_receive",
        "_scope",
        "is_noted",
        "once",
        "parameters",
        "parts",
        "path",
        "reply_headers",
        "request_id",
    )

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        headers: Mapping[bytes, bytes],
        request_id: str,
        receive: Receive,
    ) -> None:
        self.path: str = scope["path"]
        self.request_id = request_id
        #: Sent with a good answer, beside those that every answer has.
        self.reply_headers: tuple[Header, ...] = ()
        #: Whether its attempt is begun, or was begun by an earlier call with the same key.
        self.once: Once = ANY_NUMBER_OF_TIMES
        #: What was asked, as it came; nothing before it was read.
        self.parameters: Any = None
        #: What its endpoint is brought that depends on its workspace, by kind; nothing where nothing does.
        self.parts: Mapping[type, Any] = NOTHING
        #: Its answer is kept: what it began to wait for, it waits for, whether or not its client stays.
        self.is_noted = False
        self._scope = scope
        self._headers = headers
        self._receive = receive

    @property
    def method(self) -> str:
        """The method, in capitals."""
        method: str = self._scope["method"]
        return method

    @property
    def origin(self) -> str:
        """Under which address the server was asked."""
        return origin_of(self._scope["scheme"], self.header(b"host") or "")

    def header(self, name: bytes) -> str | None:
        """A header of the request by its name in lower case; ``None`` if it was not sent."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def list_header(self, name: bytes) -> str | None:
        """A header whose value is a list, also when it was sent in several parts; ``None`` if it was not."""
        if name not in self._headers:
            return None
        parts: list[bytes] = [value for key, value in self._scope["headers"] if key == name]
        return b", ".join(parts).decode("latin-1")

    def add_reply_header(self, name: str, value: str) -> None:
        """Send this header with the answer, if it is a good one."""
        self.reply_headers += ((name.encode("latin-1"), value.encode("latin-1")),)

    def ids(self) -> Mapping[str, str]:
        """By what it is found in the log."""
        return {"request_id": self.request_id}

    def secrets(self) -> Iterable[str]:
        """The tokens that were shown, and the PINs among the parameters."""
        yield from self.shown()
        yield from _secrets_in(self.parameters)

    def shown(self) -> Iterator[str]:
        """The tokens that the request shows."""
        yield (self.header(b"authorization") or "").partition(" ")[2].strip()
        for name in _WITH_TOKEN:
            if name in self._headers:
                yield self._headers[name].decode("latin-1").strip()

    async def unless_gone(self, waiting: Awaitable[T]) -> T:
        """What is waited for. Raises ``Disconnected`` as soon as the client hangs up; nobody waits then.

        Where the answer is kept for the next who asks, the client may come back: it is waited for.
        """
        if self.is_noted:
            return await waiting
        awaited = asyncio.ensure_future(waiting)
        hung_up = asyncio.ensure_future(self._hung_up())
        try:
            await asyncio.wait((awaited, hung_up), return_when=asyncio.FIRST_COMPLETED)
            if not awaited.done():
                raise Disconnected
            return awaited.result()
        finally:
            awaited.cancel()
            hung_up.cancel()

    async def _hung_up(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue


def _secrets_in(asked: Any) -> Iterator[str]:
    """The values of secret parameters, also of commands inside a list."""
    if isinstance(asked, dict):
        for name, value in asked.items():
            if name in SECRET_PARAMETERS:
                yield str(value)
            else:
                yield from _secrets_in(value)
    elif isinstance(asked, list):
        for each in asked:
            yield from _secrets_in(each)
