"""Two equal processes share one database: a caller cannot tell which of them he asks."""

from __future__ import annotations

import concurrent.futures
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.fixtures.processes import OneOfMany, processes
from tests.fixtures.server import Caller, caller_in_new_sandbox

Both = list[Caller]


@pytest.fixture(scope="module")
def equals(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[OneOfMany]]:
    """Two processes with all roles."""
    with processes(postgres_server, tmp_path_factory.mktemp("equals"), (), ()) as made:
        yield made


@pytest.fixture
def both(equals: list[OneOfMany], request: pytest.FixtureRequest) -> Both:
    """One caller, in one sandbox, at each of the two."""
    first = caller_in_new_sandbox(equals[0], request.node.name[:60])
    token = first.http.headers["authorization"].removeprefix("Bearer ")
    second = Caller(equals[1], equals[1].client(token, first.workspace_id), first.workspace_id)
    return [first, second]


def ended(caller: Caller, id: str) -> dict[str, Any]:
    """The attempt as this process knows it, once it has ended."""
    reply = caller.http.post(
        "/action_attempts/get", json={"action_attempt_id": id}, headers={"prefer": "wait=20"}
    )
    found: dict[str, Any] = reply.json()["action_attempt"]
    return found


def test_a_command_at_either_is_run_and_its_end_is_known_at_both(both: Both):
    """Whoever is asked to open a door, it opens, and both say so; a wait ends with the attempt."""
    door = both[0].locks()[0]["device_id"]
    for asked, other in (both, both[::-1]):
        reply = asked.http.post("/locks/unlock_door", json={"device_id": door}, headers={"prefer": "wait=20"})
        attempt = reply.json()["action_attempt"]
        assert attempt["status"] == "success"
        assert ended(other, attempt["action_attempt_id"]) == attempt


def test_a_key_at_both_at_once_begins_one_attempt(both: Both):
    """Calls with one key, at two processes at the same moment, are one command."""
    door = both[0].locks()[0]["device_id"]
    for number in range(5):
        headers = {"idempotency-key": f"key-{number}"}

        def ask(caller: Caller, headers: dict[str, str] = headers) -> str:
            reply = caller.http.post("/locks/lock_door", json={"device_id": door}, headers=headers)
            assert reply.status_code == 200, reply.text
            id: str = reply.json()["action_attempt"]["action_attempt_id"]
            return id

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert len(set(pool.map(ask, [*both, *both]))) == 1


def test_what_acts_with_a_key_at_both_at_once_is_done_once(both: Both):
    """A space that is made at two processes at the same moment with one key is one space."""
    headers = {"idempotency-key": "one-hall"}

    def ask(caller: Caller) -> bytes:
        reply = caller.http.post("/spaces/create", json={"name": "Hall"}, headers=headers)
        assert reply.status_code == 200, reply.text
        return reply.content

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, [*both, *both]))) == 1
    assert [len(each.call("/spaces/list")["spaces"]) for each in both] == [1, 1]


def test_a_key_that_is_revoked_at_one_is_refused_at_the_other(both: Both):
    """Within a second after the answer to the revocation, nobody lets the key in."""
    made = both[0].call("/thumbturn/keys/create", name="for a while")
    clients = [each.server.client(made["token"]) for each in both]
    assert [each.post("/devices/list").status_code for each in clients] == [200, 200]
    both[0].call("/thumbturn/keys/revoke", key_id=made["key"]["key_id"])
    time.sleep(1)
    assert [each.post("/devices/list").status_code for each in clients] == [401, 401]


def test_events_come_in_order_at_both(both: Both):
    """A reader of the stream at either process is told the same events, with the same places."""

    def read(caller: Caller) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        headers = {**caller.http.headers, "last-event-id": "0"}
        with httpx.stream("GET", f"{caller.server.endpoint}/thumbturn/stream", headers=headers) as stream:
            place = ""
            for line in stream.iter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    place = value
                if name == "data" and '"event_id"' in value:
                    found.append((place, json.loads(value)["event_id"]))
                if len(found) == 6:
                    return found
        return found

    door = both[0].locks()[0]["device_id"]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        reading = [pool.submit(read, each) for each in both]
        for number in range(8):
            path = "/locks/unlock_door" if number % 2 else "/locks/lock_door"
            attempt = both[number % 2].call(path, device_id=door)["action_attempt"]
            ended(both[1 - number % 2], attempt["action_attempt_id"])
        told = [each.result(20) for each in reading]
    assert len(told[0]) == 6
    assert told[0] == told[1]
