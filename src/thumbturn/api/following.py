"""One reader of the stream: what he wants, what he may see, and where he is.

Events come in the order of the workspace's sequence, each with its place there as its id, and a reader
who comes back with the last id goes on right behind it. Changes of attempts come in between as they
happen; they have no id and do not come again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass, replace

from thumbturn.api.callers import Caller, Callers
from thumbturn.api.wire.frames import (
    attempt_frame,
    closed_frame,
    event_frame,
    place_frame,
    ready_frame,
    skipped_frame,
)
from thumbturn.domain.attempt import Attempt
from thumbturn.domain.client_session import Reach, among
from thumbturn.domain.clock import Clock
from thumbturn.domain.event import Event
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.feed import Feed, Follower
from thumbturn.engine.live import LiveAttempts, Watcher, as_it_stands
from thumbturn.engine.pins import Pins
from thumbturn.engine.ports import Store

#: Frames that are handed over at once.
AT_ONCE = 100
#: After so many events that the reader did not want, his place is told him without any.
TELL_PLACE_AFTER = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What one caller sees of a workspace's events and attempts; ``None`` means any."""

    device_ids: frozenset[str] | None = None
    event_types: frozenset[str] | None = None
    action_attempt_id: str | None = None
    with_attempts: bool = True
    reach: Reach = None

    def shows_event(self, event: Event) -> bool:
        """True for an event that he wants and may see."""
        return (
            (self.event_types is None or event.event_type in self.event_types)
            and (self.device_ids is None or event.device_id in self.device_ids)
            and (self.action_attempt_id is None or event.action_attempt_id == self.action_attempt_id)
            and among(self.reach, event.connected_account_id)
        )

    def shows_attempt(self, attempt: Attempt) -> bool:
        """True for an attempt whose changes he wants and may see."""
        return (
            self.with_attempts
            and (self.device_ids is None or attempt.device_id in self.device_ids)
            and (self.action_attempt_id is None or attempt.id == self.action_attempt_id)
            and among(self.reach, attempt.connected_account_id)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where a reader's frames come from."""

    feed: Feed
    live: LiveAttempts
    store: Store
    callers: Callers
    clock: Clock
    pins: Pins


class Following:
    """The frames for one reader."""

    def __init__(self, sources: Sources, caller: Caller, view: View, after: int) -> None:
        self._sources = sources
        self._caller = caller
        self._view = replace(view, reach=caller.reach)
        self._after = after
        #: The last id that the reader was told.
        self._told = after
        self._wake = asyncio.Event()
        self._farewell: bytes | None = None

    def set(self) -> None:
        """The server stops: say so, and end."""
        self._end("server_stopping", "The server stops. Connect again with the last id: no event is lost.")

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """The frames from the first, until the server stops or the key is not good any more."""
        workspace_id = self._caller.workspace.id
        guard = asyncio.get_running_loop().create_task(self._ask_for_key())
        try:
            with (
                self._sources.feed.follow(workspace_id, self._after, self._wake) as follower,
                self._sources.live.watch(workspace_id, follower.nudge) as watcher,
            ):
                yield ready_frame(self._after)
                if state := await self._state_of_attempt():
                    yield state
                while self._farewell is None:
                    self._wake.clear()
                    told = await self._events(follower)
                    moved = self._moves(watcher)
                    if told or moved:
                        yield (moved or b"") + (told or b"")
                    elif told is None and moved is None:
                        await self._wake.wait()
                if self._farewell is not None:
                    yield self._farewell
        finally:
            guard.cancel()

    async def _events(self, follower: Follower) -> bytes | None:
        """The next events that he wants, maybe none of those there are; ``None`` when there are none."""
        before = follower.cursor
        found = await follower.ready(limit=AT_ONCE)
        if not found:
            return None
        if found[0].sequence > before + 1:
            self._end(
                "events_forgotten", "The next events are not kept any more: you were away for too long."
            )
            return b""
        wanted = [each for each in found if self._view.shows_event(each.event)]
        if wanted:
            self._told = wanted[-1].sequence
        elif follower.cursor - self._told >= TELL_PLACE_AFTER:
            self._told = follower.cursor
            return place_frame(follower.cursor)
        return b"".join([event_frame(each, self._sources.pins) for each in wanted])

    def _moves(self, watcher: Watcher) -> bytes | None:
        """The next changes of attempts that he wants, maybe none of those there are; ``None`` when there
        are none.
        """
        found, is_missing = watcher.ready(AT_ONCE)
        if not found and not is_missing:
            return None
        frames = [attempt_frame(each) for each in found if self._view.shows_attempt(each.attempt)]
        if is_missing and self._view.with_attempts:
            frames.insert(0, skipped_frame())
        return b"".join(frames)

    async def _state_of_attempt(self) -> bytes | None:
        """The one attempt that he asked for as it stands: it may not move any more."""
        if self._view.action_attempt_id is None or not self._view.with_attempts:
            return None
        workspace_id, id = self._caller.workspace.id, self._view.action_attempt_id
        attempt = await self._sources.store.attempt(workspace_id, id, self._view.reach)
        return None if attempt is None else attempt_frame(as_it_stands(attempt))

    async def _ask_for_key(self) -> None:
        with self._sources.callers.watch(self._caller.key.id) as changed:
            while not await self._is_over():
                await self._until(changed)
        self._end("unauthorized", "The key does not open this workspace any more.")

    async def _is_over(self) -> bool:
        """True once he would not be let in any more. What was granted since is told from now on."""
        ends_at = self._caller.ends_at
        if ends_at is not None and ends_at <= self._sources.clock.now():
            return True
        with suppress(StorageUnavailable):  # nobody knows, and nothing is told meanwhile either
            caller = await self._sources.callers.again(self._caller)
            if caller is None:
                return True
            self._caller, self._view = caller, replace(self._view, reach=caller.reach)
        return False

    async def _until(self, changed: asyncio.Event) -> None:
        """Return when it is time to ask about the key: something may have changed."""
        clock, pause = self._sources.clock, self._sources.callers.asked_again_after
        if self._caller.ends_at is not None:
            pause = min(pause, self._caller.ends_at - clock.now())
        has_changed = asyncio.ensure_future(changed.wait())
        try:
            await clock.wait(has_changed, pause)
        finally:
            has_changed.cancel()
        changed.clear()

    def _end(self, type: str, message: str) -> None:
        if self._farewell is None:
            self._farewell = closed_frame(type, message)
        self._wake.set()
