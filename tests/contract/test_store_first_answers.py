"""First answers: a key is taken once, together with its attempt, for a day."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.test_store_writing import one_wave
from tests.fixtures.stores import NOON, an_attempt, furnish
from thumbturn.domain.idempotency import KEPT_FOR, FirstAnswer
from thumbturn.domain.ids import new_id
from thumbturn.engine.ports import Store
from thumbturn.storage.open import open_store
from thumbturn.storage.store import SqlStore


def a_first(attempt_id: str | None = None, **other) -> FirstAnswer:
    """A first answer, of a scope that nobody else uses."""
    first = FirstAnswer(new_id(), "the parameters", NOON, attempt_id, None if attempt_id is None else "{}")
    return first._replace(**other)


async def test_a_key_is_taken_once(store: Store):
    """The second attempt under a key is not accepted; neither it nor its answer is on record."""
    first, second = an_attempt(), an_attempt()
    kept = a_first(first.id)
    assert await store.accept_once(first, kept) is True
    assert await store.accept_once(second, kept._replace(attempt_id=second.id, body="other")) is False
    assert await store.first_answer(kept.scope, NOON) == kept
    assert await store.attempt("w1", first.id) == first
    assert await store.attempt("w1", second.id) is None


async def test_a_key_is_taken_with_many_attempts_or_not_at_all(store: Store):
    """Attempts that are accepted together have one key; if it is taken, none of them is on record."""
    first, second = ([an_attempt(batch_id=id) for _ in range(3)] for id in ("b1", "b2"))
    kept = a_first(first[0].id)
    assert await store.accept_all(first, kept) is True
    assert await store.accept_all(second, kept._replace(attempt_id=second[0].id)) is False
    assert await store.first_answer(kept.scope, NOON) == kept
    assert len(await store.batch("w1", "b1")) == 3
    assert await store.batch("w1", "b2") == []


async def test_an_attempt_that_cannot_be_stored_takes_no_key(sql_store: SqlStore):
    """If the attempt fails to be written, its key is not taken."""
    known = an_attempt()
    await sql_store.accept(known)
    kept = a_first(known.id)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await sql_store.accept_once(known, kept)
    assert await sql_store.first_answer(kept.scope, NOON) is None


async def test_a_taken_key_does_not_sink_its_wave(sql_store: SqlStore):
    """Of a wave only the calls whose keys are taken lose; whatever else it holds is written."""
    taken = a_first("an attempt")
    assert await sql_store.claim(taken)
    good = [an_attempt() for _ in range(9)]
    async with one_wave(sql_store):
        waiting = [sql_store.accept_once(attempt, a_first(attempt.id)) for attempt in good[:4]]
        late = sql_store.accept_once(an_attempt(), taken)
        claimed_late = sql_store.claim(taken)
        plain = [sql_store.accept(attempt) for attempt in good[4:]]
    assert await asyncio.gather(*waiting) == [True] * 4
    assert await asyncio.gather(*plain) == [None] * 5
    assert (await late, await claimed_late) == (False, False)
    assert len(await sql_store.attempts("w1", ids=[each.id for each in good], limit=99)) == 9


async def test_two_of_one_key_in_one_wave(sql_store: SqlStore):
    """Handed over at once, one of them is accepted and all others lose."""
    kept = a_first()
    async with one_wave(sql_store):
        rivals = [
            sql_store.accept_once(attempt, kept._replace(attempt_id=attempt.id, body="{}"))
            for attempt in (an_attempt() for _ in range(5))
        ]
    assert await asyncio.gather(*rivals) == [True, False, False, False, False]
    assert len(await sql_store.open_attempts()) == 1


async def test_a_note_gets_its_answer(store: Store):
    """A call is under way until its answer is put to its note; the answer is kept, and cannot be taken."""
    note = a_first()
    assert await store.claim(note) is True
    assert await store.claim(note) is False
    assert await store.first_answer(note.scope, NOON) == note
    await store.complete(note._replace(body="sealed"))
    await store.release(note.scope)
    assert await store.first_answer(note.scope, NOON) == note._replace(body="sealed")


async def test_a_note_that_came_to_nothing_is_released(store: Store):
    """A released key is unused, and an answer that comes after that is put to nobody's note."""
    note = a_first()
    await store.claim(note)
    await store.release(note.scope)
    assert await store.first_answer(note.scope, NOON) is None
    later = note._replace(begun_at=NOON + 1, fingerprint="others")
    assert await store.claim(later) is True
    await store.complete(note._replace(body="of the first"))
    assert await store.first_answer(note.scope, NOON) == later


