"""The first things in a sandbox: one home with locks and thermostats that differ, and a mere sensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from thumbturn.domain.connected_account import ConnectedAccount
from thumbturn.domain.device import Device
from thumbturn.domain.encoder import ENCODER_TYPE
from thumbturn.domain.ids import named_id, new_id
from thumbturn.domain.noise import BREACHED, LEVEL, THRESHOLDS
from thumbturn.domain.presets import PRESETS
from thumbturn.drivers.virtual.access import first_access, system_id
from thumbturn.drivers.virtual.noise_sensors import QUIET
from thumbturn.engine.ports import Seed

DRIVER = "virtual"
HOME = "Virtual Home"

#: The wire's list of device types is closed and has no word for a virtual device; these stand
#: in for it. Everything else that a person reads of the device says that it is virtual.
LOCK_TYPE = "august_lock"
THERMOSTAT_TYPE = "ecobee_thermostat"
SENSOR_TYPE = "minut_sensor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A kind of virtual device, as it leaves the factory."""

    name: str
    device_type: str
    capabilities: frozenset[str]
    state: Mapping[str, Any]
    has_bolt_sensor: bool = False
    #: What its keypad takes.
    keypad: Mapping[str, Any] = field(default_factory=dict)
    #: What it can be set to, and what its room is like.
    climate: Mapping[str, Any] = field(default_factory=dict)
    #: What was set about it before anybody here did.
    settings: Mapping[str, Any] = field(default_factory=dict)


_LOCK_STATE = {"locked": True, "jammed": False, "battery_level": 1.0}
_FULL_STATE = {
    **_LOCK_STATE,
    "door_open": False,
    "auto_lock_enabled": False,
    "auto_lock_delay_seconds": 30,
}

PLAIN_LOCK = Model(
    name="Virtual Lock",
    device_type=LOCK_TYPE,
    capabilities=frozenset({"lock", "battery"}),
    state=_LOCK_STATE,
)
_KEYPAD = {
    "supported_code_lengths": [4, 5, 6, 7, 8],
    "max_active_codes_supported": 250,
    "code_constraints": [],
    "supports_backup_access_code_pool": True,
    "has_native_scheduling": False,
}
#: A keypad that is particular about its codes, and keeps their time itself.
_PARTICULAR_KEYPAD = {
    **_KEYPAD,
    "supported_code_lengths": [4, 6],
    "max_active_codes_supported": 20,
    "code_constraints": [{"constraint_type": "no_all_same_digits"}],
    "has_native_scheduling": True,
}

FULL_LOCK = Model(
    name="Virtual Lock Plus",
    device_type=LOCK_TYPE,
    capabilities=frozenset({"lock", "auto_lock", "keypad", "access_codes", "door_contact", "battery"}),
    state=_FULL_STATE,
    keypad=_KEYPAD,
)
SENSED_LOCK = Model(
    name="Virtual Lock Plus with Bolt Sensor",
    device_type=LOCK_TYPE,
    capabilities=FULL_LOCK.capabilities,
    state=_FULL_STATE,
    keypad=_PARTICULAR_KEYPAD,
    has_bolt_sensor=True,
)
SENSOR = Model(
    name="Virtual Temperature Sensor",
    device_type=SENSOR_TYPE,
    capabilities=frozenset({"battery"}),
    state={"battery_level": 0.87, "temperature_celsius": 21.0},
)

NOISE_SENSOR = Model(
    name="Virtual Noise Sensor",
    device_type=SENSOR_TYPE,
    capabilities=frozenset({"noise_detection", "battery"}),
    state={
        "battery_level": 0.93,
        LEVEL: QUIET,
        THRESHOLDS: {},
        BREACHED: [],
    },
)

ENCODER = Model(
    name="Virtual Encoder",
    device_type=ENCODER_TYPE,
    capabilities=frozenset({"encoder"}),
    state={},
)

_LIMITS = {
    "min_heating_set_point_celsius": 7.0,
    "max_heating_set_point_celsius": 30.0,
    "min_cooling_set_point_celsius": 16.0,
    "max_cooling_set_point_celsius": 33.0,
    "min_heating_cooling_delta_celsius": 2.5,
}
#: These stand still: their rooms are as warm as they shall be.
_WARM = {
    "hvac_mode_setting": "heat",
    "heating_set_point_celsius": 20.0,
    "fan_mode_setting": "auto",
    "temperature_celsius": 20.0,
    "relative_humidity": 0.42,
    "is_heating": False,
    "is_cooling": False,
    "is_fan_running": False,
    "is_at_set_point": True,
}


