"""On PostgreSQL attempts and events lie in partitions by time, made ahead, gone when all in them is old."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Connection, Engine, event, text

from tests.contract.test_schema_expands import upgrade
from tests.contract.test_store_audit import problems, whole
from tests.contract.test_store_retention import ASKER
from tests.contract.test_store_webhooks import a_webhook
from tests.fixtures.stores import an_attempt, an_event, furnish, sending, succeeding
from thumbturn.domain.attempt import Attempt, Mark, Phase
from thumbturn.domain.clock import SystemClock
from thumbturn.domain.event import Event
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.retention import DAY, Ages
from thumbturn.engine import purging
from thumbturn.engine.ports import Change, EventFilter, Transition
from thumbturn.engine.purging import Purging
from thumbturn.engine.webhook_ports import Progress
from thumbturn.storage import partitions
from thumbturn.storage.databases import parse_url, writing_engine
from thumbturn.storage.open import migrate, open_store
from thumbturn.storage.partitions import ATTEMPTS, EVENTS, Partition, Series, bound_of, moment_of, spans
from thumbturn.storage.store import SqlStore
from thumbturn.testing.clock import FakeClock

T = TypeVar("T")

#: The schema was made now, so its first days are those of today.
TODAY = SystemClock().now()
AGES = Ages(attempts=180 * DAY, events=30 * DAY, deliveries=90 * DAY)


def id_at(moment: int, number: int) -> str:
    """A UUIDv7 of this moment."""
    return str(UUID(int=moment // 1_000 << 80 | 0x7 << 76 | 0b10 << 62 | number))


def ended(moment: int, number: int = 0, **other: Any) -> Attempt:
    """An attempt that was accepted at this moment, and failed at once."""
    over = {"phase": Phase.FAILED, "failure": ("lock_jammed", "Jammed."), "settled_at": moment}
    return an_attempt(at=moment, **{"id": id_at(moment, number), "asked_by": ASKER, **over, **other})


def told_at(moment: int, number: int = 0, workspace_id: str = "w1") -> Event:
    """An event of this moment."""
    return an_event(workspace_id, event_id=id_at(moment, number), created_at=moment)


@pytest.fixture
async def store(bare_postgres_url: str) -> AsyncIterator[SqlStore]:
    """A store in a database of its own, furnished."""
    opened = open_store(bare_postgres_url)
    await furnish(opened)
    yield opened
    await opened.close()


async def ask(store: SqlStore, call: Callable[[Connection], T]) -> T:
    """What the database says."""
    return await store._write(call)


async def names(store: SqlStore, series: Series) -> list[str]:
    """The partitions with days of their own."""
    return [each.name for each in await ask(store, lambda connection: spans(connection, series))]


async def where(store: SqlStore, table: str, column: str, id: str) -> str:
    """The partition in which this row is."""
    query = text(f"select tableoid::regclass::text from {table} where {column} = :id")
    found: str = await ask(store, lambda connection: connection.execute(query, {"id": id}).scalar_one())
    return found


async def round_of(store: SqlStore, now: int) -> None:
    """A round of forgetting, with room for what comes."""
    loop = Purging(store, FakeClock(now), AGES)
    while await loop.bite():
        pass


async def days_pass(store: SqlStore, until: int) -> None:
    """Room is made in time, as a server does that runs."""
    for now in range(TODAY, until, 7 * DAY):
        await store.retention.make_room(now)


async def test_there_is_room_ahead_of_time(store: SqlStore):
    """At each moment there is a partition for what comes now and for what comes next, each made once."""
    await days_pass(store, TODAY + 100 * DAY)
    for series, at_least in ((ATTEMPTS, 4), (EVENTS, 15)):
        there = await ask(store, lambda connection: spans(connection, series))  # noqa: B023
        assert len(there) in (at_least, at_least + 1, at_least + 2)
        assert there[-1].end > TODAY + 93 * DAY + series.period
        assert all(before.end == after.start for before, after in itertools.pairwise(there))
        assert {each.end - each.start for each in there} == {series.period}
        attempt, event = ended(TODAY + 40 * DAY), told_at(TODAY + 40 * DAY)
    await store.accept(attempt)
    await store.apply(Change(events=(event,)))
    assert (await where(store, "attempts", "id", attempt.id)).startswith("attempts_p2")
    assert (await where(store, "events", "event_id", event.event_id)).startswith("events_p2")


async def test_a_clock_that_was_ahead_leaves_no_gap(store: SqlStore):
    """Room that was made for a year ahead by mistake does not stand in for the room of the days before it."""
    await store.retention.make_room(TODAY + 400 * DAY + 5)
    far = {series: await names(store, series) for series in (ATTEMPTS, EVENTS)}
    await days_pass(store, TODAY + 430 * DAY)
    for series in (ATTEMPTS, EVENTS):
        there = await ask(store, lambda connection: spans(connection, series))  # noqa: B023
        assert {*far[series]} <= {each.name for each in there}
        assert all(before.end == after.start for before, after in itertools.pairwise(there))
        assert there[0].start <= TODAY + series.period
        assert there[-1].end > TODAY + 400 * DAY + series.period


async def test_each_partition_is_made_by_itself(store: SqlStore, monkeypatch):
    """What holds up the second one leaves the first where it is, and no lock from one to the other."""
    attach, made = partitions._attach, []

    def attaches_one(connection: Connection, series: Series, partition: Partition) -> None:
        made.append(partition.name)
        if len(made) > 1:
            raise ZeroDivisionError
        attach(connection, series, partition)

    monkeypatch.setattr(partitions, "_attach", attaches_one)
    with pytest.raises(ZeroDivisionError):
        await store.retention.make_room(TODAY + 90 * DAY)
    assert await names(store, ATTEMPTS) == made[:1]


async def test_no_row_is_refused(store: SqlStore):
    """What is of no partition's time is taken all the same: of long ago, of years ahead, and no UUIDv7."""
    for id in (id_at(TODAY - 900 * DAY, 1), id_at(TODAY + 9_000 * DAY, 1), "zzz", ""):
        attempt = an_attempt(id=id, at=TODAY)
        await store.accept(attempt)
        sent, send = sending(attempt)
        assert await store.apply(send)
        assert await store.apply(succeeding(sent)[1])
        found = await store.attempt("w1", id)
        assert found is not None
        assert found.phase is Phase.SUCCEEDED
        await store.apply(Change(events=(an_event(event_id=f"e{id}"),)))
    assert await store.last_sequence("w1") == 8
    with pytest.raises(Exception, match="unique"):
        await store.accept(an_attempt(id="zzz"))


