"""``/thumbturn/ready``: what it takes to be ready, and which part is named when something is missing."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.fixtures.wire import Wire
from thumbturn.api.wire.readiness import Readiness
from thumbturn.domain.clock import seconds
from thumbturn.domain.refusals import StorageUnavailable
from thumbturn.engine.meters import WriterMeters
from thumbturn.engine.ports import Writing


async def asked(wire: Wire) -> tuple[int, Readiness, str]:
    """Status, readiness and message of the answer."""
    reply = await wire.ask("GET", "/thumbturn/ready", token=None)
    if reply.status == 200:
        return 200, reply.json["readiness"], ""
    error = reply.error
    assert error["type"] == "not_ready"
    return reply.status, error["data"]["readiness"], error["message"]


async def test_a_server_in_order_is_ready(wire):
    """Every part says that it is ready, with its numbers; no token is needed."""
    lock = await wire.house.lock()
    await wire.house.fault(lock, "slow", ms=10_000)
    await wire.house.begin("UNLOCK_DOOR", lock)
    await wire.house.clock.advance(seconds(3))
    status, readiness, _ = await asked(wire)
    assert (status, readiness["is_ready"]) == (200, True)
    assert readiness["database"] == {"is_ready": True, "message": ""}
    assert readiness["writer"] == {
        "is_ready": True,
        "message": "",
        "waiting_operations": 0,
        "waiting_limit": 1,
    }
    [driver] = readiness["drivers"]
    devices = len(await wire.house.store.every_device())
    assert driver == {
        "is_ready": True,
        "message": "",
        "driver": "virtual",
        "devices": devices,
        "devices_online": devices,
        "links": 1,
        "links_up": 1,
    }
    assert readiness["backlog"] == {
        "is_ready": True,
        "message": "",
        "open_attempts": 1,
        "oldest_open_seconds": 3.0,
        "unrecorded": 0,
    }
    assert readiness["webhooks"] == {"is_ready": True, "message": ""}


async def test_a_database_that_is_away_is_named(wire, monkeypatch):
    """When the store cannot be reached the answer is 503 and says so, without the store's own words."""

    async def unreachable() -> None:
        raise StorageUnavailable("host=10.0.0.7 password=hush")

    monkeypatch.setattr(wire.house.store, "check", unreachable)
    status, readiness, message = await asked(wire)
    assert (status, readiness["is_ready"], readiness["database"]["is_ready"]) == (503, False, False)
    assert message == "The database cannot be reached."
    assert readiness["writer"]["is_ready"]


async def test_a_database_that_hangs_is_asked_once(wire, monkeypatch):
    """A question without an answer is given up after two seconds, and no second one is asked meanwhile."""
    questions = []
    answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def hang() -> None:
        questions.append(1)
        await answer

    monkeypatch.setattr(wire.house.store, "check", hang)
    asking = [asyncio.create_task(asked(wire)) for _ in range(3)]
    await wire.house.clock.advance(seconds(2))
    for status, readiness, message in await asyncio.gather(*asking):
        assert (status, readiness["database"]["is_ready"]) == (503, False)
        assert message == "The database has not answered in time."
    assert len(questions) == 1
    answer.set_result(None)
    assert (await asked(wire))[0] == 200


@pytest.mark.parametrize(
    ("waiting", "is_down", "says"),
    [(7, False, "As much waits"), (0, True, "did not reach"), (6, False, "")],
)
async def test_a_writer_that_cannot_go_on_is_named(wire, monkeypatch, waiting, is_down, says):
    """The writer is not ready while its bound is reached or its last commit was not made."""
    meters = WriterMeters()
    meters.is_down = is_down
    monkeypatch.setattr(wire.house.store, "writing", lambda: Writing(waiting, 7, meters))
    status, readiness, message = await asked(wire)
    assert (status, readiness["writer"]["is_ready"]) == ((503, False) if says else (200, True))
    assert says in message
    assert readiness["writer"]["waiting_operations"] == waiting


