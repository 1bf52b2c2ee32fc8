"""The driver ``zwave_js`` and locks whose memory is odd: hidden, disabled, huge, or taken in anew."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest

from tests.contract.zwave_honesty import memory, slot
from tests.fixtures.zwave_home import PLAIN, SUPERVISED, FakeHome
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import CommandRefused, OutcomeUnknown
from thumbturn.domain.ids import new_id
from thumbturn.drivers.zwave_js.codec import CC, node_of
from thumbturn.drivers.zwave_js.locks import details_of
from thumbturn.engine.code_slots import CodeSlots


@pytest.fixture
async def home():
    """A home whose hub is a fake."""
    it = FakeHome()
    await it.open()
    yield it
    await it.close()


@pytest.mark.parametrize("address", [SUPERVISED, PLAIN])
async def test_a_change_that_a_hiding_lock_refuses_is_not_there(home: FakeHome, address: str):
    """A lock that shows stars and refuses a new PIN is not believed to hold it, now or later."""
    node = home.hub.nodes[int(address)]
    node.shows_codes = False
    node.codes[3] = "2222"
    keypad, place = await memory(home, address), new_id()
    await keypad.set_code(place, slot(home, "1111", "A", address))
    changed = slot(home, "2222", "A", address)
    with pytest.raises(CommandRefused) if address == SUPERVISED else nullcontext():
        await keypad.set_code(place, changed)
    for holds in (await keypad.read_codes(), await keypad.fetch_codes()):
        assert holds is not None
        assert place not in holds or not holds[place].is_like(changed)
    assert "1111" not in node.codes.values()
    await keypad.set_code(place, slot(home, "3333", "A", address))
    holds = await keypad.fetch_codes()
    assert holds is not None
    assert holds[place].is_like(slot(home, "3333", "A", address))
    assert sorted(node.codes.values()) == ["2222", "3333"]


async def test_a_hiding_lock_that_cannot_be_emptied_keeps_its_former_code(home: FakeHome):
    """If the former code cannot be taken out, no new one is written, and the former is what is there."""
    node = home.hub.nodes[4]
    node.shows_codes = False
    keypad, place = await memory(home, PLAIN), new_id()
    former = slot(home, "1111", "A", PLAIN)
    await keypad.set_code(place, former)
    node.fault = "reject"
    with pytest.raises(CommandRefused, match="still holds"):
        await keypad.set_code(place, slot(home, "2222", "A", PLAIN))
    node.fault = ""
    holds = await keypad.fetch_codes()
    assert holds is not None
    assert holds[place].is_like(former)
    assert list(node.codes.values()) == ["1111"]


@pytest.mark.parametrize("is_shown", [True, False])
async def test_a_disabled_code_lets_nobody_in(home: FakeHome, is_shown: bool):
    """A slot whose code is disabled is used, and does not hold what was written there."""
    node = home.hub.nodes[2]
    node.shows_codes = is_shown
    keypad, place = await memory(home), new_id()
    written = slot(home, "4711")
    await keypad.set_code(place, written)
    node.statuses[8] = 2
    holds = await keypad.fetch_codes()
    assert holds is not None
    assert place in holds
    assert not holds[place].is_like(written)
    node.statuses[8] = 254
    assert await keypad.fetch_codes() is None


async def test_a_slot_that_is_not_available_is_not_taken(home: FakeHome):
    """Of slots of which the lock does not say what they hold none is written, and the others are read."""
    node = home.hub.nodes[2]
    node.statuses[8] = 254
    keypad, place = await memory(home), new_id()
    await keypad.set_code(place, slot(home, "4711"))
    assert node.codes == {7: "4711"}
    holds = await keypad.fetch_codes()
    assert holds is not None
    assert holds.keys() == {place}


async def test_a_lock_that_is_renamed_while_a_code_is_written_knows_where_it_is(home: FakeHome):
    """A code that is written while its lock is taken in anew is found by whoever deletes it."""
    node, place = home.hub.nodes[4], new_id()
    await home.hub._radio.acquire()
    writing = home.soon((await memory(home, PLAIN)).set_code(place, slot(home, "4711", None, PLAIN)))
    await home.pass_time(0.1)
    node.name = "Cellar"
    home.hub.update(4, 119, "name", node.name)
    await home.until(lambda: home.device(PLAIN).name == "Cellar")
    home.hub._radio.release()
    await home.until(writing.done)
    assert list(node.codes.values()) == ["4711"]
    await home.all_online()
    await (await memory(home, PLAIN)).clear_code(place)
    assert node.codes == {}


async def test_whose_slot_it_is_is_on_record_before_it_is_written(home: FakeHome, monkeypatch):
    """Nothing goes into a lock while a crash would forget where it is; not at all if that takes too long."""
    node, apply = home.hub.nodes[2], home.store.apply
    disk: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def once_there_is_a_disk(change):
        await disk
        return await apply(change)

    monkeypatch.setattr(home.store, "apply", once_there_is_a_disk)
    keypad, place = await memory(home), new_id()
    writing = home.soon(keypad.set_code(place, slot(home, "4711")))
    await home.pass_time(10)
    assert isinstance(writing.exception(), OutcomeUnknown)
    assert node.codes == {}
    writing = home.soon(keypad.set_code(place, slot(home, "4711")))
    await home.pass_time(5)
    assert node.codes == {}
    disk.set_result(None)
    await home.until(writing.done)
    assert writing.result() is Evidence.DEVICE_ACCEPTED
    assert list(node.codes.values()) == ["4711"]


async def test_nothing_known_of_a_code_is_no_proof_that_it_is_gone(home: FakeHome):
    """A code of which no slot is known is gone if the lock says what it holds, and unknown if it does not."""
    keypad, node = await memory(home), home.hub.nodes[2]
    node.codes[1] = "4711"
    await keypad.clear_code(new_id())
    holds = await keypad.read_codes()
    assert holds is not None
    assert holds.keys() == {"slot-1"}
    node.fault = "ack_only"
    clearing = home.soon(keypad.clear_code(new_id()))
    await home.until(clearing.done)
    assert isinstance(clearing.exception(), OutcomeUnknown)


async def test_a_large_lock_is_not_asked_for_each_slot(home: FakeHome):
    """A lock is asked for our slots, those known to be used, and on until five in a row are empty."""
    node = home.hub.nodes[2]
    keypad, place = await memory(home), new_id()
    await keypad.set_code(place, slot(home, "4711"))
    before = node.asked
    holds = await keypad.fetch_codes()
    assert holds is not None
    assert holds.keys() == {place}
    assert node.asked - before == 5 + 1
    node.codes[1] = "1111"
    node.codes[6] = "6666"
    home.hub.update(2, 99, "userIdStatus", 1, 7)
    await home.pass_time(0.1)
    before = node.asked
    holds = await keypad.fetch_codes()
    assert holds is not None
    assert holds.keys() == {place, "slot-1", "slot-6"}
    assert node.asked - before == 8


def test_nobody_s_lock_has_slots_without_end():
    """Whatever a hub claims, a lock has a thousand slots at most; also if it is on record already."""
    keys = (-1, 0, 1, 9_007_199_254_740_991, 65_536, 40_000)
    values = [
        {"commandClass": 99, "endpoint": 0, "property": "userIdStatus", "propertyKey": key} for key in keys
    ]
    node = node_of({"nodeId": 2, "ready": True, "values": values})
    assert node is not None
    assert node.keys(CC.USER_CODE, "userIdStatus") == [1, 40_000]
    assert details_of(node)["max_active_codes_supported"] == 1_000
    assert len(CodeSlots(None, 9_007_199_254_740_991).free(())) == 1_000
