"""Webhooks, what they have still to be told, and their tries."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.fixtures.stores import NOON, an_event
from thumbturn.domain.ids import new_id
from thumbturn.domain.webhook import Delivery, DisabledBecause, Outcome, Try, Webhook
from thumbturn.engine.ports import Change, EventFilter, Store
from thumbturn.engine.webhook_ports import Backlog, Progress, TryFilter
from thumbturn.storage import webhook_tries

DISABLED = {"event_type": "webhook.disabled", "device_id": None, "connected_account_id": None}


def a_webhook(id: str = "h1", **other: Any) -> Webhook:
    """A webhook of ``w1``, not yet on record."""
    webhook = Webhook(
        id=id,
        workspace_id="w1",
        url="https://example.test/hook",
        event_types=("lock.locked", "lock.unlocked"),
        secret="sealed 1",
        created_at=NOON,
    )
    return replace(webhook, **other)


def a_try(sequence: int, outcome: Outcome = Outcome.DELIVERED, **other: Any) -> Try:
    """A try to tell ``h1`` the event at this place."""
    failed = outcome is Outcome.FAILED
    made = Try(
        webhook_id="h1",
        event_id=f"event {sequence}",
        event_type="lock.locked",
        sequence=sequence,
        number=1,
        at=NOON + sequence,
        milliseconds=1.5,
        status=None if failed else 200,
        error="connection refused" if failed else None,
        outcome=outcome,
        next_at=NOON + 100 + sequence if failed else None,
    )
    return made._replace(**other)


async def tell(store: Store, count: int, workspace_id: str = "w1") -> None:
    """So many more events."""
    await store.apply(Change(events=tuple(an_event(workspace_id) for _ in range(count))))


async def test_webhook_begins_behind_the_newest_event(store: Store):
    """A new webhook reads back equal, and its cursor stands at its own workspace's newest event."""
    await tell(store, 3)
    await tell(store, 5, "w2")
    added = await store.webhooks.add(a_webhook())
    assert added == a_webhook(begins_after=3, cursor=3)
    assert await store.webhooks.get("w1", "h1") == added
    assert await store.webhooks.get("w2", "h1") is None


async def test_webhooks_are_listed_by_workspace_and_age(store: Store):
    """A workspace's webhooks are listed oldest first; the enabled ones of all workspaces together."""
    for id, workspace_id, at in (("h1", "w1", 2), ("h2", "w1", 1), ("h3", "w2", 3)):
        await store.webhooks.add(a_webhook(id, workspace_id=workspace_id, created_at=at))
    await store.webhooks.disable("h2", NOON, DisabledBecause.GONE, an_event(**DISABLED))
    assert [each.id for each in await store.webhooks.of_workspace("w1")] == ["h2", "h1"]
    assert [each.id for each in await store.webhooks.enabled()] == ["h1", "h3"]


async def test_only_the_own_workspace_changes_a_webhook(store: Store):
    """Types and secret are stored for the owner; another workspace finds nothing to change or remove."""
    await store.webhooks.add(a_webhook())
    assert await store.webhooks.choose_types("w2", "h1", ["*"]) is None
    assert await store.webhooks.rotate("w2", "h1", "stolen", NOON) is None
    assert await store.webhooks.enable("w2", "h1", NOON, skip_missed=True) is None
    assert await store.webhooks.remove("w2", "h1") is False
    assert await store.webhooks.get("w1", "h1") == a_webhook()
    assert await store.webhooks.choose_types("w1", "h1", ["*"]) == a_webhook(event_types=("*",))
    rotated = a_webhook(
        event_types=("*",), secret="sealed 2", previous_secret="sealed 1", previous_secret_until=NOON + 9
    )
    assert await store.webhooks.rotate("w1", "h1", "sealed 2", NOON + 9) == rotated
    assert await store.webhooks.get("w1", "h1") == rotated


