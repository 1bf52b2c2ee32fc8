"""``PUSH_THERMOSTAT_PROGRAMS``: gives a thermostat the programs that it runs by itself.

All of them are sent each time, so sending twice is sending once.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from thumbturn.actions.definition import Ask, DeviceAsk, Known, Outcome, Run, action, way
from thumbturn.actions.sending import set_to
from thumbturn.domain.capabilities.thermostat import ThermostatPrograms
from thumbturn.domain.clock import seconds
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.failures import NotSupported
from thumbturn.domain.policy import AfterCrash, WhenOffline
from thumbturn.domain.programs import (
    DAYS,
    check_periods,
    daily_program_of,
    daily_programs_of,
    day_key,
    programs_for,
    weekly_program_of,
)


class Period(Ask):
    """From what time of the day on which climate preset."""

    starts_at_time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)$")]
    """When it begins, HH:MM:SS, in the thermostat's time zone."""
    climate_preset_key: Annotated[str, Field(min_length=1, max_length=255)]
    """The climate preset."""


class WeeklyProgramAsk(DeviceAsk):
    """A daily program for each day of the week. A day that is not given stays, one that is null has none."""

    monday_program_id: str | None = None
    tuesday_program_id: str | None = None
    wednesday_program_id: str | None = None
    thursday_program_id: str | None = None
    friday_program_id: str | None = None
    saturday_program_id: str | None = None
    sunday_program_id: str | None = None


class DailyProgramAsk(Ask):
    """What a daily program shall be."""

    thermostat_daily_program_id: str
    """The daily program."""
    name: Annotated[str, Field(max_length=255)]
    """What to call it."""
    periods: Annotated[list[Period], Field(max_length=288)]
    """Its periods, all of them."""


class ProgramsPush(DeviceAsk):
    """What shall change of the programs that a thermostat holds; nothing, if they are only sent again."""

    weekly_program: dict[str, str | None] | None = None
    #: As ``DailyProgramAsk``.
    daily_program: dict[str, Any] | None = None


async def weekly_program(ask: WeeklyProgramAsk, known: Known) -> ProgramsPush:
    """Has a thermostat go by daily programs, and sends it all that it needs for that."""
    given = ask.model_dump(include={day_key(day) for day in DAYS} & ask.model_fields_set)
    return ProgramsPush(device_id=ask.device_id, weekly_program=given)


def _fit(ask: ProgramsPush, device: Device) -> ProgramsPush:
    _programs(ask, device, 0)
    return ask


@action(
    "PUSH_THERMOSTAT_PROGRAMS",
    at="/thermostats/update_weekly_program",
    needs=ThermostatPrograms,
    deadline=seconds(60),
    after_crash=AfterCrash.RESEND,
    when_offline=WhenOffline.FAIL,
    meaning=weekly_program,
    fit=_fit,
)
async def push_thermostat_programs(ask: ProgramsPush, thermostat: ThermostatPrograms, run: Run) -> Outcome:
    """Sends a thermostat the programs that it runs by itself."""
    try:
        # What was made or deleted since it was asked for counts, too.
        programs = _programs(ask, run.device, run.now())
    except Refusal as refusal:
        raise NotSupported(refusal.message) from None
    return await set_to(
        run, lambda: thermostat.set_programs(programs), thermostat.read_programs, {"programs": programs}
    )


@way("PUSH_THERMOSTAT_PROGRAMS", at="/thermostats/daily_programs/update", methods=("POST", "PATCH"))
async def update_daily_program(ask: DailyProgramAsk, known: Known) -> ProgramsPush:
    """Replaces a daily program, and sends it to its thermostat."""
    device_id = known.device_with_daily_program(ask.thermostat_daily_program_id)
    # Without what else the call takes: that is about the attempt.
    program = ask.model_dump(include=set(DailyProgramAsk.model_fields))
    return ProgramsPush(device_id=device_id, daily_program=program)


def _programs(ask: ProgramsPush, device: Device, now: int) -> dict[str, Any]:
    """What the thermostat shall hold. Raises a ``Refusal`` for what it cannot."""
    daily, weekly = daily_programs_of(device), weekly_program_of(device)
    changed = ask.daily_program
    if changed is not None:
        program_id, periods = changed["thermostat_daily_program_id"], changed["periods"]
        known = daily_program_of(device, program_id)
        check_periods(device, periods)
        daily[program_id] = {**known, "name": changed["name"], "periods": periods}
    if ask.weekly_program is not None:
        before = weekly or dict.fromkeys(map(day_key, DAYS))
        weekly = {**before, **ask.weekly_program, "created_at": now}
    return programs_for(device, daily, weekly)
