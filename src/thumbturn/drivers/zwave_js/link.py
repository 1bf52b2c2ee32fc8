"""A conversation with one Z-Wave JS server, and the link that is kept to it."""

from __future__ import annotations

from collections.abc import Callable
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
)
from thumbturn.engine.conversation import Conversation
from thumbturn.engine.hub_words import text_of
from thumbturn.engine.link_life import LinkLife, LinkLost
from thumbturn.engine.taps import TappedSocket, Taps
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


class ZwaveConversation(Conversation[Answer]):
    """Commands and answers over one socket."""

    def __init__(self, socket: Socket, clock: Clock, hear: Hear) -> None:
        """``hear`` is given whatever is no answer, with its number on this socket."""
        super().__init__(socket, clock, read=read, answer=Answer, id_word="messageId", hear=hear)

    async def begin(self) -> tuple[Version, list[Node]]:
        """Say who we are; what the server is, and its nodes. Raises ``LinkLost``."""
        version = await self.greeting(_SAYS_WITHIN)
        if not isinstance(version, Version):
            raise NotUnderstood("What answers at this address is no Z-Wave JS server.")
        if version.newest_schema < OLDEST_SCHEMA:
            raise NotUnderstood(
                f"This Z-Wave JS server speaks API schema {version.newest_schema}, and {OLDEST_SCHEMA} "
                "is the oldest that can be used: update it."
            )
        self.listen()
        schema = min(version.newest_schema, NEWEST_SCHEMA)
        await self._good("initialize", schemaVersion=schema, additionalUserAgentComponents={"thumbturn": "1"})
        state = (await self._good("start_listening")).get("state")
        return version, nodes_of(state)

    async def _good(self, command: str, **more: Any) -> Any:
        answer = await self.call(command, _SAYS_WITHIN, **more)
        if answer is None or not answer.is_good:
            raise NotUnderstood(f"The Z-Wave JS server does not answer to {command}.")
        return answer.result


class HubLink:
    """The link to one hub, made again and again, and what the hub says of its nodes."""

    def __init__(
        self,
        hub: Hub,
        dial: Dial,
        clock: Clock,
        chance: Callable[[], float],
        *,
        taps: Taps,
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
        self._ear = taps.line(hub.account_id)
        self._hear = hear
        self._stands = stands
        self._conversation: ZwaveConversation | None = None
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
        socket = TappedSocket(await self._dial(self._hub.settings["url"]), self._ear)
        conversation = ZwaveConversation(socket, self._clock, self._take_in)
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
