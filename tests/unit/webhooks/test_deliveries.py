"""What a webhook is told, when, and what becomes of what it does not take."""

from __future__ import annotations

from itertools import pairwise

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from tests.fixtures.webhooks import URL, Hooks
from thumbturn.domain.clock import SECOND, seconds
from thumbturn.domain.webhook import DisabledBecause, Outcome
from thumbturn.testing.endpoints import DOWN, GOOD, Answer
from thumbturn.webhooks.lane import TOGETHER
from thumbturn.webhooks.schedule import PAUSES, Schedule

HOUR = seconds(3_600)
ELSEWHERE = "https://elsewhere.test/hook"


async def test_events_are_told_in_order_and_signed(hooks: Hooks):
    """What happens after a webhook was made is told to it in order: the bare event, and its signature."""
    await hooks.tell(2)
    webhook = await hooks.create()
    told = await hooks.tell(5) + await hooks.tell(3, device_id="w1_lock_2")
    assert hooks.received() == [event.event_id for event in told]
    first = hooks.endpoints.received[URL][0]
    assert first.event["event_type"] == "device.connected"
    for name in ("webhook", "svix"):
        assert first.headers[f"{name}-id"] == told[0].event_id
        assert first.headers[f"{name}-timestamp"] == str(first.at // SECOND)
    moment = first.at // SECOND
    verifier = Verifier(hooks.webhooks.secret_of(webhook))
    expected = verifier.sign(told[0].event_id, _utc(moment), first.body.decode())
    assert first.headers["webhook-signature"] == first.headers["svix-signature"] == expected


async def test_only_chosen_types_are_told(hooks: Hooks):
    """A webhook is told its types and no others; a change of them counts from then on."""
    webhook = await hooks.create(URL, "lock.locked")
    await hooks.tell(event_type="lock.unlocked")
    [locked] = await hooks.tell(event_type="lock.locked")
    await hooks.webhooks.choose_types("w1", webhook.id, ["lock.unlocked"])
    await hooks.tell(event_type="lock.locked")
    [unlocked] = await hooks.tell(event_type="lock.unlocked")
    assert hooks.received() == [locked.event_id, unlocked.event_id]


async def test_failures_are_tried_again_by_the_schedule(hooks: Hooks):
    """An endpoint that fails is asked eight times, each counted from the last failure, and no more."""
    webhook = await hooks.create()
    hooks.endpoints.answer(URL, Answer(500, after=2 * SECOND))
    [event] = await hooks.tell()
    await hooks.clock.advance(40 * HOUR)
    times = [each.at for each in hooks.endpoints.received[URL]]
    assert hooks.received() == [event.event_id] * 8
    between = [after - before - 2 * SECOND for before, after in pairwise(times)]
    assert [round(pause / SECOND) for pause in between] == [pause // SECOND for pause in PAUSES]
    tries = await hooks.tries(webhook)
    assert [each.number for each in tries] == list(range(1, 9))
    assert [each.outcome for each in tries] == [Outcome.FAILED] * 7 + [Outcome.GIVEN_UP]
    assert {(each.status, each.error) for each in tries} == {(500, "answered 500")}
    assert [each.next_at for each in tries] == [*times[1:], None]
    assert await hooks.store.webhooks.due(webhook.id, limit=9) == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(199), "answered 199"),
        (Answer(302), "answered 302, and redirects are not followed"),
        (Answer(404), "answered 404"),
        (Answer(None, "timed out after 15 s", 15 * SECOND), "timed out after 15 s"),
        (DOWN, "connection refused"),
        (Answer(None), "no answer"),
        (Answer(None, "two\nlines"), "two lines"),
    ],
)
async def test_everything_but_2xx_is_a_failure(hooks: Hooks, answer: Answer, error: str):
    """Whatever is not a whole 2xx is tried again five seconds later; then a good answer ends it."""
    webhook = await hooks.create()
    hooks.endpoints.answer(URL, answer, Answer(204))
    await hooks.tell()
    await hooks.clock.advance(25 * SECOND)
    tries = await hooks.tries(webhook)
    assert [(each.outcome, each.error) for each in tries] == [
        (Outcome.FAILED, error),
        (Outcome.DELIVERED, None),
    ]
    assert (await hooks.stored(webhook)).failing_since is None
    assert await hooks.store.webhooks.due(webhook.id, limit=9) == []


