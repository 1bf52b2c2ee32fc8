"""Keeps thermostats to their schedules: starts them, restores them, ends them, and falls back.

What a thermostat goes by is on record in its settings: ``schedule_in_force`` with the moment since which it
is, and ``falling_back_since`` from the end of the last one until the fallback preset is active. So a
schedule whose start or end passed while the server was down is started or ended by the next start. What
has to be done is done by attempts like any other; one that fails is made again, until it succeeds or is no
longer wanted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import Context
from dataclasses import replace
from typing import Any, NamedTuple

from thumbturn.actions.activate_climate_preset import PresetActivation
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import Clock, seconds, to_wire
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Refusal
from thumbturn.domain.ids import new_id
from thumbturn.domain.presets import FALLBACK
from thumbturn.domain.schedule import (
    IN_FORCE,
    Schedule,
    as_settings,
    in_force,
    is_to_fall_back,
    next_turn,
    restored_at,
    schedule_in_force,
)
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.climate import ChangeDevice
from thumbturn.engine.devices import Devices
from thumbturn.engine.ports import Store
from thumbturn.engine.supervised import supervised
from thumbturn.engine.timetable import Timetable

#: How long after a failure it is tried again, if the thermostat does not come back before that.
TRIED_AGAIN_AFTER = seconds(60)
#: Longer than any activation may take.
ENDS_WITHIN = seconds(90)
FALLING_BACK = "falling_back_since"
#: What makes it look again.
_TELLING = ("climate_preset", "adjusted", "online")

Begin = Callable[[PresetActivation, Workspace, Asker], Awaitable[Attempt]]
Settled = Callable[[Attempt, int], Awaitable[Attempt]]
Underway = Callable[[PresetActivation], Attempt | None]


class Wish(NamedTuple):
    """A preset that a thermostat shall be at, from a moment on."""

    key: str
    schedule_id: str | None
    since: int

    def ask(self, device_id: str) -> PresetActivation:
        """What is asked for to make it so."""
        return PresetActivation(
            device_id=device_id,
            climate_preset_key=self.key,
            thermostat_schedule_id=self.schedule_id,
            is_fallback_climate_preset=self.schedule_id is None,
        )


class ScheduleKeeper:
    """The schedules that are not over, by thermostat, and what they have done."""

    def __init__(
        self,
        *,
        store: Store,
        devices: Devices,
        change_device: ChangeDevice,
        begin: Begin,
        settled: Settled,
        underway: Underway,
        clock: Clock,
    ) -> None:
        self._store = store
        self._devices = devices
        self._change_device = change_device
        self._begin = begin
        self._settled = settled
        self._underway = underway
        self._clock = clock
        self._schedules: dict[str, dict[str, Schedule]] = {}
        self._turns: Timetable[str] = Timetable(clock, self._turn)
        self._planned: dict[str, int] = {}
        #: Thermostats that are looked after now, and those that want another look after that.
        self._busy: set[str] = set()
        self._again: set[str] = set()
        #: What was done for a thermostat and need not be done again, though it did not confirm it.
        self._done: dict[str, Wish] = {}
        #: Not before this moment a thermostat is asked again that failed.
        self._patience: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Take up what an earlier process left."""
        for schedule in await self._store.schedules.not_over():
            self._schedules.setdefault(schedule.device_id, {})[schedule.id] = schedule
        waiting = {
            device.id
            for device in self._devices
            if device.settings.get(IN_FORCE) or device.settings.get(FALLING_BACK)
        }
        self._turns.start()
        for device_id in self._schedules.keys() | waiting:
            self.look(device_id)

    async def stop(self) -> None:
        """Do nothing more."""
        await self._turns.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def of_device(self, device_id: str) -> Iterable[Schedule]:
        """The schedules of a thermostat that are not over."""
        return self._schedules.get(device_id, {}).values()

    def put(self, schedule: Schedule) -> None:
        """Keep to this schedule, as it is here; it is on record already."""
        self._schedules.setdefault(schedule.device_id, {})[schedule.id] = schedule
        self._patience.pop(schedule.device_id, None)
        self.look(schedule.device_id)

    def drop(self, device_id: str, schedule_id: str) -> None:
        """Keep to this schedule no longer; it is off the record already."""
        if self._schedules.get(device_id, {}).pop(schedule_id, None) is not None:
            self.look(device_id)

    def forget(self, device_ids: Iterable[str]) -> None:
        """These thermostats are gone, and their schedules with them."""
        for device_id in device_ids:
            self._schedules.pop(device_id, None)
            self._done.pop(device_id, None)
            self._patience.pop(device_id, None)
            self._devices.watch(device_id, None)

    def look(self, device_id: str) -> None:
        """See soon whether there is something to do for a thermostat."""
        if device_id in self._busy:
            self._again.add(device_id)
            return
        # Whoever gave occasion to look, in whichever request, does not do what comes of it.
        task = asyncio.get_running_loop().create_task(self._turn(device_id), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # inside -------------------------------------------------------------------------------------

    async def _turn(self, device_id: str) -> None:
        if device_id in self._busy:
            self._again.add(device_id)
            return
        self._busy.add(device_id)
        try:
            with supervised("schedule_is_kept_later", device_id=device_id) as looking:
                while True:
                    self._again.discard(device_id)
                    await self._see_to(device_id)
                    if device_id not in self._again:
                        break
            if looking.failed and self._devices.get(device_id) is not None:
                self._plan(device_id, self._clock.now() + TRIED_AGAIN_AFTER)
        finally:
            self._busy.discard(device_id)

    async def _see_to(self, device_id: str) -> None:
        if self._devices.get(device_id) is None:
            self.forget((device_id,))
            return
        now = self._clock.now()
        mine = self._schedules.get(device_id, {})
        await self._turn_over(device_id, mine, now)
        device = self._devices.get(device_id)
        if device is None:
            return
        wish = _wish(device)
        patience = self._patience.get(device_id, 0)
        if wish is not None and max(wish.since, patience) <= now and self._done.get(device_id) != wish:
            await self._make_so(device, wish)
            self._again.add(device_id)
            return
        if wish is None and device.settings.get(FALLING_BACK) is not None:
            await self._set(device, **{FALLING_BACK: None})
        moments = [next_turn(mine.values(), now), patience, None if wish is None else wish.since]
        self._plan(
            device_id, min((each for each in moments if each is not None and each > now), default=None)
        )
        is_watched = wish is not None or device.settings.get(IN_FORCE) is not None
        self._devices.watch(device_id, self._changed if is_watched else None)

    async def _turn_over(self, device_id: str, mine: dict[str, Schedule], now: int) -> None:
        """Put on record which schedule is in force, and which are over."""
        device = self._devices.get(device_id)
        assert device is not None  # it was looked for
        before, current = device.settings.get(IN_FORCE), in_force(mine.values(), now)
        ended = [schedule for schedule in mine.values() if schedule.ends_at <= now]
        if current is not None:
            after = {"schedule": as_settings(current), "began_at": _began_at(before, current, now)}
            if after != before:
                await self._set(device, **{IN_FORCE: after, FALLING_BACK: None})
        else:
            # An end that was seen to already, by a process that died before it could say so, is older.
            last = max((schedule.ends_at for schedule in ended), default=0)
            is_end = before is not None or last > device.settings.get("last_end", 0)
            if is_end:
                since = now if device.settings.get(FALLBACK) is not None else None
                await self._set(device, **{IN_FORCE: None, FALLING_BACK: since, "last_end": max(last, now)})
        for schedule in ended:
            await self._store.schedules.change(replace(schedule, is_over=True))
            mine.pop(schedule.id, None)

    async def _make_so(self, device: Device, wish: Wish) -> None:
        """Have the preset activated; what stands in the way is put on record with its schedule."""
        ended = None
        try:
            ask = wish.ask(device.id)
            attempt = self._underway(ask) or await self._ask_for(device, ask)
            ended = await self._settled(attempt, ENDS_WITHIN)
            error = ended.failure
        except Refusal as refusal:
            error = refusal.type, refusal.message
        if error is None and ended is not None and ended.phase.is_final:
            self._done[device.id] = wish
            self._patience.pop(device.id, None)
        else:
            self._patience[device.id] = self._clock.now() + TRIED_AGAIN_AFTER
        await self._note(device.id, wish.schedule_id, error)

    async def _ask_for(self, device: Device, ask: PresetActivation) -> Attempt:
        workspace = await self._store.workspace(device.workspace_id)
        assert workspace is not None  # its device is there
        asker = Asker(ask.thermostat_schedule_id or device.id, "thermostat_schedule", None, new_id())
        return await self._begin(ask, workspace, asker)

    async def _note(self, device_id: str, schedule_id: str | None, error: tuple[str, str] | None) -> None:
        """Put on record why a schedule's preset could not be activated, or that it could."""
        schedule = self._schedules.get(device_id, {}).get(schedule_id or "")
        errors: tuple[Mapping[str, Any], ...] = ()
        if error is not None:
            code, message = error
            errors = ({"error_code": code, "message": message, "created_at": to_wire(self._clock.now())},)
        if schedule is None or _codes(schedule.errors) == _codes(errors):
            return
        noted = replace(schedule, errors=errors)
        self._schedules[device_id][schedule.id] = noted
        await self._store.schedules.change(noted)

    async def _set(self, device: Device, **settings: Any) -> None:
        await self._change_device(
            device.workspace_id,
            device.id,
            lambda known: replace(known, settings={**known.settings, **settings}),
        )

    def _changed(self, before: Device, after: Device) -> None:
        if any(before.state.get(name) != after.state.get(name) for name in _TELLING):
            if after.online and not before.online:
                self._patience.pop(after.id, None)
            self.look(after.id)

    def _plan(self, device_id: str, moment: int | None) -> None:
        """Look after the thermostat again at this moment, and at no other."""
        planned = self._planned.pop(device_id, None)
        if planned is not None:
            self._turns.remove(device_id, planned)
        if moment is not None:
            self._planned[device_id] = moment
            self._turns.add(device_id, moment)


def _codes(errors: Iterable[Mapping[str, Any]]) -> list[str]:
    return [each["error_code"] for each in errors]


def _wish(device: Device) -> Wish | None:
    """What a thermostat shall be at by its schedules; ``None`` if it may stay as it is."""
    goes_by = schedule_in_force(device)
    if goes_by is not None:
        schedule, began_at = goes_by
        since = restored_at(schedule, began_at, device.state)
        return None if since is None else Wish(schedule.climate_preset_key, schedule.id, since)
    since, key = device.settings.get(FALLING_BACK), device.settings.get(FALLBACK)
    if since is None or key is None or not is_to_fall_back(since, device.state):
        return None
    return Wish(key, None, since)


def _began_at(before: Mapping[str, Any] | None, current: Schedule, now: int) -> int:
    """Since when a schedule is in force: anew if it is another one, or has another preset."""
    if before is not None:
        facts = before["schedule"]
        if (facts["id"], facts["climate_preset_key"]) == (current.id, current.climate_preset_key):
            return int(before["began_at"])
    return now
