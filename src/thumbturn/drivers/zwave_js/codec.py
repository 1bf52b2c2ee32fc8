"""What a Z-Wave JS server says, in words of ours. Pure: texts in, facts out.

Whatever comes may be malformed, huge, odd or twice: what is not understood is nothing, and raises nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from thumbturn.engine.hub_words import is_number, text_of

#: API schemas that this driver speaks.
OLDEST_SCHEMA, NEWEST_SCHEMA = 35, 50
#: Z-Wave's keys are numbers of at most two bytes: a larger one is no slot that any lock has.
_LAST_KEY = 65_535


class CC(IntEnum):
    """Command classes, by their numbers in Z-Wave."""

    SENSOR = 49
    THERMOSTAT_MODE = 64
    OPERATING_STATE = 66
    SETPOINT = 67
    FAN_MODE = 68
    FAN_STATE = 69
    DOOR_LOCK = 98
    USER_CODE = 99
    NOTIFICATION = 113
    NAMING = 119
    BATTERY = 128


class Status(IntEnum):
    """What a server answers to ``set_value``, as far as it differs for us."""

    WORKING = 1
    REFUSED = 2
    INVALID = 5
    UNSUPERVISED = 254
    SUCCESS = 255


class Version(NamedTuple):
    """The first that a server says."""

    home_id: int
    newest_schema: int


class Answer(NamedTuple):
    """What a server answers to a command."""

    message_id: str
    is_good: bool
    result: Mapping[str, Any]
    #: Z-Wave JS's word for what was wrong, or the server's.
    error: str


class Value(NamedTuple):
    """A value of a node that the server was told, or set itself."""

    node: int
    cc: int
    name: str
    key: Any
    is_now: Any
    #: True if the server itself made it so: an echo, and no device's word.
    is_echo: bool


class Notified(NamedTuple):
    """A node tells that something happened."""

    node: int
    type: int
    event: int
    #: In whose place of its memory, if that is part of it.
    user: int | None


class Reached(NamedTuple):
    """The server can reach a node, or not any more."""

    node: int
    is_alive: bool


class NodeChanged(NamedTuple):
    """What is known of a node is not what it was; ``None`` if it is the whole list."""

    node: int | None
    is_gone: bool
    #: All of it, where the server says that.
    state: Mapping[str, Any] | None


Message = Version | Answer | Value | Notified | Reached | NodeChanged


@dataclass(slots=True)
class Node:
    """A node of a Z-Wave network, as its server describes it."""

    id: int
    name: str = ""
    is_ready: bool = False
    is_alive: bool = True
    maker: str = ""
    model: str = ""
    #: By command class, name and key: what the server remembers, and how it describes the value.
    values: dict[tuple[int, str, Any], Any] = field(default_factory=dict)
    described: dict[tuple[int, str, Any], Mapping[str, Any]] = field(default_factory=dict)

    def has(self, cc: int, name: str, key: Any = None) -> bool:
        """Whether it has this value at all."""
        return (cc, name, key) in self.described

    def description(self, cc: int, name: str, key: Any = None) -> Mapping[str, Any]:
        """What the server says of this value: limits, states, unit."""
        return self.described.get((cc, name, key), {})

    def keys(self, cc: int, name: str) -> list[int]:
        """The numbers under which it has this value."""
        return sorted(
            key
            for each, its_name, key in self.described
            if (each, its_name) == (cc, name) and is_number(key) and 1 <= key <= _LAST_KEY
        )


def read(text: str) -> Message | None:
    """What a message says; ``None`` for what is of no interest, or no message."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    kind = message.get("type")
    if kind == "version":
        return _version(message)
    if kind == "result":
        return _answer(message)
    if kind == "event" and isinstance(message.get("event"), dict):
        return _event(message["event"])
    return None


def nodes_of(state: Any) -> list[Node]:
    """The nodes in a server's ``start_listening``, without the controller."""
    found = state.get("nodes") if isinstance(state, dict) else None
    listed = found if isinstance(found, list) else ()
    nodes = [node_of(each) for each in listed if isinstance(each, dict)]
    return [node for node in nodes if node is not None]