async def test_a_failure_holds_up_no_other(hooks: Hooks):
    """The event behind one that failed is told at once; the one that failed comes when it is due."""
    await hooks.create()
    hooks.endpoints.answer(URL, DOWN, GOOD)
    [first] = await hooks.tell()
    [second] = await hooks.tell()
    await hooks.clock.advance(6 * SECOND)
    assert hooks.received() == [first.event_id, second.event_id, first.event_id]


async def test_gone_disables_and_tells(hooks: Hooks):
    """410 disables the webhook at once, with one event; it is told nothing until it is enabled again."""
    webhook = await hooks.create()
    await hooks.create(ELSEWHERE)
    hooks.endpoints.answer(URL, Answer(410))
    [event] = await hooks.tell()
    missed = await hooks.tell(2)
    await hooks.clock.advance(HOUR)
    assert hooks.received() == [event.event_id]
    stored = await hooks.stored(webhook)
    assert (stored.is_enabled, stored.disabled_because) == (False, DisabledBecause.GONE)
    [told] = [each for each in await hooks.log() if each.event_type == "webhook.disabled"]
    assert told.payload == {"webhook_id": webhook.id, "disabled_because": "gone"}
    assert told.event_id in hooks.received(ELSEWHERE)

    hooks.endpoints.answer(URL, GOOD)
    await hooks.webhooks.enable("w1", webhook.id, skip_missed=False)
    await hooks.a_moment()
    later = await hooks.tell()
    everything = [event, *missed, told, *later]
    assert sorted(hooks.received()[1:]) == sorted(each.event_id for each in everything)


async def test_enabling_may_skip_what_was_missed(hooks: Hooks):
    """With skip_missed a webhook is told what happens from then on, and nothing of before."""
    webhook = await hooks.create()
    hooks.endpoints.answer(URL, Answer(410), GOOD)
    [event] = await hooks.tell()
    await hooks.tell(3)
    await hooks.webhooks.enable("w1", webhook.id, skip_missed=True)
    await hooks.clock.advance(HOUR)
    later = await hooks.tell()
    assert hooks.received() == [event.event_id, *[each.event_id for each in later]]


async def test_five_days_of_failure_disable(hooks: Hooks):
    """A webhook that nothing got through to for five days is disabled, with the reason; not a day earlier."""
    webhook = await hooks.create()
    hooks.endpoints.answer(URL, DOWN)
    for hour in range(0, 118, 6):
        await hooks.tell()
        assert (await hooks.stored(webhook)).is_enabled, hour
        await hooks.clock.advance(6 * HOUR)
    await hooks.tell()
    await hooks.clock.advance(HOUR)
    stored = await hooks.stored(webhook)
    assert stored.disabled_because is DisabledBecause.FAILING
    assert stored.disabled_at is not None
    assert stored.failing_since is not None
    assert stored.disabled_at - stored.failing_since >= 120 * HOUR
    assert [each.event_type for each in await hooks.log()].count("webhook.disabled") == 1


async def test_one_success_forgives_all_failures(hooks: Hooks):
    """The five days begin anew after each success, however many tries failed around it."""
    webhook = await hooks.create()
    hooks.endpoints.answer(URL, *[DOWN] * 30, GOOD, DOWN)
    for _ in range(6 * 4):
        await hooks.tell()
        await hooks.clock.advance(6 * HOUR)
    assert (await hooks.stored(webhook)).is_enabled


async def test_down_means_that_new_events_wait(hooks: Hooks):
    """While nothing gets through, new events are held back in their order, and told when it is up again."""
    webhook = await hooks.create()
    hooks.endpoints.answer(URL, DOWN)
    told = [await hooks.tell() for _ in range(40)]
    first_tries = set(hooks.received())
    assert 5 <= len(first_tries) < 12
    hooks.endpoints.answer(URL, GOOD)
    await hooks.clock.advance(6 * 60 * SECOND)
    got = [each.event_id for each in await hooks.tries(webhook) if each.outcome is Outcome.DELIVERED]
    assert sorted(got) == sorted(event.event_id for [event] in told)
    held_back = [event.event_id for [event] in told if event.event_id not in first_tries]
    assert [each for each in got if each in held_back] == held_back


