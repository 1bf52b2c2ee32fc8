"""What becomes of a call that lies there for another process, when its caller goes or the database does."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any

import pytest

from tests.fixtures.front import OneOrNone
from thumbturn.api.exchanged import Request
from thumbturn.api.forwarding import DOUBTED_FOR, TAKEN_BEFORE, TAKEN_WITHIN, Forwarding
from thumbturn.domain.clock import SECOND
from thumbturn.domain.ids import random_bytes
from thumbturn.domain.refusals import AnswerLost, OwnerMissing, StorageUnavailable
from thumbturn.engine.calls import Forwarded
from thumbturn.sealing import Seal
from thumbturn.testing.calls import MemoryCalls, MemoryNotices
from thumbturn.testing.clock import FakeClock

UNLOCK = Request("r1", "POST", "http", "/acs/entrances/unlock", b"", (), b"{}")


class Calls(MemoryCalls):
    """A database that can go away: after a call was put down, or altogether."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.loses_answers = False
        self.is_away = False
        #: The process that takes a call as soon as it lies there.
        self.taker: str | None = None

    async def put(self, call: Forwarded) -> None:
        """Put it down, and say so only if answers come back."""
        if self.is_away:
            raise StorageUnavailable
        await super().put(call)
        if self.taker is not None:
            await taken(self, by=self.taker)
        if self.loses_answers:
            raise StorageUnavailable

    async def withdraw(self, id: str) -> bool:
        """Take it away, if the database is there."""
        if self.is_away:
            raise StorageUnavailable
        return await super().withdraw(id)


async def taken(calls: MemoryCalls, by: str = "owner") -> Sequence[Forwarded]:
    """What the owner of the cell finds when he looks."""
    mine: Collection[int] = {0}
    return await calls.take("engine", mine, by, within=TAKEN_BEFORE, limit=9)


class Front:
    """A process that owns nothing, and asks."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.calls = Calls(self.clock)
        self.notices = MemoryNotices([], self.clock)
        self.alive = {"front", "owner"}
        cells: Any = OneOrNone("front", None, self.alive)
        self.forwarding = Forwarding(
            store=self.calls,
            notices=self.notices,
            seal=Seal([random_bytes(32)]),
            cells=cells,
            clock=self.clock,
        )

    async def asks(self) -> asyncio.Task[Any]:
        """A call that was put down and waits."""
        asking = asyncio.ensure_future(self.forwarding.ask(UNLOCK, "engine", 0))
        await self.clock.settle()
        return asking


@pytest.fixture
async def front() -> Any:
    """It, and nobody else."""
    made = Front()
    yield made
    made.notices.leave()


async def test_what_its_caller_waits_for_no_more_is_not_done(front: Front):
    """Once a caller has hung up, no owner takes his call: he may ask again, and both would be done."""
    asking = await front.asks()
    assert len(front.calls.there) == 1
    asking.cancel()
    await front.clock.settle()
    assert await taken(front.calls) == []


async def test_a_call_is_taken_back_when_the_database_is_there_again(front: Front):
    """Also if the database is away when its caller hangs up, it is taken away as soon as it can be."""
    asking = await front.asks()
    front.calls.is_away = True
    asking.cancel()
    await front.clock.advance(3 * SECOND)
    assert len(front.calls.there) == 1
    front.calls.is_away = False
    await front.clock.advance(SECOND)
    assert await taken(front.calls) == []


async def test_who_gets_an_answer_takes_nothing_back(front: Front):
    """A call that nobody takes is withdrawn once, and is known not to have been done."""
    asking = await front.asks()
    await front.clock.advance(TAKEN_WITHIN + 2 * SECOND)
    with pytest.raises(OwnerMissing):
        await asking
    assert front.calls.there == {}


@pytest.mark.parametrize(("taker", "refusal"), [("owner", AnswerLost), (None, StorageUnavailable)])
async def test_nothing_was_done_is_said_only_if_nobody_took_the_call(
    front: Front, taker: str | None, refusal: type[Exception]
):
    """Where only the answer to putting it down was lost, it may have been taken: then nobody knows."""
    front.calls.taker, front.calls.loses_answers = taker, True
    with pytest.raises(refusal):
        await front.forwarding.ask(UNLOCK, "engine", 0)
    assert front.calls.there == {}


async def test_a_process_that_has_just_begun_is_not_taken_for_dead(front: Front):
    """A call that was taken by one who is not known yet waits for him; and not for ever."""
    front.calls.taker = "new"
    asking = await front.asks()
    await front.clock.advance(DOUBTED_FOR - 2 * SECOND)
    assert not asking.done()
    front.alive.add("new")
    await front.clock.advance(2 * DOUBTED_FOR)
    assert not asking.done()
    front.alive.discard("new")
    await front.clock.advance(DOUBTED_FOR + 2 * SECOND)
    with pytest.raises(AnswerLost):
        await asking
