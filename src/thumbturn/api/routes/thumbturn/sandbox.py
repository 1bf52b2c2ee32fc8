"""``/thumbturn/sandbox``: breaking virtual devices on purpose, and having more of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from thumbturn.actions.noise_thresholds import LOUDEST
from thumbturn.api.access_codes import OfCode, Pin
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import WRITE, Answer, endpoint
from thumbturn.api.parameters import Maybe, OfDevice, Parameters
from thumbturn.api.persons import Email, FullName, Phone
from thumbturn.api.refusals import InvalidInput
from thumbturn.api.wire.access import AcsUser, user_json
from thumbturn.domain.recording import recording_in
from thumbturn.engine.engine import Engine
from thumbturn.engine.shipped import shipped
from thumbturn.engine.user_identities import UserIdentities


class FaultInject(OfDevice):
    """A fault for a device."""

    fault: str
    """Its name."""
    times: Maybe[Annotated[int, Field(ge=1, le=1_000_000)]] = None
    """How many commands it shall spoil; until cleared if it is not given."""
    milliseconds: Maybe[Annotated[int, Field(ge=0, le=3_600_000)]] = None
    """How long, for faults that take time."""


class FaultsClear(Parameters):
    """Whose faults."""

    device_id: Maybe[str] = None
    """The device; all of the workspace if it is not given."""


class DevicesAdd(Parameters):
    """Virtual devices to add."""

    count: Annotated[int, Field(ge=1, le=10_000)] = 1
    """How many."""
    kind: Literal["lock", "thermostat", "noise_sensor", "sensor"] = "lock"
    """Of what kind."""
    travel_milliseconds: Annotated[int, Field(ge=0, le=60_000)] = 0
    """How long a lock's motor takes."""


class RecordedDeviceAdd(Parameters):
    """A recorded device."""

    recording: Maybe[Annotated[str, Field(max_length=100)]] = None
    """One that ships with the server, such as `zwave_js/schlage_be469`: see `SUPPORTED.md`."""
    trace: Maybe[dict[str, Any]] = None
    """Or one of your own, as `thumbturn record` wrote it."""


class DoorSwing(OfDevice):
    """A door that is opened or closed by hand."""

    is_open: bool
    """Whether it stands open then."""


class Noise(OfDevice):
    """How loud it is."""

    noise_level_decibels: Annotated[float, Field(ge=0, le=LOUDEST)]
    """In dB."""


class CodeTouch(OfCode):
    """A code that somebody changes at its lock."""

    code: Maybe[Pin] = None
    """Its new PIN; without one it is deleted there."""


class UserByHand(Parameters):
    """Somebody whom a system shall know."""

    acs_system_id: str
    """The system."""
    full_name: FullName
    """His name."""
    email_address: Maybe[Email] = None
    """His e-mail address."""
    phone_number: Maybe[Phone] = None
    """His phone number."""


@endpoint(methods=WRITE)
async def inject_fault(ask: FaultInject, caller: Caller, engine: Engine) -> Answer:
    """Makes a virtual device misbehave."""
    faults = engine.sandbox.faults
    if ask.fault not in faults:
        names = " | ".join(f"'{name}'" for name in faults)
        problem = f"Invalid enum value. Expected {names}, received '{ask.fault}'"
        raise InvalidInput.of("fault", problem)
    await engine.sandbox.inject_fault(
        caller.workspace, ask.device_id, ask.fault, times=ask.times, milliseconds=ask.milliseconds
    )
    return {}


@endpoint(methods=WRITE)
async def clear_faults(ask: FaultsClear, caller: Caller, engine: Engine) -> Answer:
    """Heals a virtual device, or all of the workspace."""
    await engine.sandbox.clear_faults(caller.workspace, ask.device_id)
    return {}


@endpoint(methods=WRITE)
async def swing_door(ask: DoorSwing, caller: Caller, engine: Engine) -> Answer:
    """Opens or closes the door of a virtual lock that has a door contact."""
    await engine.sandbox.swing_door(caller.workspace, ask.device_id, is_open=ask.is_open)
    return {}


@endpoint(methods=WRITE)
async def make_noise(ask: Noise, caller: Caller, engine: Engine) -> Answer:
    """Makes it as loud as this, from now on, where a virtual noise sensor is."""
    await engine.sandbox.make_noise(caller.workspace, ask.device_id, ask.noise_level_decibels)
    return {}


@endpoint(methods=WRITE)
async def touch_code(ask: CodeTouch, caller: Caller, engine: Engine) -> Answer:
    """Changes or deletes a code at a virtual lock's own keypad, behind the server's back."""
    await engine.keypads.change_code(caller.workspace, ask.access_code_id, ask.code)
    return {}


@endpoint({"acs_user": AcsUser}, methods=WRITE)
async def add_acs_user(ask: UserByHand, caller: Caller, identities: UserIdentities) -> Answer:
    """Adds a user at a virtual access control system itself: his user identity is unmanaged."""
    made = await identities.found.add_by_hand(
        caller.workspace,
        ask.acs_system_id,
        full_name=ask.full_name,
        email_address=ask.email_address,
        phone_number=ask.phone_number,
    )
    return {"acs_user": user_json(made)}


@endpoint({"device_id": str}, methods=WRITE)
async def add_recorded_device(ask: RecordedDeviceAdd, caller: Caller, engine: Engine) -> Answer:
    """Adds a virtual device that is like a recorded one: its capabilities and limits, how long its bolt takes
    and what its answers are worth.
    """
    if (ask.recording is None) is (ask.trace is None):
        raise InvalidInput.of("recording", "Name a recording that ships with the server, or give a trace")
    trace = shipped(ask.recording) if ask.recording is not None else ask.trace
    device = await engine.sandbox.add_recorded_device(caller.workspace, recording_in(trace))
    return {"device_id": device.id}


@endpoint({"device_ids": list[str]}, methods=WRITE)
async def add_devices(ask: DevicesAdd, caller: Caller, engine: Engine) -> Answer:
    """Adds virtual devices, and says their ids."""
    devices = await engine.sandbox.add_devices(caller.workspace, ask.count, ask.kind, ask.travel_milliseconds)
    return {"device_ids": [device.id for device in devices]}