async def test_a_slow_or_dead_endpoint_delays_no_other(hooks: Hooks):
    """Of ten endpoints one hangs and one is down; the other eight are told everything at once."""
    others = [f"https://receiver.test/{number}" for number in range(8)]
    for url in (URL, ELSEWHERE, *others):
        await hooks.create(url)
    hooks.endpoints.answer(URL, Answer(None, "timed out", after=15 * SECOND))
    hooks.endpoints.answer(ELSEWHERE, DOWN)
    told = [event.event_id for _ in range(20) for event in await hooks.tell(3)]
    assert {url: hooks.received(url) == told for url in others} == dict.fromkeys(others, True)
    assert len(hooks.received(URL)) == 1


async def test_a_device_keeps_its_order_when_there_is_much_to_tell(hooks: Hooks):
    """A webhook that is behind is told several events at once, and each device's still in their order."""
    await hooks.create()
    hooks.endpoints.answer(URL, *[Answer(after=(7 * n % 5) * SECOND // 100) for n in range(400)], GOOD)
    events = [
        event
        for n in range(4 * TOGETHER)
        for event in await hooks.store_event(device_id=f"w1_lock_{n % 3 + 1}")
    ]
    await hooks.clock.advance(20 * SECOND)
    received = hooks.received()
    assert sorted(received) == sorted(event.event_id for event in events)
    for device in ("w1_lock_1", "w1_lock_2", "w1_lock_3"):
        ids = [event.event_id for event in events if event.device_id == device]
        assert [each for each in received if each in set(ids)] == ids


async def test_deleting_stops_everything_at_once(hooks: Hooks):
    """A deleted webhook is sent nothing more: what is new, what waits, and what is on its way."""
    webhook = await hooks.create()
    hooks.endpoints.answer(URL, DOWN, Answer(after=10 * SECOND), GOOD)
    await hooks.tell()
    await hooks.tell()
    assert len(hooks.received()) == 2
    await hooks.webhooks.delete("w1", webhook.id)
    await hooks.tell(3)
    await hooks.clock.advance(HOUR)
    assert len(hooks.received()) == 2
    assert await hooks.tries(webhook) == []


def test_jitter_stays_within_its_share():
    """With a jitter of a tenth, pauses differ from event to event, by that much at most."""
    schedule = Schedule(0.1)
    drawn = [schedule.next_try("h", f"event {n}", 2, 0) for n in range(200)]
    assert all(each is not None and 270 * SECOND <= each <= 330 * SECOND for each in drawn)
    assert len(set(drawn)) > 150
    assert drawn == [schedule.next_try("h", f"event {n}", 2, 0) for n in range(200)]


def _utc(moment: int):
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC)


@pytest.mark.parametrize("was_tried", [True, False])
async def test_what_is_gone_from_the_record_ends_with_that_cause(hooks: Hooks, was_tried: bool):
    """A delivery whose event cannot be found is given up once, with the cause; those beside it are made."""
    webhook = await hooks.create()
    hooks.endpoints.answer(URL, DOWN)
    gone, stays = await hooks.tell(2, event_type="lock.locked")
    if not was_tried:
        hooks.store.webhooks._tries.clear()
    told = hooks.store._events["w1"]
    told.remove(next(event for event in told if event.event_id == gone.event_id))
    hooks.endpoints.answer(URL, GOOD)
    await hooks.clock.advance(seconds(10))
    assert hooks.received()[2:] == [stays.event_id]
    *_, last = [made for made in await hooks.tries(webhook) if made.event_id == gone.event_id]
    assert (last.outcome, last.number, last.error) == (
        Outcome.GIVEN_UP,
        2,
        "the event is not on record any more",
    )
    assert last.event_type == ("lock.locked" if was_tried else "unknown")
    assert (await hooks.webhooks.backlog(webhook)).waiting == 0
    assert hooks.means.meters.tries["given_up"] == 1
    await hooks.clock.advance(seconds(600))
    assert hooks.means.meters.tries["given_up"] == 1
