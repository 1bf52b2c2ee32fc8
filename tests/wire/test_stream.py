"""``/thumbturn/stream``: what is told, to whom, and from where on."""

from __future__ import annotations

import asyncio

import pytest
from pydantic import TypeAdapter

from tests.fixtures.sse import Reading, tell, unlock
from tests.fixtures.wire import Wire
from thumbturn.api import stream
from thumbturn.api.callers import ASKED_AGAIN_AFTER
from thumbturn.api.following import AT_ONCE
from thumbturn.api.table import endpoints
from thumbturn.domain.clock import seconds
from thumbturn.engine.ring import SIZE


async def test_what_happens_is_told(wire: Wire):
    """An open stream tells the events of a command, each the bare event of the wire with its place as id."""
    reading = await Reading(wire).settle()
    attempt_id = await unlock(wire)
    events = [frame for frame in reading.frames if frame.type not in {"ready", "action_attempt"}]
    listed = (await wire.call("/events/list", since="2000-01-01T00:00:00Z"))["events"]
    assert [frame.data for frame in events] == listed
    assert [frame.type for frame in events] == [each["event_type"] for each in listed]
    assert reading.told == [(1, "lock.unlocked"), (2, "action_attempt.unlock_door.succeeded")]
    assert events[-1].data["action_attempt_id"] == attempt_id
    await reading.close()


async def test_how_it_begins(wire: Wire):
    """The first frame is the place from which on nothing is missed, before anything has happened."""
    await tell(wire, 3)
    reading = await Reading(wire).settle()
    assert (reading.status, reading.headers["content-type"]) == (200, "text/event-stream")
    assert reading.headers["cache-control"] == "no-store"
    assert "content-length" not in reading.headers
    assert reading.headers["seam-request-id"]
    assert [(frame.type, frame.last_event_id, frame.data) for frame in reading.frames] == [
        ("ready", "3", {"sequence": 3})
    ]
    assert reading.parser.retry == 2_000
    await reading.close()


async def test_attempts_are_told_as_they_move(wire: Wire):
    """Each stage of an attempt comes with the attempt as it stood; none of it has an id."""
    reading = await Reading(wire).settle()
    attempt_id = await unlock(wire)
    changes = reading.of("action_attempt")
    assert [each["stage"] for each in changes] == ["accepted", "sent", "confirming", "settled"]
    assert [each["action_attempt"]["status"] for each in changes] == [*["pending"] * 3, "success"]
    answered = await wire.call("/action_attempts/get", action_attempt_id=attempt_id)
    assert changes[-1]["action_attempt"] == answered["action_attempt"]
    assert changes[0]["at"] <= changes[-1]["at"]
    assert b"id: " not in b"".join(
        part for part in reading.received.split(b"\n\n") if b"event: action_attempt\n" in part
    )
    await reading.close()


async def test_a_queued_attempt_is_told_when_it_is_sent(wire: Wire):
    """An attempt that waits for its lane is accepted first, and sent when the one before has ended."""
    reading = await Reading(wire).settle()
    door = await wire.door()
    ids = [
        (await wire.call(path, device_id=door))["action_attempt"]["action_attempt_id"]
        for path in ("/locks/unlock_door", "/locks/lock_door")
    ]
    await wire.house.clock.advance(seconds(5))
    seen = [
        (ids.index(each["action_attempt"]["action_attempt_id"]), each["stage"])
        for each in reading.of("action_attempt")
    ]
    assert seen.index((1, "accepted")) < seen.index((0, "settled")) < seen.index((1, "sent"))
    assert sorted(seen) == sorted(
        (who, what) for who in (0, 1) for what in ("accepted", "sent", "confirming", "settled")
    )
    await reading.close()


async def test_a_failed_attempt_is_told_as_failed(wire: Wire):
    """The last change of an attempt that fails carries its error."""
    reading = await Reading(wire).settle()
    door = await wire.door()
    await wire.call("/thumbturn/sandbox/inject_fault", device_id=door, fault="jam")
    await unlock(wire)
    await wire.house.clock.advance(seconds(40))
    last = reading.of("action_attempt")[-1]
    assert (last["stage"], last["action_attempt"]["error"]["type"]) == ("settled", "lock_jammed")
    await reading.close()


async def test_attempts_can_be_left_out(wire: Wire):
    """With include_attempts=false only events come."""
    reading = await Reading(wire, "include_attempts=false").settle()
    await unlock(wire)
    assert reading.of("action_attempt") == []
    assert len(reading.told) == 2
    await reading.close()


