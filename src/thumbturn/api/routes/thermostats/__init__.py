"""``/thermostats``: looking at thermostats, their presets and thresholds. The rest are actions."""

from __future__ import annotations

from thumbturn.actions.push_thermostat_programs import ProgramsPush
from thumbturn.api.asking import asker_of
from thumbturn.api.call import Call
from thumbturn.api.callers import Caller
from thumbturn.api.climate import OfPreset, PresetCreate, PresetUpdate, Threshold
from thumbturn.api.endpoint import DELETE, UPDATE, WRITE, Answer, endpoint
from thumbturn.api.listing import DeviceList, list_devices
from thumbturn.api.pages import Pages
from thumbturn.api.wire.device import Device
from thumbturn.api.wire.pagination import Pagination
from thumbturn.domain.presets import with_fallback, with_preset, with_preset_changed
from thumbturn.domain.programs import holds_preset_otherwise
from thumbturn.domain.threshold import with_threshold
from thumbturn.engine.engine import Engine
from thumbturn.engine.ports import Store


@endpoint({"devices": list[Device], "thermostats": list[Device], "pagination": Pagination})
async def list_(ask: DeviceList, caller: Caller, store: Store, pages: Pages) -> Answer:
    """Lists thermostats, oldest first."""
    found, pagination = await list_devices(ask, caller, store, pages, capability="thermostat")
    return {"devices": found, "thermostats": found, "pagination": pagination}


@endpoint(methods=WRITE)
async def create_climate_preset(ask: PresetCreate, caller: Caller, engine: Engine) -> Answer:
    """Makes a climate preset."""
    preset = {
        "climate_preset_key": ask.climate_preset_key,
        "name": ask.name,
        "manual_override_allowed": ask.manual_override_allowed,
        **ask.given(),
    }
    await engine.climate.change(
        caller.workspace.id, ask.device_id, lambda device: with_preset(device, preset), caller.reach
    )
    return {}


@endpoint(methods=UPDATE)
async def update_climate_preset(ask: PresetUpdate, caller: Caller, engine: Engine, call: Call) -> Answer:
    """Changes a climate preset. Where it is active it stays as it was, until it is activated again.

    A thermostat that has it in its program is sent that anew, by an attempt of its own.
    """
    await engine.climate.change(
        caller.workspace.id,
        ask.device_id,
        lambda device: with_preset_changed(device, ask.climate_preset_key, ask.given()),
        caller.reach,
    )
    device = engine.climate.thermostat(caller.workspace.id, ask.device_id)
    if holds_preset_otherwise(device, ask.climate_preset_key):
        push = ProgramsPush(device_id=device.id)
        action = engine.actions["PUSH_THERMOSTAT_PROGRAMS"]
        await engine.begin(action, push, caller.workspace, asker_of(call, caller))
    return {}


@endpoint(methods=DELETE)
async def delete_climate_preset(ask: OfPreset, caller: Caller, engine: Engine) -> Answer:
    """Deletes a climate preset that nothing else uses."""
    await engine.climate.delete_preset(
        caller.workspace.id, ask.device_id, ask.climate_preset_key, caller.reach
    )
    return {}


@endpoint(methods=WRITE)
async def set_fallback_climate_preset(ask: OfPreset, caller: Caller, engine: Engine) -> Answer:
    """Chooses the climate preset that is activated when a schedule ends."""
    await engine.climate.change(
        caller.workspace.id,
        ask.device_id,
        lambda device: with_fallback(device, ask.climate_preset_key),
        caller.reach,
    )
    return {}


@endpoint(methods=UPDATE)
async def set_temperature_threshold(ask: Threshold, caller: Caller, engine: Engine) -> Answer:
    """Chooses when to tell that it is too cold or too warm; without a limit, not at all."""
    await engine.climate.change(
        caller.workspace.id,
        ask.device_id,
        lambda device: with_threshold(device, ask.degrees("lower_limit"), ask.degrees("upper_limit")),
        caller.reach,
    )
    return {}
