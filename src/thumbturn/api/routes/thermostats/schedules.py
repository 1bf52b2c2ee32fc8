"""``/thermostats/schedules``: from a moment to another, a climate preset."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from thumbturn.api.callers import Caller
from thumbturn.api.climate import PresetKey
from thumbturn.api.endpoint import DELETE, UPDATE, WRITE, Answer, endpoint
from thumbturn.api.parameters import Maybe, Moment, OfDevice, Parameters
from thumbturn.api.wire.thermostat import ThermostatSchedule, schedule_json
from thumbturn.domain.clock import Clock
from thumbturn.domain.ids import new_id
from thumbturn.domain.schedule import Schedule
from thumbturn.engine.engine import Engine

#: A year: no override is meant to last longer.
LONGEST_OVERRIDE = 525_600
Minutes = Annotated[int, Field(gt=0, le=LONGEST_OVERRIDE)]
Name = Annotated[str, Field(max_length=255)]


class OfSchedule(Parameters):
    """One schedule."""

    thermostat_schedule_id: str
    """The schedule."""


class ScheduleList(OfDevice):
    """Whose schedules."""

    user_identifier_key: Maybe[str] = None
    """Only those of this user."""


class ScheduleCreate(OfDevice):
    """A new schedule."""

    climate_preset_key: PresetKey
    """The climate preset of its thermostat that shall be active."""
    starts_at: Moment
    """From when; at once if that is past."""
    ends_at: Moment
    """Until when."""
    name: Maybe[Name] = None
    """What to call it."""
    is_override_allowed: Maybe[bool] = None
    """Whether somebody may set the thermostat differently meanwhile; not, if it is not given."""
    max_override_period_minutes: Minutes | None = None
    """For how long, in minutes; until the schedule's end if it is null."""


class ScheduleUpdate(OfSchedule):
    """What shall change of a schedule. What is not given stays."""

    climate_preset_key: Maybe[PresetKey] = None
    """The climate preset of its thermostat that shall be active."""
    starts_at: Maybe[Moment] = None
    """From when."""
    ends_at: Maybe[Moment] = None
    """Until when."""
    name: Maybe[Name] = None
    """What to call it."""
    is_override_allowed: Maybe[bool] = None
    """Whether somebody may set the thermostat differently meanwhile."""
    max_override_period_minutes: Minutes | None = None
    """For how long, in minutes; until the schedule's end if it is null."""


@endpoint({"thermostat_schedule": ThermostatSchedule}, methods=WRITE)
async def create(ask: ScheduleCreate, caller: Caller, engine: Engine, clock: Clock) -> Answer:
    """Makes a schedule for a thermostat."""
    schedule = Schedule(
        id=new_id(),
        workspace_id=caller.workspace.id,
        device_id=ask.device_id,
        name=ask.name,
        climate_preset_key=ask.climate_preset_key,
        starts_at=ask.starts_at,
        ends_at=ask.ends_at,
        is_override_allowed=bool(ask.is_override_allowed),
        max_override_period_minutes=ask.max_override_period_minutes,
        created_at=clock.now(),
    )
    return {"thermostat_schedule": schedule_json(await engine.schedules.create(schedule, caller.reach))}


@endpoint({"thermostat_schedule": ThermostatSchedule})
async def get(ask: OfSchedule, caller: Caller, engine: Engine) -> Answer:
    """Returns a schedule."""
    found = await engine.schedules.get(caller.workspace.id, ask.thermostat_schedule_id, caller.reach)
    return {"thermostat_schedule": schedule_json(found)}


@endpoint({"thermostat_schedules": list[ThermostatSchedule]})
async def list_(ask: ScheduleList, caller: Caller, engine: Engine) -> Answer:
    """Lists a thermostat's schedules in order of their start, those that are over too."""
    found = await engine.schedules.of_device(caller.workspace.id, ask.device_id, caller.reach)
    # There are no users' thermostats yet: nothing can match.
    wanted = found if ask.user_identifier_key is None else []
    return {"thermostat_schedules": [schedule_json(each) for each in wanted]}


@endpoint(methods=UPDATE)
async def update(ask: ScheduleUpdate, caller: Caller, engine: Engine) -> Answer:
    """Changes a schedule that is not over; if it is in force, at once."""
    known = await engine.schedules.get(caller.workspace.id, ask.thermostat_schedule_id, caller.reach)
    given = ask.model_dump(include=ask.model_fields_set - {"thermostat_schedule_id"})
    await engine.schedules.change(replace(known, **given))
    return {}


@endpoint(methods=DELETE)
async def delete(ask: OfSchedule, caller: Caller, engine: Engine) -> Answer:
    """Deletes a schedule; one that is in force ends by that."""
    await engine.schedules.delete(caller.workspace.id, ask.thermostat_schedule_id, caller.reach)
    return {}
