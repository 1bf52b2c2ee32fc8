"""Group commit: what waves promise, on real databases."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from tests.fixtures.stores import a_seed, an_attempt, an_event, furnish, sending, succeeding
from thumbturn.domain.attempt import Attempt, Phase
from thumbturn.domain.ids import new_id
from thumbturn.domain.refusals import Overloaded, StorageUnavailable
from thumbturn.domain.workspace import Workspace
from thumbturn.engine.ports import Change, EventFilter, Seed, Transition
from thumbturn.storage.open import open_store
from thumbturn.storage.store import SqlStore
from thumbturn.storage.writer import UnknownWorkspace


@asynccontextmanager
async def one_wave(store: SqlStore) -> AsyncIterator[None]:
    """What is handed over inside the block is written together, after it."""
    busy, done = threading.Event(), threading.Event()

    def hold(_connection: Connection) -> None:
        busy.set()
        done.wait(10)

    holding = store._writer.submit(hold)
    await asyncio.to_thread(busy.wait, 10)
    yield
    done.set()
    await holding


async def sequences(store: SqlStore, workspace_id: str = "w1") -> list[int]:
    return [event.sequence for event in await store.events(workspace_id, EventFilter(), limit=9_999)]


async def test_one_wave_tells_many_workspaces(sql_store: SqlStore):
    """Each workspace's events have numbers without gaps, in their order, whatever else is in the wave."""
    names = [f"many-{number}" for number in (3, 1, 2)]
    for name in names:
        workspace = Workspace(id=name, name=name, is_sandbox=True, created_at=1)
        await sql_store.add_workspace(workspace, user_id=None, seed=Seed((), ()), keys=())
    told = [an_event(names[number % 3 if number < 7 else 0]) for number in range(10)]
    for waves in (told[:5], told[5:]):
        async with one_wave(sql_store):
            written = [sql_store.apply(Change(events=(event,))) for event in waves]
        assert await asyncio.gather(*written) == [True] * 5
    for name in names:
        its_own = [event.event_id for event in told if event.workspace_id == name]
        found = await sql_store.events_after(name, 0, limit=99)
        assert [each.event.event_id for each in found] == its_own
        assert await sequences(sql_store, name) == [*range(1, len(its_own) + 1)]


async def test_what_is_told_to_nobody_takes_no_number(sql_store: SqlStore):
    """An event for a workspace that is not there fails alone, and leaves no gap in those of the others."""
    told = [an_event("w1"), an_event("nobody"), an_event("w2"), an_event("w1")]
    async with one_wave(sql_store):
        written = [sql_store.apply(Change(events=(event,))) for event in told]
    answers = await asyncio.gather(*written, return_exceptions=True)
    assert [isinstance(answer, UnknownWorkspace) for answer in answers] == [False, True, False, False]
    assert await sequences(sql_store, "w1") == [1, 2]
    assert await sequences(sql_store, "w2") == [1]


async def test_what_was_answered_is_there_after_reopening(database_url: str):
    """Everything that was answered is read back by the next process."""
    store = open_store(database_url)
    await furnish(store)
    queued = an_attempt()
    await store.accept(queued)
    sent, send = sending(queued)
    done, settle = succeeding(sent)
    assert await store.apply(send)
    assert await store.apply(settle)
    await store.close()
    again = open_store(database_url)
    assert await again.attempt("w1", queued.id) == done
    assert (await again.device("w1", "w1_lock_1")) == settle.devices[0]
    assert await sequences(again) == [1]
    await again.close()


async def test_close_writes_what_waits_and_refuses_what_comes(sql_store: SqlStore):
    """Closing drains: operations handed over before are answered, later ones are refused."""
    attempts = [an_attempt() for _ in range(50)]
    waiting = [sql_store.accept(attempt) for attempt in attempts]
    await sql_store.close()
    assert await asyncio.gather(*waiting) == [None] * 50
    for ask in (
        lambda: sql_store.accept(an_attempt()),
        lambda: sql_store.attempt("w1", "a"),
        sql_store.open_attempts,
    ):
        with pytest.raises(StorageUnavailable, match="stopping"):
            await ask()


