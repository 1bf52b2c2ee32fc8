"""``/thermostats/daily_programs``: what a thermostat does by itself in a day. Updating one is an action."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from thumbturn.actions.push_thermostat_programs import Period
from thumbturn.api.callers import Caller
from thumbturn.api.endpoint import DELETE, WRITE, Answer, endpoint
from thumbturn.api.parameters import OfDevice, Parameters
from thumbturn.api.wire.thermostat import ThermostatDailyProgram, daily_program_json
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import new_id
from thumbturn.domain.programs import with_daily_program, without_daily_program
from thumbturn.engine.engine import Engine


class OfDailyProgram(Parameters):
    """One daily program."""

    thermostat_daily_program_id: str
    """The daily program."""


class DailyProgramCreate(OfDevice):
    """A new daily program."""

    name: Annotated[str, Field(max_length=255)]
    """What to call it."""
    periods: Annotated[list[Period], Field(max_length=288)]
    """Its periods."""


@endpoint({"thermostat_daily_program": ThermostatDailyProgram}, methods=WRITE)
async def create(ask: DailyProgramCreate, caller: Caller, engine: Engine, clock: Clock) -> Answer:
    """Makes a daily program. Its thermostat goes by it when its weekly program says so."""
    program_id = new_id()
    periods = [period.model_dump() for period in ask.periods]
    program = {"name": ask.name, "periods": periods, "created_at": clock.now()}
    device = engine.climate.with_programs(caller.workspace.id, ask.device_id, caller.reach)
    await engine.climate.change(
        caller.workspace.id,
        device.id,
        lambda known: with_daily_program(known, program_id, program),
        caller.reach,
        thermostat_daily_program_id=program_id,
    )
    return {"thermostat_daily_program": daily_program_json(device, program_id, program)}


@endpoint(methods=DELETE)
async def delete(ask: OfDailyProgram, caller: Caller, engine: Engine) -> Answer:
    """Deletes a daily program that its thermostat does not go by."""
    program_id = ask.thermostat_daily_program_id
    device_id = engine.climate.device_with_daily_program(caller.workspace.id, program_id, caller.reach)
    await engine.climate.change(
        caller.workspace.id,
        device_id,
        lambda known: without_daily_program(known, program_id),
        caller.reach,
    )
    return {}
