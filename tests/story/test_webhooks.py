"""A real server and real endpoints: good ones, and all kinds of bad ones."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.fixtures.receiver import Receiver
from tests.fixtures.server import Caller, LiveServer


def created(caller: Caller, url: str, *event_types: str) -> str:
    """The id of a new webhook."""
    made = caller.call("/webhooks/create", url=url, event_types=event_types or ["*"])
    return str(made["webhook"]["webhook_id"])


def unlock(caller: Caller, door: int = 0) -> None:
    """Unlock a door, and wait until it is."""
    caller.call("/locks/unlock_door", device_id=caller.locks()[door]["device_id"], sync=True)


def tries(caller: Caller, webhook_id: str, count: int) -> list[dict[str, Any]]:
    """So many tries of a webhook, once they are there, oldest first."""
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        listing = caller.call("/thumbturn/webhooks/deliveries/list", webhook_id=webhook_id)
        if len(listing["deliveries"]) >= count:
            return list(reversed(listing["deliveries"]))
        time.sleep(0.05)
    raise AssertionError(f"only {len(listing['deliveries'])} of {count} tries were made")


@pytest.mark.parametrize(
    ("how", "status"), [("500", 500), ("close", None), ("redirect", 302), ("flood", 500), ("404", 404)]
)
def test_a_bad_endpoint_is_asked_again(caller: Caller, receiver: Receiver, how: str, status: int | None):
    """An endpoint that fails gets the event again after five seconds; a redirect is not followed."""
    webhook_id = created(caller, receiver.url(), "lock.unlocked")
    receiver.behave("/hook", how, "204")
    unlock(caller)
    first, second = tries(caller, webhook_id, 2)
    assert (first["status"], first["http_status"]) == ("failed", status)
    assert first["error"]
    assert "Traceback" not in first["error"]
    assert (second["status"], second["http_status"], second["try_number"]) == ("delivered", 204, 2)
    one, two = receiver.at()
    assert one.body == two.body
    assert 4.4 < two.at - one.at < 8
    assert receiver.at("/elsewhere") == []


def test_gone_is_the_end_until_it_is_enabled(caller: Caller, receiver: Receiver):
    """After 410 an endpoint is left alone, others are told, and enabling delivers what it missed."""
    webhook_id = created(caller, receiver.url(), "lock.unlocked", "lock.locked")
    created(caller, receiver.url("/watch"), "webhook.disabled")
    receiver.behave("/hook", "410", "204")
    unlock(caller)
    [told] = receiver.wait_for(1, "/watch")
    assert (told.event["webhook_id"], told.event["disabled_because"]) == (webhook_id, "gone")
    caller.call("/locks/lock_door", device_id=caller.locks()[0]["device_id"], sync=True)
    state = caller.call("/thumbturn/webhooks/state", webhook_id=webhook_id)["webhook_state"]
    assert (state["is_enabled"], state["disabled_because"]) == (False, "gone")
    assert len(receiver.at()) == 1
    caller.call("/thumbturn/webhooks/enable", webhook_id=webhook_id)
    came = receiver.wait_for(3)
    assert {each.event["event_type"] for each in came[1:]} == {"lock.unlocked", "lock.locked"}


def test_an_endpoint_that_hangs_delays_no_other(caller: Caller, receiver: Receiver):
    """While one endpoint does not answer, another is told everything in order and without delay."""
    created(caller, receiver.url("/hangs"))
    created(caller, receiver.url("/good"))
    receiver.behave("/hangs", "hang")
    for _ in range(10):
        unlock(caller)
        caller.call("/locks/lock_door", device_id=caller.locks()[0]["device_id"], sync=True)
    receiver.wait_for(40, "/good", within=5)
    log = caller.call("/events/list", since="2000-01-01T00:00:00Z", limit=10_000)["events"]
    assert receiver.event_ids("/good") == [each["event_id"] for each in log][-40:]
    assert len(receiver.at("/hangs")) == 1


def test_a_try_is_made_and_answered_at_once(caller: Caller, receiver: Receiver):
    """/thumbturn/webhooks/test says what the endpoint answered; nothing of it is in the log."""
    webhook_id = created(caller, receiver.url())
    receiver.behave("/hook", "204", "close")
    good, bad = (caller.call("/thumbturn/webhooks/test", webhook_id=webhook_id)["delivery"] for _ in range(2))
    assert (good["status"], good["http_status"]) == ("delivered", 204)
    assert (bad["status"], bad["http_status"]) == ("given_up", None)
    assert receiver.at()[0].event["event_type"] == "webhook.test"
    assert caller.call("/events/list", since="2000-01-01T00:00:00Z")["events"] == []


def test_secrets_are_nowhere_on_disk(fresh_server: LiveServer, receiver: Receiver):
    """No file of the data folder, and no line of the log, holds a webhook's secret, old or new."""
    with fresh_server.client() as client:
        made = client.post("/webhooks/create", json={"url": receiver.url()}).json()["webhook"]
        rotate = {"webhook_id": made["webhook_id"]}
        new = client.post("/thumbturn/webhooks/rotate_secret", json=rotate).json()["webhook"]["secret"]
        client.post("/thumbturn/webhooks/test", json=rotate)
    receiver.wait_for(1)
    fresh_server.stop()
    looked_at = [path for path in fresh_server.data.rglob("*") if path.is_file()] + [fresh_server.log]
    assert any(path.suffix == ".db" for path in looked_at)
    for path in looked_at:
        for secret in (made["secret"], new):
            assert secret.removeprefix("whsec_").encode() not in path.read_bytes(), path.name


def test_deliveries_go_on_where_a_restart_broke_them_off(fresh_server: LiveServer, receiver: Receiver):
    """A delivery that waits for its next try is made when it is due, by the process after the stop."""
    with fresh_server.client() as client:
        made = client.post("/webhooks/create", json={"url": receiver.url(), "event_types": ["lock.unlocked"]})
        webhook_id = made.json()["webhook"]["webhook_id"]
        receiver.behave("/hook", "500", "204")
        door = client.post("/locks/list", json={}).json()["locks"][0]["device_id"]
        client.post("/locks/unlock_door", json={"device_id": door, "sync": True})
        receiver.wait_for(1)
    fresh_server.restart()
    first, second = receiver.wait_for(2)
    assert first.event == second.event
    assert second.at - first.at > 4.4
    with fresh_server.client() as client:
        time.sleep(0.3)
        ask = {"webhook_id": webhook_id}
        listed = client.post("/thumbturn/webhooks/deliveries/list", json=ask).json()["deliveries"]
    assert [(each["try_number"], each["status"]) for each in listed] == [(2, "delivered"), (1, "failed")]
