"""``kill -9`` while webhooks are told: what was committed is delivered by the next process."""

from __future__ import annotations

from typing import Any

from tests.fixtures.receiver import Receiver
from tests.fixtures.server import LiveServer

SINCE = "2000-01-01T00:00:00Z"


def made(server: LiveServer, receiver: Receiver) -> dict[str, Any]:
    """A webhook for everything that happens on the server from now on."""
    with server.client() as client:
        answer = client.post("/webhooks/create", json={"url": receiver.url()})
        webhook: dict[str, Any] = answer.json()["webhook"]
        return webhook


def log(server: LiveServer) -> list[str]:
    """The ids of all events of the server's workspace, in order."""
    with server.client() as client:
        found = client.post("/events/list", json={"since": SINCE, "limit": 10_000}).json()["events"]
    return [each["event_id"] for each in found]


def locks(server: LiveServer, count: int) -> list[str]:
    """New locks without travel time."""
    with server.client() as client:
        more = {"count": count, "kind": "lock", "travel_milliseconds": 0}
        ids: list[str] = client.post("/thumbturn/sandbox/add_devices", json=more).json()["device_ids"]
        return ids


def test_committed_and_not_delivered_is_delivered_after_restart(any_server: LiveServer, receiver: Receiver):
    """What was committed while the endpoint hung reaches it in order, from the process after the kill."""
    made(any_server, receiver)
    [door] = locks(any_server, 1)
    before = len(log(any_server))
    receiver.behave("/hook", "hang")
    with any_server.client() as client:
        for _ in range(5):
            client.post("/locks/unlock_door", json={"device_id": door, "sync": True})
            client.post("/locks/lock_door", json={"device_id": door, "sync": True})
    receiver.wait_for(1)
    any_server.kill9()
    receiver.behave("/hook", "204")
    any_server.start()
    told = log(any_server)[before:]
    assert len(told) == 20
    receiver.wait_for(1 + len(told))
    assert receiver.event_ids()[1:] == told