@pytest.mark.parametrize(
    ("query", "events", "stages"),
    [
        ("device_id={front}", [1, 2], 4),
        ("device_ids={front}&device_ids={back}", [1, 2, 3, 4], 8),
        ("device_ids=", [], 0),
        ("device_id={front}&device_ids={back}", [], 0),
        ("device_id=unknown", [], 0),
        ("event_type=lock.unlocked", [1, 3], 8),
        ("event_types=lock.unlocked,lock.locked&device_id={back}", [3], 4),
        ("event_types=device.connected", [], 8),
    ],
)
async def test_filters(wire: Wire, query: str, events: list[int], stages: int):
    """A reader gets what he chose by device and type, and the ids are the places among all events."""
    doors = {"front": await wire.door("Front Door"), "back": await wire.door("Back Door")}
    reading = await Reading(wire, query.format(**doors)).settle()
    await unlock(wire, "Front Door")
    await unlock(wire, "Back Door")
    assert [place for place, _ in reading.told] == events
    assert len(reading.of("action_attempt")) == stages
    await reading.close()


async def test_one_attempt(wire: Wire):
    """A reader of one attempt gets how it stands now, then its changes and events, and nothing else."""
    attempt = await wire.call("/locks/unlock_door", device_id=await wire.door("Front Door"))
    attempt_id = attempt["action_attempt"]["action_attempt_id"]
    reading = await Reading(wire, f"action_attempt_id={attempt_id}").settle(0)
    await unlock(wire, "Back Door")
    assert {each["action_attempt"]["action_attempt_id"] for each in reading.of("action_attempt")} == {
        attempt_id
    }
    assert [each["stage"] for each in reading.of("action_attempt")][-1] == "settled"
    assert [type for _, type in reading.told] == ["lock.unlocked", "action_attempt.unlock_door.succeeded"]
    await reading.close()


async def test_an_attempt_that_has_ended(wire: Wire):
    """Who asks for an attempt that has ended already is told so at once, and does not wait in vain."""
    attempt_id = await unlock(wire)
    reading = await Reading(wire, f"action_attempt_id={attempt_id}").settle()
    [only] = reading.of("action_attempt")
    assert (only["stage"], only["action_attempt"]["status"]) == ("settled", "success")
    await reading.close()


REFUSED = [
    ("event_type=lock.exploded", None, "event_type", "Invalid enum value"),
    ("event_types=lock.unlocked,nonsense", None, "event_types", "Invalid enum value"),
    ("include_attempts=perhaps", None, "include_attempts", "Expected boolean"),
    ("last_event_id=4", None, "last_event_id", "No event has this id yet, the newest is 3"),
    ("", "4", "last_event_id", "No event has this id yet, the newest is 3"),
    ("last_event_id=2", "9", "last_event_id", "No event has this id yet"),
    ("", "three", "last_event_id", "Expected the id of an event of this stream, a whole number"),
    ("", "-1", "last_event_id", "a whole number"),
    ("", "1.5", "last_event_id", "a whole number"),
    ("", "²", "last_event_id", "a whole number"),
    ("", "9" * 40, "last_event_id", "a whole number"),
]


@pytest.mark.parametrize(("query", "last_event_id", "name", "words"), REFUSED)
async def test_refusals_come_before_the_stream(
    wire: Wire, query: str, last_event_id: str | None, name: str, words: str
):
    """What cannot be streamed is an ordinary refusal: status 400, the envelope, the place of the problem."""
    await tell(wire, 3)
    reading = Reading(wire, query, last_event_id=last_event_id)
    await reading.ended()
    assert (reading.status, reading.headers["content-type"]) == (400, "application/json")
    assert reading.refusal["type"] == "invalid_input"
    assert words in str(reading.refusal["validation_errors"][name])


@pytest.mark.parametrize(
    ("method", "target", "token", "status"),
    [
        ("GET", "/thumbturn/stream", None, 401),
        ("GET", "/thumbturn/stream", "seam_test_made_up", 401),
        ("POST", "/thumbturn/stream", None, 401),
        ("POST", "/thumbturn/stream", "", 405),
        ("GET", "/thumbturn/stream?action_attempt_id=unknown", "", 404),
    ],
)
async def test_other_refusals(wire: Wire, method: str, target: str, token: str | None, status: int):
    """Who may not read, or asks in another way, gets the envelope of every other endpoint."""
    reply = await wire.ask(method, target, token=token)
    assert (reply.status, reply.json["ok"]) == (status, False)


async def test_a_revoked_key_ends_its_streams(wire: Wire):
    """Some seconds after its key was revoked a stream says so and ends; others go on."""
    made = await wire.call("/thumbturn/keys/create", name="short")
    reading, other = Reading(wire, token=made["token"]), Reading(wire)
    await reading.settle()
    await wire.call("/thumbturn/keys/revoke", key_id=made["key"]["key_id"])
    await wire.house.clock.advance(ASKED_AGAIN_AFTER)
    await reading.ended()
    assert reading.is_complete
    assert reading.of("closed") == [
        {"type": "unauthorized", "message": "The key does not open this workspace any more."}
    ]
    await tell(wire)
    await other.settle()
    assert (reading.told, other.told) == ([], [(1, "device.connected")])
    await other.close()


