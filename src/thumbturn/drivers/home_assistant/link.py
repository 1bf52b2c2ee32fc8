"""A conversation with one Home Assistant, and the link that is kept to it.

Each command is answered once, by its number; between the answers comes what changed. Whatever was asked when
the link is lost has no answer: it may have been done. What Home Assistant says of its entities is kept in
``house.py``; that is its memory, and nobody's word.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from thumbturn.domain.clock import Clock, seconds
from thumbturn.domain.hub import Hub, Settings
from thumbturn.drivers.home_assistant.codec import (
    Answer,
    Changed,
    Facts,
    Greeting,
    Message,
    Reordered,
    facts_of,
    id_of,
    read,
)
from thumbturn.drivers.home_assistant.house import House
from thumbturn.engine import conversation as hub_conversation
from thumbturn.engine.link_life import LinkLife, LinkLost
from thumbturn.engine.web_socket import Dial, Socket

#: For so long a Home Assistant that was connected to may be silent before it has said what it is.
_SAYS_WITHIN = seconds(8)
#: A command to an integration that speaks to a cloud may take long; what became of it is seen by itself.
ANSWERS_WITHIN = seconds(10)
#: Right after a server's start a command waits so long for the hub.
_STANDS_WITHIN = seconds(8)
#: A Home Assistant that is still starting is asked again after this.
_STARTS = seconds(1)
#: Changes of what there is come in heaps: it is read anew once they were quiet for so long.
_SETTLES = seconds(0.2)
#: A login that was refused is not tried again before: Home Assistant may ban whoever tries too often.
REFUSED_PAUSE = seconds(600)
_API = "/api/websocket"

Hear = Callable[[Message, int], None]


class NotUnderstood(LinkLost):
    """What answers is no Home Assistant that can be used."""


class TokenRefused(LinkLost):
    """Home Assistant does not accept the token."""


def address_of(settings: Settings) -> str:
    """Where the WebSocket is: people know the address of the page."""
    parts = urlsplit(settings["url"])
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    path = parts.path.rstrip("/")
    # An add-on reaches it at /core/websocket.
    return urlunsplit((scheme, parts.netloc, path if path.endswith("/websocket") else path + _API, "", ""))


class Conversation(hub_conversation.Conversation[Answer]):
    """Commands and answers over one socket, from the login on."""

    def __init__(self, socket: Socket, clock: Clock, hear: Hear) -> None:
        """``hear`` is given whatever is no answer, with its number on this socket."""
        super().__init__(
            socket, clock, read=read, answer=Answer, id_word="id", hear=hear, command_word="type", number=int
        )

    async def begin(self, token: str) -> tuple[str, Facts]:
        """Log in; the id of whoever the token belongs to, and what Home Assistant says of itself.

        Raises ``TokenRefused``, ``NotUnderstood`` or another ``LinkLost``.
        """
        if await self.greeting(_SAYS_WITHIN) != Greeting("auth_required"):
            raise NotUnderstood("What answers at this address is no Home Assistant.")
        await self.send({"type": "auth", "access_token": token})
        said = await self.greeting(_SAYS_WITHIN)
        if said == Greeting("auth_invalid"):
            raise TokenRefused("Home Assistant does not accept this token: make a new one.")
        if said != Greeting("auth_ok"):
            raise NotUnderstood("Home Assistant does not answer to a login.")
        self.listen()
        user = await self.good("auth/current_user")
        user_id = id_of(user.get("id")) if isinstance(user, dict) else ""
        if not user_id:
            raise NotUnderstood("Home Assistant does not say whose token this is.")
        return user_id, await self.facts()

    async def facts(self) -> Facts:
        """What it says of itself now. Raises ``LinkLost``."""
        facts = facts_of(await self.good("get_config"))
        if facts is None:
            raise NotUnderstood("Home Assistant does not say how it is.")
        return facts

    async def survey(self, house: House) -> None:
        """Have all that there is put into ``house``. Raises ``LinkLost``."""
        await self.read_register(house)
        house.take_states(await self.good("get_states"))

    async def read_register(self, house: House) -> None:
        """Have what there is, and what it is called, put into ``house``. Raises ``LinkLost``."""
        entries = await self.good("config/entity_registry/list")
        house.take_register(entries, await self.good("config/device_registry/list"))

    async def good(self, command: str, **more: Any) -> Any:
        """The result of a command that has one. Raises ``LinkLost``."""
        answer = await self.call(command, _SAYS_WITHIN, **more)
        if answer is None or not answer.is_good:
            raise NotUnderstood(f"Home Assistant does not answer to {command}.")
        return answer.result


class HubLink:
    """The link to one hub, made again and again, and what the hub says of its entities."""

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
        self.house = House()
        self._hub = hub
        self._dial = dial
        self._clock = clock
        self._hear = hear
        self._stands = stands
        self._lost = lost
        #: False once its hub has refused the token, until it takes it.
        self.is_let_in = True
        self._conversation: Conversation | None = None
        self._reordered = asyncio.Event()
        self._is_reading_register = False
        self.life = LinkLife(hub.account_id, self._session, lambda: lost(self), clock, chance)

    @property
    def user(self) -> str:
        """Whom its hub takes this server for."""
        return self._hub.hub_id

    @property
    def is_reordering(self) -> bool:
        """True while what there is, and what it is called, is about to be read anew."""
        return self._reordered.is_set() or self._is_reading_register

    async def stands(self) -> bool:
        """Whether commands can be sent; right after a server's start once that is known."""
        return await self.life.stands(_STANDS_WITHIN)

    async def call(self, command: str, within: int = ANSWERS_WITHIN, **more: Any) -> Answer | None:
        """What is answered; ``None`` if nothing is, or the link was lost: it may have been done."""
        if self._conversation is None:
            return None
        try:
            return await self._conversation.call(command, within, **more)
        except LinkLost:
            return None

    async def serve(self, domain: str, service: str, entity_id: str, **data: Any) -> Answer | None:
        """What is answered to a service that is called for one entity, likewise."""
        more: dict[str, Any] = {"service_data": data} if data else {}
        return await self.call(
            "call_service", domain=domain, service=service, target={"entity_id": entity_id}, **more
        )

    async def refresh(self, entity_id: str, within: int) -> bool:
        """Have its integration look how the device is; whether that is over, and what came of it heard.

        An integration that is told by its device does nothing then, and one that fails does not say so.
        """
        answer = await self.call(
            "call_service",
            within,
            domain="homeassistant",
            service="update_entity",
            service_data={"entity_id": [entity_id]},
        )
        # What changed may come right behind the answer; a pong comes after that.
        return answer is not None and answer.is_good and await self.call("ping", within) is not None

    async def _session(self, up: Callable[[], None]) -> None:
        socket = await self._dial(address_of(self._hub.settings))
        conversation = Conversation(socket, self._clock, self._take_in)
        following: asyncio.Task[None] | None = None
        try:
            await self._begin(conversation)
            self._conversation = conversation
            up()
            self._stands(self)
            following = asyncio.get_running_loop().create_task(self._follow_register(conversation))
            await conversation.lasts()
        except TokenRefused:
            await conversation.end()
            self.is_let_in = False
            self._lost(self)
            await self._clock.sleep(REFUSED_PAUSE)
            raise
        finally:
            self._conversation = None
            if following is not None:
                following.cancel()
            await conversation.end()

    async def _begin(self, conversation: Conversation) -> None:
        self.house.forget()
        user_id, facts = await conversation.begin(self._hub.settings["token"])
        self.is_let_in = True
        if user_id != self._hub.hub_id:
            # Its lock.front_door is another one's door.
            raise LinkLost("another Home Assistant, or another user of it, answers at this address")
        while not facts.is_running:
            # What is not there yet is not gone.
            await self._clock.sleep(_STARTS)
            facts = await conversation.facts()
        self.house.facts = facts
        for event in ("state_changed", "entity_registry_updated", "device_registry_updated"):
            await conversation.good("subscribe_events", event_type=event)
        await conversation.survey(self.house)

    async def _follow_register(self, conversation: Conversation) -> None:
        """Read what there is anew when that is said to have changed, once for many changes at a time."""
        while True:
            await self._reordered.wait()
            await self._clock.sleep(_SETTLES)
            self._reordered.clear()
            self._is_reading_register = True
            try:
                await conversation.read_register(self.house)
            except LinkLost:
                self._reordered.set()
                await self._clock.sleep(_STARTS)
                continue
            finally:
                self._is_reading_register = False
            self._hear(self, Reordered(), 0)

    def _take_in(self, message: Message, number: int) -> None:
        if isinstance(message, Reordered):
            self._reordered.set()
            return
        if isinstance(message, Changed):
            self.house.take(message)
        self._hear(self, message, number)
