"""Behind a transaction pooler everything goes on as without: nothing is left to a session."""

from __future__ import annotations

import asyncio

import pytest

from tests.fixtures.pooler import pooled
from tests.fixtures.stores import NOON, an_attempt, furnish
from thumbturn.domain.idempotency import FirstAnswer
from thumbturn.engine.calls import Forwarded
from thumbturn.engine.ports import DeviceFilter
from thumbturn.storage.calls import SqlCalls, at_once
from thumbturn.storage.databases import DatabaseUnusable, behind_pooler, parse_url, writing_engine
from thumbturn.storage.open import open_store
from thumbturn.storage.writer import Writer

#: psycopg prepares a statement when it is asked for the sixth time.
OFTEN = 12


async def test_a_store_works_behind_a_transaction_pooler(postgres_url: str):
    """The same reads and writes, asked for again and again, go through whichever connection is free."""
    with pooled(postgres_url) as (url, pooler):
        through = behind_pooler(parse_url(url)).render_as_string(hide_password=False)
        store = open_store(through, readers=2)
        await furnish(store)
        for number in range(OFTEN):
            attempt = an_attempt(at=NOON + number)
            assert await store.accept_for(3, attempt, FirstAnswer(f"s{number}", "f", 1, attempt.id, "{}"))
            found = await asyncio.gather(
                store.attempt("w1", attempt.id),
                store.devices("w1", DeviceFilter(), limit=10),
                store.last_sequence("w1"),
            )
            assert found[0] == attempt
            assert len(found[1]) == 3
        assert await store.open_count("w1", 100) == OFTEN
        await store.close()
        assert pooler.refused == []
        assert pooler.transactions > 4 * OFTEN


async def test_calls_are_forwarded_behind_a_transaction_pooler(postgres_url: str):
    """What processes ask of each other goes through it, too."""
    with pooled(postgres_url) as (url, _):
        writer = Writer(writing_engine(behind_pooler(parse_url(url))), at_once, bound=100)
        calls = SqlCalls(writer)
        for number in range(OFTEN):
            await calls.put(Forwarded(f"c{number}", "engine", 1, "a", "sealed"))
            assert len(await calls.take("engine", {1}, "b", within=60_000_000, limit=9)) == 1
            await calls.answer(f"c{number}", "sealed")
            assert (await calls.standing([f"c{number}"]))[0].answer == "sealed"
        await writer.close()


def test_a_pooler_that_is_not_named_as_one_is_told_apart(postgres_url: str):
    """Without the setting the pooler refuses what a session is begun with, and the reason is said."""
    with pooled(postgres_url) as (url, pooler), pytest.raises(DatabaseUnusable, match="options"):
        open_store(url)
    assert pooler.refused
