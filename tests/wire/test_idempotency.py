"""``Idempotency-Key``: what is the same call, what is another, and what the second is answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.fixtures.asked_twice import Held, ask, restart
from thumbturn.domain.clock import seconds
from thumbturn.domain.idempotency import KEPT_FOR
from thumbturn.domain.keys import mint_api_key
from thumbturn.domain.refusals import Overloaded, StorageUnavailable

UNLOCK = "/locks/unlock_door"


async def unlock(wire, key: str = "k", door: str = "Front Door", **how: Any):
    """An unlock of a door with a key."""
    return await ask(wire, UNLOCK, {"device_id": await wire.door(door)}, key, **how)


def attempt_of(reply) -> str:
    assert reply.status == 200, reply.content
    attempt_id: str = reply.json["action_attempt"]["action_attempt_id"]
    return attempt_id


async def attempts(wire) -> int:
    return len(await wire.house.store.attempts("w1", limit=10_000))


async def test_the_second_call_is_answered_as_the_first(wire):
    """The same call with the same key does nothing again: same body, marked, with its own request id."""
    first, second = await unlock(wire), await unlock(wire)
    await wire.house.clock.settle()
    third = await unlock(wire)
    assert first.content == second.content == third.content
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == third.headers["idempotent-replayed"] == "true"
    assert len({reply.headers["seam-request-id"] for reply in (first, second, third)}) == 3
    assert await attempts(wire) == 1


async def test_without_a_key_every_call_acts(wire):
    """Nothing is kept of a call without the header."""
    door = await wire.door()
    for _ in range(2):
        assert (await wire.ask("POST", UNLOCK, {"device_id": door})).status == 200
    assert await attempts(wire) == 2
    assert wire.house.store._first_answers == {}


async def test_what_is_the_same_call(wire):
    """Order and place of the parameters, unknown ones and ``sync`` make no other call."""
    door = await wire.door("Back Door")
    path = "/locks/configure_auto_lock"
    given = {"device_id": door, "auto_lock_enabled": True, "auto_lock_delay_seconds": 5}
    first = await ask(wire, path, given)
    for again in (dict(reversed(given.items())), {**given, "unknown": 1}):
        assert attempt_of(await ask(wire, path, again)) == attempt_of(first)
    spelled = f"{path}?device_id={door}&auto_lock_enabled=true"
    assert attempt_of(await ask(wire, spelled, {"auto_lock_delay_seconds": 5})) == attempt_of(first)
    opened = await unlock(wire, "other")
    await wire.house.clock.advance(seconds(5))
    synced = await ask(wire, UNLOCK, {"device_id": await wire.door(), "sync": True}, "other")
    assert attempt_of(synced) == attempt_of(opened)
    assert synced.json["action_attempt"]["status"] == "success"


async def test_other_parameters_are_refused(wire):
    """The same key with other parameters is 409, acts not, and leaves the first answer as it is."""
    first = await unlock(wire)
    for _ in range(2):
        refused = await unlock(wire, door="Back Door")
        assert (refused.status, refused.error["type"]) == (409, "idempotency_key_reused")
        restart(wire)
    assert (await unlock(wire)).content == first.content
    assert await attempts(wire) == 1


@pytest.mark.parametrize(
    ("path", "one", "other"),
    [
        ("/devices/update", {"name": None}, {}),
        ("/devices/update", {"custom_metadata": {"a": "1"}}, {"custom_metadata": {"a": True}}),
        ("/locks/simulate/keypad_code_entry", {"code": "1234"}, {"code": "1235"}),
    ],
)
async def test_parameters_that_only_look_alike_differ(wire, path, one, other):
    """Left out is not null, a string is no boolean, and a PIN that is not stored counts all the same."""
    door = {"device_id": await wire.door("Back Door")}
    assert (await ask(wire, path, door | one)).status == 200
    assert (await ask(wire, path, door | other)).error["type"] == "idempotency_key_reused"
    assert (await ask(wire, path, door | one)).status == 200


async def test_keys_are_of_one_caller_route_and_workspace(wire):
    """The same key of another key's holder, at another route or in another workspace, is another key."""
    door = await wire.door()
    minted, token = mint_api_key(wire.house.workspace, "second", 5)
    await wire.house.store.add_key(minted)
    _, foreign = await wire.another_workspace()
    theirs = (await wire.ask("POST", "/devices/list", {}, token=foreign)).json["devices"][0]["device_id"]
    replies = [
        await unlock(wire),
        await unlock(wire, token=token),
        await ask(wire, "/locks/lock_door", {"device_id": door}),
        await ask(wire, UNLOCK, {"device_id": theirs}, token=foreign),
        await unlock(wire, "K"),
        await unlock(wire, headers={"seam-workspace": "w1"}, token=wire.access_token),
    ]
    assert len({attempt_of(reply) for reply in replies}) == len(replies)
    assert [reply for reply in replies if "idempotent-replayed" in reply.headers] == []
    # Nor does another's key tell that it is in use: an id of this workspace stays unknown there.
    reply = await ask(wire, UNLOCK, {"device_id": door}, "unused", token=foreign)
    assert (reply.status, reply.error["type"]) == (404, "device_not_found")


