"""Any number of callers with any keys, on a server that dies at any moment: each key acts once."""

from __future__ import annotations

import asyncio
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.asked_twice import ask, restart
from tests.fixtures.wire import Reply, Wire

KEYS = st.sampled_from(["a", "b", "c"])
#: What happens next: a call with a key to one of two doors, some turns of the loop, or a crash.
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("call"), KEYS, st.booleans()),
        st.tuples(st.just("turns"), st.integers(1, 12)),
        st.tuples(st.just("crash")),
    ),
    max_size=16,
)


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_in_any_order_a_key_acts_once(steps: list[tuple[Any, ...]]):
    """However calls and crashes interleave: one attempt a key, and one answer to all who ask the same."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(Story(Path(folder)).tell(steps))


class Story:
    """What happens to a server, and what its callers hear."""

    def __init__(self, folder: Path) -> None:
        self.wire = Wire(folder)
        self.calls: list[tuple[str, asyncio.Future[Reply]]] = []
        self.answers: dict[str, set[bytes]] = defaultdict(set)

    async def tell(self, steps: list[tuple[Any, ...]]) -> None:
        await self.wire.open()
        self.doors = [(await self.wire.house.lock()).id for _ in range(2)]
        before = await self.attempts()
        for step, *what in steps:
            await getattr(self, step)(*what)
        await self.wire.house.clock.settle()
        used = {key for key, _ in self.calls}
        # At last everybody asks once more; one of the doors is what the key was first used for.
        for key in used:
            for is_other in (False, True):
                self.hear(key, await self.ask(key, is_other))
        for key, call in self.calls:
            if not call.cancelled():
                self.hear(key, call.result())
        assert {key: len(told) for key, told in self.answers.items()} == dict.fromkeys(used, 1)
        assert await self.attempts() - before == len(used)
        assert await self.commands() <= len(used)
        await self.wire.house.die()

    async def ask(self, key: str, is_other: bool) -> Reply:
        return await ask(self.wire, "/locks/unlock_door", {"device_id": self.doors[is_other]}, key)

    async def call(self, key: str, is_other: bool) -> None:
        self.calls.append((key, asyncio.ensure_future(self.ask(key, is_other))))

    async def turns(self, count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def crash(self) -> None:
        # Whoever waits for an answer gets none; what is stored is stored.
        for _, call in self.calls:
            call.cancel()
        await asyncio.gather(*(call for _, call in self.calls), return_exceptions=True)
        await self.wire.house.revive()
        restart(self.wire)

    def hear(self, key: str, reply: Reply) -> None:
        assert reply.status in {200, 409}, reply.content
        if reply.status == 200:
            self.answers[key].add(reply.content)

    async def attempts(self) -> int:
        return len(await self.wire.house.store.attempts("w1", limit=99))

    async def commands(self) -> int:
        house = self.wire.house
        devices = [await house.store.device("w1", door) for door in self.doors]
        return sum(house.commands(device).count("unlock") for device in devices if device is not None)