def node_of(state: Mapping[str, Any]) -> Node | None:
    """A node as the server describes it; ``None`` for the controller, and for what is none."""
    id = state.get("nodeId")
    if not is_number(id) or id < 1 or state.get("isControllerNode") is True:
        return None
    config = state.get("deviceConfig")
    config = config if isinstance(config, dict) else {}
    node = Node(
        id=id,
        name=text_of(state.get("name")),
        is_ready=state.get("ready") is True,
        is_alive=state.get("status") != 3,
        maker=text_of(config.get("manufacturer")),
        model=text_of(config.get("label")) or text_of(state.get("label")),
    )
    values = state.get("values")
    for each in values if isinstance(values, list) else ():
        if isinstance(each, dict) and each.get("endpoint", 0) == 0:
            _take_value(node, each)
    return node


def degrees(value: Any, unit: str) -> float | None:
    """A temperature in °C; ``None`` if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    celsius = (value - 32) / 1.8 if "F" in unit else float(value)
    return celsius if -273.15 <= celsius <= 1_000 else None


def _version(message: Mapping[str, Any]) -> Version | None:
    home, newest = message.get("homeId"), message.get("maxSchemaVersion")
    return Version(home if is_number(home) else 0, newest) if is_number(newest) else None


def _answer(message: Mapping[str, Any]) -> Answer | None:
    id = message.get("messageId")
    if not isinstance(id, str):
        return None
    result = message.get("result")
    error = message.get("zwaveErrorCodeName") or message.get("errorCode")
    result = result if isinstance(result, dict) else {}
    return Answer(id, message.get("success") is True, result, text_of(error))


def _event(event: Mapping[str, Any]) -> Message | None:
    word, node, args = text_of(event.get("event")), event.get("nodeId"), event.get("args")
    if event.get("source") == "controller":
        return _controller_event(word, event)
    if event.get("source") != "node" or not is_number(node):
        return None
    if word in {"alive", "wake up", "dead"}:
        return Reached(node, word != "dead")
    if word == "ready":
        state = event.get("nodeState")
        return NodeChanged(node, is_gone=False, state=state if isinstance(state, dict) else None)
    if not isinstance(args, dict):
        return None
    if word in {"value updated", "value added", "value notification", "value removed"}:
        return _value(node, args)
    if word == "notification" and event.get("ccId", CC.NOTIFICATION) == CC.NOTIFICATION:
        return _notified(node, args)
    return None


def _controller_event(word: str, event: Mapping[str, Any]) -> Message | None:
    if word not in {"node added", "node removed"}:
        return None
    told = event.get("node")
    told = told if isinstance(told, dict) else {}
    id = told.get("nodeId")
    return NodeChanged(id if is_number(id) else None, is_gone=word == "node removed", state=told)


def _value(node: int, args: Mapping[str, Any]) -> Value | None:
    cc, name, key = args.get("commandClass"), args.get("property"), args.get("propertyKey")
    if not is_number(cc) or not isinstance(name, str) or args.get("endpoint", 0) != 0:
        return None
    if key is not None and not isinstance(key, str | int):
        return None
    is_now = args.get("newValue", args.get("value"))
    return Value(node, cc, name, key, is_now, args.get("source") == "driver")


def _notified(node: int, args: Mapping[str, Any]) -> Notified | None:
    type, event, more = args.get("type"), args.get("event"), args.get("parameters")
    if not is_number(type) or not is_number(event):
        return None
    user = more.get("userId") if isinstance(more, dict) else None
    return Notified(node, type, event, user if is_number(user) else None)


def _take_value(node: Node, given: Mapping[str, Any]) -> None:
    cc, name, key = given.get("commandClass"), given.get("property"), given.get("propertyKey")
    if not is_number(cc) or not isinstance(name, str) or not (key is None or isinstance(key, str | int)):
        return
    metadata = given.get("metadata")
    node.described[cc, name, key] = metadata if isinstance(metadata, dict) else {}
    node.values[cc, name, key] = given.get("value")
