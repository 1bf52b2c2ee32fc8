"""``/metrics``: each number moves when it should, and nothing of a workspace is in it."""

from __future__ import annotations

import httpx
import pytest

from tests.fixtures.metrics import Scrape, sample
from tests.fixtures.server import caller_in_new_sandbox
from tests.fixtures.wire import Wire
from thumbturn.api.metric_kinds import METRICS
from thumbturn.domain.clock import seconds
from thumbturn.testing.endpoints import Answer


async def scrape(wire: Wire) -> Scrape:
    reply = await wire.ask("GET", "/metrics", token=None)
    assert reply.status == 200, reply.content
    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(reply.content.decode())


async def test_an_attempt_that_ends_is_counted(wire):
    """A success and a failure each count under their action type, outcome and cause, with their times."""
    lock = await wire.house.lock(travel=300)
    await wire.house.begin("UNLOCK_DOOR", lock)
    await wire.house.clock.advance(seconds(1))
    await wire.house.fault(lock, "jam", times=1)
    await wire.house.begin("LOCK_DOOR", lock)
    await wire.house.clock.advance(seconds(40))
    now = await scrape(wire)
    ended = "thumbturn_attempts_ended_total"
    assert now[sample(ended, action_type="UNLOCK_DOOR", outcome="success", cause="")] == 1
    assert now[sample(ended, action_type="LOCK_DOOR", outcome="error", cause="lock_jammed")] == 1
    stage = {"action_type": "UNLOCK_DOOR", "stage": "accepted_to_ended"}
    took = "thumbturn_attempt_stage_seconds"
    assert now[sample(f"{took}_count", **stage)] == 1
    assert now[sample(f"{took}_sum", **stage)] == pytest.approx(0.3)
    assert now[sample(f"{took}_bucket", le="0.25", **stage)] == 0
    assert now[sample(f"{took}_bucket", le="0.5", **stage)] == 1
    assert now[sample(f"{took}_bucket", le="+Inf", **stage)] == 1


async def test_what_is_open_is_shown_while_it_is(wire):
    """Open attempts, the age of the oldest, and the lanes rise with a slow device and fall again."""
    lock = await wire.house.lock()
    await wire.house.fault(lock, "slow", ms=10_000)
    await wire.house.begin("UNLOCK_DOOR", lock)
    await wire.house.begin("LOCK_DOOR", lock)
    await wire.house.clock.advance(seconds(4))
    open_now = await scrape(wire)
    phases = {
        labels["phase"]: n for name, labels, n in open_now.samples() if name == "thumbturn_attempts_open"
    }
    assert (phases.keys(), phases["queued"], sum(phases.values())) == ({"queued", "sent", "confirming"}, 1, 2)
    assert open_now["thumbturn_attempt_oldest_open_seconds"] == pytest.approx(4)
    assert open_now[sample("thumbturn_lanes", state="busy")] == 1
    assert open_now[sample("thumbturn_lanes", state="waiting")] == 1
    await wire.house.clock.advance(seconds(30))
    closed = await scrape(wire)
    assert sum(n for name, _, n in closed.samples() if name == "thumbturn_attempts_open") == 0
    assert closed["thumbturn_attempt_oldest_open_seconds"] == 0
    assert closed[sample("thumbturn_lanes", state="waiting")] == 0


async def test_devices_and_links_of_a_driver_are_counted(wire):
    """A device that goes offline moves from one state to the other."""
    before = await scrape(wire)
    await wire.house.engine.sandbox.disconnect(wire.house.workspace, await wire.door())
    after = await scrape(wire)
    for state, change in (("online", -1), ("offline", 1)):
        of_state = sample("thumbturn_driver_devices", driver="virtual", state=state)
        assert after[of_state] - before[of_state] == change
    assert after[sample("thumbturn_driver_links", driver="virtual", state="up")] == 1
    assert after[sample("thumbturn_driver_links", driver="virtual", state="down")] == 0


async def test_requests_are_counted_by_route_and_status(wire):
    """Good answers, refusals and bugs count at their route; paths that are none count together."""
    requests = "thumbturn_http_requests_total"
    await wire.ask("POST", "/devices/list", {})
    await wire.ask("POST", "/devices/list", {"limit": "many"})
    await wire.ask("POST", "/devices/list", {}, token="seam_wrong")
    await wire.ask("GET", "/.env", token=None)
    await wire.ask("GET", "/wp-admin", token=None)
    await wire.ask("OPTIONS", "/devices/get", token=None)
    now = await scrape(wire)
    assert [now[sample(requests, route="/devices/list", status=each)] for each in ("200", "400", "401")] == [
        1
    ] * 3
    assert now[sample("thumbturn_http_request_seconds_count", route="/devices/list")] == 3
    assert now[sample(requests, route="other", status="404")] == 2
    assert now[sample(requests, route="/devices/get", status="200")] == 1
    routes = {labels["route"] for name, labels, _ in now.samples() if name == requests}
    assert routes == {"/devices/list", "/devices/get", "other"}
    assert (await scrape(wire))[sample(requests, route="/metrics", status="200")] == 1


