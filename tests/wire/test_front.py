"""A process that owns nothing answers as the owner would: it accepts commands, and has the rest answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.front import Fronted
from thumbturn.api.forwarding import DOUBTED_FOR, TAKEN_BEFORE
from thumbturn.domain.clock import seconds
from thumbturn.engine.pace import Pace


@pytest.fixture
async def fronted(tmp_path: Path) -> AsyncIterator[Fronted]:
    """A house whose engine runs in another process than the one that is asked."""
    it = Fronted(tmp_path)
    await it.open()
    yield it
    await it.close()
    await it.hooks.die()
    await it.house.die()


async def begun(fronted: Fronted, path: str = "/locks/unlock_door", **more: Any) -> Any:
    """The attempt that a command at the front begins."""
    answer = await fronted.call(path, device_id=await fronted.door(), **more)
    return answer["action_attempt"]


async def seen(fronted: Fronted, id: str) -> Any:
    """The attempt as the front knows it."""
    return (await fronted.call("/action_attempts/get", action_attempt_id=id))["action_attempt"]


async def test_a_command_at_a_front_is_run_by_its_owner(fronted: Fronted):
    """The front answers with the accepted attempt, the owner opens the door, and the front knows it."""
    attempt = await begun(fronted)
    assert attempt["status"] == "pending"
    assert fronted.calls.there == {}
    await fronted.house.clock.advance(seconds(3))
    assert (await seen(fronted, attempt["action_attempt_id"]))["status"] == "success"


async def test_a_lost_notice_costs_a_second(fronted: Fronted):
    """An owner who hears nothing takes a command within a second all the same."""
    fronted.owner.notices.hears = False
    attempt = await begun(fronted)
    await fronted.house.clock.advance(seconds(1))
    await fronted.house.clock.advance(seconds(2))
    assert (await seen(fronted, attempt["action_attempt_id"]))["status"] == "success"


@pytest.mark.parametrize("hears", [True, False], ids=["told", "not told"])
async def test_who_waits_at_a_front_is_answered_at_the_end(fronted: Fronted, hears: bool):
    """``Prefer: wait`` holds the answer back until the owner has ended the attempt, heard of or not."""
    fronted.front.notices.hears = hears
    body = {"device_id": await fronted.door()}
    waiting = asyncio.ensure_future(
        fronted.ask("POST", "/locks/unlock_door", body, headers={"prefer": "wait=30"})
    )
    await fronted.a_moment()
    assert not waiting.done()
    await fronted.house.clock.advance(seconds(4))
    reply = await waiting
    assert reply.json["action_attempt"]["status"] == "success"
    assert reply.headers["preference-applied"] == "wait=30"


async def test_a_key_begins_one_attempt_at_two_processes(fronted: Fronted):
    """The same call with the same key at owner and front, at once and again later, is one attempt."""
    body, headers = {"device_id": await fronted.door()}, {"idempotency-key": "one"}

    async def at(app: Any) -> Any:
        fronted.app = app
        return await fronted.ask("POST", "/locks/unlock_door", body, headers=headers)

    apps = (fronted.owner.app, fronted.front.app) * 2
    replies = await asyncio.gather(*(at(app) for app in apps))
    ids = {reply.json["action_attempt"]["action_attempt_id"] for reply in replies}
    assert len(ids) == 1
    await fronted.house.clock.advance(seconds(3))
    again = await at(fronted.front.app)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json["action_attempt"]["action_attempt_id"] in ids
    attempts = await fronted.call("/action_attempts/list", device_id=body["device_id"])
    assert len(attempts["action_attempts"]) == 1


async def test_what_needs_the_engine_is_answered_by_its_owner(fronted: Fronted):
    """A code that is made at a front is the owner's, and in the audit trail under the caller's own key."""
    door = await fronted.door()
    reply = await fronted.ask("POST", "/access_codes/create", {"device_id": door, "code": "1357"})
    assert reply.status == 200
    assert reply.json["access_code"]["code"] == "1357"
    found = await fronted.call("/thumbturn/audit/list")
    told = [each["entry"] for each in found["entries"]]
    asked = [each["asked_by"]["key_id"] for each in told if each["action"] == "/access_codes/create"]
    assert asked == [fronted.key.id]
    assert fronted.calls.there == {}


async def test_nothing_secret_lies_there_in_clear(fronted: Fronted):
    """A request and its answer are sealed while they lie in the database: no token, no PIN can be read."""
    fronted.owner.desk._is_due.clear()
    fronted.owner.cells.cell, kept = None, fronted.owner.cells.cell
    asking = asyncio.ensure_future(
        fronted.ask("POST", "/access_codes/create", {"device_id": await fronted.door(), "code": "246813"})
    )
    await fronted.a_moment()
    [call] = fronted.calls.there.values()
    assert fronted.api_key not in call.request
    assert "246813" not in call.request
    fronted.owner.cells.cell = kept
    await fronted.house.clock.advance(seconds(2))
    assert (await asking).status == 200


async def test_without_an_owner_commands_wait_and_calls_are_refused(fronted: Fronted):
    """While nobody owns the cell, a command is accepted and run later; another call waits ten seconds, and is
    refused with the word that nothing was done.
    """
    fronted.owner.cells.cell, kept = None, fronted.owner.cells.cell
    attempt = await begun(fronted)
    asking = asyncio.ensure_future(fronted.ask("POST", "/thermostats/schedules/list", {"device_id": "any"}))
    await fronted.house.clock.advance(seconds(9))
    assert not asking.done()
    await fronted.house.clock.advance(seconds(4))
    reply = await asking
    assert (reply.status, reply.error["type"]) == (503, "owner_missing")
    assert reply.headers["retry-after"] == "1"
    assert fronted.calls.there == {}
    fronted.owner.cells.cell = kept
    await fronted.house.clock.advance(seconds(4))
    assert (await seen(fronted, attempt["action_attempt_id"]))["status"] == "success"


async def test_an_owner_that_dies_with_a_call_leaves_its_caller_in_doubt(fronted: Fronted):
    """A call that was taken, and whose taker is dead, is refused with the word that it may have been done."""
    await fronted.owner.desk.stop(0)
    asking = asyncio.ensure_future(fronted.ask("POST", "/spaces/create", {"name": "Hall"}))
    await fronted.a_moment()
    await fronted.calls.take("engine", {0}, "owner", within=TAKEN_BEFORE, limit=1)
    await fronted.house.clock.advance(seconds(20))
    assert not asking.done()
    fronted.alive.discard("owner")
    await fronted.house.clock.advance(DOUBTED_FOR + seconds(2))
    reply = await asking
    assert (reply.status, reply.error["type"]) == (503, "answer_lost")
    assert fronted.calls.there == {}


async def test_a_refusal_comes_back_as_it_is(fronted: Fronted):
    """What the owner refuses has the same status, type and words at the front, and so has what the front
    finds by itself.
    """
    asked = [
        ("/access_codes/get", {"access_code_id": "unknown"}),
        ("/access_codes/create", {"device_id": "unknown"}),
        ("/access_codes/create", {}),
        ("/locks/unlock_door", {"device_id": "unknown"}),
        ("/thermostats/heat", {"device_id": await fronted.door(), "heating_set_point_celsius": 20}),
        ("/thermostats/activate_climate_preset", {"device_id": await fronted.door()}),
        ("/webhooks/get", {"webhook_id": "unknown"}),
    ]
    for path, body in asked:
        replies = []
        for app in (fronted.owner.app, fronted.front.app):
            fronted.app = app
            reply = await fronted.ask("POST", path, body, headers={"origin": "https://page.test"})
            told = {key: value for key, value in reply.headers.items() if key != "seam-request-id"}
            replies.append((reply.status, told, reply.error))
        assert replies[0] == replies[1], path
        assert replies[0][0] >= 400


async def test_a_rate_limit_is_one_at_all_processes(fronted: Fronted):
    """A device that may be opened once a minute is opened once, whoever is asked."""
    pace = Pace({"UNLOCK_DOOR": 1}, (), fronted.house.clock)
    fronted.house.engine.begin.__self__._pace = pace
    fronted.front.elsewhere._pace = pace
    body = {"device_id": await fronted.door()}
    first = await fronted.ask("POST", "/locks/unlock_door", body)
    second = await fronted.ask("POST", "/locks/unlock_door", body)
    assert (first.status, second.status) == (200, 429)
    assert int(second.headers["retry-after"]) > 50


async def test_an_attempt_that_has_not_come_yet_can_be_cancelled(fronted: Fronted):
    """A command that waits for its owner is taken in when it shall be cancelled, and never sent."""
    fronted.owner.notices.hears = False
    engine = fronted.house.engine
    engine.begun.take_arrivals = lambda: engine.take_arrivals(0)
    attempt = await begun(fronted)
    fronted.app = fronted.owner.app
    ended = await fronted.call("/thumbturn/attempts/cancel", action_attempt_id=attempt["action_attempt_id"])
    assert ended["action_attempt"]["error"]["type"] == "cancelled"


async def test_a_revoked_key_is_forgotten_everywhere(fronted: Fronted):
    """A key that is revoked at one process opens nothing at the other: at once if it is told, within a second
    if not.
    """
    for is_told in (True, False):
        made = await fronted.call("/thumbturn/keys/create", name="second")
        token, id = made["token"], made["key"]["key_id"]
        assert (await fronted.ask("POST", "/devices/list", {}, token=token)).status == 200
        fronted.front.notices.hears = is_told
        fronted.app = fronted.owner.app
        await fronted.call("/thumbturn/keys/revoke", key_id=id)
        fronted.app = fronted.front.app
        await asyncio.sleep(0)
        await fronted.house.clock.advance(0 if is_told else seconds(1))
        assert (await fronted.ask("POST", "/devices/list", {}, token=token)).status == 401


async def test_moves_of_attempts_are_shown_at_a_front(fronted: Fronted):
    """Who looks at a workspace's attempts at a front sees one accepted, sent and settled by its owner."""
    wake = asyncio.Event()
    with fronted.front.elsewhere.live.watch("w1", wake) as watcher:
        await fronted.a_moment()
        attempt = await begun(fronted)
        await fronted.house.clock.advance(seconds(3))
        moved, is_missing = watcher.ready(100)
    assert [each.stage for each in moved if each.attempt.id == attempt["action_attempt_id"]][-1] == "settled"
    assert not is_missing


async def test_the_page_of_a_webview_is_its_owner_s(fronted: Fronted):
    """A webview's page, which has no token, is shown by the owner of its workspace."""
    shown = await fronted.call("/connect_webviews/create", accepted_providers=["schlage"])
    url = shown["connect_webview"]["url"]
    page = await fronted.ask("GET", url[url.index("/", 9) :], token=None)
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")
    unknown = await fronted.ask("GET", "/connect_webviews/view?connect_webview_id=no", token=None)
    assert unknown.status == 404
