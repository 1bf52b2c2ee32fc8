"""What a Matter server says, in words of ours. Pure: texts in, facts out.

Whatever comes may be malformed, huge, odd or twice: what is not understood is nothing, and raises nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from thumbturn.engine.hub_words import is_number, text_of

#: API schemas that this driver speaks.
OLDEST_SCHEMA, NEWEST_SCHEMA = 9, 11
#: From this number on a server has nodes that it only pretends to have: it says yes to every command.
FIRST_PRETENDED = 900_000
_LAST_ENDPOINT, _LAST_CLUSTER = 0xFFFE, 0xFFFF_FFFF
_PATH = re.compile(r"(\d{1,10})/(\d{1,10})/(\d{1,10})", re.ASCII)
_STATUS = re.compile(r"\(0x([0-9a-fA-F]{1,4})\)")

#: Endpoint, cluster, and attribute.
Path = tuple[int, int, int]


class Cluster(IntEnum):
    """Clusters, by their numbers in Matter."""

    BASIC = 40
    POWER_SOURCE = 47
    BRIDGED = 57
    CREDENTIALS = 62
    DOOR_LOCK = 257
    THERMOSTAT = 513
    FAN = 514


#: Attributes that every cluster has.
FEATURES = 0xFFFC


class Code(IntEnum):
    """The server's errors, as far as they differ for us: in each of these nothing was sent to the node."""

    NOT_READY = 3
    NOT_RESOLVING = 4
    NOT_THERE = 5
    WRONG_ARGUMENTS = 8
    WRONG_COMMAND = 9


class Status(IntEnum):
    """What a device itself answers to a command that it did not carry out, as far as it differs for us."""

    FAILURE = 0x01
    UNSUPPORTED_ENDPOINT = 0x7F
    UNSUPPORTED_COMMAND = 0x81
    INVALID_COMMAND = 0x85
    UNSUPPORTED_ATTRIBUTE = 0x86
    CONSTRAINT_ERROR = 0x87
    BUSY = 0x9C
    UNSUPPORTED_CLUSTER = 0xC3


class Server(NamedTuple):
    """The first that a server says."""

    #: Tells its network from all others.
    fabric: int
    schema: int
    oldest_schema: int


class Answer(NamedTuple):
    """What a server answers to a command."""

    message_id: str
    is_good: bool
    result: Any
    error: int
    #: The status that the device itself answered with, if it was the device that refused.
    status: int | None


class Reported(NamedTuple):
    """A device reports an attribute."""

    node: int
    path: Path
    is_now: Any


class Happened(NamedTuple):
    """A device tells that something happened."""

    node: int
    endpoint: int
    cluster: int
    event: int
    #: Grows with each event of the node.
    number: int
    fields: Mapping[str, Any]


class NodeChanged(NamedTuple):
    """What is known of a node is not what it was."""

    node: int
    #: All of it; ``None`` if it is gone.
    state: Mapping[str, Any] | None


class EndpointGone(NamedTuple):
    """A bridge has lost a device."""

    node: int
    endpoint: int


Message = Server | Answer | Reported | Happened | NodeChanged | EndpointGone


@dataclass(slots=True)
class Node:
    """A node of a Matter network, as its server describes it."""

    id: int
    #: The server says that it can be reached.
    is_available: bool = False
    #: What the server remembers: what is there at all, and what it can do. Never how it is now.
    attributes: dict[Path, Any] = field(default_factory=dict)

    def has(self, endpoint: int, cluster: int, attribute: int) -> bool:
        """Whether it has this attribute at all."""
        return (endpoint, cluster, attribute) in self.attributes

    def number(self, endpoint: int, cluster: int, attribute: int) -> int | None:
        """A whole number that describes it; ``None`` if there is none."""
        value = self.attributes.get((endpoint, cluster, attribute))
        return value if is_number(value) else None

    def can(self, endpoint: int, cluster: int, feature: int) -> bool:
        """Whether its cluster has this feature."""
        return bool((self.number(endpoint, cluster, FEATURES) or 0) & feature)

    def with_cluster(self, cluster: int) -> Iterator[int]:
        """The endpoints that have this cluster, in order."""
        yield from sorted(
            {endpoint for endpoint, its_cluster, attribute in self.attributes if its_cluster == cluster}
        )

    def text(self, endpoint: int, attribute: int) -> str:
        """A text of its own description, or of what it is a bridge for."""
        for at, cluster in ((endpoint, Cluster.BRIDGED), (0, Cluster.BASIC)):
            text = text_of(self.attributes.get((at, cluster, attribute)))
            if text:
                return text
        return ""


