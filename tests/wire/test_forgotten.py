"""What a caller sees who asks for something that is not kept any more."""

from __future__ import annotations

import pytest

from tests.fixtures.sse import Reading, tell, unlock
from tests.fixtures.webhooks import URL
from tests.fixtures.wire import Wire
from thumbturn.api.following import AT_ONCE
from thumbturn.domain.clock import seconds
from thumbturn.domain.retention import DAY, Ages
from thumbturn.engine.purging import Purging
from thumbturn.testing.clock import FakeClock
from thumbturn.testing.endpoints import DOWN, GOOD, Answer

AGES = Ages(attempts=180 * DAY, events=30 * DAY, deliveries=90 * DAY)


async def forget(wire: Wire, days: int) -> None:
    """Forget what would be forgotten so many days from now."""
    loop = Purging(wire.house.store, FakeClock(wire.house.clock.now() + days * DAY), AGES)
    while await loop.bite():
        pass


async def refused(wire: Wire, path: str, **ask: object) -> tuple[int, str]:
    """The status and the type of the refusal that this call gets."""
    reply = await wire.ask("POST", path, ask)
    return reply.status, reply.error["type"]


async def test_a_forgotten_attempt_is_not_found(wire: Wire):
    """However it is asked for, it is as if it had never been; lists do not hold it."""
    door = await wire.door("Front Door")
    command = {"path": "/locks/unlock_door", "parameters": {"device_id": door}}
    batch = (await wire.call("/thumbturn/attempts/batch", commands=[command]))["batch"]
    [attempt] = batch["action_attempts"]
    asked = {"action_attempt_id": attempt["action_attempt_id"]}
    await wire.house.clock.advance(seconds(2))
    await forget(wire, 179)
    assert (await wire.call("/action_attempts/get", **asked))["action_attempt"]["status"] == "success"
    await forget(wire, 181)
    not_found = (404, "action_attempt_not_found")
    assert await refused(wire, "/action_attempts/get", **asked) == not_found
    for path in ("timeline", "explain", "cancel"):
        assert await refused(wire, f"/thumbturn/attempts/{path}", **asked) == not_found
    by_batch = {"batch_id": batch["batch_id"]}
    assert await refused(wire, "/thumbturn/attempts/batch/get", **by_batch) == (404, "batch_not_found")
    for ask in ({"device_id": door}, {"action_attempt_ids": [attempt["action_attempt_id"]]}):
        assert (await wire.call("/action_attempts/list", **ask))["action_attempts"] == []
    assert (await wire.call("/thumbturn/attempts/search", device_id=door))["attempts"] == []
    assert (await Reading(wire, f"action_attempt_id={attempt['action_attempt_id']}").settle()).status == 404
    trail = (await wire.call("/thumbturn/audit/list"))["entries"]
    assert asked["action_attempt_id"] in [each["entry"]["ids"].get("action_attempt_id") for each in trail]


async def test_a_page_goes_on_behind_what_was_forgotten(wire: Wire):
    """Who turns the pages of a list while its beginning is forgotten goes on with what there is."""
    first = [await unlock(wire) for _ in range(3)]
    page = await wire.call("/action_attempts/list", device_id=await wire.door("Front Door"), limit=1)
    cursor = page["pagination"]["next_page_cursor"]
    await forget(wire, 181)
    later = await unlock(wire)
    found = await wire.call(
        "/action_attempts/list", device_id=await wire.door("Front Door"), limit=1, page_cursor=cursor
    )
    assert [each["action_attempt_id"] for each in page["action_attempts"]] == first[:1]
    assert [each["action_attempt_id"] for each in found["action_attempts"]] == [later]


async def test_a_forgotten_event_is_not_found(wire: Wire):
    """Neither by its id nor in lists, nor can it be sent again."""
    webhook = await wire.hooks.create()
    await unlock(wire)
    device_id = await wire.door("Front Door")
    events = (await wire.call("/events/list", device_id=device_id))["events"]
    assert events
    await forget(wire, 31)
    assert (await wire.call("/events/list", device_id=device_id))["events"] == []
    for ask in ({"event_id": events[0]["event_id"]}, {"device_id": device_id}):
        assert await refused(wire, "/events/get", **ask) == (404, "event_not_found")
    again = {"webhook_id": webhook.id, "event_id": events[0]["event_id"]}
    assert await refused(wire, "/thumbturn/webhooks/resend", **again) == (404, "event_not_found")
    since = await wire.call("/thumbturn/webhooks/resend", webhook_id=webhook.id, since="2000-01-01T00:00:00Z")
    assert since["queued_count"] == 0


@pytest.mark.parametrize("by_header", [True, False])
async def test_a_stream_that_would_leave_events_out_is_refused(wire: Wire, by_header):
    """Whoever was away for longer than events are kept is told so, and with which id he can go on."""
    await tell(wire, 5, created_at=wire.house.clock.now())
    await forget(wire, 31)
    await tell(wire, 2, created_at=wire.house.clock.now())

    async def resume(id: str) -> Reading:
        if by_header:
            return await Reading(wire, last_event_id=id).settle()
        return await Reading(wire, f"last_event_id={id}").settle()

    for id in ("0", "4"):
        reading = await resume(id)
        assert reading.status == 410
        error = reading.refusal
        assert (error["type"], error["data"]) == ("events_forgotten", {"forgotten_up_to": 5})
        assert "up to the id 5 are not kept" in error["message"]
    reading = await resume("5")
    assert [place for place, _ in reading.told] == [6, 7]
    await reading.close()
    await forget(wire, 62)
    for id in ("6", "7"):
        assert (await resume(id)).status == (410 if id == "6" else 200)


async def test_a_reader_whom_forgetting_overtakes_is_told_so(wire: Wire):
    """Who reads so slowly that events are forgotten before he has them gets no stream with a hole in it."""
    await tell(wire, 3 * AT_ONCE, created_at=wire.house.clock.now())
    reading = Reading(wire, last_event_id="0")
    reading.pause()
    await reading.settle()
    await forget(wire, 31)
    await tell(wire, 1, created_at=wire.house.clock.now())
    reading.go_on()
    await reading.settle()
    await reading.ended()
    assert reading.frames[-1].type == "closed"
    assert reading.frames[-1].data["type"] == "events_forgotten"
    assert [place for place, _ in reading.told] == list(range(1, len(reading.told) + 1))


async def test_a_webhook_that_was_disabled_for_too_long_goes_on_with_what_there_is(wire: Wire):
    """What is not kept any more is given up, with that as its error; the rest it is told."""
    wire.hooks.endpoints.answer(URL, DOWN)
    webhook = await wire.hooks.create()
    [failed] = await wire.hooks.tell()
    wire.hooks.endpoints.answer(URL, Answer(410))
    await wire.hooks.tell()
    await wire.hooks.tell(3)
    await forget(wire, 31)
    later = await wire.hooks.tell(2)
    state = {"webhook_id": webhook.id}
    assert (await wire.call("/thumbturn/webhooks/state", **state))["webhook_state"]["behind_count"] == 2
    wire.hooks.endpoints.answer(URL, GOOD)
    before = len(wire.hooks.received())
    await wire.call("/thumbturn/webhooks/enable", **state)
    await wire.hooks.a_moment()
    assert wire.hooks.received()[before:] == [each.event_id for each in later]
    about = {"event_id": failed.event_id, **state}
    newest, *_ = (await wire.call("/thumbturn/webhooks/deliveries/list", **about))["deliveries"]
    assert (newest["status"], newest["error"]) == ("given_up", "the event is not on record any more")
