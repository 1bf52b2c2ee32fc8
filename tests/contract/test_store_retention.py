"""What is over is forgotten after its age, whatever the store; what is open, owed or young is not."""

from __future__ import annotations

import itertools

import pytest

from tests.contract.test_store_audit import problems, whole
from tests.contract.test_store_webhooks import a_try, a_webhook
from tests.fixtures.stores import NOON, an_attempt, an_event
from thumbturn.domain.asker import Asker
from thumbturn.domain.attempt import Attempt, Mark, Phase
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.domain.retention import DAY, Ages
from thumbturn.domain.webhook import Delivery, DisabledBecause, Outcome
from thumbturn.engine import purging
from thumbturn.engine.ports import AttemptFilter, Change, EventFilter, Store
from thumbturn.engine.purging import Purging
from thumbturn.engine.retention_ports import Swept
from thumbturn.engine.webhook_ports import Progress, TryFilter
from thumbturn.storage.store import SqlStore
from thumbturn.testing.clock import FakeClock
from thumbturn.testing.store import MemoryStore

ASKER = Asker("k1", "api_key", None, "r1", "night porter")
AGES = Ages(attempts=180 * DAY, events=30 * DAY, deliveries=90 * DAY)
#: Far from the real day, of which the ids are: no partition is ever about both.
NOW = NOON + 3_000 * DAY


def ended(days_ago: int, **other: object) -> Attempt:
    """An attempt that failed so many days ago, a second after it was accepted."""
    at = NOW - days_ago * DAY
    told = {"failure": ("lock_jammed", "It is jammed."), "settled_at": at, "asked_by": ASKER, **other}
    return an_attempt(at=at - 1_000_000, phase=Phase.FAILED, **told)


async def purge(store: Store, ages: Ages = AGES, now: int = NOW) -> None:
    """Everything that a round forgets."""
    loop = Purging(store, FakeClock(now), ages)
    while await loop.bite():
        pass


async def left(store: Store) -> set[str]:
    """The attempts of ``w1`` that are on record."""
    return {each.id for each in await store.attempts("w1", limit=999)}


async def told(store: Store, workspace_id: str = "w1") -> list[int]:
    """The places of the workspace's events that are on record."""
    return [each.sequence for each in await store.events(workspace_id, EventFilter(), limit=999)]


async def tell(store: Store, *days_ago: int, workspace_id: str = "w1") -> None:
    """Tell a workspace something, for each of these so many days ago."""
    new = [an_event(workspace_id, created_at=NOW - each * DAY) for each in days_ago]
    await store.apply(Change(events=tuple(new)))


@pytest.mark.parametrize("rows", [1, 2, 50])
async def test_attempts_go_by_the_time_of_their_end(store: Store, monkeypatch, rows):
    """Older than the age since their end they go, a few at a time; open ones stay however old they are."""
    monkeypatch.setattr(purging, "ROWS", rows)
    old = [ended(days) for days in (400, 300, 181)]
    open_ones = [
        an_attempt(at=NOW - 500 * DAY, phase=phase) for phase in (Phase.QUEUED, Phase.SENT, Phase.CONFIRMING)
    ]
    # Accepted long ago, and for later: it has ended yesterday.
    late = ended(1, accepted_at=NOW - 200 * DAY)
    young = [ended(180), ended(1), an_attempt(at=NOW)]
    for attempt in [open_ones[0], old[0], open_ones[1], old[1], old[2], late, *young, open_ones[2]]:
        await store.accept(attempt)
    await purge(store)
    assert await left(store) == {each.id for each in [*open_ones, late, *young]}
    await purge(store, AGES._replace(attempts=0), NOW + 900 * DAY)
    assert len(await left(store)) == 7


async def test_a_forgotten_attempt_is_found_nowhere(store: Store):
    """Neither by its id, in lists and searches, nor in its batch, of which the others are still found."""
    gone, stays = ended(200, batch_id="b1"), ended(100, batch_id="b1")
    for attempt in (gone, stays):
        await store.accept(attempt)
        await store.append_late(attempt.id, Mark("late", NOW, Evidence.STATE_REPORT, "it did move"))
    await purge(store)
    assert await store.attempt("w1", gone.id) is None
    assert await store.progress("w1", gone.id) is None
    assert await store.timeline("w1", gone.id) is None
    assert await store.attempts("w1", ids=[gone.id, stays.id], limit=9) == [stays]
    assert await store.attempts("w1", device_id="w1_lock_1", limit=9) == [stays]
    assert await store.search_attempts("w1", AttemptFilter(actor="night porter"), limit=9) == [stays]
    assert await store.batch("w1", "b1") == [stays]
    timeline = await store.timeline("w1", stays.id)
    assert timeline is not None
    assert len(timeline.late) == 1
    # Its id is free, and nothing of it comes back with it.
    await store.accept(gone)
    timeline = await store.timeline("w1", gone.id)
    assert timeline is not None
    assert timeline.late == ()