async def test_what_failed_waits_and_what_is_done_does_not(store: Store):
    """A failed try leaves a delivery that is due at its next try; its later success takes it away."""
    await store.webhooks.add(a_webhook())
    first = [a_try(1), a_try(2, Outcome.FAILED), a_try(3, Outcome.FAILED), a_try(4, Outcome.GIVEN_UP)]
    await store.webhooks.record(Progress(tries=first, cursors={"h1": 4}, failing={"h1": NOON + 2}))
    assert await store.webhooks.due("h1", limit=9) == [
        Delivery("h1", "event 2", 2, 1, NOON + 102),
        Delivery("h1", "event 3", 3, 1, NOON + 103),
    ]
    assert await store.webhooks.get("w1", "h1") == a_webhook(cursor=4, failing_since=NOON + 2)
    again = [
        a_try(2, number=2, was_waiting=True),
        a_try(3, Outcome.FAILED, number=2, was_waiting=True, next_at=NOON + 900),
    ]
    await store.webhooks.record(Progress(tries=again, failing={"h1": None}))
    assert await store.webhooks.due("h1", limit=9) == [Delivery("h1", "event 3", 3, 2, NOON + 900)]
    assert await store.webhooks.get("w1", "h1") == a_webhook(cursor=4)


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_what_is_asked_for_anew_stays_due(store: Store, outcome: Outcome):
    """Asked for while a try was on its way, a delivery is due as asked for, whatever became of that try."""
    await store.webhooks.add(a_webhook())
    await store.webhooks.record(Progress(tries=[a_try(1, Outcome.FAILED)]))
    asked = Delivery("h1", "event 1", 1, 0, NOON)
    await store.webhooks.resend([asked])
    await store.webhooks.record(Progress(tries=[a_try(1, outcome, number=2, was_waiting=True)]))
    await store.webhooks.record(Progress(tries=[a_try(1, outcome)]))
    assert await store.webhooks.due("h1", limit=9) == [asked]


async def test_a_cursor_never_goes_back(store: Store):
    """Whoever is late with a lower cursor changes nothing; a higher one counts, with or without a try."""
    await store.webhooks.add(a_webhook())
    for to, stands in ((5, 5), (3, 5), (6, 6)):
        await store.webhooks.record(Progress(cursors={"h1": to}))
        found = await store.webhooks.get("w1", "h1")
        assert found is not None
        assert found.cursor == stands


async def test_tries_are_listed_newest_first(store: Store):
    """Tries read back equal, in pages, by event and by outcome, each webhook's for itself."""
    await store.webhooks.add(a_webhook())
    await store.webhooks.add(a_webhook("h2"))
    made = [a_try(1), a_try(2, Outcome.FAILED), a_try(1, webhook_id="h2"), a_try(3)]
    await store.webhooks.record(Progress(tries=made[:2]))
    await store.webhooks.record(Progress(tries=made[2:]))
    mine = [made[3]._replace(place=3), made[1]._replace(place=2), made[0]._replace(place=1)]
    tries = store.webhooks.tries
    assert await tries("h1", TryFilter(), limit=9) == mine
    assert await tries("h1", TryFilter(), before=3, limit=1) == [mine[1]]
    assert await tries("h1", TryFilter(event_id="event 1"), limit=9) == [mine[2]]
    assert await tries("h1", TryFilter(outcome=Outcome.FAILED), limit=9) == [mine[1]]
    await store.retention.forget_deliveries(NOON + 3, "", 9)
    assert await tries("h1", TryFilter(), limit=9) == [mine[0]]


async def test_a_removed_webhook_leaves_nothing(store: Store):
    """With a webhook go its deliveries and tries, and what comes in late is not kept either."""
    await store.webhooks.add(a_webhook())
    await store.webhooks.record(Progress(tries=[a_try(1, Outcome.FAILED)], cursors={"h1": 1}))
    assert await store.webhooks.remove("w1", "h1") is True
    late = Progress(tries=[a_try(2, Outcome.FAILED)], cursors={"h1": 2}, failing={"h1": NOON})
    await store.webhooks.record(late)
    await store.webhooks.resend([Delivery("h1", "event 1", 1, 0, NOON)])
    assert await store.webhooks.get("w1", "h1") is None
    assert await store.webhooks.due("h1", limit=9) == []
    assert await store.webhooks.tries("h1", TryFilter(), limit=9) == []
    assert await store.webhooks.remove("w1", "h1") is False


