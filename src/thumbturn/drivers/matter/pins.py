"""PINs as Matter locks take them."""

from __future__ import annotations

import base64

from thumbturn.drivers.matter.codec import Cluster, Node

_LONGEST, _SHORTEST = 0x17, 0x18


def lengths_of(node: Node, endpoint: int) -> range:
    """How many digits a lock's PINs have, as it says itself."""
    shortest = node.number(endpoint, Cluster.DOOR_LOCK, _SHORTEST)
    longest = node.number(endpoint, Cluster.DOOR_LOCK, _LONGEST)
    if shortest is None or longest is None or not 1 <= shortest <= longest <= 32:
        shortest, longest = 4, 8
    return range(shortest, longest + 1)


def is_pin(text: str, node: Node, endpoint: int) -> bool:
    """Whether a lock takes this as a PIN at all."""
    return text.isascii() and text.isdecimal() and len(text) in lengths_of(node, endpoint)


def in_base64(pin: str) -> str:
    """A PIN as the server takes bytes."""
    return base64.b64encode(pin.encode()).decode()
