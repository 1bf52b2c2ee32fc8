"""A conversation with one Z-Wave JS server, and the link that is kept to it.

Each command is answered once, by its id; between the answers comes what devices report, at any time and in
any order. Whatever was asked when the link is lost has no answer: it may have been done.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import count
from typing import Any

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.hub import Hub
from thumbturn.drivers.zwave_js.codec import (
    CC,
    NEWEST_SCHEMA,
    OLDEST_SCHEMA,
    Answer,
    Message,
    Node,
    NodeChanged,
    Value,
    Version,
    node_of,
    nodes_of,
    read,
    text_of,
)
from thumbturn.engine.link_life import LinkLife, LinkLost
from thumbturn.engine.web_socket import Dial, Socket

#: For so long a server that was connected to may be silent before it has said what it is.
_SAYS_WITHIN = seconds(8)
#: A radio that must wake a lock, tries three times and waits for supervision takes no longer.
ANSWERS_WITHIN = seconds(20)
#: Right after a server's start a command waits so long for the hub.
_STANDS_WITHIN = seconds(8)

Hear = Callable[[Message, int], None]


class NotUnderstood(LinkLost):
    """What answers is no Z-Wave JS server of a version that can be used."""


class Conversation:
    """Commands and answers over one socket."""

    def __init__(self, socket: Socket, clock: Clock, hear: Hear) -> None:
        """``hear`` is given whatever is no answer, with its number on this socket."""
        self._socket = socket
        self._clock = clock
        self._hear = hear
        self._ids = count(1)
        self._numbers = count(1)
        self._asked: dict[str, asyncio.Future[Answer]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def begin(self) -> tuple[Version, list[Node]]:
        """Say who we are; what the server is, and its nodes. Raises ``LinkLost``."""
        said = asyncio.ensure_future(self._socket.receive())
        try:
            is_said = await self._clock.wait(said, _SAYS_WITHIN)
            version = read(said.result()) if is_said else None
        finally:
            said.cancel()
        if not isinstance(version, Version):
            raise NotUnderstood("What answers at this address is no Z-Wave JS server.")
        if version.newest_schema < OLDEST_SCHEMA:
            raise NotUnderstood(
                f"This Z-Wave JS server speaks API schema {version.newest_schema}, and {OLDEST_SCHEMA} "
                "is the oldest that can be used: update it."
            )
        self._reading = asyncio.get_running_loop().create_task(self._read())
        schema = min(version.newest_schema, NEWEST_SCHEMA)
        await self._good("initialize", schemaVersion=schema, additionalUserAgentComponents={"thumbturn": "1"})
        state = (await self._good("start_listening")).get("state")
        return version, nodes_of(state)

    async def call(self, command: str, within: int = ANSWERS_WITHIN, **more: Any) -> Answer | None:
        """What the server answers; ``None`` if it does not. Raises ``LinkLost``: it may have been done."""
        id = str(next(self._ids))
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked[id] = answer
        try:
            await self._socket.send(json.dumps({"messageId": id, "command": command, **more}))
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

    async def _good(self, command: str, **more: Any) -> Any:
        answer = await self.call(command, _SAYS_WITHIN, **more)
        if answer is None or not answer.is_good:
            raise NotUnderstood(f"The Z-Wave JS server does not answer to {command}.")
        return answer.result

    async def _read(self) -> None:
        try:
            while True:
                message = read(await self._socket.receive())
                if isinstance(message, Answer):
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


class HubLink:
    """The link to one hub, made again and again, and what the hub says of its nodes."""

    def __init__(
        self,
        hub: Hub,
        dial: Dial,
        clock: Clock,
        chance: Callable[[], float],
        *,
        hear: Callable[[HubLink, Message, int], None],
        stands: Callable[[HubLink], None],
        lost: Callable[[HubLink], None],
    ) -> None:
        self.account_id = hub.account_id
        #: By their numbers.
        self.nodes: dict[int, Node] = {}
        self._hub = hub
        self._dial = dial
        self._clock = clock
        self._hear = hear
        self._stands = stands
        self._conversation: Conversation | None = None
        self.life = LinkLife(hub.account_id, self._session, lambda: lost(self), clock, chance)

    async def stands(self) -> bool:
        """Whether commands can be sent; right after a server's start once that is known."""
        return await self.life.stands(_STANDS_WITHIN)

    async def call(self, command: str, within: int = ANSWERS_WITHIN, **more: Any) -> Answer | None:
        """What the hub answers; ``None`` if it does not, or was lost: it may have been done."""
        if self._conversation is None:
            return None
        try:
            return await self._conversation.call(command, within, **more)
        except LinkLost:
            return None

    async def set_value(
        self, node: int, cc: int, name: str, value: Any, key: int | None = None
    ) -> Answer | None:
        """Set a value of a node."""
        return await self.call("node.set_value", nodeId=node, valueId=_id(cc, name, key), value=value)

    async def ask(
        self, node: int, cc: int, method: str, *given: Any, within: int = seconds(8)
    ) -> Answer | None:
        """Have a node itself be asked: what it answers is in ``result["response"]``, if it does."""
        return await self.call(
            "endpoint.invoke_cc_api",
            within,
            nodeId=node,
            endpoint=0,
            commandClass=int(cc),
            methodName=method,
            args=list(given),
        )

    async def _session(self, up: Callable[[], None]) -> None:
        conversation = Conversation(await self._dial(self._hub.settings["url"]), self._clock, self._take_in)
        try:
            version, nodes = await conversation.begin()
            if str(version.home_id) != self._hub.hub_id:
                # Its node 2 is another one's door.
                raise LinkLost("another Z-Wave network answers at this address")
            self.nodes = {node.id: node for node in nodes}
            self._conversation = conversation
            up()
            self._stands(self)
            await conversation.lasts()
        finally:
            self._conversation = None
            await conversation.end()

    def _take_in(self, message: Message, number: int) -> None:
        if isinstance(message, NodeChanged):
            self._change(message)
        elif isinstance(message, Value) and message.node in self.nodes:
            node = self.nodes[message.node]
            node.values[message.cc, message.name, message.key] = message.is_now
            if (message.cc, message.name) == (CC.NAMING, "name"):
                node.name = text_of(message.is_now)
        self._hear(self, message, number)

    def _change(self, told: NodeChanged) -> None:
        if told.node is None:
            return
        if told.is_gone:
            self.nodes.pop(told.node, None)
            return
        node = node_of({"nodeId": told.node, **(told.state or {})})
        if node is not None:
            self.nodes[node.id] = node


def _id(cc: int, name: str, key: int | None) -> dict[str, Any]:
    more = {} if key is None else {"propertyKey": key}
    return {"commandClass": int(cc), "endpoint": 0, "property": name, **more}