@pytest.mark.parametrize("key", ["k" * 256, "two words", "k\x7f", "Schlüssel", " ", "a\tb"])
async def test_keys_have_a_form(wire, key):
    """A key is 1 to 255 visible ASCII characters; another is refused before anything is done."""
    refused = await unlock(wire, key)
    assert (refused.status, refused.error["type"]) == (400, "invalid_idempotency_key")
    assert await attempts(wire) == 0


@pytest.mark.parametrize("key", ["k", "~" * 255, "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"])
async def test_keys_of_that_form_are_taken(wire, key):
    """The shortest, the longest and the oddest key work."""
    assert (await unlock(wire, key)).content == (await unlock(wire, key)).content
    assert await attempts(wire) == 1


async def test_reads_ignore_it(wire):
    """What changes nothing is answered anew each time, whatever the header holds."""
    for key in ("k", "not a key"):
        assert len((await ask(wire, "/devices/list", {"limit": 1}, key)).json["devices"]) == 1
        assert len((await ask(wire, "/devices/list", {"limit": 2}, key)).json["devices"]) == 2
    assert wire.house.store._first_answers == {}


@pytest.mark.parametrize(
    ("body", "status"), [({"device_id": 1}, 400), ({"device_id": "nowhere"}, 404), (b"{", 400)]
)
async def test_a_refusal_leaves_the_key_unused(wire, body, status):
    """What was refused may be corrected and asked again with the same key, for an attempt or without one."""
    for path in (UNLOCK, "/devices/simulate/disconnect"):
        assert (await ask(wire, path, body)).status == status
        done = await ask(wire, path, {"device_id": await wire.door()})
        assert (done.status, "idempotent-replayed" in done.headers) == (200, False)


async def test_what_was_done_is_answered_though_it_could_not_be_done_now(wire):
    """The repetition gets the first answer when its device is handed over since, also after a restart."""
    first = await unlock(wire)
    await wire.call("/devices/update", device_id=await wire.door(), is_managed=False)
    for _ in range(2):
        assert (await unlock(wire)).content == first.content
        restart(wire)
    assert (await unlock(wire, "new")).error["type"] == "device_unmanaged"


async def test_a_restart_forgets_no_key(wire):
    """After a crash the repetition is answered, and the door is not commanded again."""
    first = await unlock(wire)
    await wire.house.clock.settle()
    for _ in range(2):
        await wire.house.revive()
        restart(wire)
        again = await unlock(wire)
        assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    front = await wire.house.device("Front Door")
    assert wire.house.commands(front) == ["unlock"]


async def test_a_key_is_free_after_a_day(wire):
    """For 24 hours of the server's clock a key is taken; then it is as new, even with its row still there."""
    first = await unlock(wire)
    await wire.house.clock.advance(KEPT_FOR - 1)
    assert (await unlock(wire)).content == first.content
    await wire.house.engine._forgetting.stop()
    await wire.house.clock.advance(1)
    assert len(wire.house.store._first_answers) == 1
    later = await unlock(wire)
    assert "idempotent-replayed" not in later.headers
    assert attempt_of(later) != attempt_of(first)
    assert (await unlock(wire)).content == later.content


