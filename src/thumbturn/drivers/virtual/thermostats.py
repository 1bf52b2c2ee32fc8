"""The virtual thermostat, and the room that it heats and cools.

Left alone, a room goes to the temperature of what is around it. A thermostat that heats or cools draws it to
its set point and holds it there. Each half degree on the way is reported, and the arrival.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

from thumbturn.domain.climate import COLDEST_ROOM, COOLING, HEATING, SETTINGS, WARMEST_ROOM
from thumbturn.domain.clock import MILLISECOND, seconds
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.programs import next_period, period_at, zone_of
from thumbturn.drivers.virtual.faults import SOUND, Fault
from thumbturn.drivers.virtual.link import Link
from thumbturn.drivers.virtual.room import ARRIVED, Room
from thumbturn.drivers.virtual.things import NOTHING, Obedient, Order
from thumbturn.drivers.virtual.world import World

#: °C. In eco mode the room may be as cold and as warm as this.
ECO = {HEATING: 16.0, COOLING: 28.0}
#: °C by which what is around a room may differ from one room to the next.
AROUND_WITHIN = 1.0
#: µs. It reports no more often by itself, however fast its room warms or cools.
BETWEEN_REPORTS = 250 * MILLISECOND

_SENSED = ("temperature_celsius", "relative_humidity", "is_heating", "is_cooling", "is_fan_running")


#: What the journal knows of what it is set to.
_KEPT = (*SETTINGS, "programs", "climate_preset")


class VirtualThermostat(Obedient):
    """Implements ``Thermostat`` and ``ThermostatPrograms`` of ``domain.capabilities.thermostat``."""

    def __init__(self, device: Device, link: Link, world: World) -> None:
        super().__init__(link, world)
        facts = world.journal.facts(device.id)
        self._believed = device.state
        self._is = {name: value for name in SETTINGS if (value := device.state.get(name)) is not None}
        self._is["relative_humidity"] = device.state.get("relative_humidity", 0.4)
        self._is.update({name: value for name, value in facts.items() if name in _KEPT and value is not None})
        self._set_by: str = facts.get("method", "unknown")
        chance = world.chance(f"{device.id}/around").uniform(-AROUND_WITHIN, AROUND_WITHIN)
        self._around: float = device.details.get("around_celsius", 15.0) + chance
        warm: float = facts.get("room_celsius", device.state.get("temperature_celsius", self._around))
        self._room = Room(
            seconds(device.details.get("room_time_constant_seconds", 300)),
            # A journal may hold what no room can be: it would be on its way back for hours.
            min(max(warm, COLDEST_ROOM), WARMEST_ROOM),
            facts.get("room_since", world.clock.now()),
        )
        self._room.goal = self._goal()
        #: When it has something to report next, if it will.
        self._timer: asyncio.Task[None] | None = None
        self._zone = zone_of(device)
        #: When the period of its program began that it last went by, µs, and when the next one will.
        self._period_since: int = facts.get("period_since", 0)
        self._program: asyncio.Task[None] | None = None
        self._feel()

    # what it can be told ------------------------------------------------------------------------

    async def set_climate(self, setting: Mapping[str, Any]) -> Evidence:
        """Set what is named."""
        return await self._obey(Order("set_climate", dict(setting), "remote", said="The thermostat is set."))

    async def read_climate(self) -> Observation | None:
        """What it is set to and what it senses, as it says; ``None`` if it does not answer."""
        self._feel()
        said = "The thermostat answered when it was asked."
        return self._answer(*SETTINGS, *_SENSED, method=self._set_by, said=said)

    async def set_programs(self, programs: Mapping[str, Any]) -> Evidence:
        """Hold these programs, and go by them at once."""
        becomes = {"programs": dict(programs)}
        return await self._obey(Order("set_programs", becomes, "remote", said="The programs are there."))

    async def read_programs(self) -> Observation | None:
        """The programs that it holds, as it says; ``None`` if it does not answer."""
        said = "The thermostat answered when it was asked."
        return self._answer("programs", method=None, said=said)

    # what happens to it -------------------------------------------------------------------------

    def adjust(self, setting: Mapping[str, Any]) -> None:
        """Somebody sets it by hand."""
        self._begin(Order("adjust", dict(setting), "manual", said="Somebody set it by hand."), SOUND)

    def make_it(self, celsius: float) -> None:
        """From now on it is this warm in the room, until the thermostat or the weather has its way."""
        now = self._world.clock.now()
        self._room.be(celsius, now)
        self._world.journal.record(now, self._link.device_id, "room", self._room_facts(now))
        self._report()

    def wake(self) -> None:
        """Report what is not as the server believes, and go on heating or cooling."""
        self._feel()
        changes = {name: value for name, value in self._is.items() if self._believed.get(name) != value}
        if changes:
            self._link.report(changes, method=self._set_by, said="Found so at start.")
        self._set_timer()
        self._go_by_program()

    def still(self) -> None:
        """Do nothing more by itself."""
        for task in (self._work, self._timer, self._program):
            if task is not None:
                task.cancel()

    # inside -------------------------------------------------------------------------------------

    def _begin(self, order: Order, fault: Fault) -> None:
        if self._work is not None:
            self._work.cancel()
        now = self._world.clock.now()
        takes = fault.milliseconds * MILLISECOND
        so = order.becomes if self._acts(fault) else NOTHING
        if not so.keys().isdisjoint(SETTINGS):
            # Whatever preset its program had set it to, it is no longer.
            so = {"climate_preset": None, **so}
            so = {**so, "method": order.method}
        facts = {**so, **self._room_facts(now + takes)} if so else NOTHING
        name = None if fault.is_sound else fault.name
        self._world.journal.record(now, self._link.device_id, order.did, facts, name)
        if takes:
            self._work = self._world.later(takes, partial(self._end, order, fault, so))
        else:
            self._end(order, fault, so)

    def _end(self, order: Order, fault: Fault, so: Mapping[str, Any]) -> None:
        is_new = "programs" in so and so["programs"] != self._is.get("programs")
        if so:
            self._is |= so
            self._set_by = self._is.pop("method", self._set_by)
            self._is = {name: value for name, value in self._is.items() if value is not None}
            self._room.head_for(self._goal(), self._world.clock.now())
        if fault.dies:
            self._link.cut()
        elif fault.lies:
            self._claims = order.becomes
        self._report(order.becomes, method=order.method, said=order.said)
        if is_new:
            self._period_since = 0
            self._go_by_program()

    def _report(
        self, changes: Mapping[str, Any] = NOTHING, *, method: str | None = None, said: str = ""
    ) -> None:
        self._feel()
        sensed = {name: self._is[name] for name in _SENSED}
        self._link.report({**changes, **sensed}, method=method, said=said)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait = self._room.next_step(self._world.clock.now())
        self._timer = None if wait is None else self._world.later(max(wait, BETWEEN_REPORTS), self._step)

    def _step(self) -> None:
        self._timer = None  # setting the next one would cancel this very call
        self._report()

    def _go_by_program(self) -> None:
        """Begin the period of its program that it is time for, once, and wait for the next."""
        if self._program is not None:
            self._program.cancel()
            self._program = None
        programs = self._is.get("programs")
        if programs is None:
            return
        now = self._world.clock.now()
        period = period_at(programs, now, self._zone)
        if period is not None and period[0] > self._period_since:
            self._period_since, key = period
            preset = {
                "climate_preset_key": key,
                "is_fallback_climate_preset": False,
                "thermostat_schedule_id": None,
                "at": now,
            }
            becomes = {**programs["presets"][key], "climate_preset": preset}
            self._begin(Order("program", becomes, "automatic", said="Its own program has it so."), SOUND)
            since = {"period_since": self._period_since}
            self._world.journal.record(now, self._link.device_id, "program", since)
        coming = next_period(programs, now, self._zone)
        if coming is not None:
            self._program = self._world.later(coming - now, self._next_period)

    def _next_period(self) -> None:
        self._program = None  # going by the program would cancel this very call
        self._go_by_program()

    def _goal(self) -> float:
        """Where the room's temperature goes, as it is set."""
        mode = self._is.get("hvac_mode_setting")
        set_points = ECO if mode == "eco" else self._is
        goal = self._around
        if mode in {"heat", "heat_cool", "eco"}:
            goal = max(goal, set_points.get(HEATING, goal))
        if mode in {"cool", "heat_cool", "eco"}:
            goal = min(goal, set_points.get(COOLING, goal))
        return goal

    def _feel(self) -> None:
        """Sense the room."""
        goal, around = self._room.goal, self._around
        celsius = self._room.temperature(self._world.clock.now())
        heats = goal > around and celsius < goal - ARRIVED
        cools = goal < around and celsius > goal + ARRIVED
        self._is["temperature_celsius"] = round(celsius, 2)
        self._is["is_heating"], self._is["is_cooling"] = heats, cools
        self._is["is_fan_running"] = heats or cools or self._is.get("fan_mode_setting") in {"on", "circulate"}

    def _room_facts(self, at: int) -> dict[str, Any]:
        return {"room_celsius": self._room.temperature(at), "room_since": at}

    def _tell_everything(self) -> None:
        super()._tell_everything()
        self._feel()
        self._link.report(dict(self._is), method=self._set_by, said="The thermostat can be heard again.")
