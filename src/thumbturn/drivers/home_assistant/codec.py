"""What a Home Assistant says, in words of ours. Pure: texts in, facts out.

Whatever comes may be malformed, huge, odd or twice: what is not understood is nothing, and raises nothing.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from thumbturn.engine.hub_words import is_number, text_of

#: Longer than any entity's id may be at a Home Assistant.
_LONGEST_ID = 255
#: States in which an integration says that its device cannot be reached, or that it has just begun.
UNAVAILABLE = "unavailable"


class Context(NamedTuple):
    """Who or what is behind a change, as far as Home Assistant says."""

    id: str = ""
    #: What made it happen: an automation's cause.
    parent: str = ""
    user: str = ""


class State(NamedTuple):
    """How an entity is, as its integration last said."""

    entity_id: str
    value: str
    attributes: Mapping[str, Any]
    context: Context

    @property
    def is_reachable(self) -> bool:
        """False if its integration says that the device cannot be reached."""
        return self.value != UNAVAILABLE

    @property
    def is_assumed(self) -> bool:
        """True if nobody hears what the device does: its state is what it was told last."""
        return self.attributes.get("assumed_state") is True

    @property
    def domain(self) -> str:
        """Of what kind it is: the beginning of its id."""
        return self.entity_id.partition(".")[0]


class Greeting(NamedTuple):
    """What is said before a login, and after it."""

    #: ``auth_required``, ``auth_ok`` or ``auth_invalid``.
    word: str


class Answer(NamedTuple):
    """What is answered to a command."""

    message_id: int
    is_good: bool
    result: Any
    #: Home Assistant's word for what was wrong, and its sentence.
    error: str = ""
    message: str = ""


class Changed(NamedTuple):
    """An entity is not as it was; ``None`` if it is gone."""

    entity_id: str
    state: State | None


class Reordered(NamedTuple):
    """What there is, or what it is called, is not what it was."""


class Entry(NamedTuple):
    """An entity in Home Assistant's register."""

    id: str
    entity_id: str
    device_id: str
    name: str


class Appliance(NamedTuple):
    """A thing in Home Assistant's register, of which entities are parts."""

    maker: str
    model: str


class Facts(NamedTuple):
    """What a Home Assistant says of itself."""

    name: str
    is_running: bool
    is_fahrenheit: bool
    time_zone: str


Message = Greeting | Answer | Changed | Reordered


def read(text: str) -> Message | None:
    """What a message says; ``None`` for what is of no interest, or no message."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    kind, id = text_of(message.get("type")), message.get("id")
    if kind in {"auth_required", "auth_ok", "auth_invalid"}:
        return Greeting(kind)
    if kind == "pong" and is_number(id):
        return Answer(id, is_good=True, result=None)
    if kind == "result" and is_number(id):
        return _answer(id, message)
    if kind == "event" and isinstance(message.get("event"), dict):
        return _event(message["event"])
    return None


def facts_of(config: Any) -> Facts | None:
    """What ``get_config`` says; ``None`` if it is none."""
    if not isinstance(config, dict) or not isinstance(config.get("state"), str):
        return None
    units = config.get("unit_system")
    degree = units.get("temperature") if isinstance(units, dict) else ""
    return Facts(
        name=text_of(config.get("location_name")),
        is_running=config["state"] == "RUNNING",
        is_fahrenheit=isinstance(degree, str) and "F" in degree,
        time_zone=text_of(config.get("time_zone")),
    )


def states_of(listed: Any) -> dict[str, State]:
    """The states in ``get_states``, by the ids of their entities."""
    states = (state_of(each) for each in _dicts(listed))
    return {state.entity_id: state for state in states if state is not None}


def state_of(said: Any) -> State | None:
    """A state as Home Assistant describes it; ``None`` if it is none."""
    if not isinstance(said, dict):
        return None
    entity_id, value, attributes = id_of(said.get("entity_id")), said.get("state"), said.get("attributes")
    if not entity_id or not isinstance(value, str):
        return None
    return State(
        entity_id, value, attributes if isinstance(attributes, dict) else {}, _context(said.get("context"))
    )


def entries_of(listed: Any) -> dict[str, Entry]:
    """The register of entities by their ids, without those that are switched off there."""
    entries = {}
    for each in _dicts(listed):
        id, entity_id = id_of(each.get("id")), id_of(each.get("entity_id"))
        if id and entity_id and each.get("disabled_by") is None:
            name = text_of(each.get("name")) or text_of(each.get("original_name"))
            entries[entity_id] = Entry(id, entity_id, id_of(each.get("device_id")), name)
    return entries


def appliances_of(listed: Any) -> dict[str, Appliance]:
    """The register of things, by their ids."""
    return {
        id: Appliance(text_of(each.get("manufacturer")), text_of(each.get("model")))
        for each in _dicts(listed)
        if (id := id_of(each.get("id")))
    }


def number_of(value: Any, least: float, most: float) -> float | None:
    """A number within these bounds, also as a text; ``None`` for anything else."""
    if isinstance(value, str):
        try:
            value = float(value[:40])
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # A whole number may be longer than any float.
    return float(value) if least <= value <= most and math.isfinite(value) else None


def words_of(value: Any) -> list[str]:
    """The texts in a list."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def id_of(value: Any) -> str:
    """An id; empty for what is none."""
    is_id = isinstance(value, str) and len(value) <= _LONGEST_ID and value.isascii() and value.isprintable()
    return value if is_id else ""


def _dicts(listed: Any) -> Iterator[dict[str, Any]]:
    return (each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict))


def _answer(id: int, message: Mapping[str, Any]) -> Answer:
    error = message.get("error")
    error = error if isinstance(error, dict) else {}
    return Answer(
        id,
        message.get("success") is True,
        message.get("result"),
        text_of(error.get("code")),
        text_of(error.get("message")),
    )


def _event(event: Mapping[str, Any]) -> Message | None:
    kind, data = text_of(event.get("event_type")), event.get("data")
    if kind in {"entity_registry_updated", "device_registry_updated"}:
        return Reordered()
    if kind != "state_changed" or not isinstance(data, dict):
        return None
    entity_id, new = id_of(data.get("entity_id")), data.get("new_state")
    if not entity_id:
        return None
    state = state_of(new)
    if new is not None and (state is None or state.entity_id != entity_id):
        return None
    return Changed(entity_id, state)


def _context(said: Any) -> Context:
    if not isinstance(said, dict):
        return Context()
    return Context(id_of(said.get("id")), id_of(said.get("parent_id")), id_of(said.get("user_id")))