async def test_after_a_day_a_key_is_free(store: Store):
    """Before its end the key is taken, from its end on it is free, also while its row is still there."""
    first = an_attempt()
    kept = a_first(first.id)
    await store.accept_once(first, kept)
    end = NOON + KEPT_FOR
    assert await store.first_answer(kept.scope, end - 1) == kept
    assert await store.first_answer(kept.scope, end) is None
    second = an_attempt()
    early = kept._replace(begun_at=end - 1, attempt_id=second.id)
    assert await store.accept_once(second, early) is False
    due = early._replace(begun_at=end, fingerprint="new", body="new")
    assert await store.accept_once(second, due) is True
    assert await store.first_answer(kept.scope, end) == due


async def test_the_old_are_forgotten_in_bites(store: Store):
    """The oldest go first, so many at a time; it says whether there may be more; the young stay."""
    old = [a_first(begun_at=NOON + age) for age in range(5)]
    young = a_first(begun_at=NOON + 5)
    for first in (young, *reversed(old)):
        await store.claim(first)

    async def left() -> int:
        found = [await store.first_answer(first.scope, NOON) for first in old]
        return len([each for each in found if each is not None])

    assert await store.forget_first_answers(NOON + 4, 2) is True
    assert [await store.first_answer(first.scope, NOON) for first in old[:2]] == [None, None]
    assert await left() == 3
    assert await store.forget_first_answers(NOON + 4, 3) is True
    assert await store.forget_first_answers(NOON + 4, 3) is False
    assert await left() == 0
    assert await store.first_answer(young.scope, NOON) == young


async def test_first_answers_outlive_the_process(database_url: str):
    """What was taken is taken for the next process, and reads the same."""
    store = open_store(database_url)
    await furnish(store)
    attempt = an_attempt()
    kept = a_first(attempt.id, body='{"ok":true,"name":"Türe"}')
    await store.accept_once(attempt, kept)
    await store.close()
    again = open_store(database_url)
    assert await again.first_answer(kept.scope, NOON) == kept
    assert await again.accept_once(an_attempt(), kept) is False
    await again.close()


async def test_two_processes_race_for_keys(postgres_url: str):
    """On PostgreSQL two stores ask for the same keys at once: of each pair one wins, whatever the order."""
    one, two = open_store(postgres_url), open_store(postgres_url)
    await furnish(one)
    scopes = [new_id() for _ in range(200)]

    async def take(store: SqlStore, order: list[str]) -> dict[str, bool]:
        attempts = {scope: an_attempt() for scope in order}
        taking = [
            store.accept_once(attempt, a_first(attempt.id, scope=scope))
            for scope, attempt in attempts.items()
        ]
        return dict(zip(order, await asyncio.gather(*taking), strict=True))

    mine, others = await asyncio.gather(take(one, scopes), take(two, scopes[::-1]))
    assert [mine[scope] + others[scope] for scope in scopes] == [1] * len(scopes)
    assert len(await one.open_attempts()) == len(scopes)
    await one.close()
    await two.close()


@pytest.fixture
def every_loop(database_url: str) -> Iterator[SqlStore]:
    """A store that may be used from one event loop after another."""
    store = open_store(database_url)
    asyncio.run(furnish(store))
    yield store
    asyncio.run(store.close())


MOMENTS = st.integers(0, 3).map(lambda half_days: NOON + half_days * KEPT_FOR // 2)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(waves=st.lists(st.lists(st.tuples(st.integers(0, 3), MOMENTS), max_size=8), max_size=5))
def test_any_order_of_calls_takes_each_key_once(every_loop: SqlStore, waves):
    """Whatever calls meet in whatever waves: one is accepted exactly if its key was free at its moment."""

    async def live() -> None:
        space = new_id()
        taken_at: dict[int, int] = {}
        for wave in waves:
            expected = []
            for key, now in wave:
                is_free = key not in taken_at or taken_at[key] <= now - KEPT_FOR
                expected.append(is_free)
                if is_free:
                    taken_at[key] = now
            attempts = [an_attempt() for _ in wave]
            answers = await asyncio.gather(
                *[
                    every_loop.accept_once(attempt, a_first(attempt.id, scope=f"{space}/{key}", begun_at=now))
                    for (key, now), attempt in zip(wave, attempts, strict=True)
                ]
            )
            assert answers == expected
            stored = await every_loop.attempts("w1", ids=[each.id for each in attempts], limit=99)
            assert len(stored) == sum(expected)

    asyncio.run(live())
