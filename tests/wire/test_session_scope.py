"""What a client session sees and may do: the devices of its accounts, and nothing of the others."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import pytest

from tests.fixtures.sessions import Guest, guest, own_account, second_account
from tests.fixtures.wire import Wire
from thumbturn.domain.clock import seconds, to_wire

AUTO_LOCK = {"auto_lock_enabled": True, "auto_lock_delay_seconds": 5}
UNKNOWN = "01890000-0000-7000-8000-000000000000"


class Scene(NamedTuple):
    """Two doors behind two accounts, each with an attempt and its events, and a guest of the first."""

    wire: Wire
    guest: Guest
    #: What is within his reach, and the same of what is not.
    mine: dict[str, str]
    other: dict[str, str]


@pytest.fixture
async def scene(wire: Wire) -> Scene:
    account = await second_account(wire, "Front Door")
    held = await guest(wire, account, user_identifier_key="jane")
    mine, other = await things(wire, "Front Door"), await things(wire, "Back Door")
    assert mine["account"] == account != other["account"]
    return Scene(wire, held, mine, other)


async def things(wire: Wire, name: str) -> dict[str, str]:
    """A door, and what has to do with it."""
    door = await wire.house.device(name)
    attempt = (await wire.call("/locks/unlock_door", device_id=door.id))["action_attempt"]
    await wire.house.clock.advance(seconds(2))
    later = to_wire(wire.house.clock.now() + seconds(86_400))
    waiting = (await wire.call("/locks/lock_door", device_id=door.id, not_before=later))["action_attempt"]
    ask = {"path": "/locks/lock_door", "parameters": {"device_id": door.id, "not_before": later}}
    batch = (await wire.call("/thumbturn/attempts/batch", commands=[ask]))["batch"]
    events = (await wire.call("/events/list", device_id=door.id))["events"]
    return {
        "door": door.id,
        "name": name,
        "account": door.connected_account_id,
        "attempt": attempt["action_attempt_id"],
        "waiting": waiting["action_attempt_id"],
        "batch": batch["batch_id"],
        "event": events[0]["event_id"],
    }


ONE: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("/action_attempts/get", "action_attempt_id", "attempt", {}, "action_attempt_not_found"),
    ("/devices/get", "device_id", "door", {}, "device_not_found"),
    ("/devices/get", "name", "name", {}, "device_not_found"),
    ("/devices/update", "device_id", "door", {"name": "Mine"}, "device_not_found"),
    ("/events/get", "event_id", "event", {}, "event_not_found"),
    ("/events/get", "device_id", "door", {}, "event_not_found"),
    ("/locks/configure_auto_lock", "device_id", "door", AUTO_LOCK, "device_not_found"),
    ("/locks/get", "device_id", "door", {}, "device_not_found"),
    ("/locks/get", "name", "name", {}, "device_not_found"),
    ("/locks/lock_door", "device_id", "door", {}, "device_not_found"),
    ("/locks/unlock_door", "device_id", "door", {}, "device_not_found"),
    ("/thumbturn/attempts/batch/get", "batch_id", "batch", {}, "batch_not_found"),
    ("/thumbturn/attempts/cancel", "action_attempt_id", "waiting", {}, "action_attempt_not_found"),
    ("/thumbturn/attempts/explain", "action_attempt_id", "attempt", {}, "action_attempt_not_found"),
    ("/thumbturn/attempts/timeline", "action_attempt_id", "attempt", {}, "action_attempt_not_found"),
]


@pytest.mark.parametrize(
    ("path", "name", "thing", "more", "type"), ONE, ids=[f"{path}-{name}" for path, name, *_ in ONE]
)
async def test_what_is_beyond_reach_is_unknown(
    scene: Scene, path: str, name: str, thing: str, more: dict[str, Any], type: str
):
    """A thing of another account is 404 as an unknown one, and untouched; the same of his own is served."""
    before = await everything(scene.wire)
    told = []
    for id in (scene.other[thing], UNKNOWN):
        reply = await scene.guest.ask(path, **{name: id}, **more)
        error = reply.error
        assert (reply.status, error["type"]) == (404, type)
        told.append(str(error).replace(id, "…"))
    assert told[0] == told[1]
    assert await everything(scene.wire) == before
    assert (await scene.guest.ask(path, **{name: scene.mine[thing]}, **more)).status == 200


async def everything(wire: Wire) -> list[Any]:
    """All devices, attempts and events."""
    asks = {"/devices/list": {}, "/thumbturn/attempts/search": {}, "/events/list": {"since": "2000-01-01"}}
    return [await wire.call(path, **ask) for path, ask in asks.items()]


LISTS: list[tuple[str, str, dict[str, Any]]] = [
    ("/devices/list", "devices", {}),
    ("/locks/list", "locks", {}),
    ("/events/list", "events", {"since": "2000-01-01T00:00:00Z"}),
    ("/thumbturn/attempts/search", "attempts", {}),
]


@pytest.mark.parametrize(("path", "answers", "ask"), LISTS, ids=[path for path, *_ in LISTS])
async def test_lists_hold_what_is_within_reach(scene: Scene, path: str, answers: str, ask: dict[str, Any]):
    """A list holds all that is of his accounts and nothing else, also where another's door is named."""
    found = (await scene.guest.call(path, **ask))[answers]
    whole = (await scene.wire.call(path, **ask))[answers]
    assert found == [each for each in whole if each["connected_account_id"] == scene.mine["account"]]
    assert 0 < len(found) < len(whole)
    by_door = "device_ids" if answers in ("devices", "locks") else "device_id"
    for door, expected in ((scene.mine["door"], found), (scene.other["door"], [])):
        value = [door] if by_door == "device_ids" else door
        assert (await scene.guest.call(path, **ask, **{by_door: value}))[answers] == expected
    if answers != "attempts":
        for account, expected in ((scene.mine["account"], found), (scene.other["account"], [])):
            assert (await scene.guest.call(path, **ask, connected_account_id=account))[answers] == expected


