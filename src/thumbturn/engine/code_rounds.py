"""Looks at what locks hold, each every few hours, so that what nobody told of is found all the same.

A look is no attempt: it takes a lock's lane while nobody is in it, leaves it as soon as somebody wants in,
and leaves nothing on record. Only a lock that holds something else than is known is then read by an attempt,
like one that says so itself. One that does not answer, or is never as it shall be, is looked at ever more
rarely; and it keeps no other waiting for longer than a look takes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any
from zlib import crc32

import structlog

from thumbturn.domain.access_code import Slot, differs
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.clock import SECOND, Clock, seconds
from thumbturn.domain.device import Device
from thumbturn.domain.errors import Failure, Refusal
from thumbturn.engine.access_code_ports import AccessCodeStore
from thumbturn.engine.code_keeper import has_unseen_codes
from thumbturn.engine.devices import Devices
from thumbturn.engine.dispatch import Dispatch
from thumbturn.engine.ports import Driver

log = structlog.get_logger(__name__)

_MEMORY: type[Any] = CodeMemory
#: How often it is seen whose time has come, unless locks are looked at more often than that.
ROUND = seconds(60)
#: Locks that are looked at at a time.
AT_A_TIME = 16
#: A look is given up after this.
ANSWERS_WITHIN = seconds(20)
#: A lock that gives nothing but trouble is looked at once in so long at least, if any is.
RAREST = seconds(24 * 3_600)
#: By how much of it the time between two looks is shorter or longer, so that locks do not fall into step.
JITTER = 0.1


class Seen(Enum):
    """What a look brought."""

    AS_KNOWN = "as known"
    OTHERWISE = "otherwise"
    NOTHING = "nothing"
    #: Somebody was in the lane, or came.
    NOT_NOW = "not now"


class CodeRounds:
    """The looks at all locks. ``read`` has one read by an attempt."""

    def __init__(
        self,
        *,
        store: AccessCodeStore,
        devices: Devices,
        drivers: Mapping[str, Driver],
        dispatch: Dispatch,
        read: Callable[[str], None],
        every: int,
        clock: Clock,
    ) -> None:
        self._store = store
        self._devices = devices
        self._drivers = drivers
        self._dispatch = dispatch
        self._read = read
        #: µs between two looks at a lock; 0 if there are none.
        self._every = every
        self._clock = clock
        #: When each lock is looked at next, µs, and how often in a row there was trouble with it.
        self._next: dict[str, int] = {}
        self._troubles: dict[str, int] = {}
        self._due: deque[str] = deque()
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._walking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look. The first looks are spread over the time between two."""
        if self._every > 0:
            self._walking = asyncio.get_running_loop().create_task(self._walk())

    async def stop(self) -> None:
        """Look no more."""
        tasks = [*self._looking.values(), *([self._walking] if self._walking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # inside -------------------------------------------------------------------------------------

    async def _walk(self) -> None:
        while True:
            now, before = self._clock.now(), self._next
            self._next = {
                device.id: before[device.id] if device.id in before else now + self._share(device.id, now)
                for device in self._devices
                if "access_codes" in device.capabilities and device.is_managed
            }
            self._troubles = {id: many for id, many in self._troubles.items() if id in self._next}
            due = [device_id for device_id, moment in self._next.items() if moment <= now]
            self._due = deque(sorted(due, key=self._next.__getitem__))
            self._fill()
            await self._clock.sleep(min(ROUND, max(self._every // 10, SECOND)))

    def _fill(self) -> None:
        """Look at those whose time has come, as many as may be looked at now."""
        while self._due and len(self._looking) < AT_A_TIME:
            device = self._devices.get(self._due.popleft())
            # One that is away is looked at when it is back: its time has come then, too.
            if device is not None and device.takes_commands and device.id not in self._looking:
                self._looking[device.id] = asyncio.get_running_loop().create_task(self._look(device))

    async def _look(self, device: Device) -> None:
        seen = Seen.NOTHING
        try:
            seen = await self._see(device)
        except Refusal as refusal:  # the database is away for a moment, or has its hands full
            log.warning("lock_is_looked_at_later", device_id=device.id, because=refusal.message)
            seen = Seen.NOT_NOW
        except Exception:  # supervised: a bug in a driver must not end the looks at its lock
            log.exception("look_broke", device_id=device.id)
        finally:
            del self._looking[device.id]
            self._plan(device.id, seen)
        if seen is Seen.OTHERWISE:
            self._read(device.id)
        self._fill()

    async def _see(self, device: Device) -> Seen:
        driver = self._drivers.get(device.driver)
        memory = None if driver is None else driver.offer(device, _MEMORY)
        if memory is None:
            return Seen.NOTHING
        wanted = asyncio.Event()
        lane = self._dispatch.lend(device, wanted.set)
        if lane is None:
            return Seen.NOT_NOW
        try:
            # What is on record first: nothing is done at the lock until the lane is given back.
            codes = await self._store.of_device(device.id)
            holds = None if wanted.is_set() else await self._fetch(memory, wanted)
        except Failure:
            holds = None
        finally:
            self._dispatch.take_back(lane)
        if wanted.is_set():
            return Seen.NOT_NOW
        if holds is None:
            return Seen.NOTHING
        return Seen.OTHERWISE if differs(codes, holds) or has_unseen_codes(device) else Seen.AS_KNOWN

    async def _fetch(self, memory: CodeMemory, wanted: asyncio.Event) -> Mapping[str, Slot] | None:
        """What the lock holds, unless it takes too long to say so, or its lane is wanted meanwhile."""
        fetching = asyncio.ensure_future(memory.fetch_codes())
        recalled = asyncio.ensure_future(wanted.wait())
        recalled.add_done_callback(lambda _: fetching.cancel())
        try:
            await self._clock.wait(fetching, ANSWERS_WITHIN)
        finally:
            recalled.cancel()
            fetching.cancel()
            # A command must not reach the lock while the look is still on its way back.
            await asyncio.wait((fetching,))
        return None if fetching.cancelled() else fetching.result()

    def _plan(self, device_id: str, seen: Seen) -> None:
        now = self._clock.now()
        if seen is Seen.NOT_NOW:
            self._next[device_id] = now + min(ROUND, self._every)
            return
        if seen is Seen.AS_KNOWN:
            self._troubles.pop(device_id, None)
            pause = self._every
        else:
            troubles = self._troubles[device_id] = self._troubles.get(device_id, 0) + 1
            pause = min(self._every << min(troubles - 1, 20), max(self._every, RAREST))
        share = self._share(device_id, now) / self._every
        self._next[device_id] = now + round(pause * (1 + JITTER * (2 * share - 1)))

    def _share(self, device_id: str, moment: int) -> int:
        """A part of the time between two looks, another for each lock and each moment."""
        return self._every * crc32(f"{device_id} {moment}".encode()) >> 32
