"""The connection to an MQTT broker. What a broker's library raises is turned into our own words here.

The library is loaded by the first connection: no start of the server need wait for it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import urlsplit

from thumbturn.domain.hub import HubLoginRefused, HubSettingsWrong, HubUnreachable, Settings
from thumbturn.engine.taps import Ear

if TYPE_CHECKING:
    import aiomqtt

#: s. A broker that has not answered by then does not.
ANSWERS_WITHIN: Final = 5.0
#: So many brokers are called at a time. Those that are dead take a thread for ``ANSWERS_WITHIN`` each.
CALLED_AT_ONCE: Final = 32
#: s. As often it is asked whether it is still there.
KEEP_ALIVE: Final = 15
#: Messages that wait to be read: a hub that floods us fills this, and no memory.
MOST_WAITING: Final = 10_000
_PLAIN_PORT, _TLS_PORT = 1883, 8883
#: What brokers answer to a wrong login, in the two numberings there are.
_LOGIN_REFUSED: Final = frozenset({4, 5, 134, 135})
_NOBODY: Final = "No broker answers at this address."
_TOPIC = re.compile(r"[^+#\x00/](?:[^+#\x00]*[^+#\x00/])?")


class Message(NamedTuple):
    """Something that was said on the broker."""

    topic: str
    payload: bytes
    #: The broker had kept it: it is of any age.
    is_retained: bool


@dataclass(frozen=True, slots=True)
class Address:
    """Where a broker is and how to get in, read from a hub's settings."""

    host: str
    port: int
    is_tls: bool
    base: str
    username: str | None
    password: str | None
    #: The SHA-256 of the one certificate that it may have, in hexadecimal digits.
    fingerprint: str | None

    @classmethod
    def of(cls, settings: Settings) -> Address:
        """The address in these settings. Raises ``HubSettingsWrong``."""
        url = urlsplit(settings["url"])
        is_tls = url.scheme == "mqtts"
        base = settings["base_topic"]
        if _TOPIC.fullmatch(base) is None:
            raise HubSettingsWrong(
                "The base topic is no MQTT topic: it holds neither + nor #, and no / at its ends.",
                data={"setting": "base_topic"},
            )
        fingerprint = settings.get("certificate_sha256", "").replace(":", "").lower() or None
        if fingerprint is not None and re.fullmatch(r"[0-9a-f]{64}", fingerprint) is None:
            raise HubSettingsWrong(
                "The certificate's SHA-256 has 64 hexadecimal digits.", data={"setting": "certificate_sha256"}
            )
        if fingerprint is not None and not is_tls:
            raise HubSettingsWrong(
                "Only a broker at mqtts:// has a certificate.", data={"setting": "certificate_sha256"}
            )
        return cls(
            host=url.hostname or "",
            port=url.port or (_TLS_PORT if is_tls else _PLAIN_PORT),
            is_tls=is_tls,
            base=base,
            username=settings.get("username"),
            password=settings.get("password"),
            fingerprint=fingerprint,
        )


class Line(Protocol):
    """What can be done over a connection to a broker."""

    async def subscribe(self, topics: str) -> None:
        """Hear what is said there from now on, what was kept of it first. Raises ``HubUnreachable``."""

    async def publish(self, topic: str, payload: str) -> None:
        """Say it; the broker has it when this returns. Raises ``HubUnreachable``: it may have it, or not."""

    def messages(self) -> AsyncIterator[Message]:
        """What is said, in order. Raises ``HubUnreachable`` when the connection is lost."""


class Connect(Protocol):
    """Makes connections, as ``connected`` does."""

    def __call__(self, address: Address) -> AbstractAsyncContextManager[Line]:
        """A connection to the broker, for as long as the block lasts."""


class TappedLine:
    """A connection with somebody who listens. Implements ``Line``."""

    def __init__(self, line: Line, ear: Ear) -> None:
        self._line = line
        self._ear = ear

    async def subscribe(self, topics: str) -> None:
        """Hear what is said there from now on."""
        await self._line.subscribe(topics)

    async def publish(self, topic: str, payload: str) -> None:
        """Say it."""
        if self._ear.is_open:
            self._ear.sent(as_text(topic, payload, is_retained=False))
        await self._line.publish(topic, payload)

    async def messages(self) -> AsyncIterator[Message]:
        """What is said, in order."""
        async for message in self._line.messages():
            if self._ear.is_open:
                text = message.payload.decode(errors="replace")
                self._ear.heard(as_text(message.topic, text, is_retained=message.is_retained))
            yield message


