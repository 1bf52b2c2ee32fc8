"""Calls that one process answers for another, and what they say to each other, in one process's memory."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Sequence

from thumbturn.domain.clock import Clock
from thumbturn.engine.calls import Forwarded, Standing
from thumbturn.engine.notices import LOOK_EVERY, About, Heard


class MemoryCalls:
    """Implements ``engine.calls.CallStore``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        #: Those that lie there, as they were put down.
        self.there: dict[str, Forwarded] = {}
        self._since: dict[str, int] = {}
        self._taken_by: dict[str, str] = {}
        self._answers: dict[str, str] = {}

    async def put(self, call: Forwarded) -> None:
        self.there[call.id] = call
        self._since[call.id] = self._clock.now()

    async def take(
        self, kind: str, cells: Collection[int], by: str, *, within: int, limit: int
    ) -> Sequence[Forwarded]:
        free = [
            call
            for call in self.there.values()
            if call.kind == kind
            and call.cell in cells
            and call.id not in self._taken_by
            and self._since[call.id] > self._clock.now() - within
        ]
        self._taken_by.update({call.id: by for call in free[:limit]})
        return free[:limit]

    async def answer(self, id: str, answer: str) -> None:
        if id in self.there:
            self._answers[id] = answer

    async def standing(self, ids: Collection[str]) -> Sequence[Standing]:
        found = [
            Standing(id, self._taken_by.get(id), self._answers.get(id)) for id in ids if id in self.there
        ]
        for each in found:
            if each.answer is not None:
                self._drop(each.id)
        return found

    async def withdraw(self, id: str) -> bool:
        was_taken = id in self.there and id in self._taken_by
        self._drop(id)
        return not was_taken

    async def forget(self, kept_for: int) -> None:
        for id, since in list(self._since.items()):
            if since <= self._clock.now() - kept_for:
                self._drop(id)

    def _drop(self, id: str) -> None:
        for kept in (self.there, self._since, self._taken_by, self._answers):
            kept.pop(id, None)


class MemoryNotices:
    """Implements ``engine.notices.Notices`` among those that were made with the same ``room``."""

    def __init__(self, room: list[MemoryNotices], clock: Clock) -> None:
        #: False while what others say does not come here.
        self.hears = True
        self._room = room
        self._clock = clock
        self._hearing: defaultdict[About, list[Heard]] = defaultdict(list)
        self._looking = asyncio.get_running_loop().create_task(self._look())
        room.append(self)

    @property
    def is_alone(self) -> bool:
        return len(self._room) == 1

    def say(self, about: About, *words: str) -> None:
        for other in self._room:
            if other is not self and other.hears and words:
                asyncio.get_running_loop().call_soon(other.tell, about, frozenset(words))

    def hear(self, about: About, heard: Heard) -> None:
        self._hearing[about].append(heard)

    def leave(self) -> None:
        """Say and hear nothing more."""
        self._room.remove(self)
        self._looking.cancel()

    def tell(self, about: About, words: frozenset[str] | None) -> None:
        """Somebody said this; ``None`` for anything."""
        for heard in self._hearing[about]:
            heard(words)

    async def _look(self) -> None:
        while True:
            await self._clock.sleep(LOOK_EVERY)
            for about in list(self._hearing):
                self.tell(about, None)