async def test_a_driver_without_any_link_is_named(wire):
    """A driver whose links are all down is not ready; one of several down is not the server's end."""
    driver = wire.house.driver
    driver.links = lambda: {"one": False, "two": True}
    status, readiness, _ = await asked(wire)
    assert (status, readiness["drivers"][0]["links"], readiness["drivers"][0]["links_up"]) == (200, 2, 1)
    driver.links = lambda: {"one": False, "two": False}
    status, readiness, message = await asked(wire)
    assert (status, readiness["drivers"][0]["is_ready"]) == (503, False)
    assert message == "Driver virtual: None of its links stands."


async def test_a_server_that_stops_is_not_ready(wire):
    """From the moment it is asked to stop, it says that it begins nothing."""
    await wire.house.engine.stop(0)
    status, readiness, message = await asked(wire)
    assert (status, readiness["backlog"]["is_ready"]) == (503, False)
    assert "starting or stopping" in message


async def test_an_attempt_that_nobody_ends_is_noticed(wire):
    """An attempt that is open ten seconds after its deadline means that the sweep is stuck."""
    lock = await wire.house.lock()
    await wire.house.fault(lock, "slow", ms=3_600_000)
    await wire.house.engine._deadlines.stop()
    await wire.house.begin("UNLOCK_DOOR", lock)
    await wire.house.clock.advance(seconds(39))
    assert (await asked(wire))[0] == 200
    await wire.house.clock.advance(seconds(2))
    status, readiness, message = await asked(wire)
    assert (status, readiness["backlog"]["is_ready"]) == (503, False)
    assert message == "An attempt is still open long after its deadline."


async def test_what_cannot_be_put_on_record_is_noticed(wire, monkeypatch):
    """While an outcome, or what became of deliveries, cannot be written, the server says so."""
    wire.house.engine.records.waiting = 1
    status, readiness, message = await asked(wire)
    assert (status, readiness["backlog"]["is_ready"], readiness["backlog"]["unrecorded"]) == (503, False, 1)
    assert message.startswith("What was decided cannot be put on record")
    wire.house.engine.records.waiting = 0
    wire.hooks.means.meters.is_unrecorded = True
    status, readiness, message = await asked(wire)
    assert (status, readiness["webhooks"]["is_ready"], readiness["backlog"]["is_ready"]) == (503, False, True)
    assert message.startswith("What became of deliveries")


def test_a_live_server_is_ready(any_server):
    """On each database a server that was just started is ready, after a write too."""
    assert ready(any_server)[0] == 200
    door = any_server.client().post("/locks/list", json={}).json()["locks"][0]["device_id"]
    any_server.client().post("/locks/unlock_door", json={"device_id": door, "sync": True})
    status, answer = ready(any_server)
    assert (status, answer["readiness"]["is_ready"], answer["ok"]) == (200, True, True)
    assert answer["readiness"]["writer"]["waiting_limit"] == 20_000


def test_postgresql_taken_away_and_given_back(new_server, postgres_url, postgres_server):
    """Without its PostgreSQL a server is alive and not ready; with it again, it is, and it writes."""
    server = new_server(database_url=postgres_url)
    client = server.client()
    door = client.post("/locks/list", json={}).json()["locks"][0]["device_id"]
    name = str(conninfo_to_dict(postgres_url)["dbname"])
    with psycopg.connect(postgres_server.format(database="postgres"), autocommit=True) as connection:
        connection.execute(f"alter database {name} with allow_connections false")
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,)
        )
        status, answer = ready(server)
        assert (status, answer["error"]["type"]) == (503, "not_ready")
        assert answer["error"]["data"]["readiness"]["database"]["is_ready"] is False
        assert name not in str(answer)
        assert httpx.get(f"{server.endpoint}/health").status_code == 200
        # A write that fails makes the writer down as well, and only a write can prove it well again.
        assert client.post("/locks/unlock_door", json={"device_id": door}).status_code == 503
        assert ready(server)[1]["error"]["data"]["readiness"]["writer"]["is_ready"] is False
        connection.execute(f"alter database {name} with allow_connections true")
    limit = time.monotonic() + 20
    while (found := ready(server))[0] != 200 and time.monotonic() < limit:
        time.sleep(0.05)
    assert found[0] == 200, found
    assert client.post("/locks/unlock_door", json={"device_id": door, "sync": True}).status_code == 200


def ready(server) -> tuple[int, Any]:
    answer = httpx.get(f"{server.endpoint}/thumbturn/ready", timeout=30)
    return answer.status_code, answer.json()