async def test_a_busy_stream_hears_of_its_revocation_too(wire: Wire):
    """A stream that always has something to tell is ended as soon."""
    made = await wire.call("/thumbturn/keys/create", name="short")
    reading = await Reading(wire, token=made["token"]).settle()
    await wire.call("/thumbturn/keys/revoke", key_id=made["key"]["key_id"])
    for _ in range(40):
        await tell(wire)
        await reading.settle(ASKED_AGAIN_AFTER // 20)
    await reading.ended()
    assert len(reading.told) < 40


async def test_streams_of_two_workspaces_are_apart(wire: Wire):
    """A reader is told nothing of another workspace, by whatever filter; its attempts are unknown there."""
    _, token = await wire.another_workspace()
    mine, theirs = Reading(wire), Reading(wire, token=token)
    by_device = Reading(wire, f"device_id={await wire.door()}", token=token)
    await mine.settle()
    attempt_id = await unlock(wire)
    assert len(mine.told) == 2
    for reading in (theirs, by_device):
        assert [frame.type for frame in reading.frames] == ["ready"]
    refused = Reading(wire, f"action_attempt_id={attempt_id}", token=token)
    unknown = Reading(wire, "action_attempt_id=unknown", token=token)
    for each in (refused, unknown):
        await each.ended()
        assert each.status == 404
    assert str(refused.refusal).replace(attempt_id, "…") == str(unknown.refusal).replace("unknown", "…")
    beyond = Reading(wire, token=token, last_event_id="2")
    await beyond.ended()
    assert beyond.status == 400, "the numbers of another workspace open nothing here"
    for reading in (mine, theirs, by_device):
        await reading.close()


async def test_every_frame_is_as_described(wire: Wire):
    """Whatever comes has one of the shapes that the document lists for the stream's data."""
    made = await wire.call("/thumbturn/keys/create", name="short")
    reading = await Reading(wire, token=made["token"]).settle()
    reading.pause()
    await unlock(wire)
    attempt = (await wire.house.store.attempts("w1", limit=1))[0]
    for _ in range(3 * SIZE):
        wire.house.engine.live.moved(attempt)
    reading.go_on()
    await reading.settle()
    await wire.call("/thumbturn/keys/revoke", key_id=made["key"]["key_id"])
    await wire.house.clock.advance(ASKED_AGAIN_AFTER)
    await reading.ended()
    shapes = endpoints()["/thumbturn/stream"].answers
    seen = set()
    for frame in reading.frames:
        kind = frame.type if frame.type in shapes else "event"
        seen.add(kind)
        assert TypeAdapter(shapes[kind]).validate_json(frame.text, strict=True)
    assert seen == set(shapes)


async def test_heartbeats(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    """While nothing happens a comment comes regularly."""
    monkeypatch.setattr(stream, "HEARTBEAT_EVERY", 0.01)
    reading = Reading(wire)
    async with asyncio.timeout(5):
        while len(reading.parser.comments) < 3:
            await asyncio.sleep(0.005)
    assert set(reading.parser.comments) == {"still here"}
    assert [frame.type for frame in reading.frames] == ["ready"]
    await reading.close()


async def test_who_is_too_slow_for_attempts_is_told_so(wire: Wire):
    """Changes of attempts that a reader was too slow for are left out, and the stream says that some are."""
    slow, quick = Reading(wire), Reading(wire)
    await slow.settle()
    slow.pause()
    await unlock(wire)
    live, shown = wire.house.engine.live, quick.of("action_attempt")
    attempt = (await wire.house.store.attempts("w1", limit=1))[0]
    for _ in range(30):
        for _ in range(SIZE // 10):
            live.moved(attempt)
        await quick.settle()
    await tell(wire)
    await quick.settle()
    slow.go_on()
    await slow.settle()
    assert len(quick.of("action_attempt")) == len(shown) + 3 * SIZE
    assert quick.of("skipped") == []
    assert len(slow.of("skipped")) == 1
    assert len(slow.of("action_attempt")) < 2 * SIZE + 10
    assert slow.told == quick.told, "no event is left out"
    await slow.close()
    await quick.close()


async def test_a_wanted_change_behind_many_others_is_told_at_once(wire: Wire):
    """However many changes of other devices come before it in one moment, it does not wait for the next."""
    await unlock(wire, "Back Door")
    await unlock(wire)
    wanted, other = await wire.house.store.attempts("w1", limit=2)
    reading = await Reading(wire, f"device_id={wanted.device_id}").settle()
    for _ in range(AT_ONCE):
        wire.house.engine.live.moved(other)
    wire.house.engine.live.moved(wanted)
    await reading.settle()
    assert [each["action_attempt"]["action_attempt_id"] for each in reading.of("action_attempt")] == [
        wanted.id
    ]
    await reading.close()


async def test_nothing_is_left_behind(wire: Wire):
    """When the last reader has gone nobody follows, nobody watches, and no task is left."""
    before = len(asyncio.all_tasks())
    readings = [Reading(wire) for _ in range(5)]
    await readings[0].settle()
    assert wire.house.engine.live.watched
    for reading in readings:
        await reading.close()
    await wire.house.clock.settle()
    assert wire.house.engine.live.watched == {}
    assert wire.feed._tails == {}
    left = [task for task in asyncio.all_tasks() if "_shutdown_watcher" not in str(task)]
    assert len(left) <= before