def _preset(mode: str, name: str, heating: float, cooling: float) -> Mapping[str, Any]:
    return {
        "climate_preset_key": mode,
        "name": name,
        "climate_preset_mode": mode,
        "manual_override_allowed": True,
        "hvac_mode_setting": "heat_cool",
        "fan_mode_setting": "auto",
        "heating_set_point_celsius": heating,
        "cooling_set_point_celsius": cooling,
    }


FULL_THERMOSTAT = Model(
    name="Virtual Thermostat Plus",
    device_type=THERMOSTAT_TYPE,
    capabilities=frozenset({"thermostat", "thermostat_programs"}),
    state={**_WARM, "cooling_set_point_celsius": 25.0},
    climate={
        **_LIMITS,
        "available_hvac_mode_settings": ["off", "heat", "cool", "heat_cool", "eco"],
        "available_fan_mode_settings": ["auto", "on", "circulate"],
        "max_thermostat_daily_program_periods_per_day": 10,
        "max_unique_climate_presets_per_thermostat_weekly_program": 8,
        "thermostat_daily_program_period_precision_minutes": 5,
        "around_celsius": 15.0,
        "room_time_constant_seconds": 300,
    },
    settings={
        PRESETS: [
            _preset("home", "At home", 21.0, 25.0),
            _preset("away", "Away", 16.0, 29.0),
            _preset("sleep", "Asleep", 18.0, 24.0),
        ]
    },
)
HEATER = Model(
    name="Virtual Heater",
    device_type=THERMOSTAT_TYPE,
    capabilities=frozenset({"thermostat", "battery"}),
    state={**_WARM, "battery_level": 0.8},
    climate={
        **{name: value for name, value in _LIMITS.items() if "_heating_set" in name},
        "available_hvac_mode_settings": ["off", "heat"],
        "available_fan_mode_settings": ["auto"],
        "around_celsius": 15.0,
        "room_time_constant_seconds": 1_800,
    },
)
COOLER = Model(
    name="Virtual Air Conditioner",
    device_type=THERMOSTAT_TYPE,
    capabilities=frozenset({"thermostat"}),
    state={
        **{name: value for name, value in _WARM.items() if name != "heating_set_point_celsius"},
        "hvac_mode_setting": "cool",
        "cooling_set_point_celsius": 22.0,
        "temperature_celsius": 22.0,
    },
    climate={
        **{name: value for name, value in _LIMITS.items() if "_cooling_set" in name},
        "available_hvac_mode_settings": ["off", "cool"],
        "available_fan_mode_settings": ["auto", "on"],
        "around_celsius": 32.0,
        "room_time_constant_seconds": 60,
    },
)

#: Name, model, ms that the bolt takes, and in what it differs from the factory's state.
_FIRST_DEVICES: tuple[tuple[str, Model, int, Mapping[str, Any]], ...] = (
    ("Front Door", FULL_LOCK, 300, {}),
    ("Back Door", SENSED_LOCK, 0, {}),
    ("Garage Side Door", FULL_LOCK, 1_500, {}),
    ("Storage Room", PLAIN_LOCK, 0, {"locked": False}),
    ("Hallway Sensor", SENSOR, 0, {}),
    ("Living Room", FULL_THERMOSTAT, 0, {}),
    ("Bedroom", HEATER, 0, {}),
    ("Server Room", COOLER, 0, {}),
    ("Terrace", NOISE_SENSOR, 0, {}),
    ("Front Desk", ENCODER, 0, {}),
)
#: What a noise sensor among them holds from the beginning: in force at any time, so that a simulated noise
#: triggers it whenever it comes.
_FIRST_THRESHOLD = {
    "name": "Loud at any time",
    "starts_daily_at": "00:00:00[Etc/UTC]",
    "ends_daily_at": "00:00:00[Etc/UTC]",
    "noise_threshold_decibels": 80.0,
}

#: What ``more_devices`` can make.
KINDS = {
    "lock": FULL_LOCK,
    "thermostat": FULL_THERMOSTAT,
    "noise_sensor": NOISE_SENSOR,
    "sensor": SENSOR,
}


