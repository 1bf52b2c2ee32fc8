"""The committed events of a workspace, for whoever follows them: in order, without gap or repeat.

An event is told when it is on record, and never before. A *follower* has a cursor, the place in the
workspace's sequence up to which he has read, and waits for what is behind it. All followers of a
workspace share one *tail*: it reads each new event from the store once, however many wait for it, and
holds the newest for a while. Who is further behind than that reads the store himself, at his own pace.
While nobody has read to the end of what the tail holds, it reads nothing: followers who are slow, or are
made to be, cost those who make the events nothing. Only for those who are woken together it reads always.

The store says when something was committed. That is a hint, not a promise (another process may have
written it, the connection may have broken between a commit and its answer), so a tail also looks by
itself every ``LOOK_EVERY``.
"""

from __future__ import annotations

import asyncio
from typing import Self

import structlog

from thumbturn.domain.clock import MILLISECOND, Clock, seconds
from thumbturn.domain.event import Recorded
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.notices import About, Notices, Silence
from thumbturn.engine.ports import Store
from thumbturn.engine.pulse import Pulse
from thumbturn.engine.ring import SIZE, Ring, Wakes

log = structlog.get_logger(__name__)

#: How often a tail looks without having been told of anything.
LOOK_EVERY = seconds(2)
#: What is committed within this time is read together: under load a tail reads so often and no more.
GATHER_FOR = 5 * MILLISECOND


class Feed:
    """What there is to follow. One for the whole process."""

    def __init__(self, store: Store, clock: Clock, notices: Notices | None = None) -> None:
        self._store = store
        self._clock = clock
        self._notices = notices or Silence()
        self._tails: dict[str, Tail] = {}
        self._is_told = False

    def follow(self, workspace_id: str, after: int, wake: asyncio.Event | None = None) -> Follower:
        """A follower of a workspace's events behind this place of its sequence. Close it at the end.

        ``wake``, if given, is set soon after there may be something to read, together with those of all
        others: for readers who are many, and for whoever also waits for something else.
        """
        if not self._is_told:
            self._is_told = True
            self._store.on_events(self._told)
            self._notices.hear(About.EVENTS, self._told)
        tail = self._tails.get(workspace_id)
        if tail is None:
            tail = self._tails[workspace_id] = Tail(workspace_id, self._store, self._clock)
        return Follower(self, tail, after, wake)

    def drop(self, tail: Tail) -> None:
        """Nobody follows this tail any more."""
        tail.stop()
        del self._tails[tail.workspace_id]

    def _told(self, workspaces: frozenset[str] | None) -> None:
        found = self._tails if workspaces is None else workspaces & self._tails.keys()
        for tail in [self._tails[each] for each in found]:
            tail.look()


class Follower:
    """Reads a workspace's events, each once. Use it in one task, and in a ``with``."""

    def __init__(self, feed: Feed, tail: Tail, after: int, wake: asyncio.Event | None) -> None:
        #: The place in the sequence up to which everything was read.
        self.cursor = after
        self._feed = feed
        self._tail = tail
        self._wake = wake or asyncio.Event()
        #: What is set when there is something to read; also for what else the reader waits for.
        self.nudge: Wakes = self._wake if wake is None else tail.pulse
        self._is_closed = False
        if wake is not None:
            tail.pulse.join(wake)
        tail.ring.wake(self.nudge)
        tail.want()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Follow no more. Whoever waits in ``read`` must be cancelled."""
        if not self._is_closed:
            self._is_closed = True
            self._tail.pulse.leave(self._wake)
            if self._tail.ring.let_go(self.nudge):
                self._feed.drop(self._tail)

    async def read(self, *, limit: int = 100) -> list[Recorded]:
        """Up to so many events behind the cursor, at least one: waits until there is something.

        When it is cancelled, nothing was read.
        """
        while True:
            self._wake.clear()
            found = await self.ready(limit=limit)
            if found:
                return found
            await self._wake.wait()

    async def ready(self, *, limit: int = 100) -> list[Recorded]:
        """Up to so many events behind the cursor, without waiting for any to happen."""
        found = await self._tail.behind(self.cursor, limit)
        if found:
            self.cursor = found[-1].sequence
        return found


class Tail:
    """The end of one workspace's events, kept up to date while anybody follows."""

    def __init__(self, workspace_id: str, store: Store, clock: Clock) -> None:
        self.workspace_id = workspace_id
        self.ring: Ring[Recorded] = Ring()
        self.pulse = Pulse(clock)
        #: True once somebody could not read the store.
        self._is_owing = False
        #: Set when somebody has read all that there is in the ring.
        self._is_wanted = asyncio.Event()
        self._store = store
        self._clock = clock
        self._due = asyncio.get_running_loop().create_future()
        self._task = asyncio.get_running_loop().create_task(self._keep_up())
        self._task.add_done_callback(self._ended)

    def look(self) -> None:
        """Something was committed."""
        if not self._due.done():
            self._due.set_result(None)

    def want(self) -> None:
        """Somebody waits for what comes next."""
        self._is_wanted.set()

    def stop(self) -> None:
        """Keep up no more."""
        self._task.cancel()
        self.pulse.stop()

    async def behind(self, sequence: int, limit: int) -> list[Recorded]:
        """Up to so many events behind this place, as far as they are known."""
        if self._task.done():
            self._task.result()  # a bug ended it: who follows must hear of it, not wait for ever
        found = self.ring.behind(sequence, limit)
        if found is None:
            # A database that is away for a moment is waited for: the tail says when it is back.
            try:
                return await self._store.events_after(self.workspace_id, sequence, limit=limit)
            except StorageUnavailable:
                self._is_owing = True
        if not found:
            self.want()
        return found or []

    async def _keep_up(self) -> None:
        is_begun = False
        while True:
            self._due = asyncio.get_running_loop().create_future()
            is_more = False
            try:
                if not is_begun:
                    self.ring.last = await self._store.last_sequence(self.workspace_id)
                    is_begun = self._is_owing = True
                is_more = await self._read()
                if self._is_owing:
                    self._is_owing = False
                    self.ring.rouse()
            except StorageUnavailable as refusal:
                log.warning("events_are_read_again", workspace_id=self.workspace_id, because=refusal.message)
                self.want()
            if not is_more:
                await self._clock.sleep(GATHER_FOR)
            await self._is_wanted.wait()
            if not is_more:
                await self._clock.wait(self._due, LOOK_EVERY)

    async def _read(self) -> bool:
        """Read as much as the ring holds; true if there may be more."""
        found = await self._store.events_after(self.workspace_id, self.ring.last, limit=SIZE)
        if found:
            # Who reads to the end of these says so again; who had is woken for them. Those who are woken
            # together are woken later, and shall then find what has come meanwhile.
            if not self.pulse.has_readers:
                self._is_wanted.clear()
            self.ring.add(found)
        return len(found) == SIZE

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("tail_broke", workspace_id=self.workspace_id, exc_info=error)
            self.ring.rouse()