@pytest.mark.parametrize("sealed_before", [True, False])
async def test_the_audit_trail_outlives_the_attempts(store: Store, sealed_before):
    """It reads as before, and its seals fit, whether it was sealed before the attempts went or after."""
    for attempt in (ended(400), ended(300, ask={"zeta": 1, "alpha": 'Tür "1"\n\x7f'}), ended(1)):
        await store.accept(attempt)
    before = await whole(store) if sealed_before else None
    await purge(store)
    assert len(await left(store)) == 1
    after = await whole(store)
    assert [each.entry["action"] for each in after[0]] == ["UNLOCK_DOOR"] * 3
    assert after[0][1].entry["parameters"] == {"zeta": 1, "alpha": 'Tür "1"\n\x7f'}
    assert before in (None, after)
    assert await problems(store) == []


async def test_what_is_changed_in_the_text_that_is_left_shows(sql_store: SqlStore):
    """Who alters what the trail says of a forgotten attempt breaks the chain as before."""
    await sql_store.accept(ended(400))
    await whole(sql_store)
    await purge(sql_store)
    await sql_store._write(
        lambda connection: connection.exec_driver_sql(
            "update audit_texts set body = replace(body, 'UNLOCK', 'RELOCK')"
        )
    )
    assert await problems(sql_store)


@pytest.mark.parametrize("rows", [1, 3, 50])
async def test_events_are_forgotten_from_the_first_on(store: Store, monkeypatch, rows):
    """What is left begins with the first that is young enough; numbers go on where they were."""
    monkeypatch.setattr(purging, "ROWS", rows)
    await tell(store, 90, 60, 31, 30, 29, 45, 1)
    await tell(store, 2, 1, workspace_id="w2")
    assert await store.retention.oldest_event("w1") == 1
    await purge(store)
    assert await told(store) == [4, 5, 6, 7]
    assert await told(store, "w2") == [1, 2]
    assert await store.retention.oldest_event("w1") == 4
    assert [each.sequence for each in await store.events_after("w1", 0, limit=2)] == [4, 5]
    await purge(store, now=NOW + 60 * DAY)
    assert await told(store) == await told(store, "w2") == []
    assert await store.retention.oldest_event("w1") == 8
    assert await store.events_after("w1", 0, limit=2) == []
    await tell(store, 0)
    assert await told(store) == [8]
    assert await store.last_sequence("w1") == 8


async def test_what_an_enabled_webhook_has_still_to_be_told_is_kept(store: Store):
    """Events behind its cursor, and those that wait for a try, however old; of a disabled one they go."""
    await store.webhooks.add(a_webhook())
    await store.webhooks.add(a_webhook("h2"))
    await tell(store, 90, 80, 70, 60, 50)
    await store.webhooks.record(Progress(cursors={"h1": 5, "h2": 3}))
    await purge(store)
    assert await told(store) == [4, 5]
    await store.webhooks.record(Progress(cursors={"h2": 5}))
    [owed, _] = await store.events("w1", EventFilter(), limit=9)
    await store.webhooks.resend([Delivery("h1", owed.event_id, 4, 0, NOW)])
    await purge(store)
    assert await told(store) == [4, 5]
    await store.webhooks.disable("h1", NOW, DisabledBecause.FAILING, an_event(created_at=NOW))
    await purge(store)
    assert await told(store) == [6]
    # It waits for somebody to enable its webhook, and is given up then.
    assert [each.event_id for each in await store.webhooks.due("h1", limit=9)] == [owed.event_id]


async def test_a_webhook_s_backlog_is_what_is_on_record(store: Store):
    """A webhook that was disabled for longer than events are kept is behind by those that there are."""
    webhook = await store.webhooks.add(a_webhook())
    await store.webhooks.disable("h1", NOW, DisabledBecause.GONE, an_event(created_at=NOW - 99 * DAY))
    await tell(store, 90, 10, 1)
    assert (await store.webhooks.backlog(webhook)).behind == 4
    await purge(store)
    assert (await store.webhooks.backlog(webhook)).behind == 2
    await store.webhooks.enable("w1", "h1", NOW, skip_missed=False)
    await purge(store, now=NOW + 99 * DAY)
    assert (await store.webhooks.backlog(webhook)).behind == 2
    await store.webhooks.disable("h1", NOW, DisabledBecause.GONE, an_event(created_at=NOW))
    await purge(store, now=NOW + 99 * DAY)
    assert (await store.webhooks.backlog(webhook)).behind == 0


