"""A virtual device that is like a recorded one: what it can do, how long that takes, how it answers."""

from __future__ import annotations

from typing import Any

from thumbturn.domain.device import Device
from thumbturn.domain.recording import Recording
from thumbturn.drivers.virtual import seeds
from thumbturn.drivers.virtual.link import REPLY

#: What a lock or thermostat must know of itself, where its recording does not say.
_LOCK = {"locked": True, "jammed": False}
_THERMOSTAT = {
    "hvac_mode_setting": "off",
    "heating_set_point_celsius": 20.0,
    "cooling_set_point_celsius": 25.0,
    "temperature_celsius": 20.0,
    "relative_humidity": 0.4,
    "is_heating": False,
    "is_cooling": False,
    "is_fan_running": False,
}
_ROOM = {"around_celsius": 15.0, "room_time_constant_seconds": 300}


def recorded_device(recording: Recording, *, device_id: str, workspace_id: str, now: int) -> Device:
    """The device, at home in this workspace."""
    is_lock = "lock" in recording.capabilities
    known = {name: value for name, value in recording.state().items() if name not in _NOT_OF_IT}
    model = seeds.Model(
        name=recording.model,
        device_type=recording.device_type,
        capabilities=recording.capabilities,
        state={**(_LOCK if is_lock else _thermostat(recording)), **_further(recording), **known},
        climate={} if is_lock else _ROOM,
    )
    habit = recording.habit("lock" if is_lock else "set_climate")
    reply = {} if habit is None else {REPLY: habit.reply.word}
    return seeds.made(
        model,
        device_id=device_id,
        workspace_id=workspace_id,
        address=device_id,
        name=f"{recording.model} {device_id[-6:]}",
        travel=recording.travel // 1_000,
        state={},
        now=now,
        details={**recording.details, **reply},
    )


#: Whether it can be reached is the virtual world's affair.
_NOT_OF_IT = frozenset({"online", "offline_because"})


def _thermostat(recording: Recording) -> dict[str, Any]:
    """The beginning of a thermostat: only set points that it has."""
    return {
        name: value
        for name, value in _THERMOSTAT.items()
        if "set_point" not in name or f"max_{name}" in recording.details
    }


def _further(recording: Recording) -> dict[str, Any]:
    """What its further capabilities need."""
    state: dict[str, Any] = {}
    if "battery" in recording.capabilities:
        state["battery_level"] = 1.0
    if "door_contact" in recording.capabilities:
        state["door_open"] = False
    if "auto_lock" in recording.capabilities:
        state |= {"auto_lock_enabled": False, "auto_lock_delay_seconds": 30}
    if recording.details.get("available_fan_mode_settings"):
        state["fan_mode_setting"] = recording.details["available_fan_mode_settings"][0]
    return state