async def test_old_keys_are_removed_in_the_background(wire):
    """More than a bite of keys is gone a minute after their day, and the young ones stay."""
    for number in range(1_100):
        await unlock(wire, f"old-{number}")
    await wire.house.clock.advance(seconds(3600))
    await unlock(wire, "young")
    await wire.house.clock.advance(KEPT_FOR - seconds(3600 - 61))
    assert len(wire.house.store._first_answers) == 1


# in flight ------------------------------------------------------------------------------------


async def test_the_second_waits_for_the_first(wire, monkeypatch):
    """While the first call is being stored, others wait without asking the store, and are answered alike."""
    held = Held(wire, monkeypatch, "accept_once")
    reading = Held(wire, monkeypatch, "first_answer")
    calls = [asyncio.ensure_future(unlock(wire)) for _ in range(20)]
    other = asyncio.ensure_future(unlock(wire, door="Back Door"))
    await wire.house.clock.settle()
    assert not any(call.done() for call in calls)
    held.let_go()
    replies = await asyncio.gather(*calls)
    assert len({reply.content for reply in replies}) == 1
    assert [reply.headers.get("idempotent-replayed") for reply in replies] == [None, *["true"] * 19]
    assert (await other).error["type"] == "idempotency_key_reused"
    assert (held.calls, reading.calls) == (1, 0)


@pytest.mark.parametrize("problem", [Overloaded, StorageUnavailable])
async def test_if_the_first_comes_to_nothing_the_second_tries(wire, monkeypatch, problem):
    """When the store refuses the first, one of those who waited acts, and the rest are answered as he."""
    held = Held(wire, monkeypatch, "accept_once")
    calls = [asyncio.ensure_future(unlock(wire)) for _ in range(5)]
    await wire.house.clock.settle()
    monkeypatch.undo()
    held.let_go(problem())
    first, *others = await asyncio.gather(*calls)
    assert (first.status, first.headers["retry-after"]) == (503, "1")
    assert len({attempt_of(reply) for reply in others}) == 1
    await wire.house.clock.advance(seconds(5))
    ended = [each for each in await wire.house.store.attempts("w1", limit=9) if each.phase == "succeeded"]
    assert [each.id for each in ended] == [attempt_of(others[0])]


async def test_a_caller_who_goes_away_takes_nothing_from_the_others(wire, monkeypatch):
    """If the first caller is gone before his answer, his attempt is the one that the others hear of."""
    held = Held(wire, monkeypatch, "accept_once")
    first, second, third = [asyncio.ensure_future(unlock(wire)) for _ in range(3)]
    await wire.house.clock.settle()
    first.cancel()
    second.cancel()
    await wire.house.clock.settle()
    held.let_go()
    assert (await third).headers["idempotent-replayed"] == "true"
    assert await attempts(wire) == 1


async def test_a_wait_for_the_end_keeps_nobody_else_waiting(wire):
    """While one caller waits for a slow door, the same call without waiting is answered pending at once."""
    slow = await wire.house.lock(travel=900)
    before = await attempts(wire)
    body = {"device_id": slow.id}
    waiting = [asyncio.ensure_future(ask(wire, UNLOCK, body | {"sync": True})) for _ in range(3)]
    await wire.house.clock.settle()
    at_once = await ask(wire, UNLOCK, body)
    assert at_once.json["action_attempt"]["status"] == "pending"
    assert not any(each.done() for each in waiting)
    await wire.house.clock.advance(seconds(1))
    replies = await asyncio.gather(*waiting)
    assert {reply.content for reply in replies} == {replies[0].content}
    assert replies[0].json["action_attempt"]["status"] == "success"
    assert await attempts(wire) == before + 1
    # Whoever waits, hears how it stands; whoever does not, what was answered first.
    restart(wire)
    assert (await ask(wire, UNLOCK, body | {"sync": True})).content == replies[0].content
    assert (await ask(wire, UNLOCK, body)).content == at_once.content
