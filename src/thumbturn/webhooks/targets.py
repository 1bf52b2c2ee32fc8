"""Where a webhook may go: to the public Internet, and to the networks that the operator allows.

The server stands inside somebody's building. A URL that a customer types in must not make it knock at
the doors in there: a router, a database, a cloud's metadata service. So a URL is judged twice, when it
is given and whenever it is used:

* ``check`` reads it. It takes one plain spelling of a URL and refuses every other, so that no two
  programs can read it differently; and an address in it is judged by what it means, however it is spelled.
* ``resolve`` finds *all* addresses that the host has now, and refuses them all if one is not allowed.
  Whoever connects (``post.py``) connects to what this returned, and never asks for the name again: then
  a name that means one thing when it is judged and another when it is used has nothing to gain.

Decision: docs/adr/0010-webhooks-go-to-checked-addresses-only.md.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from thumbturn.domain.refusals import InvalidWebhookUrl
from thumbturn.webhooks.lookups import LookUps
from thumbturn.webhooks.networks import Address, Network, address_of, is_within, kind_of

#: From a name and a port to all addresses, as text. Raises ``OSError`` if there are none.
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

#: A longer URL is nobody's endpoint.
LONGEST = 2_048

_URL = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?]*)(?P<path>[/?].*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(?:\[(?P<literal>[^\]]*)\]|(?P<name>[^:\[\]]*))(?::(?P<port>[^:]*))?")
#: What RFC 3986 lets a URL consist of.
_PLAIN = re.compile(r"(?:[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_LOOPBACK = ip_address("127.0.0.1")
#: Last labels of names that mean something inside a network only.
_INNER = ("local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "home.arpa")
#: Names of metadata services, which no name may lead to.
_METADATA_NAMES = (
    "metadata",
    "metadata.goog",
    "metadata.google.internal",
    "metadata.azure.internal",
    "metadata.platformequinix.com",
    "metadata.tencentyun.com",
    "instance-data",
    "instance-data.ec2.internal",
    "rancher-metadata",
)

_ADVICE = (
    "A webhook goes to an address that the whole Internet can reach. Whoever runs this server can allow "
    "another network with THUMBTURN_WEBHOOK_ALLOW."
)


class Target(NamedTuple):
    """A URL, read."""

    scheme: str
    #: Lower case: a name, or an IP address in its usual spelling, without brackets.
    host: str
    port: int
    #: What is asked for there, with the query; never empty.
    path: str

    @property
    def authority(self) -> str:
        """Host and port as the ``Host`` header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"


class TargetRefused(Exception):
    """The host has an address that no webhook may go to. The text may be shown to whoever owns it."""


_DEFAULT_PORT = {"http": 80, "https": 443}


class Targets:
    """Judges where webhooks go. ``allowed`` are the networks beyond the public Internet."""

    def __init__(self, allowed: Iterable[Network] = (), resolver: Resolver | None = None) -> None:
        self.allowed = tuple(allowed)
        self._resolver = resolver or LookUps()

    def check(self, url: str) -> Target:
        """The URL, read. Raises ``InvalidWebhookUrl``, which says what is wrong and what would be right."""
        target = read_url(url)
        address = address_of(target.host)
        if address is not None:
            self._check_literal(target.host, address)
        else:
            self._check_name(target.host)
        return target

    async def resolve(self, host: str, port: int) -> tuple[str, ...]:
        """The addresses to connect to, each of them allowed; as many as the host has.

        ``host`` is a ``Target``'s. Raises ``TargetRefused`` if a single one is not allowed, and
        ``OSError`` if the name cannot be found.
        """
        literal = address_of(host)
        found = [literal] if literal is not None else map(_address, await self._resolver(host, port))
        addresses = tuple(dict.fromkeys(found))
        if not addresses:
            raise socket.gaierror("the name has no address")
        for address in addresses:
            kind = self._objection(address)
            if kind is not None:
                # Only the kind: which address it is inside is no outsider's business.
                raise TargetRefused(f"refused: the host leads to {kind} address")
        return tuple(map(str, addresses))

    def _check_literal(self, host: str, address: Address) -> None:
        kind = self._objection(address)
        if kind is not None:
            raise InvalidWebhookUrl(f"{host} is {kind} address. {_ADVICE}")

    def _check_name(self, host: str) -> None:
        if host in _METADATA_NAMES:
            raise InvalidWebhookUrl(f"{host} is the name of a cloud's metadata service. {_ADVICE}")
        if f".{host}".endswith(".localhost"):
            kind = self._objection(_LOOPBACK)
            if kind is not None:
                raise InvalidWebhookUrl(f"{host} is this machine itself. {_ADVICE}")
        # Where a network is allowed, names of that network must work: where they lead is seen when used.
        elif not self.allowed and ("." not in host or host.endswith(tuple(f".{each}" for each in _INNER))):
            raise InvalidWebhookUrl(f"{host} is a name inside of a private network. {_ADVICE}")

    def _objection(self, address: Address) -> str | None:
        return None if is_within(address, self.allowed) else kind_of(address)


@lru_cache(4_096)
def read_url(url: str) -> Target:
    """The parts of a URL in the one spelling that is taken. Raises ``InvalidWebhookUrl`` with why.

    Tells nothing of where it leads.
    """
    if len(url) > LONGEST:
        raise InvalidWebhookUrl(f"The URL is longer than {LONGEST} characters.")
    if "#" in url:
        raise InvalidWebhookUrl("The URL has a fragment (#…), which is never sent. Leave it out.")
    if not _PLAIN.fullmatch(url):
        raise InvalidWebhookUrl(
            "The URL holds a character that no URL may hold. Write blanks, backslashes and accents "
            "as %XX, and an international host name in its ASCII form (xn--…)."
        )
    found = _URL.fullmatch(url)
    if found is None:
        raise InvalidWebhookUrl("The URL must begin with https:// or http://.")
    if "@" in found["authority"]:
        raise InvalidWebhookUrl(
            "The URL holds a user name or a password. Leave it out: the signature tells who sent a webhook."
        )
    parts = _AUTHORITY.fullmatch(found["authority"])
    if parts is None:
        raise InvalidWebhookUrl("The URL has more than a host and a port between // and the path.")
    scheme, path = found["scheme"].lower(), found["path"] or "/"
    port = _DEFAULT_PORT[scheme] if parts["port"] is None else _port(parts["port"])
    host = _host(parts["name"]) if parts["literal"] is None else _literal(parts["literal"])
    return Target(scheme, host, port, path if path.startswith("/") else f"/{path}")


def _host(name: str) -> str:
    host = name.lower().removesuffix(".")
    if not host:
        raise InvalidWebhookUrl("The URL has no host.")
    try:
        address = address_of(host)
    except ValueError:
        raise InvalidWebhookUrl("The host looks like an IP address and is none.") from None
    if address is not None:
        return str(address)
    if len(host) > 253 or not all(map(_LABEL.fullmatch, host.split("."))):
        raise InvalidWebhookUrl("The host is neither a name nor an IP address.")
    return host


def _literal(text: str) -> str:
    try:
        if ":" not in text or "%" in text:
            raise ValueError
        return str(address_of(text))
    except ValueError:
        raise InvalidWebhookUrl("What stands in brackets is not an IPv6 address.") from None


def _port(text: str) -> int:
    if not (text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535):
        raise InvalidWebhookUrl("The port must be a number from 1 to 65535.")
    return int(text)


def _address(text: str) -> Address:
    """What a resolver found. A zone (``%eth0``) tells only which way to go, and is left out."""
    address = ip_address(text.partition("%")[0])
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
