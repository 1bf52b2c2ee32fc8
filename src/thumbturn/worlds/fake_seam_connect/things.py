"""The accounts and devices of that world, as virtual things. Implements ``Beginnings`` of the driver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from thumbturn.domain.access import AcsSystem, UserIdentity
from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.ids import named_id
from thumbturn.drivers.virtual import seeds
from thumbturn.drivers.virtual.seeds import DRIVER, FULL_LOCK, FULL_THERMOSTAT, NOISE_SENSOR
from thumbturn.engine.ports import Seed
from thumbturn.worlds.fake_seam_connect.facts import HOME, facts

#: What stands behind each of its devices: a model of the virtual driver, and what it can do of that.
_MODELS = {
    "lock": (FULL_LOCK, {"lock", "keypad", "access_codes", "battery"}),
    "thermostat": (FULL_THERMOSTAT, FULL_THERMOSTAT.capabilities | {"battery"}),
    "noise_sensor": (NOISE_SENSOR, NOISE_SENSOR.capabilities),
}
#: °C. In the thermostat's room it is as warm as it shall be, and would be warmer without it: it stands still.
_ROOM = {"temperature_celsius": 24.0, "around_celsius": 30.0}
#: What comes of a connect webview.
_CONNECTED_DOOR = {"type": "august_lock", "name": "Front Door", "manufacturer": "august", "model": "lock"}


def first_things(workspace_id: str, now: int) -> Seed:
    """The accounts and devices of the one workspace that has any; every other begins empty."""
    if workspace_id != HOME:
        return Seed((), ())
    known = facts()
    accounts = [
        ConnectedAccount(
            id=each["id"],
            workspace_id=HOME,
            driver=DRIVER,
            name=each["email"],
            # One µs apart, here and below, so that lists by age show them in this order.
            created_at=now + number,
            user_identifier={"email": each["email"]},
        )
        for number, each in enumerate(known["accounts"])
    ]
    devices = [
        _device(each, each["id"], HOME, each["account"], now + number)
        for number, each in enumerate(known["devices"])
    ]
    system, identity = known["acs_system"], known["user_identity"]
    access = (
        AcsSystem(
            id=system["id"],
            workspace_id=HOME,
            created_at=now,
            connected_account_id=system["account"],
            name=system["name"],
        ),
        UserIdentity(
            id=identity["id"],
            workspace_id=HOME,
            created_at=now,
            user_identity_key=identity["key"],
            email_address=identity["email"],
        ),
    )
    return Seed(tuple(accounts), tuple(devices), access)


def account_things(workspace_id: str, account_id: str, now: int) -> list[Device]:
    """The one lock behind an account that somebody connects."""
    return [_device(_CONNECTED_DOOR, named_id(account_id, "front-door"), workspace_id, account_id, now)]


def more_devices(
    workspace_id: str, count: int, *, kind: str, travel_milliseconds: int, now: int
) -> list[Device]:
    """New devices of a kind, in the first account of the one workspace that has any."""
    new = seeds.more_devices(workspace_id, count, kind=kind, travel_milliseconds=travel_milliseconds, now=now)
    if workspace_id != HOME:
        return new
    account_id = facts()["accounts"][0]["id"]
    return [replace(device, connected_account_id=account_id) for device in new]


def _device(
    known: Mapping[str, Any], device_id: str, workspace_id: str, account_id: str, created_at: int
) -> Device:
    model, capabilities = _MODELS[known["model"]]
    own = facts()["models"][known["model"]]
    details: dict[str, Any] = {
        "model_name": "Device",
        "manufacturer_name": "Generic",
        **model.climate,
        **model.keypad,
        **own.get("details", {}),
        **{name: known[name] for name in ("manufacturer", "appearance") if name in known},
    }
    state = {
        "online": True,
        **{name: value for name, value in model.state.items() if name not in _NOT_THERE},
        **own["state"],
    }
    if "thermostat" in capabilities:
        details["around_celsius"] = _ROOM["around_celsius"]
        state["temperature_celsius"] = _ROOM["temperature_celsius"]
    if "lock" in capabilities:
        details |= {"travel_milliseconds": 0, "has_bolt_sensor": False}
    return Device(
        id=device_id,
        workspace_id=workspace_id,
        connected_account_id=account_id,
        driver=DRIVER,
        address=device_id,
        device_type=known["type"],
        name=known["name"],
        capabilities=frozenset(capabilities),
        state=state,
        details=details,
        created_at=created_at,
    )


#: What the models have and that world's locks do not.
_NOT_THERE = frozenset({"door_open", "auto_lock_enabled", "auto_lock_delay_seconds"})