async def test_a_whole_life_in_one_wave(sql_store: SqlStore):
    """Accepted, sent and settled in one wave: the attempt ends where its last change says."""
    lives = []
    async with one_wave(sql_store):
        for _ in range(20):
            queued = an_attempt()
            sent, send = sending(queued)
            done, settle = succeeding(sent)
            lives.append((done, sql_store.accept(queued), sql_store.apply(send), sql_store.apply(settle)))
    for done, *answers in lives:
        assert await asyncio.gather(*answers) == [None, True, True]
        assert await sql_store.attempt("w1", done.id) == done
    assert await sequences(sql_store) == list(range(1, 21))


async def test_losers_of_a_wave_lose_alone(sql_store: SqlStore):
    """Of the rivals in a wave the first of each attempt wins; the second writes nothing."""
    attempts = [an_attempt() for _ in range(9)]
    await asyncio.gather(*[sql_store.accept(attempt) for attempt in attempts])
    async with one_wave(sql_store):
        first = [sql_store.apply(sending(attempt)[1]) for attempt in attempts]
        second = [
            sql_store.apply(Change(sending(attempt)[1].transitions, (), (an_event(),)))
            for attempt in attempts[::4]
        ]
    assert await asyncio.gather(*first) == [True] * 9
    assert await asyncio.gather(*second) == [False] * 3
    assert await sequences(sql_store) == []


async def test_one_bad_operation_does_not_sink_its_wave(sql_store: SqlStore):
    """A duplicate id and an unknown workspace fail alone; their whole wave is written."""
    known = an_attempt()
    await sql_store.accept(known)
    good = [an_attempt() for _ in range(10)]
    async with one_wave(sql_store):
        waiting = [sql_store.accept(attempt) for attempt in good[:5]]
        duplicate = sql_store.accept(known)
        nowhere = sql_store.apply(Change(events=(an_event("nowhere"),)))
        waiting += [sql_store.accept(attempt) for attempt in good[5:]]
        told = sql_store.apply(Change(events=(an_event(),)))
    for bad, said in ((duplicate, "(?i)unique"), (nowhere, "nowhere")):
        with pytest.raises(Exception, match=said):
            await bad
    assert await asyncio.gather(*waiting) == [None] * 10
    assert await told
    assert await sql_store.attempts("w1", ids=[each.id for each in good], limit=99) == sorted(
        good, key=lambda each: each.id
    )
    assert await sequences(sql_store) == [1]


async def test_reset_in_a_wave_keeps_its_place(sql_store: SqlStore):
    """Operations of a wave happen in the order they were handed over, rare ones among hot ones."""
    async with one_wave(sql_store):
        before = sql_store.apply(Change(events=(an_event(event_type="lock.locked"),)))
        reset = asyncio.ensure_future(
            sql_store.reset_workspace("w1", a_seed("w1"), [an_event(event_type="reset")])
        )
        await asyncio.sleep(0)
        after = sql_store.apply(Change(events=(an_event(event_type="lock.unlocked"),)))
    await asyncio.gather(before, reset, after)
    events = await sql_store.events("w1", EventFilter(), limit=9)
    assert [event.event_type for event in events] == ["lock.locked", "reset", "lock.unlocked"]


async def test_beyond_the_bound_nothing_is_taken(database_url: str):
    """When too much waits, more is refused with the time to try again, and what waits is written."""
    store = open_store(database_url, waiting_at_most=5)
    await furnish(store)
    await store.accept(an_attempt())  # with the first one, what an earlier process left is filed
    async with one_wave(store):
        waiting = [store.accept(an_attempt()) for _ in range(5)]
        with pytest.raises(Overloaded) as refused:
            store.accept(an_attempt())
    assert refused.value.headers == {"Retry-After": "1"}
    await asyncio.gather(*waiting)
    await store.accept(an_attempt())
    await store.close()