async def test_tries_of_webhooks_are_forgotten(store: Store, monkeypatch):
    """Of each webhook the first ones, up to the first that is young enough."""
    monkeypatch.setattr(purging, "ROWS", 2)
    for id in ("h1", "h2"):
        await store.webhooks.add(a_webhook(id))
    for number, days in enumerate((100, 95, 91, 90, 1), start=1):
        made = replace_at(a_try(number), NOW - days * DAY)
        await store.webhooks.record(Progress(tries=[made, made._replace(webhook_id="h2")]))
    await purge(store)
    for id in ("h1", "h2"):
        assert [each.place for each in await store.webhooks.tries(id, TryFilter(), limit=9)] == [5, 4]


def replace_at(made, at):
    return made._replace(at=at, outcome=Outcome.DELIVERED, next_at=None)


async def test_one_kind_that_fails_holds_up_no_other(caplog):
    """What cannot be forgotten is tried again in the next round, and the rest is forgotten in this one."""
    store, clock = MemoryStore(), FakeClock(NOW)
    await store.accept(ended(400))
    await tell(store, 40)
    forget, fails = store.retention.forget_attempts, [StorageUnavailable(), ZeroDivisionError()]

    async def ill(before, place, most):
        if fails:
            raise fails.pop()
        return await forget(before, place, most)

    store.retention.forget_attempts = ill  # type: ignore[method-assign]
    loop = Purging(store, clock, AGES)
    loop.start()
    await clock.advance(2 * DAY // 24 - 1)
    assert await told(store) == []
    assert len(await left(store)) == 1
    await clock.advance(2 * DAY // 24)
    assert await left(store) == set()
    await loop.stop()


async def test_a_bite_is_followed_by_a_pause_of_many_times_its_length(monkeypatch):
    """However long a bite takes, its share of the time stays small."""
    monkeypatch.setattr(purging, "ROWS", 50)
    store, clock, bites = MemoryStore(), FakeClock(NOW), []
    for _ in range(200):
        await store.accept(ended(400))
    forget = store.retention.forget_attempts

    async def slowly(before, place, most):
        bites.append(clock.now())
        await clock.sleep(100_000)
        return await forget(before, place, most)

    store.retention.forget_attempts = slowly  # type: ignore[method-assign]
    loop = Purging(store, clock, Ages(attempts=DAY))
    loop.start()
    await clock.advance(DAY // 24 + 9_000_000)
    await loop.stop()
    assert len(bites) == 5
    assert {later - sooner for sooner, later in itertools.pairwise(bites)} == {2_000_000}
    assert await left(store) == set()


@pytest.mark.parametrize(("took", "rows"), [(250_000, [200, 100, 50, 25, 12, 10, 10]), (90_000, [200] * 7)])
async def test_bites_that_take_long_become_smaller(took, rows):
    """And larger again, when the database is quick again."""
    store, clock, asked = MemoryStore(), FakeClock(NOW), []
    slow = [took] * 7

    async def forget(_before, _place, most):
        asked.append(most)
        await clock.sleep(slow.pop() if slow else 1_000)
        return Swept(0, "more")

    store.retention.forget_attempts = forget  # type: ignore[method-assign]
    loop = Purging(store, clock, Ages(attempts=DAY))
    loop.start()
    await clock.advance(DAY // 24 + 30_000_000)
    await loop.stop()
    assert asked[:7] == rows
    assert asked[-1] == 200
    assert [later <= 2 * sooner for sooner, later in itertools.pairwise(asked)] == [True] * (len(asked) - 1)


class WrongClock(FakeClock):
    """One that is ahead until it is set."""

    ahead = 900 * DAY

    def now(self) -> int:
        return super().now() + self.ahead


async def test_a_clock_that_is_set_after_the_start_costs_no_history():
    """A server that starts with a clock years ahead makes room, but forgets first when that has been set."""
    store, clock = MemoryStore(), WrongClock(NOW)
    young, old = ended(10), ended(200)
    for attempt in (young, old):
        await store.accept(attempt)
    rooms, make_room = [], store.retention.make_room

    async def notes(now):
        rooms.append(now)
        await make_room(now)

    store.retention.make_room = notes  # type: ignore[method-assign]
    loop = Purging(store, clock, AGES)
    loop.start()
    await clock.advance(DAY // 24 - 1)
    assert rooms == [NOW + 900 * DAY]
    assert await left(store) == {young.id, old.id}
    clock.ahead = 0
    await clock.advance(DAY // 24)
    assert await left(store) == {young.id}
    await loop.stop()
