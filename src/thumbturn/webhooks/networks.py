"""What an IP address is: on the public Internet, or what else. A table, and nothing that asks the network.

The table is the IANA's registries of special-purpose addresses, read strictly, and not what
``ipaddress`` makes of them: that changes with the Python version, and it takes multicast and
a cloud's inner services for public.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Where clouds answer a machine's questions about itself, keys included. A network that an operator
#: allows does not open these, unless it is this one address.
METADATA = tuple(
    map(
        ip_address,
        (
            "169.254.169.254",  # most clouds
            "169.254.170.2",  # containers on AWS
            "169.254.170.23",
            "fd00:ec2::254",  # AWS
            "fd00:ec2::23",
            "fd20:ce::254",  # Google
            "100.100.100.200",  # Alibaba
            "192.0.0.192",  # Oracle, of old
            "168.63.129.16",  # Azure; public by its number
        ),
    )
)

#: The first that fits is what an address is.
_SPECIAL: tuple[tuple[Network, str], ...] = tuple(
    (ip_network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an unspecified"),
        ("10.0.0.0/8", "a private"),
        ("100.64.0.0/10", "a carrier's inner"),
        ("127.0.0.0/8", "a loopback"),
        ("169.254.0.0/16", "a link-local"),
        ("172.16.0.0/12", "a private"),
        ("192.0.0.0/24", "a reserved"),
        ("192.0.2.0/24", "a documentation"),
        ("192.88.99.0/24", "a 6to4 relay's"),
        ("192.168.0.0/16", "a private"),
        ("198.18.0.0/15", "a benchmark's"),
        ("198.51.100.0/24", "a documentation"),
        ("203.0.113.0/24", "a documentation"),
        ("224.0.0.0/4", "a multicast"),
        ("240.0.0.0/4", "a reserved"),
        ("::/128", "an unspecified"),
        ("::1/128", "a loopback"),
        ("fc00::/7", "a private"),
        ("fe80::/10", "a link-local"),
        ("fec0::/10", "a private"),
        ("ff00::/8", "a multicast"),
        ("2001::/32", "a tunnel's (Teredo)"),
        ("2001::/23", "a reserved"),
        ("2001:db8::/32", "a documentation"),
        ("2002::/16", "a tunnel's (6to4)"),
        ("3fff::/20", "a documentation"),
    )
)
#: All that was ever given out to be reached from everywhere (RFC 4291).
_PUBLIC_V6 = IPv6Network("2000::/3")
#: Whoever has only IPv6 reaches IPv4 through these: the address means the one in its last 32 bits.
_NAT64 = IPv6Network("64:ff9b::/96")
#: In the middle of an interface's id these bits make it an ISATAP tunnel to the IPv4 address behind them.
_ISATAP = {0x0000_5EFE, 0x0200_5EFE}

_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")


def read_networks(text: str) -> tuple[Network, ...]:
    """The networks in a setting such as ``127.0.0.0/8,::1/128``; a bare address is a network of one.

    Raises ``ValueError`` with a sentence that names the wrong one.
    """
    found: list[Network] = []
    for each in filter(None, map(str.strip, text.split(","))):
        try:
            found.append(ip_network(each))
        except ValueError:
            raise ValueError(
                f"{each!r} is not a network. Write its first address and how many bits stand fast, "
                "such as 10.0.0.0/8, fd00::/8 or 192.168.1.20/32, with commas in between."
            ) from None
    return tuple(found)


def address_of(host: str) -> Address | None:
    """The IP address that is meant by this host (lower case, IPv6 without brackets); ``None`` for a name.

    IPv4 is read as the socket library and browsers read it: ``127.1``, ``2130706433``, ``0x7f.1`` and
    ``0177.0.0.1`` are all 127.0.0.1. An IPv6 address that only wraps an IPv4 one (``::ffff:…``) is given
    as that. Raises ``ValueError`` for what looks like an address and is none.
    """
    if ":" in host:
        address = IPv6Address(host)
        return address.ipv4_mapped or address
    parts = host.split(".")
    if not _NUMBER.fullmatch(parts[-1]):
        return None
    if len(parts) > 4 or not all(map(_NUMBER.fullmatch, parts)):
        raise ValueError("not an IPv4 address")
    *heads, tail = map(_number, parts)
    room = 8 * (4 - len(heads))
    if any(head > 255 for head in heads) or tail >= 1 << room:
        raise ValueError("not an IPv4 address")
    whole = 0
    for head in heads:
        whole = whole << 8 | head
    return IPv4Address(whole << room | tail)


def kind_of(address: Address) -> str | None:
    """What a special address is, such as ``a private``; ``None`` for one on the public Internet."""
    if address in METADATA:
        return "a cloud's metadata"
    for network, kind in _SPECIAL:
        if address in network:
            return kind
    if isinstance(address, IPv4Address):
        return None
    meant = _meant(address)
    if meant is not address:
        return kind_of(meant)
    if address not in _PUBLIC_V6:
        return "a reserved"
    is_isatap = int(address) >> 32 & 0xFFFF_FFFF in _ISATAP
    return "a tunnel's (ISATAP)" if is_isatap else None


def is_within(address: Address, allowed: tuple[Network, ...]) -> bool:
    """True if one of the networks holds the address; a metadata service must be named by its own."""
    holding = [network for network in allowed if address in network]
    if _meant(address) in METADATA:
        return any(network.num_addresses == 1 for network in holding)
    return bool(holding)


def _meant(address: Address) -> Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else address


def _number(part: str) -> int:
    if part.startswith("0x"):
        return int(part[2:] or "0", 16)
    return int(part, 8 if part.startswith("0") else 10)
