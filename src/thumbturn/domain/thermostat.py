"""What follows from a thermostat's report: who set it, whether its room is as warm as it shall be.

``follow`` adds to the news what is so because of it, and says what there is to tell. Each fact is told
when it becomes so: a temperature that stays beyond its threshold is told once, and once when it is back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from thumbturn.domain.climate import COOLING, HEATING, SET_POINTS, SETTINGS, in_both_units
from thumbturn.domain.threshold import judge

if TYPE_CHECKING:
    from thumbturn.domain.attempt import Attempt
    from thumbturn.domain.device import Device, Observation

#: A room is as warm as it shall be when it is no farther from that than this, °C.
REACHED_WITHIN = 1.0

#: The action whose report tells of no adjustment: the preset that it activates is told instead.
ACTIVATION = "ACTIVATE_CLIMATE_PRESET"

Told = Iterator[tuple[str, dict[str, Any]]]


def follow(device: Device, seen: Observation, news: dict[str, Any], cause: Attempt | None) -> Told:
    """The events of a report that brought ``news`` of this device, as type and payload; ``news`` grows."""
    state = device.state
    was_set = not news.keys().isdisjoint(SETTINGS)
    if was_set and seen.changes.get("climate_preset") is None:
        news["climate_preset"] = None
        if cause is None or cause.action_type != ACTIVATION:
            news["adjusted"] = {"at": seen.at, "by": seen.method or "unknown"}
            yield "thermostat.manually_adjusted", _adjusted({**state, **news}, seen.method)
    preset = news.get("climate_preset")
    if preset is not None:
        if seen.method == "automatic":
            news["adjusted"] = {"at": seen.at, "by": seen.method}
        yield (
            "thermostat.climate_preset_activated",
            {name: value for name, value in preset.items() if name != "at"},
        )
    if "temperature_celsius" in news:
        yield (
            "thermostat.temperature_changed",
            in_both_units("temperature_celsius", news["temperature_celsius"]),
        )
    yield from judge(device, news, seen.at)
    after = {**state, **news}
    target = target_of(after)
    is_there = target is not None
    if is_there is not state.get("is_at_set_point", False):
        news["is_at_set_point"] = is_there
        # A set point that is moved to where the room is was not reached by the room.
        if target is not None and "temperature_celsius" in news and not was_set:
            yield (
                "thermostat.temperature_reached_set_point",
                in_both_units("temperature_celsius", after["temperature_celsius"])
                | in_both_units("desired_temperature_celsius", target),
            )


def target_of(state: Mapping[str, Any]) -> float | None:
    """The set point, °C, that the room has come near enough to; ``None`` if there is none."""
    temperature: float | None = state.get("temperature_celsius")
    goes_by = SET_POINTS.get(state.get("hvac_mode_setting", ""), ())
    set_points: dict[str, float] = {name: state[name] for name in goes_by if state.get(name) is not None}
    if temperature is None or not set_points:
        return None
    if temperature < set_points.get(HEATING, temperature) - REACHED_WITHIN:
        return None
    if temperature > set_points.get(COOLING, temperature) + REACHED_WITHIN:
        return None
    return min(set_points.values(), key=lambda each: abs(temperature - each))


def _adjusted(state: Mapping[str, Any], method: str | None) -> dict[str, Any]:
    payload: dict[str, Any] = {"method": "seam" if method == "remote" else "external"}
    for name in ("hvac_mode_setting", "fan_mode_setting"):
        if state.get(name) is not None:
            payload[name] = state[name]
    for name in SET_POINTS.get(state.get("hvac_mode_setting", ""), ()):
        if state.get(name) is not None:
            payload |= in_both_units(name, state[name])
    return payload