async def test_disabling_is_told_once(store: Store):
    """A webhook is disabled once, together with the event that tells of it."""
    await store.webhooks.add(a_webhook())
    event = an_event(**DISABLED)
    assert await store.webhooks.disable("h1", NOON, DisabledBecause.FAILING, event) is True
    again = an_event(**DISABLED)
    assert await store.webhooks.disable("h1", NOON + 1, DisabledBecause.GONE, again) is False
    found = await store.webhooks.get("w1", "h1")
    assert found == a_webhook(disabled_at=NOON, disabled_because=DisabledBecause.FAILING)
    told = await store.events("w1", EventFilter(event_types=["webhook.disabled"]), limit=9)
    assert [each.event_id for each in told] == [event.event_id]


@pytest.mark.parametrize("skip_missed", [False, True])
async def test_enabling_goes_on_where_it_stopped_unless_asked_otherwise(store: Store, skip_missed: bool):
    """What was missed is due at once with all its tries, or forgotten: as the caller chooses."""
    await store.webhooks.add(a_webhook())
    await tell(store, 4)
    failed = a_try(2, Outcome.FAILED, number=7)
    await store.webhooks.record(Progress(tries=[failed], cursors={"h1": 2}, failing={"h1": NOON}))
    await store.webhooks.disable("h1", NOON, DisabledBecause.GONE, an_event(**DISABLED))
    enabled = await store.webhooks.enable("w1", "h1", NOON + 50, skip_missed=skip_missed)
    due = await store.webhooks.due("h1", limit=9)
    if skip_missed:
        assert enabled == a_webhook(cursor=5)
        assert due == []
    else:
        assert enabled == a_webhook(cursor=2)
        assert due == [Delivery("h1", "event 2", 2, 0, NOON + 50)]
    # An enabled one is left as it is.
    assert await store.webhooks.enable("w1", "h1", NOON + 60, skip_missed=True) == enabled


async def test_what_is_sent_again_replaces_what_waits(store: Store):
    """An event waits once: asked for again it is due anew, with all its tries before it."""
    await store.webhooks.add(a_webhook())
    await store.webhooks.record(Progress(tries=[a_try(2, Outcome.FAILED, number=6)], cursors={"h1": 2}))
    again = [Delivery("h1", f"event {place}", place, 0, NOON + 7) for place in (1, 2)]
    await store.webhooks.resend(again)
    assert await store.webhooks.due("h1", limit=9) == again


async def test_backlog_counts_what_is_still_to_be_told(store: Store):
    """The backlog is what waits for another try, and what is behind the cursor."""
    added = await store.webhooks.add(a_webhook())
    await tell(store, 5)
    await store.webhooks.record(Progress(tries=[a_try(1, Outcome.FAILED)], cursors={"h1": 2}))
    assert await store.webhooks.backlog(added) == Backlog(waiting=1, behind=3)


async def test_tries_are_kept_up_to_a_number(sql_store: Store, monkeypatch: pytest.MonkeyPatch):
    """Of each webhook the newest tries are kept; older ones go, without a gap in what remains."""
    monkeypatch.setattr(webhook_tries, "KEPT", 20)
    monkeypatch.setattr(webhook_tries, "_GO_TOGETHER", 8)
    await sql_store.webhooks.add(a_webhook())
    for start in range(1, 100, 3):
        made = [a_try(start + n, event_id=new_id()) for n in range(3)]
        await sql_store.webhooks.record(Progress(tries=made))
    kept = [each.place for each in await sql_store.webhooks.tries("h1", TryFilter(), limit=99)]
    assert kept == list(range(99, 99 - len(kept), -1))
    assert 20 <= len(kept) < 20 + 8 + 3


async def test_listeners_hear_that_one_was_disabled(store: Store):
    """Whoever follows the events is told of that one as of all others, and need not look by himself."""
    await store.webhooks.add(a_webhook())
    heard: list[frozenset[str]] = []
    store.on_events(heard.append)
    await store.webhooks.disable("h1", NOON, DisabledBecause.GONE, an_event(**DISABLED))
    await asyncio.sleep(0)
    assert heard == [frozenset({"w1"})]