async def test_a_caller_that_has_gone_changes_nothing(sql_store: SqlStore):
    """An operation whose caller gave up is written all the same, and disturbs nobody."""
    gone, stays = an_attempt(), an_attempt()
    async with one_wave(sql_store):
        left = asyncio.ensure_future(sql_store.accept(gone))
        kept = sql_store.accept(stays)
        left.cancel()
    await kept
    reading = asyncio.ensure_future(sql_store.attempt("w1", gone.id))
    await asyncio.sleep(0)
    reading.cancel()
    assert await sql_store.attempt("w1", gone.id) == gone


async def test_everyone_reads_his_own_writes(sql_store: SqlStore):
    """What was answered is seen by the next read, however many read and write at once."""

    async def write_and_read() -> None:
        for _ in range(10):
            attempt = an_attempt()
            await sql_store.accept(attempt)
            assert await sql_store.attempt("w1", attempt.id) == attempt
            sent, send = sending(attempt)
            assert await sql_store.apply(send)
            assert await sql_store.attempt("w1", attempt.id) == sent

    await asyncio.gather(*[write_and_read() for _ in range(20)])


async def test_reads_do_not_wait_for_the_writer(sql_store: SqlStore):
    """While a transaction is open, reads are answered."""
    attempt = an_attempt()
    await sql_store.accept(attempt)
    async with one_wave(sql_store):
        assert await asyncio.wait_for(sql_store.attempt("w1", attempt.id), 5) == attempt


