"""Calls that one process answers for another lie in PostgreSQL, and each is taken once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from thumbturn.domain.clock import SystemClock, seconds
from thumbturn.engine.calls import CallStore, Forwarded
from thumbturn.storage.calls import SqlCalls, at_once
from thumbturn.storage.databases import parse_url, writing_engine
from thumbturn.storage.writer import Writer
from thumbturn.testing.calls import MemoryCalls


@pytest.fixture(params=["postgres", "memory"])
async def both(request: pytest.FixtureRequest) -> AsyncIterator[list[CallStore]]:
    """Two processes' views of the same calls."""
    if request.param == "memory":
        yield [MemoryCalls(SystemClock())] * 2
        return
    postgres_url = request.getfixturevalue("postgres_url")
    writers = [Writer(writing_engine(parse_url(postgres_url)), at_once, bound=100) for _ in range(2)]
    yield [SqlCalls(writer) for writer in writers]
    for writer in writers:
        await writer.close()


MINUTE = seconds(60)


def a_call(id: str, *, cell: int = 1, kind: str = "engine") -> Forwarded:
    """A call of process ``a``."""
    return Forwarded(id, kind, cell, "a", f"sealed {id}")


async def test_a_call_is_taken_once_by_an_owner_of_its_cell(both: list[CallStore]):
    """Of two who look for the calls of the same cells at once, each call is given to one of them."""
    here, there = both
    for number in range(20):
        await here.put(a_call(f"c{number:02}"))
    await here.put(a_call("other cell", cell=2))
    await here.put(a_call("other kind", kind="webhooks"))
    taken = await asyncio.gather(
        here.take("engine", {0, 1}, "b", within=MINUTE, limit=12),
        there.take("engine", {0, 1}, "c", within=MINUTE, limit=12),
    )
    left = await here.take("engine", {0, 1}, "b", within=MINUTE, limit=50)
    found = [call.id for calls in (*taken, left) for call in calls]
    assert sorted(found) == [f"c{number:02}" for number in range(20)]
    assert taken[0] == sorted(taken[0]), "oldest first"


async def test_an_answer_is_taken_away_and_what_is_open_stands(both: list[CallStore]):
    """Who asks how calls stand is told who has them; one that is answered is gone with its answer."""
    here, there = both
    for id in ("waits", "taken", "done"):
        await here.put(a_call(id))
    await there.take("engine", {1}, "b", within=MINUTE, limit=2)
    await there.answer("done", "sealed answer")
    standing = {each.id: each for each in await here.standing(["waits", "taken", "done", "unknown"])}
    assert standing.keys() == {"waits", "taken", "done"}
    assert standing["done"].answer == "sealed answer"
    assert sum(each.taken_by == "b" for each in standing.values()) == 2
    assert {each.id for each in await here.standing(["waits", "taken", "done"])} == {"waits", "taken"}


async def test_only_what_nobody_took_can_be_withdrawn(both: list[CallStore]):
    """A call that was withdrawn is taken by nobody; one that was taken is said to be, and gone."""
    here, there = both
    await here.put(a_call("early"))
    assert await here.withdraw("early") is True
    assert await there.take("engine", {1}, "b", within=MINUTE, limit=9) == []
    await here.put(a_call("late"))
    await there.take("engine", {1}, "b", within=MINUTE, limit=9)
    assert await here.withdraw("late") is False
    assert await here.withdraw("late") is True


async def test_nobody_takes_what_is_too_old(both: list[CallStore]):
    """A call whose asker must have gone is taken by nobody, and is removed in time; by its own clock."""
    here, there = both
    await here.put(a_call("old"))
    await asyncio.sleep(0.2)
    await here.put(a_call("new"))
    found = await there.take("engine", {1}, "b", within=seconds(0.1), limit=9)
    assert "old" not in [call.id for call in found]
    await there.forget(MINUTE)
    assert sorted(each.id for each in await here.standing(["old", "new"])) == ["new", "old"]
    await there.forget(seconds(0.1))
    assert "old" not in [each.id for each in await here.standing(["old", "new"])]
