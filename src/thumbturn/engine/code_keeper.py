"""Keeps locks' codes as they shall be: programs them ahead of their time, removes them, puts them right.

It goes by what is on record: what a code shall be, and what its lock is known to hold.
Each code has the moment at which something must be done for it (``due_at``). What has to be done is done by
attempts like any other; one that fails is made again, ever more slowly, until it succeeds or is no
longer wanted. So whatever passed while the server was down is made up for by the next start.

Each lock is looked after by itself: one that is dead keeps no other waiting.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from contextvars import Context
from typing import Any

from thumbturn.domain import access_code_news as news
from thumbturn.domain.access_code import (
    ABOUT_A_CODE,
    DELETE,
    SYNC,
    AccessCode,
    Step,
    late_at,
    looked_at,
    step,
)
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.clock import SECOND, Clock, seconds
from thumbturn.domain.device import Device
from thumbturn.domain.errors import FAILURES, Failure
from thumbturn.domain.failures import ActionAttemptExpired, AttemptCancelled, DeviceRemoved
from thumbturn.domain.ids import new_id
from thumbturn.domain.pin import POOL_ENABLED
from thumbturn.engine.acceptance import Timing
from thumbturn.engine.access_code_ports import CodeFacts
from thumbturn.engine.devices import Devices
from thumbturn.engine.ports import Store
from thumbturn.engine.supervised import supervised
from thumbturn.engine.timetable import Timetable

#: What the log says when looking after codes came to nothing.
LATER = "codes_are_looked_after_later"

#: How long after it could not be looked after a lock is looked after again.
TRIED_AGAIN_AFTER = seconds(60)
#: The longest that it relies on what the clock said.
LOOK_EVERY = seconds(600)
#: Locks that are looked after at a time: what they wait for is the database.
AT_A_TIME = 32

#: Ends of an attempt that are no failure of its lock.
_WANTED_BY_SOMEBODY = frozenset({AttemptCancelled.type, DeviceRemoved.type, ActionAttemptExpired.type})

#: Begins an attempt: which action, of which workspace and lock, for which code if for one, and who wants it.
Begin = Callable[[str, str, str, str | None, Asker, Timing], Coroutine[Any, Any, Attempt]]
#: How long an attempt waits for a lock that is offline, from when it may be sent.
WAITS_FOR = seconds(24 * 3_600)


def has_unseen_codes(device: Device) -> bool:
    """True if its codes were changed at the lock, as it said itself, and were not read since."""
    return bool(device.state.get("codes_touched_at", 0) > device.state.get("codes_seen_at", 0))


class CodeKeeper:
    """Looks after the codes of all locks."""

    def __init__(
        self,
        *,
        store: Store,
        devices: Devices,
        begin: Begin,
        is_open: Callable[[str], bool],
        tend_pool: Callable[[Device], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._store = store
        self._devices = devices
        self._labels = devices.labels
        self._begin = begin
        self._is_open = is_open
        #: Has backups stand ready at a lock that shall have some.
        self._tend_pool = tend_pool
        self._clock = clock
        #: Codes for which attempts are open, and which, the newest last; for which some are being begun.
        self._working: dict[str, list[str]] = {}
        self._reserved: Counter[str] = Counter()
        #: Attempts that failed, by their code: a failure that could not be put on record with them is noted.
        self._failed: dict[str, Attempt] = {}
        #: Locks whose memory is being read.
        self._reading: set[str] = set()
        #: What has to be looked at at a moment, beyond what is on record: who is late.
        self._turns: Timetable[str] = Timetable(clock, self._turn)
        self._planned: dict[str, int] = {}
        self._busy: set[str] = set()
        #: Locks that want another look, and codes among theirs that are to be looked at by all means.
        self._again: dict[str, set[str]] = {}
        self._room = asyncio.Semaphore(AT_A_TIME)
        self._sooner: asyncio.Future[None] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        #: Told which codes were looked at, or are gone: something may have become of them.
        self.seen: Callable[[Iterable[str]], None] = lambda code_ids: None

    async def start(self, open_attempts: Iterable[Attempt]) -> None:
        """Take up what an earlier process left; these attempts of it are open still."""
        for attempt in open_attempts:
            if attempt.action_type in ABOUT_A_CODE:
                self._working.setdefault(attempt.ask["access_code_id"], []).append(attempt.id)
        self._turns.start()
        self._sweeping = asyncio.get_running_loop().create_task(self._sweep())
        for device in self._devices:
            if "access_codes" in device.capabilities:
                self.touched(device.id)

    async def stop(self) -> None:
        """Do nothing more."""
        await self._turns.stop()
        tasks = [*self._tasks, *([self._sweeping] if self._sweeping else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def works_on(self, access_code_id: str) -> str | None:
        """The newest attempt that is open for a code, if one is."""
        return self._working[access_code_id][-1] if access_code_id in self._working else None

    def is_busy_with(self, access_code_id: str) -> bool:
        """True if an attempt is open for a code, or is being begun: it ends what becomes of the code."""
        return access_code_id in self._working or access_code_id in self._reserved

    @contextmanager
    def reserved(self, access_code_id: str) -> Iterator[None]:
        """Inside the block an attempt is being begun for a code: nobody else begins one."""
        self._reserved[access_code_id] += 1
        try:
            yield
        finally:
            self._reserved[access_code_id] -= 1
            if not self._reserved[access_code_id]:
                del self._reserved[access_code_id]

    def begun(self, attempt: Attempt) -> None:
        """An attempt on a code was accepted. It may have ended since."""
        if self._is_open(attempt.id) and attempt.action_type in ABOUT_A_CODE:
            self._working.setdefault(attempt.ask["access_code_id"], []).append(attempt.id)

    def ended(self, attempt: Attempt) -> None:
        """It has ended, whatever came of it: see whether there is more to do."""
        device_id, code_id = attempt.device_id or "", attempt.ask.get("access_code_id")
        if code_id is None:
            self._reading.discard(device_id)
            if attempt.failure is None or attempt.is_overruled:
                # It may have been touched again while it was read.
                self.touched(device_id)
                self.look(device_id)
                self.due(0)
            return
        working = self._working.get(code_id, [])
        if attempt.id in working:
            working.remove(attempt.id)
            if not working:
                del self._working[code_id]
        is_failure = attempt.failure is not None and attempt.failure[0] not in _WANTED_BY_SOMEBODY
        if is_failure and not attempt.is_overruled:
            self._failed[code_id] = attempt
        self.look(device_id, code_id)

    def touched(self, device_id: str) -> None:
        """Somebody may have changed codes at a lock: if that was not looked at yet, have it read."""
        device = self._devices.get(device_id)
        if device is not None and has_unseen_codes(device):
            self.read(device_id)

    def read(self, device_id: str) -> None:
        """Have a lock read that may hold something else than is on record, unless that is under way."""
        device = self._devices.get(device_id)
        if device is not None and device_id not in self._reading and device.is_managed:
            self._reading.add(device_id)
            self._spawn(self._read_lock(device))

    def look(self, device_id: str, *code_ids: str) -> None:
        """See soon whether there is something to do for a lock; for these codes by all means."""
        self._again.setdefault(device_id, set()).update(code_ids)
        if device_id not in self._busy:
            self._spawn(self._turn(device_id))

    def due(self, moment: int | None) -> None:
        """A code must be looked at at this moment, which may be earlier than what is waited for."""
        if moment is not None and self._sooner is not None and not self._sooner.done():
            self._sooner.set_result(None)

    def forget(self, device_ids: Iterable[str]) -> None:
        """These locks are gone, and their codes with them."""
        for device_id in device_ids:
            self._again.pop(device_id, None)
            self._reading.discard(device_id)
            self._plan(device_id, None)

    # inside -------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        """Look after each lock when a code of it is due."""
        loop, seen = asyncio.get_running_loop(), -1
        while True:
            now = self._clock.now()
            self._sooner = loop.create_future()
            wait = LOOK_EVERY
            with supervised(LATER) as looking:
                for device_id in await self._store.access_codes.due(seen, now):
                    self.look(device_id)
                seen = now
                coming = await self._store.access_codes.next_due(now)
                if coming is not None:
                    wait = min(coming - self._clock.now(), LOOK_EVERY)
            if looking.failed:
                wait = SECOND if looking.may_soon_pass else TRIED_AGAIN_AFTER
            await self._clock.wait(self._sooner, max(wait, 0) + 1)

    async def _turn(self, device_id: str) -> None:
        self._again.setdefault(device_id, set())
        if device_id in self._busy:
            return
        self._busy.add(device_id)
        code_ids: set[str] = set()
        try:
            with supervised(LATER, device_id=device_id) as looking:
                while device_id in self._again:
                    async with self._room:
                        code_ids = self._again.pop(device_id)
                        await self._see_to(device_id, code_ids)
            if looking.failed:
                self._put_off(device_id, code_ids)
        finally:
            self._busy.discard(device_id)

    def _put_off(self, device_id: str, code_ids: set[str]) -> None:
        self._again.setdefault(device_id, set()).update(code_ids)
        self._plan(device_id, self._clock.now() + TRIED_AGAIN_AFTER)

    async def _see_to(self, device_id: str, code_ids: set[str]) -> None:
        device = self._devices.get(device_id)
        if device is None or not device.is_managed:
            return
        self.touched(device_id)
        now = self._clock.now()
        codes = {code.id: code for code in await self._store.access_codes.of_device(device_id, due_by=now)}
        for code_id in code_ids - codes.keys():
            code = await self._store.access_codes.get(code_id)
            if code is not None:
                codes[code_id] = code
        moments = [await self._see_to_code(code, now) for code in codes.values()]
        if device.settings.get(POOL_ENABLED):
            await self._tend_pool(device)
        self._plan(device_id, min((each for each in moments if each is not None), default=None))
        self.seen(code_ids.union(codes))

    async def _see_to_code(self, code: AccessCode, now: int) -> int | None:
        """Do what is to be done for a code; when it must be looked at beyond what is on record."""
        code = await self._with_failure(code, now)
        wanted_step = step(code, now)
        if wanted_step is None:
            found = news.usable(code, now)
            code = looked_at(found.code, now)
            if found.events or code.due_at != found.code.due_at:
                await self._store.access_codes.note((CodeFacts(code),), self._labels.on(found.events))
            self.due(code.due_at)
            return None
        if not self.is_busy_with(code.id):
            if wanted_step is DELETE and code.is_certainly_off:
                await self._store.access_codes.note(
                    (CodeFacts(code, is_gone=True),), self._labels.on(news.gone(code, now))
                )
                return None
            if code.waits_until > now:
                if code.due_at != code.waits_until:
                    await self._store.access_codes.note((CodeFacts(looked_at(code, now)),), ())
                self.due(code.waits_until)
            else:
                await self._make_so(code, wanted_step)
        return await self._see_whether_late(code, now)

    async def _with_failure(self, code: AccessCode, now: int) -> AccessCode:
        """The code with the failure of its last attempt, if that ended in a way that nobody could note."""
        attempt = self._failed.get(code.id)
        if attempt is None or attempt.failure is None:
            return code
        if code.facts.failed_at >= (attempt.settled_at or 0) - SECOND:
            del self._failed[code.id]
            return code  # it was noted with its end
        type, message = attempt.failure
        # One that a test put in its place may be of a type that is not ours.
        failure = FAILURES.get(type, Failure)(message)
        found = news.failed(code, failure, now, attempt.id, self._devices.get(code.device_id))
        after = looked_at(found.code, now)
        await self._store.access_codes.note((CodeFacts(after),), self._labels.on(found.events))
        if self._failed.get(code.id) is attempt:
            del self._failed[code.id]
        return after

    async def _make_so(self, code: AccessCode, wanted_step: Step) -> None:
        asker = Asker(code.id, "access_code", None, new_id())
        timing = Timing(None, WAITS_FOR)
        with self.reserved(code.id):
            attempt = await self._begin(
                wanted_step, code.workspace_id, code.device_id, code.id, asker, timing
            )
            self.begun(attempt)

    async def _see_whether_late(self, code: AccessCode, now: int) -> int | None:
        moment = late_at(code, now)
        if moment > now:
            return moment
        found = news.late(code, now, self._devices.get(code.device_id))
        if found.events:
            await self._store.access_codes.note(
                (CodeFacts(looked_at(found.code, now)),), self._labels.on(found.events)
            )
        return None

    async def _read_lock(self, device: Device) -> None:
        asker = Asker(device.id, "access_code", None, new_id())
        with supervised("lock_is_read_later", device_id=device.id) as reading:
            await self._begin(SYNC, device.workspace_id, device.id, None, asker, Timing(None, WAITS_FOR))
        if reading.failed:
            self._reading.discard(device.id)
            self._put_off(device.id, set())

    def _plan(self, device_id: str, moment: int | None) -> None:
        """Look after the lock again at this moment, and at no other."""
        planned = self._planned.pop(device_id, None)
        if planned is not None:
            self._turns.remove(device_id, planned)
        if moment is not None:
            self._planned[device_id] = moment
            self._turns.add(device_id, moment)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        # Whoever gave occasion to it, in whichever request, does not do what comes of it.
        task = asyncio.get_running_loop().create_task(work, context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