def drop_connections(url: str) -> None:
    """End every connection to the database, as its operator or a restart would."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where pid <> pg_backend_pid()"
            " and datname = current_database() and backend_type = 'client backend'"
        )


async def test_lost_connections_are_replaced(postgres_url: str):
    """When PostgreSQL drops us, the waiting writes are refused, the next succeed, and reads go on."""
    store = open_store(postgres_url, readers=1)
    await furnish(store)
    attempt = an_attempt()
    await store.accept(attempt)
    assert await store.attempt("w1", attempt.id) == attempt
    async with one_wave(store):
        drop_connections(postgres_url)
        refused = [store.accept(an_attempt()), store.apply(sending(attempt)[1])]
        assert await store.attempt("w1", attempt.id) == attempt
    answers = await asyncio.gather(*refused, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StorageUnavailable] * 2
    assert await store.attempt("w1", attempt.id) == attempt
    await store.accept(an_attempt())
    await store.close()


async def test_database_that_stays_away_is_said_to_be(postgres_url: str):
    """While PostgreSQL cannot be reached, reads and writes are refused; afterwards all is well."""
    store = open_store(postgres_url, readers=1)
    await furnish(store)
    assert await store.attempt("w1", "a") is None
    name = postgres_url.partition("?")[0].rpartition("/")[2]
    with psycopg.connect(postgres_url.replace(name, "postgres"), autocommit=True) as other:
        drop_connections(postgres_url)
        other.execute(f"alter database {name} rename to {name}_away")
        for ask in (
            lambda: store.attempt("w1", "a"),
            store.open_attempts,
            lambda: store.accept(an_attempt()),
        ):
            with pytest.raises(StorageUnavailable) as refusal:
                await ask()
            assert refusal.value.headers == {"Retry-After": "1"}
        other.execute(f"alter database {name}_away rename to {name}")
    await store.accept(an_attempt(id="a"))
    assert await store.attempt("w1", "a") is not None
    await store.close()


async def test_failing_question_is_answered_and_the_reader_goes_on(database_url: str):
    """What a query raises reaches whoever asked, and the next question is answered."""
    store = open_store(database_url, readers=1)
    with pytest.raises(DatabaseError):
        await store._reader.read(lambda connection: connection.exec_driver_sql("select nothing from nowhere"))
    assert await store.has_workspaces() is False
    await store.close()


async def test_unwritable_database_is_no_fault_of_the_operation(tmp_path: Any):
    """An unwritable SQLite file makes everyone wait and try again, and heals with a new connection."""
    store = open_store(f"sqlite:///{tmp_path / 'thumbturn.db'}")
    await furnish(store)
    async with one_wave(store):
        refused = [
            store._writer.submit(lambda connection: connection.exec_driver_sql("pragma query_only = on"))
        ]
        refused += [store.accept(an_attempt()) for _ in range(3)]
    for answer in refused:
        with pytest.raises(StorageUnavailable) as refusal:
            await answer
        assert refusal.value.headers == {"Retry-After": "1"}
    await store.accept(an_attempt())
    await store.close()


GOOD, LOSER, STRANGER = "good", "loser", "stranger"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from((GOOD, GOOD, LOSER, STRANGER)), st.integers(0, 3)), max_size=12),
        max_size=5,
    )
)
def test_sequences_have_no_gap(every_database: SqlStore, waves: list[list[tuple[str, int]]]):
    """Whatever fails among whatever else, the events that were written count from 1 without a gap."""

    async def live() -> None:
        workspace = Workspace(id=new_id(), name="w", is_sandbox=True)
        await every_database.add_workspace(workspace, user_id=None, seed=Seed((), ()), keys=[])
        expected = 0
        for wave in waves:
            answers = await asyncio.gather(
                *[every_database.apply(change(workspace.id, kind, count)) for kind, count in wave],
                return_exceptions=True,
            )
            for (kind, count), answer in zip(wave, answers, strict=True):
                if kind == STRANGER:
                    assert isinstance(answer, Exception)
                else:
                    assert answer is (kind == GOOD)
                    expected += count if answer is True else 0
        assert await sequences(every_database, workspace.id) == list(range(1, expected + 1))

    asyncio.run(live())


@pytest.fixture
def every_database(database_url: str) -> Any:
    """A store that may be used from one event loop after another."""
    store = open_store(database_url)
    yield store
    asyncio.run(store.close())


def change(workspace_id: str, kind: str, count: int) -> Change:
    """A change with so many events that will be made, lose, or fail."""
    told = tuple(an_event(workspace_id) for _ in range(count))
    if kind == LOSER:
        return Change(sending(an_attempt(workspace_id))[1].transitions, (), told)
    return Change(events=(*told, an_event("nowhere")) if kind == STRANGER else told)


def test_two_processes_share_one_sequence(postgres_url: str):
    """On PostgreSQL two stores write to one workspace at once: no number is given twice, none is left out."""

    async def live() -> None:
        one, two = open_store(postgres_url), open_store(postgres_url)
        await furnish(one)

        async def tell(store: SqlStore, attempts: list[Attempt]) -> None:
            for attempt in attempts:
                await store.accept(attempt)
                assert await store.apply(Change(events=(an_event(), an_event("w2"))))

        await asyncio.gather(*[tell(store, [an_attempt() for _ in range(5)]) for store in (one, two) * 10])
        for workspace_id in ("w1", "w2"):
            assert await sequences(one, workspace_id) == list(range(1, 101))
        await one.close()
        await two.close()

    asyncio.run(live())


async def test_a_wave_of_any_size_is_all_or_nothing(sql_store: SqlStore):
    """Also one that takes several statements: its events are all there, or none and no number is lost."""
    many = [an_event(device_id="w1_lock_1") for _ in range(2_500)]
    lost = Change((Transition(an_attempt(phase=Phase.FAILED), Phase.SENT),), events=tuple(many))
    assert await sql_store.apply(lost) is False
    assert await sql_store.apply(Change(events=tuple(many))) is True
    found = await sql_store.events("w1", EventFilter(), limit=5_000)
    assert [event.sequence for event in found] == list(range(1, 2_501))
    assert [event.event_id for event in found] == [event.event_id for event in many]