async def test_what_came_before_its_partition_is_put_into_it(store: SqlStore):
    """After a sleep of months rows come before there is room; they find their place and move on there."""
    later = TODAY + 400 * DAY
    attempt, event = an_attempt(id=id_at(later, 1), at=later), told_at(later)
    await store.accept(attempt)
    await store.apply(Change(events=(event,)))
    assert await where(store, "attempts", "id", attempt.id) == "attempts_rest"
    await store.retention.make_room(later)
    assert (await where(store, "attempts", "id", attempt.id)).startswith("attempts_p2")
    assert (await where(store, "events", "event_id", event.event_id)).startswith("events_p2")
    assert len(await names(store, ATTEMPTS)) == 2
    _, send = sending(attempt)
    assert await store.apply(send)
    assert not await store.apply(send)
    assert [each.sequence for each in await store.events("w1", EventFilter(), limit=9)] == [1]


async def test_a_partition_goes_when_all_in_it_is_old(store: SqlStore, monkeypatch):
    """With its attempts go their late marks; the audit trail keeps their texts; what is younger stays."""
    monkeypatch.setattr(purging, "ROWS", 1)
    await days_pass(store, TODAY + 70 * DAY)
    old = [ended(TODAY + n * DAY // 20, n) for n in range(25)]
    young = [ended(TODAY + (60 + n) * DAY, n) for n in range(3)]
    for attempt in [*old, *young]:
        await store.accept(attempt)
        await store.append_late(attempt.id, Mark("late", TODAY, Evidence.STATE_REPORT, "moved"))
    trail = await whole(store)
    first = (await names(store, ATTEMPTS))[0]
    await round_of(store, TODAY + (180 + 31) * DAY)
    assert first not in await names(store, ATTEMPTS)
    assert {each.id for each in await store.attempts("w1", limit=99)} == {each.id for each in young}
    marks = text("select count(*) from late_marks")
    assert await ask(store, lambda connection: connection.execute(marks).scalar()) == len(young)
    assert await whole(store) == trail
    assert await problems(store) == []
    left = text("select count(*) from pg_class where relname like '%\\_gone'")
    assert await ask(store, lambda connection: connection.execute(left).scalar()) == 0


@pytest.mark.parametrize("how", ["open", "ended late"])
async def test_what_has_to_stay_keeps_its_partition(store: SqlStore, how: str):
    """An attempt that is open, or has ended a short while ago, keeps those beside it until it is old."""
    await days_pass(store, TODAY + 70 * DAY)
    now = TODAY + 250 * DAY
    stays = ended(TODAY, 1, settled_at=now - DAY) if how == "ended late" else an_attempt(id=id_at(TODAY, 1))
    for attempt in (stays, ended(TODAY, 2), ended(TODAY + 35 * DAY, 3)):
        await store.accept(attempt)
    await round_of(store, now)
    assert {each.id for each in await store.attempts("w1", limit=9)} == {stays.id, id_at(TODAY, 2)}
    if how == "open":
        over = stays._replace(phase=Phase.FAILED, failure=("lock_jammed", "Jammed."), settled_at=now)
        assert await store.apply(Change((Transition(over, Phase.QUEUED),)))
    await round_of(store, now + 181 * DAY)
    assert await store.attempts("w1", limit=9) == []


async def test_rows_outside_of_partitions_go_one_by_one(store: SqlStore):
    """What was there before there were partitions, and what fits into none, goes by its own age."""
    odd = [ended(TODAY - n * DAY, n, id=id) for n, id in ((300, "zz1"), (181, "zz2"), (179, "zz3"))]
    past = [ended(TODAY - n * DAY, n) for n in (300, 181, 179)]
    for attempt in [*odd, *past]:
        await store.accept(attempt)
    events = [told_at(TODAY - n * DAY, n) for n in (40, 31, 29)]
    await store.apply(Change(events=tuple(events)))
    await round_of(store, TODAY)
    assert {each.id for each in await store.attempts("w1", limit=9)} == {odd[2].id, past[2].id}
    assert [each.sequence for each in await store.events("w1", EventFilter(), limit=9)] == [3]
    assert await problems(store) == []


async def test_partitions_of_events_go_from_the_oldest_on(store: SqlStore):
    """The log stays a sequence without a gap whose beginning was cut off; nothing that is owed goes."""
    await days_pass(store, TODAY + 61 * DAY)
    for workspace_id in ("w1", "w2"):
        told = [told_at(TODAY + n * DAY, n, workspace_id) for n in range(0, 40, 2)]
        # Made before another, and told after it.
        told[5], told[6] = told[6], told[5]
        # No id is another's.
        ids = [f"{each.event_id[:-1]}{workspace_id[1]}" for each in told]
        events = [each._replace(event_id=id) for each, id in zip(told, ids, strict=True)]
        await store.apply(Change(events=tuple(events)))
    await store.webhooks.add(a_webhook(workspace_id="w2"))
    await store._write(lambda connection: connection.execute(text("update webhooks set cursor = 1")))
    await store.retention.make_room(TODAY + 60 * DAY)
    before = await names(store, EVENTS)
    await round_of(store, TODAY + 60 * DAY)
    assert await names(store, EVENTS) == before
    await store.webhooks.record(Progress(cursors={"h1": 20}))
    await round_of(store, TODAY + 60 * DAY)
    assert len(await names(store, EVENTS)) < len(before)
    for workspace_id in ("w1", "w2"):
        left = [each.sequence for each in await store.events(workspace_id, EventFilter(), limit=99)]
        assert left == list(range(left[0], 21))
        assert 9 <= left[0] <= 17
        assert await store.retention.oldest_event(workspace_id) == left[0]


@contextmanager
def listening(engine: Engine, moment: str, call: Callable[..., None]) -> Iterator[None]:
    """Have this called at each such moment."""
    event.listen(engine, moment, call)
    yield
    event.remove(engine, moment, call)


async def a_number_in_another_partition(store: SqlStore) -> None:
    """An event of the oldest partition, and one with a lower number and an id of the partition after it."""
    await days_pass(store, TODAY + 61 * DAY)
    first, *_ = [each.start for each in await ask(store, lambda connection: spans(connection, EVENTS))]
    earlier, last = told_at(first + 8 * DAY, 1), told_at(first + DAY, 2)
    await store.apply(Change(events=(earlier, last, told_at(first + 59 * DAY, 3))))


async def sequences(store: SqlStore) -> list[int]:
    """The numbers of the events that are kept."""
    return [each.sequence for each in await store.events("w1", EventFilter(), limit=9)]


async def test_the_table_of_events_is_free_while_its_rows_go(store: SqlStore, bare_postgres_url: str):
    """What goes row by row beside a partition goes while everybody may read and write."""
    await a_number_in_another_partition(store)
    asked: list[str] = []

    def while_it_goes(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.lower().startswith("delete from events"):
            with psycopg.connect(bare_postgres_url, options="-c lock_timeout=50ms") as reader:
                reader.execute("select count(*) from events")
            asked.append(statement)

    with listening(store.retention._apart._engine, "after_cursor_execute", while_it_goes):
        await round_of(store, TODAY + 60 * DAY)
    assert asked
    assert await sequences(store) == [3]


async def test_what_was_not_taken_away_is_whole(store: SqlStore, bare_postgres_url: str):
    """Where the table was in use, no event has gone, neither in the partition nor beside it."""
    await a_number_in_another_partition(store)
    with psycopg.connect(bare_postgres_url) as reader:
        reader.execute("select count(*) from events")
        await round_of(store, TODAY + 60 * DAY)
        assert await sequences(store) == [1, 2, 3]
    await round_of(store, TODAY + 60 * DAY)
    assert await sequences(store) == [3]


async def test_nobody_waits_for_a_partition_to_go(store: SqlStore, bare_postgres_url: str):
    """While somebody reads for long, it stays for another round; what is written meanwhile is written."""
    await days_pass(store, TODAY + 70 * DAY)
    await store.accept(ended(TODAY))
    before = await names(store, ATTEMPTS)
    with psycopg.connect(bare_postgres_url) as reader:
        reader.execute("select count(*) from attempts")
        await round_of(store, TODAY + 230 * DAY)
        assert before[0] in await names(store, ATTEMPTS)
        await store.accept(an_attempt(id=id_at(TODAY + 60 * DAY, 1)))
    await round_of(store, TODAY + 230 * DAY)
    assert before[0] not in await names(store, ATTEMPTS)


async def test_what_was_taken_away_and_not_dropped_is_dropped_later(store: SqlStore):
    """A server that died between the two steps leaves a table behind; the next round finishes it."""
    await days_pass(store, TODAY + 70 * DAY)
    attempt = ended(TODAY)
    await store.accept(attempt)
    await store.append_late(attempt.id, Mark("late", TODAY, Evidence.STATE_REPORT, "moved"))
    first = (await names(store, ATTEMPTS))[0]
    oldest = (await names(store, EVENTS))[0]
    for table, name in (("attempts", first), ("events", oldest)):
        for statement in (
            f"alter table {table} detach partition {name}",
            f"alter table {name} rename to {name}_gone",
        ):
            await ask(store, lambda connection: connection.execute(text(statement)))  # noqa: B023
    await round_of(store, TODAY + 10 * DAY)
    left = text("select relname from pg_class where relname like '%\\_gone'")
    assert await ask(store, lambda connection: connection.execute(left).scalars().all()) == []
    marks = text("select count(*) from late_marks")
    assert await ask(store, lambda connection: connection.execute(marks).scalar()) == 0


def test_a_bound_stands_between_the_ids_of_before_and_after():
    """It reads back, and sorts with the ids as their moments do."""
    moment = 1_795_299_621_123_000
    assert moment_of(bound_of(moment)) == moment
    assert id_at(moment - 1_000, (1 << 62) - 1) < bound_of(moment) < id_at(moment, 0)


async def test_rows_of_before_stay_when_a_database_is_divided(bare_postgres_url: str):
    """A database that is full is divided where it is: all rows are found as before, also odd ones."""
    ids = [id_at(TODAY - 400 * DAY, 1), id_at(TODAY, 2), id_at(TODAY + 900 * DAY, 3), "odd"]
    engine = writing_engine(parse_url(bare_postgres_url))
    with engine.begin() as connection:
        upgrade(connection, "0019")
        for number, id in enumerate(ids, start=1):
            connection.execute(
                text(
                    "insert into attempts (id, workspace_id, action_type, lane, ask, phase, accepted_at,"
                    " deadline_at, required_evidence, evidence, marks)"
                    " values (:id, 'w1', 'UNLOCK_DOOR', 'd', '{}', 'failed', 0, 0, 0, 0, '[]')"
                ),
                {"id": id},
            )
            connection.execute(
                text(
                    "insert into events (workspace_id, sequence, event_id, event_type, occurred_at,"
                    " created_at, payload) values ('w1', :number, :id, 't', 0, 0, '{}')"
                ),
                {"id": id, "number": number},
            )
    migrate(bare_postgres_url)
    store = open_store(bare_postgres_url)
    await furnish(store)
    assert sorted(each.id for each in await store.attempts("w1", limit=9)) == sorted(ids)
    for id in ids:
        assert await store.attempt("w1", id) is not None
    assert [each.event_id for each in await store.events("w1", EventFilter(), limit=9)] == ids
    assert await where(store, "attempts", "id", "odd") == "attempts_rest"
    assert await where(store, "attempts", "id", id_at(TODAY, 2)) == "attempts_past"
    await store.retention.make_room(TODAY)
    await store.retention.make_room(TODAY + 40 * DAY)
    assert len(await names(store, ATTEMPTS)) >= 2
    await store.close()
