"""What a device can do, by Zigbee2MQTT's description of it: pure.

Taken are locks and thermostats that speak Zigbee's own clusters. Those that speak their maker's language
instead cannot be asked in a way that tells an answer from what Zigbee2MQTT remembers, and a command to them
is echoed as if it had been done: nothing honest could be said of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from thumbturn.domain.hub import Found
from thumbturn.drivers.zigbee2mqtt.codec import number, text

DOOR_LOCK: Final = "closuresDoorLock"
THERMOSTAT: Final = "hvacThermostat"
FAN: Final = "hvacFanCtrl"
POWER: Final = "genPowerCfg"
LOCK_TYPE: Final = "zigbee_lock"
THERMOSTAT_TYPE: Final = "zigbee_thermostat"

#: Bits of ``access``: it can be set.
_SET = 2
#: Our modes and Zigbee's: ``auto`` is what goes by both set points.
MODES: Final[Mapping[str, str]] = {"off": "off", "heat": "heat", "cool": "cool", "heat_cool": "auto"}
FAN_MODES: Final[Mapping[str, str]] = {"auto": "auto", "on": "on"}
HEATING_FEATURE, COOLING_FEATURE = "occupied_heating_setpoint", "occupied_cooling_setpoint"
_SET_POINTS: Final[Mapping[str, str]] = {HEATING_FEATURE: "heating", COOLING_FEATURE: "cooling"}
#: °C. No thermostat goes farther.
_COLDEST, _WARMEST = -100.0, 200.0
_MOST_ITEMS = 500


def device_name(described: Mapping[str, Any]) -> tuple[str, str] | None:
    """A device's address and the name that people gave it; ``None`` if it has none."""
    address, name = text(described.get("ieee_address")), text(described.get("friendly_name"))
    return None if address is None or name is None else (address, name)


def found_in(described: Mapping[str, Any]) -> Found | None:
    """The device, if it is one that is taken and is ready; else ``None``."""
    named = device_name(described)
    definition = described.get("definition")
    if named is None or not isinstance(definition, dict):
        return None
    if described.get("disabled") is True or described.get("interview_completed") is not True:
        return None
    address, name = named
    exposed = tuple(_dicts(definition.get("exposes")))
    clusters = frozenset(_clusters(described.get("endpoints")))
    details = _model(described, definition)
    capabilities = set()
    if any(each.get("property") == "battery" for each in exposed):
        capabilities.add("battery")
    if DOOR_LOCK in clusters and _is_lock(exposed):
        capabilities.add("lock")
        if any(each.get("property") == "pin_code" and _can_set(each) for each in exposed):
            # What its keypad takes is read from the lock: till then it has no codes.
            details["has_pin_codes"] = True
        device_type = LOCK_TYPE
    elif THERMOSTAT in clusters and (climate := _climate(exposed, clusters)):
        capabilities.add("thermostat")
        details |= climate
        device_type = THERMOSTAT_TYPE
    else:
        return None
    return Found(
        address=address,
        name=name,
        device_type=device_type,
        capabilities=frozenset(capabilities),
        details=details,
    )


def _is_lock(exposed: Sequence[Mapping[str, Any]]) -> bool:
    for each in exposed:
        if each.get("type") == "lock":
            for feature in _dicts(each.get("features")):
                if feature.get("property") == "state" and _can_set(feature):
                    return {str(feature.get("value_on")), str(feature.get("value_off"))} == {"LOCK", "UNLOCK"}
    return False


def _climate(exposed: Sequence[Mapping[str, Any]], clusters: frozenset[str]) -> dict[str, Any]:
    """What it can be set to, as ``Device.details``; empty if nothing."""
    features = {
        str(feature.get("property")): feature
        for each in exposed
        if each.get("type") == "climate"
        for feature in _dicts(each.get("features"))
    }
    details: dict[str, Any] = {}
    for name, word in _SET_POINTS.items():
        feature = features.get(name)
        if feature is None or not _can_set(feature):
            continue
        least = number(feature.get("value_min"), _COLDEST, _WARMEST)
        most = number(feature.get("value_max"), _COLDEST, _WARMEST)
        if least is None or most is None or least > most:
            continue
        details[f"min_{word}_set_point_celsius"] = float(least)
        details[f"max_{word}_set_point_celsius"] = float(most)
        step = number(feature.get("value_step"), 0.01, 10)
        details[f"{word}_set_point_step_celsius"] = float(step or 0.5)
    modes = _available(features.get("system_mode"), MODES)
    if "min_heating_set_point_celsius" not in details:
        modes = [mode for mode in modes if "heat" not in mode]
    if "min_cooling_set_point_celsius" not in details:
        modes = [mode for mode in modes if "cool" not in mode]
    if not modes:
        return {}
    details["available_hvac_mode_settings"] = modes
    fan = _available(features.get("fan_mode"), FAN_MODES) if FAN in clusters else []
    details["available_fan_mode_settings"] = fan
    details["tells_running_state"] = "running_state" in features
    return details


def _available(feature: Mapping[str, Any] | None, words: Mapping[str, str]) -> list[str]:
    values = feature.get("values") if feature is not None and _can_set(feature) else None
    known = values if isinstance(values, list) else []
    return [ours for ours, theirs in words.items() if theirs in known]


def _model(described: Mapping[str, Any], definition: Mapping[str, Any]) -> dict[str, Any]:
    model = text(definition.get("model")) or text(described.get("model_id"))
    kind = text(definition.get("description"))
    words = {
        "manufacturer": "unknown",
        "manufacturer_name": text(definition.get("vendor")),
        "model_name": " ".join(each for each in (kind, model) if each),
        "serial_number": text(described.get("ieee_address")),
    }
    return {name: word for name, word in words.items() if word}


def _can_set(feature: Mapping[str, Any]) -> bool:
    access = number(feature.get("access"), 0, 255)
    return access is not None and bool(int(access) & _SET)


def _clusters(endpoints: Any) -> Iterator[str]:
    if isinstance(endpoints, dict):
        for endpoint in list(endpoints.values())[:_MOST_ITEMS]:
            clusters = endpoint.get("clusters") if isinstance(endpoint, dict) else None
            names = clusters.get("input") if isinstance(clusters, dict) else None
            if isinstance(names, list):
                yield from (name for name in names[:_MOST_ITEMS] if isinstance(name, str))


def _dicts(said: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(said, list):
        yield from (each for each in said[:_MOST_ITEMS] if isinstance(each, dict))
