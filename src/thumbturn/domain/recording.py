"""A recording: who a real device is, what was said between it and the server, and what came of it.

It is a file that people send each other, so nothing in it is believed: ``recording_in`` takes one that
anybody wrote. How it is made is in ``engine/tape.py``, what it looks like in ``docs/recordings.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from thumbturn.domain.errors import Refusal
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.keeping import (
    LEFT_OUT,
    Rule,
    each_of,
    fields,
    first_of,
    flag,
    model_text,
    nothing,
    number,
    one_of,
    whole,
    word,
)

FORMAT: Final = "thumbturn-recording"
VERSION: Final = 1
#: Of a recording that somebody gives.
MOST_SCENES, MOST_LINES = 100, 20_000
#: A habit is known by so many times: each is looked for through the whole recording.
_MOST_TIMES: Final = 50
#: How long a lock may take with its bolt, µs: the longest that a virtual one does.
_LONGEST_TRAVEL = 60_000_000

_LEVEL, _CELSIUS = number(0, 1), number(-100, 200)
_HVAC, _FAN = one_of("off", "heat", "cool", "heat_cool", "eco"), one_of("auto", "on", "circulate")
#: What of a device's state may be in a recording. What a lock's memory holds is not, sealed or not.
_CHANGES: Final[Mapping[str, Rule]] = {
    "online": flag,
    "offline_because": first_of(nothing, word),
    "locked": first_of(flag, nothing),
    "jammed": flag,
    "door_open": flag,
    "auto_lock_enabled": flag,
    "auto_lock_delay_seconds": number(0, 100_000),
    "battery_level": _LEVEL,
    "codes_touched_at": lambda said: True,
    "hvac_mode_setting": _HVAC,
    "fan_mode_setting": _FAN,
    "heating_set_point_celsius": _CELSIUS,
    "cooling_set_point_celsius": _CELSIUS,
    "temperature_celsius": _CELSIUS,
    "relative_humidity": _LEVEL,
    "is_heating": flag,
    "is_cooling": flag,
    "is_fan_running": flag,
    "noise_level_decibels": number(-100, 300),
}
_LIMITS: Final = tuple(
    f"{limit}_{what}_set_point_celsius" for limit in ("min", "max") for what in ("heating", "cooling")
)
_DETAILS: Final[Mapping[str, Rule]] = {
    "manufacturer": model_text,
    "manufacturer_name": model_text,
    "model_name": model_text,
    "supported_code_lengths": each_of(whole(1, 32), 32),
    "max_active_codes_supported": whole(0, 1_000),
    "code_constraints": each_of(fields({"constraint_type": word})),
    "supports_backup_access_code_pool": flag,
    "has_native_scheduling": flag,
    "has_pin_codes": flag,
    "available_hvac_mode_settings": each_of(_HVAC, 10),
    "available_fan_mode_settings": each_of(_FAN, 10),
    "heating_set_point_step_celsius": number(0.01, 10),
    "cooling_set_point_step_celsius": number(0.01, 10),
    "min_heating_cooling_delta_celsius": number(0, 50),
    "tells_running_state": flag,
    **dict.fromkeys(_LIMITS, _CELSIUS),
}
_CAPABILITIES: Final = frozenset(
    {"lock", "auto_lock", "keypad", "access_codes", "door_contact", "battery", "thermostat"}
)
_DEVICE: Final = fields(
    {
        "device_type": one_of(
            *(
                f"{hub}_{kind}"
                for hub in ("zwave", "zigbee", "matter", "hass")
                for kind in ("lock", "thermostat")
            )
        ),
        "capabilities": each_of(one_of(*sorted(_CAPABILITIES)), 20),
        "details": fields(_DETAILS),
    }
)
_COMES: Final = fields({"evidence": one_of(*(grade.word for grade in Evidence)), "failure": word})


class RecordingNotUnderstood(Refusal, type="recording_not_understood", status=400):
    """This is no recording of a device that this server understands."""


def kept_changes(changes: Mapping[str, Any]) -> dict[str, Any]:
    """What of a device's state may be in a recording."""
    kept: dict[str, Any] = fields(_CHANGES)(dict(changes))
    return kept