async def test_pages_are_full(wire: Wire):
    """A page holds as many as were asked for, though most of what lies between is beyond reach."""
    own = await own_account(wire)
    await wire.call("/thumbturn/sandbox/add_devices", count=20)
    names = sorted({each.name for each in await wire.house.store.every_device()} - {"Front Door"})[::3]
    held = await guest(wire, await second_account(wire, "Front Door", *names))
    seen: list[str] = []
    cursor = None
    while True:
        page = await held.call("/devices/list", limit=2, page_cursor=cursor)
        seen += [each["device_id"] for each in page["devices"]]
        cursor = page["pagination"]["next_page_cursor"]
        if cursor is None:
            break
        assert len(page["devices"]) == 2
    assert len(set(seen)) == len(seen) == len(names) + 1
    assert own not in str(await held.call("/devices/list"))


async def test_page_of_another_caller(scene: Scene):
    """A cursor is good for whoever asks the same; it takes nobody beyond his reach."""
    cursor = (await scene.wire.call("/devices/list", limit=1))["pagination"]["next_page_cursor"]
    page = await scene.guest.call("/devices/list", limit=1, page_cursor=cursor)
    assert {each["connected_account_id"] for each in page["devices"]} <= {scene.mine["account"]}


async def test_workspace_is_seen(scene: Scene):
    """A session sees its workspace, alone in the list, and the providers that there are."""
    workspace = (await scene.guest.call("/workspaces/get"))["workspace"]
    assert workspace["workspace_id"] == "w1"
    await scene.wire.another_workspace()
    assert (await scene.guest.call("/workspaces/list"))["workspaces"] == [workspace]
    assert (await scene.guest.call("/devices/list_device_providers"))["device_providers"] != []


