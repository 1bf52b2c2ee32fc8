"""What a recording keeps of what is said on a broker: what is about one Zigbee device, and no secret.

Each place that is kept is named here. A PIN has two, ``pin_code`` of a command and of ``users``, and gets a
stand-in there. Addresses of radios, names that people gave, the network's key and the rest of
``bridge/info`` have none; of a line of the log is kept what the driver reads in it, in words of ours.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
from thumbturn.drivers.zigbee2mqtt.codec import ANSWER, Failed, heard
from thumbturn.engine.taps import Kept

#: What a device is called in every recording, and its address and that of its coordinator.
NAME: Final = "device"
ADDRESS: Final = "0x0000000000000001"
COORDINATOR: Final = "0x0000000000000000"

_WIDE, _DEGREES = number(0, 65_535), number(-300, 300)
#: Of Zigbee's own attributes, those that devices are asked for.
_ATTRIBUTES: Final = fields(
    dict.fromkeys(
        (
            *("lockState", "operatingMode", "autoRelockTime"),
            *("numOfPinUsersSupported", "minPinLen", "maxPinLen"),
            *("systemMode", "runningState", "fanMode", "localTemp"),
            *("occupiedHeatingSetpoint", "occupiedCoolingSetpoint", "batteryPercentageRemaining"),
        ),
        number(-32_768, 65_535),
    )
)
#: What Zigbee2MQTT says of a device and is told for one, but for PINs.
_FIELDS: Final[Mapping[str, Rule]] = {
    "state": word,
    "lock_state": word,
    "battery": number(0, 100),
    "battery_low": flag,
    "linkquality": number(0, 255),
    "auto_relock_time": _WIDE,
    "sound_volume": word,
    "action": first_of(word, nothing),
    "action_source": number(0, 255),
    "action_source_name": first_of(word, nothing),
    "action_user": _WIDE,
    "system_mode": word,
    "fan_mode": word,
    "fan_state": word,
    "running_state": word,
    "running_mode": word,
    "keypad_lockout": word,
    "occupied_heating_setpoint": _DEGREES,
    "occupied_cooling_setpoint": _DEGREES,
    "local_temperature": _DEGREES,
    "local_temperature_calibration": _DEGREES,
}
_VALUE: Final = first_of(flag, word, number(-100_000, 100_000))
_FEATURE: Final[Mapping[str, Rule]] = {
    "type": word,
    "name": word,
    "property": word,
    "access": number(0, 255),
    "unit": one_of("°C", "%", "V", "mV", "s", "lqi"),
    "value_on": _VALUE,
    "value_off": _VALUE,
    "value_min": number(-100_000, 100_000),
    "value_max": number(-100_000, 100_000),
    "value_step": number(0, 1_000),
    "values": each_of(_VALUE, 100),
}
_CLUSTERS: Final = numbered(
    fields({"clusters": fields({"input": each_of(word, 60), "output": each_of(word, 60)})}), 255
)


def _exposed(depth: int) -> Rule:
    more = {} if depth == 0 else {"features": each_of(_exposed(depth - 1), 60)}
    return fields({**_FEATURE, **more})


_DEVICE: Final = fields(
    {
        "type": word,
        "power_source": word,
        "supported": flag,
        "disabled": flag,
        "interview_completed": flag,
        "interviewing": flag,
        "model_id": model_text,
        "manufacturer": model_text,
        "software_build_id": version,
        "definition": first_of(
            nothing,
            fields(
                {
                    "model": model_text,
                    "vendor": model_text,
                    "description": model_text,
                    "exposes": each_of(_exposed(3), 60),
                }
            ),
        ),
        "endpoints": _CLUSTERS,
    }
)
#: What it says of itself.
_OF_BRIDGE: Final[Mapping[str, Rule]] = {
    "bridge/state": fields({"state": word}),
    "bridge/info": fields(
        {
            "version": first_of(version, always("unknown")),
            "coordinator": always({"ieee_address": COORDINATOR}),
        }
    ),
}
#: How a frame failed, in words that say the same to the driver as those that were there.
_FAILED: Final = {
    "undelivered": "Delivery failed",
    "unanswered": "Timeout",
    "refused": "Status 'FAILURE'",
    "unknown": "error",
}


class ZigbeeCleaner:
    """Implements ``Cleaner`` for the device with this address, of the Zigbee2MQTT below this base topic."""

    def __init__(self, address: str, base: str) -> None:
        self._address, self._base = address, base
        #: What people call it.
        self._name = address
        self._stand_ins = StandIns()
        self.pin = self._stand_ins.pin
        #: Questions, by the name of their answer and by their patience.
        self._asked: dict[str, str] = {}
        self._waits: dict[int, str] = {}
        pin = self._stand_ins.rule
        user = fields({"status": word, "pin_code": pin})
        code = {"user": _WIDE, "user_type": word, "user_enabled": flag, "pin_code": pin}
        self._fields = fields(
            {**_FIELDS, "users": numbered(user, 65_535), "pin_code": first_of(nothing, fields(code))}
        )

    def sent(self, message: str) -> Kept | None:
        """A command to the device."""
        topic, payload, _ = _parts(message)
        verb = topic.rpartition("/")[2]
        if topic != f"{self._base}/{self._address}/{verb}" or not isinstance(payload, dict):
            return None
        said: dict[str, Any] = self._fields(payload)
        question, id = payload.get("read"), None
        if isinstance(question, dict):
            said["read"] = fields({"cluster": word, "attributes": each_of(word, 20)})(question)
            id = self._number(question)
        return Kept({"topic": f"{NAME}/{verb}", "payload": said}, id)

    def heard(self, message: str) -> Kept | None:
        """What Zigbee2MQTT says of itself and of the device."""
        topic, payload, is_retained = _parts(message)
        if not topic.startswith(f"{self._base}/"):
            return None
        about = topic[len(self._base) + 1 :]
        if about.startswith("bridge/"):
            kept = self._of_bridge(about, topic, payload)
        elif about == f"{self._name}/availability":
            kept = Kept({"topic": f"{NAME}/availability", "payload": fields({"state": word})(payload)})
        elif about == self._name and isinstance(payload, dict):
            kept = self._of_device(payload)
        else:
            return None
        if kept is None or kept.said["payload"] is LEFT_OUT:
            return None
        return Kept({**kept.said, "retained": True}, kept.id) if is_retained else kept

    def _of_bridge(self, about: str, topic: str, payload: Any) -> Kept | None:
        if about == "bridge/devices":
            return Kept({"topic": about, "payload": list(self._described(payload))})
        if about == "bridge/logging":
            failed = heard(self._base, topic, json.dumps(payload).encode())
            return self._of_failure(failed) if isinstance(failed, Failed) else None
        rule = _OF_BRIDGE.get(about)
        return None if rule is None else Kept({"topic": about, "payload": rule(payload)})

    def _of_failure(self, failed: Failed) -> Kept | None:
        if failed.name not in {self._name, self._address}:
            return None
        said = fields({"failed": word, "key": word, "how": word, "frame": word})(
            {"failed": failed.verb, "key": failed.key, "how": failed.how, "frame": failed.frame}
        )
        return Kept({"topic": "bridge/logging", "payload": said}, self._waits.get(failed.patience or 0))

    def _of_device(self, payload: dict[str, Any]) -> Kept:
        said, id = self._fields(payload), None
        for name, answer in payload.items():
            if name in self._asked:
                id, said["answer"] = self._asked[name], _ATTRIBUTES(answer)
        return Kept({"topic": NAME, "payload": said}, id)

    def _described(self, payload: Any) -> Iterator[dict[str, Any]]:
        for each in payload if isinstance(payload, list) else ():
            if isinstance(each, dict) and each.get("ieee_address") == self._address:
                name = each.get("friendly_name")
                self._name = name if isinstance(name, str) else self._address
                yield {**_DEVICE(each), "ieee_address": ADDRESS, "friendly_name": NAME}

    def _number(self, question: Mapping[str, Any]) -> str:
        id = f"m{len(self._asked) + 1}"
        name, options = question.get("state_property"), question.get("options")
        if isinstance(name, str) and name.startswith(ANSWER):
            self._asked[name] = id
        patience = options.get("timeout") if isinstance(options, dict) else None
        if isinstance(patience, int):
            self._waits[patience] = id
        return id


def failed_line(said: Mapping[str, Any], patience: int | None) -> str:
    """The line of the log that a recording has this of, as Zigbee2MQTT would write it."""
    options = "" if patience is None else f',{{"timeout":{patience}}}'
    frame = f"ZCL command {NAME} cluster.{said.get('frame', '')}({{}}{options})"
    how = _FAILED[said["how"]]
    return f"Publish '{said['failed']}' '{said['key']}' to '{NAME}' failed: '{frame} failed ({how})'"


def _parts(message: str) -> tuple[str, Any, bool]:
    """Topic and payload of a message, and whether the broker had kept it."""
    whole = json.loads(message)
    try:
        payload = json.loads(whole["payload"])
    except (ValueError, RecursionError):
        payload = None
    return str(whole["topic"]), payload, whole["retained"] is True