async def test_what_webhooks_are_told_is_counted(wire):
    """A delivery, a failure and a webhook that fails show as such."""
    good, bad = [await wire.hooks.create(f"https://{name}.test/hook") for name in ("good", "bad")]
    wire.hooks.endpoints.answer(bad.url, Answer(500))
    await wire.house.run("UNLOCK_DOOR", await wire.house.lock())
    await wire.hooks.a_moment()
    now = await scrape(wire)
    told = len(wire.hooks.endpoints.received[good.url])
    assert told > 0
    assert now[sample("thumbturn_webhook_tries_total", outcome="delivered")] == told
    assert now[sample("thumbturn_webhook_tries_total", outcome="failed")] > 0
    assert now["thumbturn_webhook_lag_seconds_count"] == told
    assert now[sample("thumbturn_webhooks", state="delivering")] == 1
    assert now[sample("thumbturn_webhooks", state="failing")] == 1


async def test_metrics_can_be_switched_off(tmp_path):
    """With the setting off there is nothing at the path."""
    wire = await Wire(tmp_path, metrics=False).open()
    reply = await wire.ask("GET", "/metrics", token=None)
    assert (reply.status, reply.error["type"]) == (404, "not_found")
    await wire.house.die()


async def test_metrics_are_only_read(wire):
    """Any method but GET is refused like at every other document."""
    assert (await wire.ask("POST", "/metrics", {})).status == 405


async def test_every_metric_is_described_and_every_description_is_served(wire):
    """What is served is what the docs' table lists: names, types and labels."""
    await wire.house.run("UNLOCK_DOOR", await wire.house.lock())
    await scrape(wire)
    now = await scrape(wire)
    served = {}
    for family in now.families.values():
        if family.name.startswith("thumbturn_"):
            labels = {label for each in family.samples for label in each.labels} - {"le"}
            name = f"{family.name}_total" if family.type == "counter" else family.name
            served[name] = ("info" if name.endswith("_info") else family.type, labels)
    assert served == {kind.name: (kind.type, set(kind.labels)) for kind in METRICS.values()}


def test_the_writers_numbers_move(any_server):
    """On each database a write shows as a wave with its commit's time; nothing waits afterwards."""
    any_server.client().post("/devices/list", json={})
    before = of_server(any_server)
    door = any_server.client().post("/locks/list", json={}).json()["locks"][0]["device_id"]
    for _ in range(3):
        any_server.client().post("/locks/unlock_door", json={"device_id": door, "sync": True})
    after = of_server(any_server)
    for name in ("thumbturn_writer_wave_operations", "thumbturn_writer_commit_seconds"):
        assert after[f"{name}_count"] - before[f"{name}_count"] >= 3
    operations = "thumbturn_writer_wave_operations_sum"
    # Each attempt is accepted and settled.
    assert after[operations] - before[operations] >= 6
    assert 0 < after["thumbturn_writer_commit_seconds_sum"] < 30
    assert after["thumbturn_writer_waiting"] == 0
    assert after["thumbturn_writer_waiting_limit"] == 20_000
    assert after["thumbturn_writer_rolled_back_total"] == 0
    assert after["process_resident_memory_bytes"] > 10_000_000
    assert after["process_start_time_seconds"] > 0


def test_no_label_is_about_a_workspace(server):
    """After traffic in two workspaces no id, name or token of either is anywhere in the text."""
    secrets = []
    for name in ("first tenant", "second tenant"):
        caller = caller_in_new_sandbox(server, name)
        door = caller.locks()[0]
        attempt = caller.call("/locks/unlock_door", device_id=door["device_id"], sync=True)["action_attempt"]
        secrets += [name, caller.workspace_id, door["device_id"], door["display_name"]]
        secrets += [attempt["action_attempt_id"], door["connected_account_id"]]
    text = httpx.get(f"{server.endpoint}/metrics").text
    assert "thumbturn_attempts_ended_total" in text
    assert [secret for secret in secrets if secret in text] == []
    assert "seam_" not in text


def of_server(server) -> Scrape:
    return Scrape(httpx.get(f"{server.endpoint}/metrics").text)