def read(text: str) -> Message | None:
    """What a message says; ``None`` for what is of no interest, or no message."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    if "event" in message:
        return _event(text_of(message["event"]), message.get("data"))
    if "message_id" in message:
        return _answer(message)
    fabric, schema = _big(message.get("compressed_fabric_id")), message.get("schema_version")
    oldest = message.get("min_supported_schema_version")
    if fabric is None or not is_number(schema) or not is_number(oldest):
        return None
    return Server(fabric, schema, oldest)


def nodes_of(result: Any) -> list[Node]:
    """The nodes in a server's ``start_listening``."""
    found = (node_of(each) for each in result) if isinstance(result, list) else ()
    return [node for node in found if node is not None]


def node_of(state: Any) -> Node | None:
    """A node as the server describes it; ``None`` for what is none, or only pretended."""
    if not isinstance(state, dict) or (id := _node_id(state.get("node_id"))) is None:
        return None
    attributes = state.get("attributes")
    node = Node(id, state.get("available") is True)
    for path, value in attributes.items() if isinstance(attributes, dict) else ():
        parsed = path_of(path)
        if parsed is not None:
            node.attributes[parsed] = value
    return node


def path_of(text: Any) -> Path | None:
    """An attribute's path; ``None`` for what is none."""
    match = _PATH.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    endpoint, cluster, attribute = (int(part) for part in match.groups())
    if endpoint > _LAST_ENDPOINT or max(cluster, attribute) > _LAST_CLUSTER:
        return None
    return endpoint, cluster, attribute


def in_writing(path: Path) -> str:
    """A path as the server writes it."""
    return "/".join(str(part) for part in path)


def values_of(answer: Answer | None) -> dict[Path, Any]:
    """What a device answered when it was asked for attributes."""
    result = answer.result if answer is not None and answer.is_good else None
    if not isinstance(result, dict):
        return {}
    paths = ((path_of(path), value) for path, value in result.items())
    return {path: value for path, value in paths if path is not None}


def _answer(message: Mapping[str, Any]) -> Answer | None:
    id, error = message.get("message_id"), message.get("error_code")
    if not isinstance(id, str):
        return None
    if "error_code" not in message:
        return Answer(id, is_good=True, result=message.get("result"), error=0, status=None)
    details = message.get("details")
    # What the device itself has answered comes as text: its name, and its number in brackets.
    found = _STATUS.search(details[:1_000]) if isinstance(details, str) and "Interaction" in details else None
    status = None if found is None else int(found[1], 16)
    return Answer(id, is_good=False, result=None, error=error if is_number(error) else 0, status=status)


def _event(word: str, told: Any) -> Message | None:
    if word == "attribute_updated":
        if not isinstance(told, list) or len(told) != 3:
            return None
        node, path = _node_id(told[0]), path_of(told[1])
        return None if node is None or path is None else Reported(node, path, told[2])
    if word == "node_removed":
        node = _node_id(told)
        return None if node is None else NodeChanged(node, None)
    if not isinstance(told, dict):
        return None
    node = _node_id(told.get("node_id"))
    if node is None:
        return None
    if word in {"node_added", "node_updated"}:
        return NodeChanged(node, told)
    if word == "endpoint_removed" and is_number(endpoint := told.get("endpoint_id")):
        return EndpointGone(node, endpoint)
    return _happened(node, told) if word == "node_event" else None


def _happened(node: int, told: Mapping[str, Any]) -> Happened | None:
    numbers = [told.get(name) for name in ("endpoint_id", "cluster_id", "event_id")]
    number, fields = _big(told.get("event_number")), told.get("data")
    endpoint, cluster, event = numbers
    if not (is_number(endpoint) and is_number(cluster) and is_number(event)) or number is None:
        return None
    return Happened(node, endpoint, cluster, event, number, fields if isinstance(fields, dict) else {})


def _node_id(value: Any) -> int | None:
    id = _big(value)
    return id if id is not None and 1 <= id < FIRST_PRETENDED else None


def _big(value: Any) -> int | None:
    """A number of eight bytes."""
    is_one = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 64
    return value if is_one else None
