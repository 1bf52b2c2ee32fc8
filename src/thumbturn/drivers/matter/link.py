"""A conversation with one Matter server, and the link that is kept to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.hub import Hub, HubUnreachable
from thumbturn.drivers.matter.codec import (
    NEWEST_SCHEMA,
    OLDEST_SCHEMA,
    Answer,
    EndpointGone,
    Message,
    Node,
    NodeChanged,
    Path,
    Reported,
    Server,
    in_writing,
    node_of,
    nodes_of,
    read,
    values_of,
)
from thumbturn.engine.conversation import Conversation
from thumbturn.engine.link_life import LinkLife, LinkLost
from thumbturn.engine.web_socket import Dial, Socket

#: For so long a server that was connected to may be silent before it has said what it is.
_SAYS_WITHIN = seconds(8)
#: A server gives a device up after 10 to 13 s, and says so: who waits for that knows that there is no answer.
ANSWERS_WITHIN = seconds(15)
#: A question is nobody's command: whoever does not answer it so soon is away.
READ_WITHIN = seconds(6)
#: ms that a device waits for the second half of a command, without which it does not do it.
TIMED = 2_000
#: Right after a server's start a command waits so long for the hub.
_STANDS_WITHIN = seconds(8)

Hear = Callable[[Message, int], None]


class NotUnderstood(LinkLost):
    """What answers is no Matter server of a version that can be used."""


class MatterConversation(Conversation[Answer]):
    """Commands and answers over one socket."""

    def __init__(self, socket: Socket, clock: Clock, hear: Hear) -> None:
        """``hear`` is given whatever is no answer, with its number on this socket."""
        super().__init__(socket, clock, read=read, answer=Answer, id_word="message_id", hear=hear)

    async def begin(self) -> tuple[Server, list[Node]]:
        """What the server is, and its nodes. Raises ``LinkLost``."""
        server = await self.greeting(_SAYS_WITHIN)
        if not isinstance(server, Server):
            raise NotUnderstood("What answers at this address is no Matter server.")
        if server.schema < OLDEST_SCHEMA or server.oldest_schema > NEWEST_SCHEMA:
            raise NotUnderstood(
                f"This Matter server speaks API schemas {server.oldest_schema} to {server.schema}, "
                f"and {OLDEST_SCHEMA} to {NEWEST_SCHEMA} can be used."
            )
        self.listen()
        answer = await self.call("start_listening", _SAYS_WITHIN)
        if answer is None or not answer.is_good:
            raise NotUnderstood("The Matter server does not say what is behind it.")
        return server, nodes_of(answer.result)


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
        #: What a lock that wants a PIN with each command is told.
        self.remote_pin = hub.settings.get("remote_pin", "")
        self._hub = hub
        self._dial = dial
        self._clock = clock
        self._hear = hear
        self._stands = stands
        self._conversation: MatterConversation | None = None
        self.life = LinkLife(hub.account_id, self._session, lambda: lost(self), clock, chance)

    async def stands(self) -> bool:
        """Whether commands can be sent; right after a server's start once that is known."""
        return await self.life.stands(_STANDS_WITHIN)

    async def command(
        self, node: int, endpoint: int, cluster: int, name: str, **payload: Any
    ) -> Answer | None:
        """Have a device do something. ``None`` if the server does not answer, or was lost: it may be done."""
        try:
            return await self._call(
                "device_command",
                ANSWERS_WITHIN,
                node_id=node,
                endpoint_id=endpoint,
                cluster_id=int(cluster),
                command_name=name,
                payload=payload,
                timed_request_timeout_ms=TIMED,
            )
        except HubUnreachable:
            return None

    async def write(self, node: int, path: Path, value: Any) -> Answer | None:
        """Have a device set an attribute, as above."""
        try:
            return await self._call(
                "write_attribute",
                ANSWERS_WITHIN,
                node_id=node,
                attribute_path=in_writing(path),
                value=value,
            )
        except HubUnreachable:
            return None

    async def ask(self, node: int, paths: Iterable[Path]) -> Answer | None:
        """Ask a device itself for attributes; ``None`` if it does not answer. Raises ``HubUnreachable``."""
        wanted = [in_writing(path) for path in paths]
        return await self._call("read_attribute", READ_WITHIN, node_id=node, attribute_path=wanted)

    async def read(self, node: int, paths: Iterable[Path]) -> Mapping[Path, Any] | None:
        """What a device answers to that."""
        answer = await self.ask(node, paths)
        return values_of(answer) if answer is not None and answer.is_good else None

    async def _call(self, command: str, within: int, **args: Any) -> Answer | None:
        if self._conversation is None:
            raise HubUnreachable
        try:
            return await self._conversation.call(command, within, args=args)
        except LinkLost:
            raise HubUnreachable from None

    async def _session(self, up: Callable[[], None]) -> None:
        socket = await self._dial(self._hub.settings["url"])
        conversation = MatterConversation(socket, self._clock, self._take_in)
        try:
            server, nodes = await conversation.begin()
            if str(server.fabric) != self._hub.hub_id:
                # Its node 2 is another one's door.
                raise LinkLost("another Matter network answers at this address")
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
            node = None if message.state is None else node_of(message.state)
            if node is not None:
                self.nodes[node.id] = node
            elif message.state is None:
                self.nodes.pop(message.node, None)
        elif isinstance(message, Reported) and message.node in self.nodes:
            self.nodes[message.node].attributes[message.path] = message.is_now
        elif isinstance(message, EndpointGone) and message.node in self.nodes:
            attributes = self.nodes[message.node].attributes
            for path in [each for each in attributes if each[0] == message.endpoint]:
                del attributes[path]
        self._hear(self, message, number)