def as_text(topic: str, payload: str, *, is_retained: bool) -> str:
    """A message of a broker as one text, for whoever listens."""
    return json.dumps({"topic": topic, "payload": payload, "retained": is_retained})


class Broker:
    """A broker that one is connected to. Implements ``Line``."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client

    async def subscribe(self, topics: str) -> None:
        """Hear what is said there from now on, what was kept of it first. Raises ``HubUnreachable``."""
        await self._client.subscribe(topics, qos=1)

    async def publish(self, topic: str, payload: str) -> None:
        """Say it; the broker has it when this returns. Raises ``HubUnreachable``: it may have it, or not."""
        import aiomqtt

        try:
            await self._client.publish(topic, payload, qos=1)
        except aiomqtt.MqttError:
            raise HubUnreachable from None

    async def messages(self) -> AsyncIterator[Message]:
        """What is said, in order. Raises ``HubUnreachable`` when the connection is lost."""
        async for each in self._client.messages:
            yield Message(each.topic.value, each.payload, each.retain)


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[Broker]:
    """A connection to the broker, for as long as the block lasts.

    Raises ``HubUnreachable`` and ``HubLoginRefused``; the former inside the block too, once it is lost.
    """
    import aiomqtt

    try:
        # The library calls on the threads that all of the server shares: it is to find somebody there.
        tls = await asyncio.get_running_loop().run_in_executor(_callers(), _called, address)
        client = aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            tls_context=tls,
            timeout=ANSWERS_WITHIN,
            keepalive=KEEP_ALIVE,
            max_queued_incoming_messages=MOST_WAITING,
            # A command is one small packet, and the next one waits for its answer: 40 ms each otherwise.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )
        async with client:
            yield Broker(client)
    except aiomqtt.MqttCodeError as error:
        raise _refused(error) from None
    except (aiomqtt.MqttError, OSError):
        raise HubUnreachable(_NOBODY) from None


@cache
def _callers() -> ThreadPoolExecutor:
    """The threads on which brokers are called: dead ones hold up each other, and nothing else here."""
    return ThreadPoolExecutor(CALLED_AT_ONCE, thread_name_prefix="broker")


def _called(address: Address) -> ssl.SSLContext | None:
    """Whether somebody is there, tried once, and what his certificate must be like if he needs one."""
    if address.is_tls:
        return _tls(address)
    socket.create_connection((address.host, address.port), ANSWERS_WITHIN).close()
    return None


def _refused(error: aiomqtt.MqttCodeError) -> HubLoginRefused | HubUnreachable:
    code = error.rc if isinstance(error.rc, int) else getattr(error.rc, "value", None)
    if code in _LOGIN_REFUSED:
        return HubLoginRefused("The broker does not accept this user name and password.")
    return HubUnreachable("The broker has ended the connection, or does not take one.")


def _tls(address: Address) -> ssl.SSLContext:
    """What a certificate must be like for this broker, tried once: the library says not what is wrong."""
    try:
        context = ssl.create_default_context() if address.fingerprint is None else _trusting(address)
        with (
            socket.create_connection((address.host, address.port), ANSWERS_WITHIN) as plain,
            context.wrap_socket(plain, server_hostname=address.host),
        ):
            return context
    except ssl.SSLCertVerificationError:
        raise HubUnreachable(
            "The broker's certificate is not one that this machine trusts. Name its SHA-256 if it is the"
            " broker's own."
        ) from None
    except (ssl.SSLError, ConnectionResetError, TimeoutError, ValueError):
        raise HubUnreachable("What answers at this address does not speak TLS: try mqtt://.") from None
    except OSError:
        raise HubUnreachable(_NOBODY) from None


def _trusting(address: Address) -> ssl.SSLContext:
    # Whoever made his own certificate names it: this one is trusted, whatever name it bears, and no other.
    shown = ssl.get_server_certificate((address.host, address.port), timeout=ANSWERS_WITHIN)
    found = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest()
    if found != address.fingerprint:
        raise HubUnreachable("The broker has another certificate than the one that was named.")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=shown)
    return context