async def test_session_without_any_account(wire: Wire):
    """A session that reaches nothing sees nothing."""
    held = await guest(wire)
    door = await wire.door()
    for path, answers, ask in LISTS:
        assert (await held.call(path, **ask))[answers] == []
    assert await held.refusal("/locks/unlock_door", device_id=door) == (404, "device_not_found")


async def test_granted_access_is_there_at_once(scene: Scene):
    """What is granted is seen and commanded at the very next request."""
    unlock = {"path": "/locks/unlock_door", "device_id": scene.other["door"]}
    assert await scene.guest.refusal(**unlock) == (404, "device_not_found")
    await scene.wire.call(
        "/client_sessions/grant_access",
        client_session_id=scene.guest.id,
        connected_account_ids=[scene.other["account"]],
    )
    assert (await scene.guest.ask(**unlock)).status == 200


# commands -------------------------------------------------------------------------------------------


async def test_who_asked_is_the_session(scene: Scene):
    """What a session asked for names it, in the explanation, in the search and on the trail."""
    headers = {"client-session-token": scene.guest.token, "thumbturn-actor": "Jane"}
    ask = {"device_id": scene.mine["door"]}
    reply = await scene.wire.ask("POST", "/locks/unlock_door", ask, token=None, headers=headers)
    attempt_id = reply.json["action_attempt"]["action_attempt_id"]
    expected = {
        "key_id": None,
        "client_session_id": scene.guest.id,
        "kind": "client_session",
        "user_id": None,
        "actor": "Jane",
        "request_id": reply.headers["seam-request-id"],
    }
    explained = await scene.guest.call("/thumbturn/attempts/explain", action_attempt_id=attempt_id)
    assert explained["explanation"]["asked_by"] == expected
    [found] = (await scene.wire.call("/thumbturn/attempts/search", actor="Jane"))["attempts"]
    assert found["asked_by"] == expected
    trail = (await scene.wire.call("/thumbturn/audit/list"))["entries"]
    assert trail[-1]["entry"]["asked_by"] == {
        "client_session_id": scene.guest.id,
        "kind": "client_session",
        "user_id": None,
    }
    assert trail[-1]["entry"]["ids"]["action_attempt_id"] == attempt_id


async def test_cancelling_names_the_session(scene: Scene):
    """A session may call off what waits for its door, whoever asked; the timeline says that it did."""
    id = scene.mine["waiting"]
    cancelled = await scene.guest.call("/thumbturn/attempts/cancel", action_attempt_id=id)
    assert cancelled["action_attempt"]["error"]["type"] == "cancelled"
    timeline = await scene.guest.call("/thumbturn/attempts/timeline", action_attempt_id=id)
    assert f"client session {scene.guest.id}" in str(timeline)


def command(door: str, path: str = "/locks/unlock_door", **more: Any) -> dict[str, Any]:
    """A command of a batch."""
    return {"path": path, "parameters": {"device_id": door, **more}}


async def test_batch_within_reach(scene: Scene):
    """A batch for his own doors is accepted; one that names another's, or nobody's, not at all."""
    accepted = await scene.guest.call("/thumbturn/attempts/batch", commands=[command(scene.mine["door"])])
    batch_id = accepted["batch"]["batch_id"]
    assert (await scene.guest.call("/thumbturn/attempts/batch/get", batch_id=batch_id))["batch"]
    for door in (scene.other["door"], UNKNOWN):
        before = await everything(scene.wire)
        commands = [command(scene.mine["door"]), command(door)]
        reply = await scene.guest.ask("/thumbturn/attempts/batch", commands=commands)
        assert (reply.status, reply.error["type"]) == (400, "batch_refused")
        assert reply.json["error"]["data"]["error"]["type"] == "device_not_found"
        assert await everything(scene.wire) == before


