"""The devices among a Home Assistant's entities, with what each can do as its integration says."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from thumbturn.domain.device import Device
from thumbturn.domain.hub import Found
from thumbturn.drivers.home_assistant import locks, noise_sensors, thermostats
from thumbturn.drivers.home_assistant.codec import State
from thumbturn.drivers.home_assistant.house import House
from thumbturn.engine.hub_words import text_of

LOCK_TYPE = "home_assistant_lock"
THERMOSTAT_TYPE = "home_assistant_thermostat"
NOISE_SENSOR_TYPE = "home_assistant_noise_sensor"
_CAPABILITIES = {LOCK_TYPE: "lock", THERMOSTAT_TYPE: "thermostat", NOISE_SENSOR_TYPE: "noise_detection"}


def noise_sensors_in(setting: str) -> frozenset[str]:
    """The ids of entities in a line of the form, with commas or blanks between them."""
    return frozenset(setting.replace(",", " ").split())


def found_in(house: House, noisy: Collection[str], known: Mapping[str, Device]) -> list[Found]:
    """All devices that there are; ``known`` are those of before by their addresses.

    One that is in Home Assistant's register and is not up yet is still there, as it was known.
    """
    found = {}
    for state in house.states.values():
        here = found_at(house, state, noisy)
        if here is not None:
            found[here.address] = here
    there = [house.address_of(entity_id) for entity_id in (*house.entries, *house.states)]
    for address in there:
        if address not in found and address in known and _may_be_one(house, address, noisy):
            found[address] = _as_known(known[address])
    return list(found.values())


def found_at(house: House, state: State, noisy: Collection[str]) -> Found | None:
    """The device that an entity is; ``None`` for what is none here, or does not say what it is."""
    device_type, details = _kind_of(house, state, noisy)
    if details is None:
        return None
    appliance, entry = house.appliance_of(state.entity_id), house.entries.get(state.entity_id)
    capabilities = {_CAPABILITIES[device_type]}
    if house.battery_of(state.entity_id):
        capabilities.add("battery")
    more: dict[str, str] = {}
    if appliance is not None and appliance.maker:
        more |= {"manufacturer": appliance.maker, "manufacturer_name": appliance.maker}
    if appliance is not None and appliance.model:
        more["model_name"] = appliance.model
    name = text_of(state.attributes.get("friendly_name"))
    return Found(
        address=house.address_of(state.entity_id),
        name=name or (entry.name if entry is not None else "") or state.entity_id,
        device_type=device_type,
        capabilities=frozenset(capabilities),
        details={**details, **more},
    )


def _kind_of(house: House, state: State, noisy: Collection[str]) -> tuple[str, Mapping[str, Any] | None]:
    if state.entity_id in noisy:
        return NOISE_SENSOR_TYPE, noise_sensors.details_of(state, _zone(house.facts.time_zone))
    if state.domain == "lock":
        return LOCK_TYPE, locks.details_of(state)
    return THERMOSTAT_TYPE, thermostats.details_of(state, is_fahrenheit=house.facts.is_fahrenheit)


def _may_be_one(house: House, address: str, noisy: Collection[str]) -> bool:
    entity_id = house.entity_at(address)
    state = house.states.get(entity_id)
    if state is not None and state.is_reachable:
        return False  # it says what it is, and that is none
    return entity_id in noisy or entity_id.startswith(("lock.", "climate."))


def _as_known(device: Device) -> Found:
    return Found(
        address=device.address,
        name=device.name,
        device_type=device.device_type,
        capabilities=device.capabilities,
        details=device.details,
    )


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ""
    return name
