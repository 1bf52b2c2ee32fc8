"""What Zigbee2MQTT says on the broker, and what it is told there. Pure: text in, facts out.

Whatever comes from a broker may be anything: what is not understood is ``None``, and never an exception.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

#: Bytes. A list of hundreds of devices is that long; anything longer is not looked at.
LONGEST: Final = 8 * 1024 * 1024
#: Characters of a name that a person gave a device.
LONGEST_NAME: Final = 200
#: Names of this beginning are told once and are in no cache of Zigbee2MQTT: what carries one is new.
ANSWER: Final = "action_thumbturn_"

How = Literal["undelivered", "unanswered", "refused", "unknown"]


class BridgeState(NamedTuple):
    """Zigbee2MQTT itself came or went."""

    is_online: bool


class BridgeInfo(NamedTuple):
    """What it is: told whenever it has started, and now and then."""

    coordinator: str
    version: str


class Devices(NamedTuple):
    """All devices that it knows, each as it describes it."""

    described: tuple[Mapping[str, Any], ...]


class Presence(NamedTuple):
    """Whether it can reach a device, as far as it knows."""

    name: str
    is_online: bool


class DeviceSaid(NamedTuple):
    """Something new of a device, and with it all that was ever heard of it; it says not which is which."""

    name: str
    fields: Mapping[str, Any]


class Failed(NamedTuple):
    """A command that came to nothing."""

    name: str
    #: ``set`` or ``get``, and the word in the command.
    verb: str
    key: str
    how: How
    #: The frame that it was sent as, in Zigbee's words; empty if that is not said.
    frame: str = ""
    #: The ``patience`` of a question, by which it is known; ``None`` if that is not said.
    patience: int | None = None


Heard = BridgeState | BridgeInfo | Devices | Presence | DeviceSaid | Failed

_ONLINE = {"online": True, "offline": False}
#: The only trace of a command that failed is a line in its log, made for people.
_FAILED = re.compile(r"Publish '(get|set)' '([^']{1,100})' to '(.{1,200}?)' failed: '(.*)", re.DOTALL)
_PATIENCE = re.compile(r'"timeout":(\d{1,6})\b')
_FRAME = re.compile(r"\.(\w{1,50})\(")
#: What radio drivers say if a frame did not get as far as the device.
_UNDELIVERED = re.compile(
    r"delivery failed|no[_ ]ack|no[_ ](network[_ ])?route|transaction_expired|access_failure|unreachable",
    re.IGNORECASE,
)
_UNANSWERED = re.compile(r"time(d )?[ -]?out|no response", re.IGNORECASE)
_REFUSED = re.compile(r"Status '[A-Z_0-9]+'")
#: Such a line quotes the command's own words, a PIN among them: only what is known is read, and nothing kept.
_REASON = 400


def heard(base: str, topic: str, payload: bytes) -> Heard | None:
    """What a message below ``base`` says; ``None`` if it says nothing that matters, or nothing at all."""
    if len(payload) > LONGEST or not topic.startswith(f"{base}/"):
        return None
    about = topic[len(base) + 1 :]
    if about.startswith("bridge/"):
        return _of_bridge(about[7:], payload)
    name, _, last = about.rpartition("/")
    if last in {"set", "get"} or "/set/" in about or "/get/" in about:
        return None  # somebody's command, perhaps our own
    said = _object(payload)
    if said is None:
        return None
    if name and last == "availability":
        is_online = _ONLINE.get(str(said.get("state")))
        return None if is_online is None or len(name) > LONGEST_NAME else Presence(name, is_online)
    return None if len(about) > LONGEST_NAME else DeviceSaid(about, said)


def _of_bridge(about: str, payload: bytes) -> Heard | None:
    if about == "logging":
        # By far most of what it says, and but one kind of it matters.
        return _failed(payload) if b"failed" in payload else None
    if about == "devices":
        described = _parsed(payload)
        if not isinstance(described, list):
            return None
        return Devices(tuple(each for each in described if isinstance(each, dict)))
    said = _object(payload) if about in {"state", "info"} else None
    if said is None:
        return None
    if about == "state":
        is_online = _ONLINE.get(str(said.get("state")))
        return None if is_online is None else BridgeState(is_online)
    coordinator = said.get("coordinator")
    address = coordinator.get("ieee_address") if isinstance(coordinator, dict) else None
    version = said.get("version")
    if not isinstance(address, str) or not isinstance(version, str):
        return None
    return BridgeInfo(address[:LONGEST_NAME], version[:LONGEST_NAME])


def _failed(payload: bytes) -> Failed | None:
    line = _object(payload)
    if line is None or line.get("level") != "error" or not isinstance(line.get("message"), str):
        return None
    found = _FAILED.search(line["message"])
    if found is None:
        return None
    verb, key, name, reason = found.groups()
    frame, patience = _FRAME.search(reason[:_REASON]), _PATIENCE.search(reason[:_REASON])
    return Failed(
        name,
        verb,
        key,
        # What comes before that is what was sent: its options name a time-out too.
        _how(reason.rpartition(" failed (")[2][-_REASON:]),
        "" if frame is None else frame[1],
        None if patience is None else int(patience[1]),
    )


def _how(reason: str) -> How:
    if _REFUSED.search(reason):
        return "refused"
    if _UNDELIVERED.search(reason):
        return "undelivered"
    return "unanswered" if _UNANSWERED.search(reason) else "unknown"


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None


def _object(payload: bytes) -> Mapping[str, Any] | None:
    parsed = _parsed(payload)
    return parsed if isinstance(parsed, dict) else None


def text(said: Any) -> str | None:
    """A text that is one, of a bearable length; else ``None``."""
    return said if isinstance(said, str) and 0 < len(said) <= LONGEST_NAME else None


def number(said: Any, least: float, most: float) -> float | None:
    """A number that is one, and between these; else ``None``."""
    if isinstance(said, bool) or not isinstance(said, int | float):
        return None
    return said if least <= said <= most else None


# what it is told ----------------------------------------------------------------------------------


def topic_of(base: str, address: str, verb: Literal["set", "get"]) -> str:
    """Where a device takes commands: by its address, which no renaming changes."""
    return f"{base}/{address}/{verb}"


def command(**words: Any) -> str:
    """A command to a device."""
    return json.dumps(words, separators=(",", ":"))


def question(cluster: str, attributes: Sequence[str], answer: str, patience: int) -> str:
    """Ask the device itself for its attributes; they come under the name ``answer`` and no other time.

    The simple way, a ``get``, brings a message that looks the same whether the device had answered or
    something else was told with what had been known of it. ``patience``, ms, is how long the frame may take.
    A question that fails is known by it: and two lines of the log that are alike are told once.
    """
    options = {"timeout": patience}
    read = {"cluster": cluster, "attributes": list(attributes), "options": options, "state_property": answer}
    return command(read=read)