def kept_details(details: Mapping[str, Any]) -> dict[str, Any]:
    """What of a device's details may be in a recording: its model, what it can do, no serial number."""
    kept: dict[str, Any] = fields(_DETAILS)(dict(details))
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a device dealt with a verb, as often as it was told it and did it."""

    verb: str
    #: What it answered itself, at best.
    reply: Evidence
    #: How long it was until the device itself had said that it is so, µs: half of them took longer.
    takes: int
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A recording that was checked."""

    driver: str
    origin: str
    device_type: str
    capabilities: frozenset[str]
    details: Mapping[str, Any]
    scenes: tuple[Mapping[str, Any], ...]

    @property
    def model(self) -> str:
        """What its maker and its hub call it."""
        maker, model = self.details.get("manufacturer_name", ""), self.details.get("model_name", "")
        return " ".join(each for each in (maker, model) if each) or self.device_type

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """All of it, in order."""
        for scene in self.scenes:
            yield from scene["lines"]

    def state(self) -> dict[str, Any]:
        """What was known of it at the end of the first scene, in which it was read."""
        known: dict[str, Any] = {}
        for line in self.scenes[0]["lines"] if self.scenes else ():
            known |= kept_changes(line.get("observed") or {})
        return known

    def habit(self, verb: str) -> Habit | None:
        """How it dealt with ``lock``, ``set_climate`` and so on; ``None`` if it never did it."""
        told: dict[str, Any] = {}
        took: list[int] = []
        replies: list[Evidence] = []
        for line in self.lines():
            if line.get("command") == verb:
                told[line["id"]] = line["at"]
            elif "outcome" in line and line["id"] in told and len(replies) < _MOST_TIMES:
                began_at = told.pop(line["id"])
                came = line["outcome"] or {}
                if "evidence" in came:
                    replies.append(_grade(came["evidence"]))
                    took.append((self._confirmed_after(verb, began_at) or line["at"]) - began_at)
        if not replies:
            return None
        return Habit(verb=verb, reply=max(replies), takes=sorted(took)[len(took) // 2], times=len(replies))

    @property
    def travel(self) -> int:
        """How long its bolt takes, µs."""
        habits = [habit for verb in ("lock", "unlock") if (habit := self.habit(verb)) is not None]
        return min(max((habit.takes for habit in habits), default=0), _LONGEST_TRAVEL)

    def _confirmed_after(self, verb: str, began_at: int) -> int | None:
        """When the device said that it is where a verb leaves it, for the first time since."""
        wanted = {"lock": True, "unlock": False}.get(verb)
        for line in self.lines():
            if "observed" in line and line["at"] >= began_at and line.get("method") == "remote":
                changes = line["observed"] or {}
                if _grade(line.get("evidence")).confirms and (
                    wanted is None or changes.get("locked") is wanted
                ):
                    return int(line["at"])
        return None


def recording_in(given: Any) -> Recording:
    """The recording that this is. Raises ``RecordingNotUnderstood``."""
    if not isinstance(given, dict) or given.get("format") != FORMAT:
        raise RecordingNotUnderstood(f'A recording is an object whose "format" is "{FORMAT}".')
    if given.get("version") != VERSION:
        raise RecordingNotUnderstood(f"This server reads version {VERSION} of recordings, and no other.")
    device = _DEVICE(given.get("device"))
    if device is LEFT_OUT or not {"device_type", "capabilities"} <= device.keys():
        raise RecordingNotUnderstood("It does not say what device it is of.")
    if not {"lock", "thermostat"} & set(device["capabilities"]):
        raise RecordingNotUnderstood("It is of no lock and no thermostat.")
    driver, origin = word(given.get("driver")), word(given.get("origin"))
    if driver is LEFT_OUT and given.get("driver") != "zigbee2mqtt":
        raise RecordingNotUnderstood("It does not say by which driver it was made.")
    return Recording(
        driver=given["driver"],
        origin="" if origin is LEFT_OUT else origin,
        device_type=device["device_type"],
        capabilities=frozenset(device["capabilities"]),
        details=device.get("details", {}),
        scenes=_scenes(given.get("scenes")),
    )


def _scenes(given: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(given, list) or len(given) > MOST_SCENES:
        raise RecordingNotUnderstood(f"Its scenes are a list of at most {MOST_SCENES}.")
    left = MOST_LINES
    for scene in given:
        if not isinstance(scene, dict) or not isinstance(scene.get("name"), str):
            raise RecordingNotUnderstood("Each of its scenes has a name and lines.")
        lines = scene.get("lines")
        left -= len(lines) if isinstance(lines, list) else MOST_LINES + 1
        if left < 0:
            raise RecordingNotUnderstood(f"The lines of its scenes are lists, {MOST_LINES:,} in all at most.")
        for line in lines or ():
            _check_line(line)
    return tuple(given)


def _check_line(line: Any) -> None:
    if not isinstance(line, dict) or whole(0, 10**12)(line.get("at")) is LEFT_OUT:
        raise RecordingNotUnderstood("Each of its lines says when it was, in whole µs since it began.")
    if not all(
        isinstance(line.get(name, {}), dict | None) for name in ("observed", "outcome", "hub", "server")
    ):
        raise RecordingNotUnderstood(
            "What is observed, what came of a command and what was said are objects."
        )
    if {"command", "outcome"} & line.keys() and not isinstance(line.get("id"), str):
        raise RecordingNotUnderstood("Each command and its outcome have an id in common.")
    if _COMES(line.get("outcome") or {}) is LEFT_OUT:
        raise RecordingNotUnderstood("What came of a command is evidence, a failure or what was read.")


def _grade(said: Any) -> Evidence:
    return next((grade for grade in Evidence if grade.word == said), Evidence.NONE)