@pytest.mark.parametrize(
    "closed",
    [
        {"path": "/workspaces/reset_sandbox", "parameters": {}},
        {"path": "/locks/simulate/manual_lock_via_keypad", "parameters": {"device_id": "mine"}},
    ],
)
async def test_batch_opens_nothing_that_is_closed(scene: Scene, closed: dict[str, Any]):
    """What a session may not ask for by itself it may not ask for in a batch either."""
    parameters = dict.fromkeys(closed["parameters"], scene.mine["door"])
    reply = await scene.guest.ask("/thumbturn/attempts/batch", commands=[closed | {"parameters": parameters}])
    assert (reply.status, reply.error["type"]) == (400, "batch_refused")
    assert reply.json["error"]["data"]["error"]["type"] == "not_found"
    accepted = await scene.wire.ask(
        "POST", "/thumbturn/attempts/batch", {"commands": [closed | {"parameters": parameters}]}
    )
    assert accepted.status == 200


async def test_batch_of_somebody_else(scene: Scene):
    """Of a batch that a key asked for, a session sees the part that is on its devices."""
    commands = [command(scene.mine["door"]), command(scene.other["door"])]
    made = (await scene.wire.call("/thumbturn/attempts/batch", commands=commands))["batch"]
    seen = (await scene.guest.call("/thumbturn/attempts/batch/get", batch_id=made["batch_id"]))["batch"]
    assert seen["action_attempts"] == [
        each
        for each in (await scene.wire.call("/thumbturn/attempts/batch/get", batch_id=made["batch_id"]))[
            "batch"
        ]["action_attempts"]
        if each["action_attempt_id"] == made["action_attempts"][0]["action_attempt_id"]
    ]
    assert len(seen["action_attempts"]) == 1


async def test_keys_of_repetition_are_each_callers_own(scene: Scene):
    """The same Idempotency-Key of a session, of another and of an API key is that of three calls."""
    second = await guest(scene.wire, scene.mine["account"])
    ids = []
    for token in (scene.guest.token, second.token, scene.wire.api_key, scene.guest.token):
        headers = {"idempotency-key": "k"}
        ask = {"device_id": scene.mine["door"]}
        reply = await scene.wire.ask("POST", "/locks/unlock_door", ask, token=token, headers=headers)
        ids.append(reply.json["action_attempt"]["action_attempt_id"])
    assert ids[3] == ids[0]
    assert len(set(ids)) == 3


async def test_waiting_for_the_end(scene: Scene):
    """A session waits for the end of an attempt as anybody does."""
    headers = {"prefer": "wait=5"}
    ask = {"device_id": scene.mine["door"]}
    waiting = asyncio.ensure_future(
        scene.wire.ask("POST", "/locks/unlock_door", ask, token=scene.guest.token, headers=headers)
    )
    await scene.wire.house.clock.advance(seconds(5))
    assert (await waiting).json["action_attempt"]["status"] == "success"


# devices by user ------------------------------------------------------------------------------------


async def test_devices_of_a_user(scene: Scene):
    """With an API key, the devices are listed that the session of a user sees."""
    seen = (await scene.guest.call("/devices/list"))["devices"]
    for path, answers in (("/devices/list", "devices"), ("/locks/list", "locks")):
        found = (await scene.wire.call(path, user_identifier_key="jane"))[answers]
        assert [each["device_id"] for each in found] == [
            each["device_id"]
            for each in seen
            if answers == "devices" or "lock" in each["capabilities_supported"]
        ]
        assert (await scene.wire.call(path, user_identifier_key="nobody"))[answers] == []
    _, token = await scene.wire.another_workspace()
    foreign = await scene.wire.ask("POST", "/devices/list", {"user_identifier_key": "jane"}, token=token)
    assert foreign.json["devices"] == []


async def test_session_asks_for_no_other_user(scene: Scene):
    """A session may name its own user; of another's devices it learns nothing, not even shared ones."""
    await guest(scene.wire, scene.mine["account"], user_identifier_key="joe")
    own = await scene.guest.call("/devices/list")
    assert (await scene.guest.call("/devices/list", user_identifier_key="jane"))["devices"] == own["devices"]
    assert (await scene.guest.call("/devices/list", user_identifier_key="joe"))["devices"] == []
