"""``Idempotency-Key`` on calls that begin no attempt: noted before they act, answered after."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.fixtures.asked_twice import Held, ask, restart
from thumbturn.api.body import Disconnected
from thumbturn.api.call import Call
from thumbturn.domain.refusals import StorageUnavailable


async def test_a_workspace_is_made_once(wire):
    """The second call is told of the first one's workspace, also after a restart."""
    made = {"name": "Twice", "is_sandbox": True}
    replies = []
    for _ in range(3):
        replies.append(await ask(wire, "/workspaces/create", made, token=wire.access_token))
        restart(wire)
    assert {reply.content for reply in replies} == {replies[0].content}
    assert [reply.headers.get("idempotent-replayed") for reply in replies] == [None, "true", "true"]
    assert len(await wire.house.store.workspaces_of_user("u1")) == 2


async def test_a_token_is_told_again_and_kept_in_clear_nowhere(wire):
    """The answer that holds a token is sealed with what only its caller has, and opens for him alone."""
    first = await ask(wire, "/thumbturn/keys/create", {"name": "mine"}, "secret-key")
    restart(wire)
    second = await ask(wire, "/thumbturn/keys/create", {"name": "mine"}, "secret-key")
    assert second.content == first.content
    [kept] = wire.house.store._first_answers.values()
    for secret in (first.json["token"], "secret-key", wire.api_key, "mine"):
        assert secret not in str(kept)


async def test_an_old_update_undoes_no_newer_one(wire):
    """A repeated update is answered, not made again."""
    door = await wire.door()
    await ask(wire, "/devices/update", {"device_id": door, "name": "Old"})
    await ask(wire, "/devices/update", {"device_id": door, "name": "New"}, "k2", method="PATCH")
    again = await ask(wire, "/devices/update", {"device_id": door, "name": "Old"}, method="PATCH")
    assert (again.json, again.headers["idempotent-replayed"]) == ({"ok": True}, "true")
    assert (await wire.call("/devices/get", device_id=door))["device"]["display_name"] == "New"


async def test_many_at_once_make_one_thing(wire):
    """Of many equal calls at once one adds its device, and all are told its id."""
    before = len((await wire.call("/devices/list"))["devices"])
    calls = [ask(wire, "/thumbturn/sandbox/add_devices", {"count": 1}) for _ in range(20)]
    replies = await asyncio.gather(*calls)
    assert len({reply.content for reply in replies}) == 1
    assert len((await wire.call("/devices/list"))["devices"]) == before + 1


async def test_a_call_that_was_cut_off_is_not_made_again(wire, monkeypatch):
    """If the server died between the act and its answer, the repetition is told that nobody knows."""
    held = Held(wire, monkeypatch, "add_key")
    cut_off = asyncio.ensure_future(ask(wire, "/thumbturn/keys/create", {}))
    await wire.house.clock.settle()
    cut_off.cancel()
    monkeypatch.undo()
    for _ in range(2):
        refused = await ask(wire, "/thumbturn/keys/create", {})
        assert (refused.status, refused.error["type"]) == (409, "idempotency_key_unanswered")
        restart(wire)
    assert held.calls == 1
    assert (await ask(wire, "/thumbturn/keys/create", {}, "new")).status == 200


async def test_after_a_bug_nobody_knows(wire, monkeypatch):
    """A call that ended in a 500 may have acted: whoever repeats it is told so, and it is not made again."""

    async def broken(*_: Any, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(wire.house.store, "add_key", broken)
    assert (await ask(wire, "/thumbturn/keys/create", {})).status == 500
    monkeypatch.undo()
    for _ in range(2):
        refused = await ask(wire, "/thumbturn/keys/create", {})
        assert refused.error["type"] == "idempotency_key_unanswered"
        restart(wire)


def unavailable(*_: Any, **__: Any) -> Any:
    raise StorageUnavailable


async def test_a_note_that_could_not_be_removed_is_void(wire, monkeypatch):
    """When the database is away as a refused call's note is to go, the key is unused all the same."""
    monkeypatch.setattr(wire.house.store, "add_key", unavailable)
    monkeypatch.setattr(wire.house.store, "release", unavailable)
    for _ in range(2):
        assert (await ask(wire, "/thumbturn/keys/create", {})).status == 503
    monkeypatch.undo()
    done = await ask(wire, "/thumbturn/keys/create", {})
    assert (done.status, "idempotent-replayed" in done.headers) == (200, False)
    assert (await ask(wire, "/thumbturn/keys/create", {})).content == done.content


async def test_an_answer_that_could_not_be_kept_is_given_once(wire, monkeypatch):
    """When the database is away after the act, its caller hears the answer, the next that nobody knows."""
    monkeypatch.setattr(wire.house.store, "complete", unavailable)
    assert (await ask(wire, "/thumbturn/keys/create", {})).status == 200
    monkeypatch.undo()
    refused = await ask(wire, "/thumbturn/keys/create", {})
    assert (refused.status, refused.error["type"]) == (409, "idempotency_key_unanswered")
    assert len((await wire.call("/thumbturn/keys/list"))["keys"]) == 2


async def test_who_hangs_up_while_he_waits_may_come_back(wire):
    """Of a call whose answer is kept, waiting goes on without its client; of others it ends with him."""
    gate = asyncio.get_running_loop().create_future()

    async def gone() -> Any:
        return {"type": "http.disconnect"}

    async def wait_for(*, is_noted: bool) -> Any:
        call = Call({"path": "/x", "headers": []}, {}, "r1", gone)
        call.is_noted = is_noted
        return await call.unless_gone(asyncio.shield(gate))

    stays = asyncio.ensure_future(wait_for(is_noted=True))
    with pytest.raises(Disconnected):
        await wait_for(is_noted=False)
    assert not stays.done()
    gate.set_result("the end")
    assert await stays == "the end"
