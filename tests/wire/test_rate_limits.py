"""How often a device may be asked for the same in a minute, and what somebody is told who asks more often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fixtures.wire import Reply, Wire
from thumbturn.domain.clock import SECOND, seconds
from thumbturn.engine import pace
from thumbturn.engine.pace import Pace, read_limits

LOCK, UNLOCK, BATCH = "/locks/lock_door", "/locks/unlock_door", "/thumbturn/attempts/batch"
LIMITS = {
    "LOCK_DOOR": 3,
    "UNLOCK_DOOR": 2,
    "CREATE_ACCESS_CODE": 2,
    "UPDATE_ACCESS_CODE": 1,
    "DELETE_ACCESS_CODE": 1,
}


@pytest.fixture
async def limited(wire: Wire) -> Wire:
    """An open house in which virtual devices have limits, too."""
    wire.house.pace = Pace(LIMITS, (), wire.house.clock)
    await wire.house.revive()
    wire.speak_for(wire.house.engine)
    return wire


def refusal(reply: Reply) -> tuple[int, str, str]:
    """Status and type of a refusal, and for how long it asks for patience."""
    return reply.status, reply.error["type"], reply.headers["retry-after"]


async def test_one_too_many_is_told_when_to_ask_again(limited: Wire):
    """The first within a minute are accepted; the next is 429 until the first of them is a minute old."""
    door = await limited.door("Storage Room")
    for _ in range(2):
        await limited.call(UNLOCK, device_id=door)
        await limited.house.clock.advance(seconds(10))
    before = len((await limited.call("/action_attempts/list"))["action_attempts"])
    refused = await limited.ask("POST", UNLOCK, {"device_id": door})
    assert refused.error["data"] == {"device_id": door, "limit_per_minute": 2}
    assert refusal(refused) == (429, "rate_limited", "40")
    await limited.house.clock.advance(seconds(40) - 1)
    assert refusal(await limited.ask("POST", UNLOCK, {"device_id": door})) == (429, "rate_limited", "1")
    assert len((await limited.call("/action_attempts/list"))["action_attempts"]) == before
    await limited.house.clock.advance(1)
    await limited.call(UNLOCK, device_id=door)
    assert refusal(await limited.ask("POST", UNLOCK, {"device_id": door}))[2] == "10"


async def test_each_device_and_each_action_counts_for_itself(limited: Wire):
    """Another door, and another verb at the same door, have what is theirs."""
    door, other = await limited.door("Storage Room"), await limited.door("Front Door")
    for _ in range(2):
        await limited.call(UNLOCK, device_id=door)
        await limited.call(UNLOCK, device_id=other)
        await limited.call(LOCK, device_id=door)
    await limited.call(LOCK, device_id=door)
    for ask in ((UNLOCK, door), (UNLOCK, other), (LOCK, door)):
        assert refusal(await limited.ask("POST", ask[0], {"device_id": ask[1]}))[:2] == (429, "rate_limited")
    await limited.call("/locks/configure_auto_lock", device_id=other, auto_lock_enabled=False)


async def test_what_is_refused_otherwise_does_not_count(limited: Wire):
    """An ask for what there is not leaves the limit as it was."""
    door = await limited.door("Storage Room")
    for _ in range(5):
        assert (await limited.ask("POST", UNLOCK, {"device_id": "unknown"})).status == 404
    for _ in range(2):
        await limited.call(UNLOCK, device_id=door)


async def test_being_asked_twice_counts_once(limited: Wire):
    """A call repeated with its key is answered as before, beyond the limit too, and takes nothing."""
    door = await limited.door("Storage Room")

    async def same() -> Any:
        reply = await limited.ask("POST", UNLOCK, {"device_id": door}, headers={"idempotency-key": "same"})
        return reply.json["action_attempt"]["action_attempt_id"]

    first = await same()
    # What this process remembers of the key, another one must find on record.
    limited.speak_for(limited.house.engine)
    assert [await same() for _ in range(3)] == [first] * 3
    await limited.call(UNLOCK, device_id=door)
    assert (await limited.ask("POST", UNLOCK, {"device_id": door})).status == 429
    limited.speak_for(limited.house.engine)
    assert await same() == first


async def test_a_batch_is_accepted_whole_or_counts_nothing(limited: Wire):
    """With one too many in it no command is accepted, and the others are not counted."""
    door = await limited.door("Storage Room")

    def commands(count: int) -> list[Any]:
        return [{"path": UNLOCK, "parameters": {"device_id": door}}] * count

    refused = await limited.ask("POST", BATCH, {"commands": commands(3)})
    assert (refused.status, refused.error["type"]) == (400, "batch_refused")
    assert "rate_limited" in refused.content.decode()
    await limited.call(BATCH, commands=commands(2))
    assert (await limited.ask("POST", UNLOCK, {"device_id": door})).status == 429


async def test_codes_are_counted_when_they_are_asked_for(limited: Wire):
    """Making, changing and deleting codes have limits of their own; programming them later has none."""
    door = await limited.door()
    codes = []
    for pin in ("4711", "4712"):
        made = await limited.call("/access_codes/create", device_id=door, code=pin)
        codes.append(made["access_code"]["access_code_id"])
    asks: list[tuple[str, dict[str, Any]]] = [
        ("/access_codes/create", {"device_id": door, "code": "4713"}),
        ("/access_codes/create_multiple", {"device_ids": [door], "code": "4713"}),
    ]
    for path, ask in asks:
        assert refusal(await limited.ask("POST", path, ask))[:2] == (429, "rate_limited"), path
    for path, more in (("update", {"name": "Jane"}), ("delete", {})):
        await limited.call(f"/access_codes/{path}", access_code_id=codes[0], **more)
        ask = {"access_code_id": codes[1], **more}
        assert refusal(await limited.ask("POST", f"/access_codes/{path}", ask))[:2] == (429, "rate_limited")
    await limited.house.clock.advance(seconds(30))
    assert (await limited.call("/access_codes/get", access_code_id=codes[1]))["access_code"][
        "status"
    ] == "set"


async def test_a_sandbox_has_no_limits_unless_it_is_said(wire: Wire):
    """Where virtual devices are spared, as by default, one may ask as often as one likes."""
    wire.house.pace = Pace(LIMITS, ("virtual",), wire.house.clock)
    await wire.house.revive()
    wire.speak_for(wire.house.engine)
    door = await wire.door("Storage Room")
    for _ in range(30):
        await wire.call(UNLOCK, device_id=door)


async def test_what_is_long_ago_is_forgotten(limited: Wire, monkeypatch):
    """Very many devices that were asked once do not fill the memory; whoever counts still counts."""
    monkeypatch.setattr(pace, "_MANY", 3)
    kept, limits = limited.house.pace, limited.house.pace
    assert kept is limits is not None
    devices = await limited.house.store.every_device()
    for device in devices:
        limits.take("LOCK_DOOR", device)
        await limited.house.clock.advance(25 * SECOND)
    assert len(limits._asked) <= 4


@pytest.mark.parametrize("wrong", ["UNLOCK_DOOR", "UNLOCK_DOOR=", "UNLOCK_DOOR=0", "X=-1", "=5", "A=1;B=2"])
def test_limits_that_cannot_be_read_are_refused(wrong: str):
    """The setting says what it should look like."""
    with pytest.raises(ValueError, match="write UNLOCK_DOOR=15"):
        read_limits(wrong)


def test_limits_are_read():
    """By action type, with spaces where one likes; nothing is no limit."""
    read: Callable[[str], dict[str, int]] = read_limits
    assert read(" LOCK_DOOR=15, UNLOCK_DOOR=2,") == {"LOCK_DOOR": 15, "UNLOCK_DOOR": 2}
    assert read("") == {}
