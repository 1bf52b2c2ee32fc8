"""What a recording keeps of a conversation with a Z-Wave JS server: what is about one node, and no secret.

Each place that is kept is named here. A PIN is in two of them, as ``userCode``, and gets a stand-in there.
For the home id, names that people gave, keys, statistics and whatever else a server says there is no place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from thumbturn.domain.keeping import (
    LEFT_OUT,
    Rule,
    StandIns,
    always,
    each_of,
    fields,
    first_of,
    flag,
    model_text,
    nothing,
    number,
    numbered,
    one_of,
    version,
    word,
)
from thumbturn.drivers.zwave_js.codec import CC
from thumbturn.engine.taps import Kept

#: What every recorded network is called.
HOME_ID: Final = 1
_BYTE, _WIDE, _MEASURED = number(0, 255), number(0, 65_535), number(-1_000, 1_000)
_FLAGS = each_of(flag, 8)
_LEVEL = number(0, 255)
_KEY = first_of(number(0, 65_535), word)

#: The values of a node, by command class and name.
_VALUES: Final[Mapping[tuple[int, str], Rule]] = {
    (CC.SENSOR, "Air temperature"): _MEASURED,
    (CC.SENSOR, "Humidity"): _MEASURED,
    (CC.THERMOSTAT_MODE, "mode"): _BYTE,
    (CC.OPERATING_STATE, "state"): _BYTE,
    (CC.SETPOINT, "setpoint"): _MEASURED,
    (CC.FAN_MODE, "mode"): _BYTE,
    (CC.FAN_STATE, "state"): _BYTE,
    (CC.DOOR_LOCK, "targetMode"): _BYTE,
    (CC.DOOR_LOCK, "currentMode"): _BYTE,
    (CC.DOOR_LOCK, "autoRelockTime"): _WIDE,
    (CC.DOOR_LOCK, "doorStatus"): word,
    (CC.DOOR_LOCK, "boltStatus"): word,
    (CC.DOOR_LOCK, "latchStatus"): word,
    (CC.DOOR_LOCK, "insideHandlesCanOpenDoor"): _FLAGS,
    (CC.DOOR_LOCK, "outsideHandlesCanOpenDoor"): _FLAGS,
    (CC.USER_CODE, "userIdStatus"): _BYTE,
    (CC.NOTIFICATION, "Access Control"): _BYTE,
    (CC.BATTERY, "level"): _LEVEL,
    (CC.BATTERY, "isLow"): flag,
}
_METADATA: Final = fields(
    {
        "type": word,
        "min": number(-65_535, 65_535),
        "max": number(-65_535, 65_535),
        "minLength": number(0, 32),
        "maxLength": number(0, 32),
        "unit": one_of("°C", "°F", "%", "seconds"),
        "states": numbered(first_of(word, always("state")), 255),
    }
)
#: What a node is, beside its values.
_NODE: Final[Mapping[str, Rule]] = {
    "nodeId": number(1, 4_000),
    "ready": flag,
    "status": number(0, 10),
    "isControllerNode": flag,
    "isListening": flag,
    "isFrequentListening": first_of(flag, one_of("1000ms", "250ms")),
    "highestSecurityClass": number(-1, 10),
    "manufacturerId": _WIDE,
    "productType": _WIDE,
    "productId": _WIDE,
    "firmwareVersion": version,
    "deviceConfig": fields({"manufacturer": model_text, "label": model_text, "description": model_text}),
}
_SCALE = fields({"unit": one_of("°C", "°F", "%")})
#: What a node answers when it is asked, but for its user codes.
_RESPONSE: Final = first_of(
    fields(
        {
            "currentMode": _BYTE,
            "targetMode": _BYTE,
            "doorStatus": word,
            "boltStatus": word,
            "latchStatus": word,
            "insideHandlesCanOpenDoor": _FLAGS,
            "outsideHandlesCanOpenDoor": _FLAGS,
            "autoRelockTime": _WIDE,
            "level": _LEVEL,
            "isLow": flag,
            "mode": _BYTE,
            "value": _MEASURED,
            "scale": _SCALE,
        }
    ),
    _BYTE,
    nothing,
)
_NOTIFIED: Final = fields(
    {
        "type": _BYTE,
        "event": _BYTE,
        "label": word,
        "eventLabel": word,
        "parameters": fields({"userId": _WIDE}),
    }
)
_SAID: Final = {"value updated", "value added", "value notification", "value removed"}
_COMMANDS: Final = one_of("initialize", "start_listening", "node.set_value", "endpoint.invoke_cc_api")
_CLASSES: Final = one_of(*(int(each) for each in CC if each is not CC.NAMING))


class ZwaveCleaner:
    """Implements ``Cleaner`` for the node of this number."""

    def __init__(self, node: int) -> None:
        self._node = node
        self._stand_ins = StandIns()
        self.pin = self._stand_ins.pin
        #: The commands that were kept, by their numbers on the link: what they are called here, and say.
        self._asked: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self._count = 0
        self._code = fields({"userIdStatus": _BYTE, "userCode": self._stand_ins.rule})

    def sent(self, message: str) -> Kept | None:
        """A command, if it is one of those that this driver gives."""
        given = _object(message)
        command = _COMMANDS(given.get("command"))
        about_it = {"nodeId": given.get("nodeId")} if "nodeId" in given else {}
        if command is LEFT_OUT or about_it.get("nodeId", self._node) != self._node:
            return None
        said: dict[str, Any] = {"command": command, **about_it}
        if command == "initialize":
            said |= fields({"schemaVersion": number(0, 1_000)})(given)
        elif command == "node.set_value":
            said["valueId"] = _id_of(given.get("valueId"))
            said["value"] = self._value(said["valueId"], given.get("value"))
        elif command == "endpoint.invoke_cc_api":
            asked = {"commandClass": _CLASSES, "methodName": word, "args": each_of(_WIDE, 4)}
            said |= fields(asked)(given)
        self._count += 1
        id = f"m{self._count}"
        self._asked[str(given.get("messageId"))] = id, said
        return Kept(said, id)

    def heard(self, message: str) -> Kept | None:
        """The server's greeting, an answer to a command that was kept, or an event of the node."""
        given = _object(message)
        kind = given.get("type")
        if kind == "version":
            schemas = fields({"minSchemaVersion": number(0, 1_000), "maxSchemaVersion": number(0, 1_000)})
            versions = fields({"driverVersion": version, "serverVersion": version})
            return Kept({"type": kind, "homeId": HOME_ID, **schemas(given), **versions(given)})
        if kind == "result" and str(given.get("messageId")) in self._asked:
            id, asked = self._asked.pop(str(given.get("messageId")))
            return Kept(self._result(given, asked), id)
        event = given.get("event")
        if kind == "event" and isinstance(event, dict):
            said = self._event(event)
            return None if said is None else Kept({"type": "event", "event": said})
        return None

    def _result(self, given: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {"type": "result"} | fields(
            {
                "success": flag,
                "errorCode": word,
                "zwaveErrorCode": _WIDE,
                "zwaveErrorCodeName": word,
            }
        )(dict(given))
        result = given.get("result")
        if not isinstance(result, dict):
            return said
        command = asked["command"]
        if command == "start_listening":
            state = result.get("state")
            nodes = state.get("nodes") if isinstance(state, dict) else None
            listed = nodes if isinstance(nodes, list) else []
            kept = [self._node_of(each) for each in listed if self._is_it(each)]
            said["result"] = {"state": {"nodes": kept}}
        elif command == "node.set_value":
            said["result"] = fields({"result": fields({"status": _BYTE})})(result)
        elif command == "endpoint.invoke_cc_api":
            rule = self._code if asked.get("commandClass") == CC.USER_CODE else _RESPONSE
            said["result"] = fields({"response": first_of(rule, nothing)})(result)
        else:
            said["result"] = {}
        return said

    def _event(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        name, source, node = event.get("event"), event.get("source"), event.get("node")
        if source == "controller" and name in {"node added", "node removed"} and self._is_it(node):
            assert isinstance(node, dict)  # it has a number
            return {"source": source, "event": name, "node": self._node_of(node)}
        if source != "node" or event.get("nodeId") != self._node:
            return None
        said: dict[str, Any] = {"source": source, "event": name, "nodeId": self._node}
        args = event.get("args")
        if name in {"alive", "wake up", "dead"}:
            return said
        if name == "ready":
            state = event.get("nodeState")
            return {**said, "nodeState": self._node_of(state)} if isinstance(state, dict) else said
        if not isinstance(args, dict):
            return None
        if name == "notification" and event.get("ccId", CC.NOTIFICATION) == CC.NOTIFICATION:
            return {**said, "ccId": int(CC.NOTIFICATION), "args": _NOTIFIED(args)}
        if name in _SAID:
            value = self._change(args)
            return None if value is None else {**said, "args": value}
        return None

    def _change(self, args: Mapping[str, Any]) -> dict[str, Any] | None:
        id = _id_of(args)
        if (id.get("commandClass"), id.get("property")) not in _KEPT:
            return None
        said = {**id, **fields({"source": one_of("driver", "node")})(dict(args))}
        for name in ("newValue", "prevValue", "value"):
            if name in args:
                value = self._value(id, args[name])
                if value is not None:
                    said[name] = value
        return said

    def _node_of(self, state: Mapping[str, Any]) -> dict[str, Any]:
        said: dict[str, Any] = fields(_NODE)(dict(state))
        values = state.get("values")
        said["values"] = []
        for each in values if isinstance(values, list) else ():
            if not isinstance(each, dict) or each.get("endpoint", 0) != 0:
                continue
            id = _id_of(each)
            if (id.get("commandClass"), id.get("property")) in _KEPT:
                described = {**id, "value": self._value(id, each.get("value"))}
                metadata = _METADATA(each.get("metadata"))
                said["values"].append(described | ({} if metadata is LEFT_OUT else {"metadata": metadata}))
        return said

    def _value(self, id: Mapping[str, Any], value: Any) -> Any:
        """What is kept of a value; ``None`` if nothing is."""
        place = id.get("commandClass"), id.get("property")
        if place == (CC.USER_CODE, "userCode"):
            return self._stand_ins.rule(value)
        rule = _VALUES.get(place)  # type: ignore[arg-type]
        kept = LEFT_OUT if rule is None else rule(value)
        return None if kept is LEFT_OUT else kept

    def _is_it(self, node: Any) -> bool:
        return isinstance(node, dict) and node.get("nodeId") == self._node


_KEPT: Final = {*_VALUES, (CC.USER_CODE, "userCode")}
_NAMES: Final = one_of(*{name for _, name in _KEPT})
_VALUE_ID: Final = fields(
    {"commandClass": _CLASSES, "endpoint": one_of(0), "property": _NAMES, "propertyKey": _KEY}
)


def _id_of(given: Any) -> dict[str, Any]:
    kept = _VALUE_ID(given)
    return {} if kept is LEFT_OUT else kept


def _object(message: str) -> dict[str, Any]:
    try:
        given = json.loads(message)
    except (ValueError, RecursionError):
        return {}
    return given if isinstance(given, dict) else {}
