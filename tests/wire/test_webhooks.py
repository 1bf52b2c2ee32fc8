"""Looking after webhooks over HTTP, in this process: endpoints answer as the test says."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.fixtures.webhooks import URL
from tests.fixtures.wire import Wire
from thumbturn.domain.clock import SECOND, to_wire, to_wire_exactly
from thumbturn.engine import webhooks
from thumbturn.testing.endpoints import DOWN, GOOD, Answer


async def made(wire: Wire, **ask: Any) -> dict[str, Any]:
    """A webhook of the first workspace."""
    answer = await wire.call("/webhooks/create", url=URL, **ask)
    webhook: dict[str, Any] = answer["webhook"]
    return webhook


async def test_a_webhook_is_made_with_a_secret_of_its_own(wire: Wire):
    """create answers as get and list do: id, address, types, and a secret in standard base64."""
    webhook, other = await made(wire), await made(wire)
    assert webhook.keys() == {"webhook_id", "url", "event_types", "secret"}
    assert (webhook["url"], webhook["event_types"]) == (URL, ["*"])
    assert webhook["secret"] != other["secret"]
    assert len(base64.b64decode(webhook["secret"].removeprefix("whsec_"), validate=True)) >= 24
    assert await wire.call("/webhooks/get", webhook_id=webhook["webhook_id"]) == {"webhook": webhook}
    assert await wire.call("/webhooks/list") == {"webhooks": [webhook, other]}
    stored = await wire.hooks.store.webhooks.get("w1", webhook["webhook_id"])
    assert stored is not None
    assert webhook["secret"] not in repr(stored)


@pytest.mark.parametrize("path", ["/webhooks/create", "/webhooks/update"])
async def test_unknown_event_types_are_refused(wire: Wire, path: str):
    """A type that no event has is 400 and named, also beside good ones; nothing is changed then."""
    webhook = await made(wire)
    ask = {"url": URL, "webhook_id": webhook["webhook_id"], "event_types": ["lock.locked", "lock.melted"]}
    refused = await wire.ask("POST", path, ask)
    assert refused.status == 400
    error = refused.error
    assert error["type"] == "invalid_event_types"
    assert '"lock.melted"' in error["message"]
    assert error["data"] == {"event_types": ["lock.melted"]}
    assert await wire.call("/webhooks/list") == {"webhooks": [webhook]}


async def test_update_changes_types_and_nothing_else(wire: Wire):
    """update takes the types by POST or PUT; an address that comes along is not looked at."""
    webhook = await made(wire)
    ask = {"webhook_id": webhook["webhook_id"], "event_types": ["lock.locked"], "url": "https://other.test/"}
    for method in ("PUT", "POST"):
        assert (await wire.ask(method, "/webhooks/update", ask)).json == {"ok": True}
        [listed] = (await wire.call("/webhooks/list"))["webhooks"]
        assert listed == webhook | {"event_types": ["lock.locked"]}
    assert (await wire.ask("PATCH", "/webhooks/update", ask)).status == 405


async def test_delete_takes_its_id_from_the_query_too(wire: Wire):
    """delete works by DELETE and by POST, and what is deleted is 404 from then on."""
    one, two = await made(wire), await made(wire)
    assert (await wire.ask("DELETE", f"/webhooks/delete?webhook_id={one['webhook_id']}")).status == 200
    await wire.call("/webhooks/delete", webhook_id=two["webhook_id"])
    gone = await wire.ask("POST", "/webhooks/delete", {"webhook_id": two["webhook_id"]})
    assert (gone.status, gone.error["type"]) == (404, "webhook_not_found")
    assert await wire.call("/webhooks/list") == {"webhooks": []}


async def test_a_workspace_has_so_many_webhooks(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """One webhook more than a workspace may have is refused; after a deletion there is room again."""
    monkeypatch.setattr(webhooks, "MOST_IN_A_WORKSPACE", 2)
    one, _ = await made(wire), await made(wire)
    refused = await wire.ask("POST", "/webhooks/create", {"url": URL})
    assert (refused.status, refused.error["type"]) == (400, "too_many_webhooks")
    await wire.call("/webhooks/delete", webhook_id=one["webhook_id"])
    await made(wire)


async def test_every_try_is_listed(wire: Wire):
    """Each try is there with its time, answer, duration, error and next try, newest first, in pages."""
    id = (await made(wire))["webhook_id"]
    wire.hooks.endpoints.answer(URL, Answer(503, after=SECOND), GOOD)
    [event] = await wire.hooks.tell()
    await wire.house.clock.advance(10 * SECOND)
    [second] = await wire.hooks.tell()
    listing = await wire.call("/thumbturn/webhooks/deliveries/list", webhook_id=id)
    assert listing["pagination"]["has_next_page"] is False
    third, again, first = listing["deliveries"]
    assert first == {
        "webhook_id": id,
        "event_id": event.event_id,
        "event_type": "device.connected",
        "try_number": 1,
        "tried_at": first["tried_at"],
        "status": "failed",
        "http_status": 503,
        "milliseconds": 1000.0,
        "error": "answered 503",
        "next_try_at": again["tried_at"],
    }
    assert (again["try_number"], again["status"], again["http_status"]) == (2, "delivered", 200)
    assert (third["event_id"], third["error"], third["next_try_at"]) == (second.event_id, None, None)
    for narrowed, found in (
        ({"event_id": event.event_id}, [again, first]),
        ({"status": "failed"}, [first]),
        ({"status": "given_up"}, []),
        ({"status": "delivered", "event_id": second.event_id}, [third]),
    ):
        listing = await wire.call("/thumbturn/webhooks/deliveries/list", webhook_id=id, **narrowed)
        assert listing["deliveries"] == found
    walked, cursor = [], None
    while True:
        more = {} if cursor is None else {"page_cursor": cursor}
        page = await wire.call("/thumbturn/webhooks/deliveries/list", webhook_id=id, limit=1, **more)
        walked += page["deliveries"]
        cursor = page["pagination"]["next_page_cursor"]
        if cursor is None:
            break
    assert walked == [third, again, first]


async def test_state_says_how_a_webhook_is_doing(wire: Wire):
    """The state tells failures, what waits, and why a webhook was disabled; enable ends it."""
    id = (await made(wire))["webhook_id"]
    wire.hooks.endpoints.answer(URL, DOWN, Answer(410), GOOD)
    since = wire.house.clock.now()
    await wire.hooks.tell()
    state = (await wire.call("/thumbturn/webhooks/state", webhook_id=id))["webhook_state"]
    assert (state["is_enabled"], state["waiting_count"], state["behind_count"]) == (True, 1, 0)
    assert state["failing_since"] >= to_wire(since)
    await wire.hooks.tell()
    await wire.hooks.tell(2)
    state = (await wire.call("/thumbturn/webhooks/state", webhook_id=id))["webhook_state"]
    assert (state["is_enabled"], state["disabled_because"]) == (False, "gone")
    assert (state["waiting_count"], state["behind_count"]) == (2, 3)
    refused = await wire.ask(
        "POST", "/thumbturn/webhooks/resend", {"webhook_id": id, "since": "2020-01-01T00:00:00Z"}
    )
    assert (refused.status, refused.error["type"]) == (400, "webhook_disabled")
    await wire.call("/thumbturn/webhooks/enable", webhook_id=id)
    await wire.hooks.a_moment()
    state = (await wire.call("/thumbturn/webhooks/state", webhook_id=id))["webhook_state"]
    assert state == {
        "webhook_id": id,
        "is_enabled": True,
        "disabled_at": None,
        "disabled_because": None,
        "failing_since": None,
        "waiting_count": 0,
        "behind_count": 0,
        "previous_secret_signs_until": None,
    }


async def test_a_webhook_is_told_something(wire: Wire):
    """An empty list of types is refused, when it is made and later; nothing is changed by that."""
    refused = await wire.ask("POST", "/webhooks/create", {"url": URL, "event_types": []})
    assert (refused.status, refused.error["type"]) == (400, "invalid_event_types")
    assert (await wire.call("/webhooks/list"))["webhooks"] == []
    webhook = await made(wire, event_types=["lock.locked"])
    ask = {"webhook_id": webhook["webhook_id"], "event_types": []}
    refused = await wire.ask("POST", "/webhooks/update", ask)
    assert (refused.status, refused.error["type"]) == (400, "invalid_event_types")
    assert "at least one type" in refused.error["message"]
    assert (await wire.call("/webhooks/get", webhook_id=webhook["webhook_id"]))["webhook"] == webhook


async def test_one_event_is_sent_again(wire: Wire):
    """resend sends an event once more with the same id; one from before the webhook, or of nobody, is 404."""
    [before] = await wire.hooks.tell()
    id = (await made(wire))["webhook_id"]
    [event] = await wire.hooks.tell()
    again = await wire.call("/thumbturn/webhooks/resend", webhook_id=id, event_id=event.event_id)
    assert again == {"queued_count": 1, "next_since": None}
    await wire.hooks.a_moment()
    assert wire.hooks.received() == [event.event_id] * 2
    one, two = wire.hooks.endpoints.received[URL]
    assert one.body == two.body
    assert one.headers["webhook-id"] == two.headers["webhook-id"]
    for unknown in (before.event_id, "nothing"):
        ask = {"webhook_id": id, "event_id": unknown}
        refused = await wire.ask("POST", "/thumbturn/webhooks/resend", ask)
        assert (refused.status, refused.error["type"]) == (404, "event_not_found")


async def test_everything_since_a_moment_is_sent_again(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """resend since a moment takes what the webhook was told since, in order, so many at a time."""
    monkeypatch.setattr(webhooks, "MOST_SENT_AGAIN", 4)
    await wire.hooks.tell()
    id = (await made(wire, event_types=["lock.locked"]))["webhook_id"]
    [old] = await wire.hooks.tell(event_type="lock.locked")
    await wire.hooks.tell(event_type="lock.unlocked")
    since = to_wire(wire.house.clock.now())
    await wire.house.clock.advance(SECOND)
    new = [event for _ in range(6) for event in await wire.hooks.tell(event_type="lock.locked")]
    first = await wire.call("/thumbturn/webhooks/resend", webhook_id=id, since=since)
    assert first == {"queued_count": 4, "next_since": to_wire_exactly(new[4].created_at - 1)}
    await wire.hooks.a_moment()
    rest = await wire.call("/thumbturn/webhooks/resend", webhook_id=id, since=first["next_since"])
    assert rest["next_since"] is None
    await wire.hooks.a_moment()
    ids = [event.event_id for event in new]
    received = wire.hooks.received()
    assert received[: 7 + 4] == [old.event_id, *ids, *ids[:4]]
    assert received[-2:] == ids[-2:]


async def test_what_came_in_one_moment_is_not_torn_apart(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """Going on with next_since leaves out none of the events that the server learned of together."""
    monkeypatch.setattr(webhooks, "MOST_SENT_AGAIN", 4)
    id = (await made(wire))["webhook_id"]
    since = to_wire(wire.house.clock.now() - SECOND)
    await wire.hooks.store_event()
    await wire.house.clock.advance(1)
    together = [event for _ in range(4) for event in await wire.hooks.store_event()]
    await wire.hooks.a_moment()
    wire.hooks.endpoints.received[URL].clear()
    asked, counts = since, []
    for _ in range(2):
        again = await wire.call("/thumbturn/webhooks/resend", webhook_id=id, since=asked)
        asked = again["next_since"]
        counts.append(again["queued_count"])
        await wire.hooks.a_moment()
    assert (counts, asked) == ([4, 4], None)
    assert {event.event_id for event in together} <= set(wire.hooks.received())


async def test_much_that_came_before_the_webhook_hides_nothing(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """resend since a moment long before the webhook was made takes what came after that."""
    monkeypatch.setattr(webhooks, "MOST_SENT_AGAIN", 4)
    since = to_wire(wire.house.clock.now() - SECOND)
    await wire.hooks.tell(13)
    id = (await made(wire))["webhook_id"]
    told = await wire.hooks.tell(3)
    again = await wire.call("/thumbturn/webhooks/resend", webhook_id=id, since=since)
    assert again == {"queued_count": 3, "next_since": None}
    await wire.hooks.a_moment()
    assert wire.hooks.received() == [event.event_id for event in told] * 2


@pytest.mark.parametrize("ask", [{}, {"event_id": "e", "since": "2020-01-01T00:00:00Z"}, {"since": "soon"}])
async def test_resend_wants_one_thing(wire: Wire, ask: dict[str, Any]):
    """resend takes an event or a moment, not both and not neither."""
    id = (await made(wire))["webhook_id"]
    refused = await wire.ask("POST", "/thumbturn/webhooks/resend", {"webhook_id": id, **ask})
    assert (refused.status, refused.error["type"]) == (400, "invalid_input")


async def test_a_test_event_is_sent_at_once_and_is_in_no_log(wire: Wire):
    """test sends an event of its own type and says how the endpoint answered; nothing remembers it."""
    id = (await made(wire))["webhook_id"]
    log = await wire.hooks.log()
    good = (await wire.call("/thumbturn/webhooks/test", webhook_id=id))["delivery"]
    assert (good["status"], good["http_status"], good["event_type"]) == ("delivered", 200, "webhook.test")
    [received] = wire.hooks.endpoints.received[URL]
    assert received.event["event_id"] == good["event_id"] == received.headers["svix-id"]
    assert (received.event["event_type"], received.event["webhook_id"]) == ("webhook.test", id)
    wire.hooks.endpoints.answer(URL, Answer(500))
    bad = (await wire.call("/thumbturn/webhooks/test", webhook_id=id))["delivery"]
    assert (bad["status"], bad["http_status"], bad["error"]) == ("given_up", 500, "answered 500")
    await wire.house.clock.advance(60 * SECOND)
    assert len(wire.hooks.received()) == 2
    assert await wire.hooks.log() == log
    assert (await wire.call("/thumbturn/webhooks/deliveries/list", webhook_id=id))["deliveries"] == []


async def test_the_overlap_of_secrets_has_bounds(wire: Wire):
    """The old secret signs for a day unless asked otherwise, and for thirty days at most."""
    id = (await made(wire))["webhook_id"]
    await wire.call("/thumbturn/webhooks/rotate_secret", webhook_id=id)
    state = (await wire.call("/thumbturn/webhooks/state", webhook_id=id))["webhook_state"]
    assert state["previous_secret_signs_until"] == to_wire(wire.house.clock.now() + 86_400 * SECOND)
    for seconds in (-1, 30 * 86_400 + 1, "1"):
        ask = {"webhook_id": id, "overlap_seconds": seconds}
        assert (await wire.ask("POST", "/thumbturn/webhooks/rotate_secret", ask)).status == 400


async def test_the_old_secret_signs_until_its_time_is_over(wire: Wire):
    """While the old secret is good, there are two signatures; from that moment on there is one."""
    id = (await made(wire))["webhook_id"]
    await wire.call("/thumbturn/webhooks/rotate_secret", webhook_id=id, overlap_seconds=10)
    await wire.hooks.tell()
    await wire.house.clock.advance(10 * SECOND)
    await wire.hooks.tell()
    counts = [each.headers["svix-signature"].count("v1,") for each in wire.hooks.endpoints.received[URL]]
    assert counts == [2, 1]