def first_things(workspace_id: str, now: int) -> Seed:
    """The account and the devices that a sandbox workspace begins with; the ids follow from its own."""
    account = ConnectedAccount(
        id=_account_id(workspace_id), workspace_id=workspace_id, driver=DRIVER, name=HOME, created_at=now
    )
    devices = []
    for number, (name, model, travel, state) in enumerate(_FIRST_DEVICES):
        address = name.lower().replace(" ", "-")
        device_id = named_id(workspace_id, address)
        held: Mapping[str, Any] = {}
        if model is NOISE_SENSOR:
            held = {THRESHOLDS: {named_id(device_id, "noise-threshold"): _FIRST_THRESHOLD}}
        devices.append(
            made(
                model,
                device_id=device_id,
                workspace_id=workspace_id,
                address=address,
                name=name,
                travel=travel,
                state={**state, **held},
                # One µs apart, so that lists by age show them in this order.
                now=now + number,
            )
        )
    locks = {device.name: device.id for device in devices if "lock" in device.capabilities}
    return Seed((account,), tuple(devices), first_access(workspace_id, account.id, locks, now))


#: What is behind an account that a person connects: the name's beginning, and the model.
_BEHIND_AN_ACCOUNT = (
    ("Cottage Door", FULL_LOCK),
    ("Cottage Gate", PLAIN_LOCK),
    ("Cottage Thermostat", FULL_THERMOSTAT),
    ("Cottage Noise Sensor", NOISE_SENSOR),
)
#: The password of every virtual account.
PASSWORD = "1234"


def account_things(workspace_id: str, account_id: str, now: int) -> list[Device]:
    """The devices behind a virtual account: always with the same ids for the same account."""
    devices = []
    for number, (name, model) in enumerate(_BEHIND_AN_ACCOUNT):
        address = name.lower().replace(" ", "-")
        device = made(
            model,
            device_id=named_id(account_id, address),
            workspace_id=workspace_id,
            address=address,
            name=name,
            travel=0,
            state={},
            now=now + number,
        )
        details = {**device.details, "location_name": "Virtual Cottage"}
        devices.append(replace(device, connected_account_id=account_id, details=details))
    return devices


def more_devices(
    workspace_id: str, count: int, *, kind: str, travel_milliseconds: int, now: int
) -> list[Device]:
    """New devices of a kind in the home of this workspace; ``KeyError`` for a kind there is not."""
    model = KINDS[kind]
    devices = []
    for number in range(count):
        device_id = new_id()
        devices.append(
            made(
                model,
                device_id=device_id,
                workspace_id=workspace_id,
                address=device_id,
                name=f"{model.name} {device_id[-6:]}",
                travel=travel_milliseconds,
                state={},
                now=now + number,
            )
        )
    return devices


def _account_id(workspace_id: str) -> str:
    return named_id(workspace_id, "connected-account")


def made(
    model: Model,
    *,
    device_id: str,
    workspace_id: str,
    address: str,
    name: str,
    travel: int,
    state: Mapping[str, Any],
    now: int,
    details: Mapping[str, Any] = MappingProxyType({}),
) -> Device:
    """A device of this model as it stands at home, in what is given otherwise than the model has it."""
    known: dict[str, Any] = {
        "manufacturer": "unknown",
        "manufacturer_name": "Virtual",
        "model_name": model.name,
        "serial_number": f"V-{device_id[-12:].upper()}",
        "has_direct_power": "battery" not in model.capabilities,
        "location_name": HOME,
        "time_zone": "Etc/UTC",
        **model.climate,
        **model.keypad,
    }
    if model is ENCODER:
        known["acs_system_id"] = system_id(workspace_id)
    if "lock" in model.capabilities:
        known |= {"travel_milliseconds": travel, "has_bolt_sensor": model.has_bolt_sensor}
    return Device(
        id=device_id,
        workspace_id=workspace_id,
        connected_account_id=_account_id(workspace_id),
        driver=DRIVER,
        address=address,
        device_type=model.device_type,
        name=name,
        capabilities=model.capabilities,
        state={"online": True, **model.state, **state},
        details={**known, **details},
        settings=model.settings,
        created_at=now,
    )
