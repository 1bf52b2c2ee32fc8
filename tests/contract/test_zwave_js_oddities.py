"""The driver ``zwave_js`` and what real hubs seldom say: echoes, other networks, nonsense, hidden codes."""

from __future__ import annotations

import asyncio
import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.zwave_honesty import memory, slot, why
from tests.fixtures.zwave import FakeHub
from tests.fixtures.zwave_home import PLAIN, SUPERVISED, FakeHome
from thumbturn.domain.capabilities.access_codes import CodeMemory
from thumbturn.domain.capabilities.lock import AutoLock
from thumbturn.domain.errors import Refusal
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.failures import NoSpaceOnDevice
from thumbturn.domain.ids import new_id
from thumbturn.drivers.zwave_js.codec import nodes_of, read
from thumbturn.drivers.zwave_js.driver import ZwaveJsDriver, found_at
from thumbturn.engine.pins import new_pins
from thumbturn.testing.clock import FakeClock

MOVES = ("lock.locked", "lock.unlocked")
FAULTS = ("", "", "jam", "reject", "silent", "ack_only", "dead")


@pytest.fixture
async def home():
    """A home whose hub is a fake."""
    it = FakeHome()
    await it.open()
    yield it
    await it.close()


async def test_what_a_hub_sets_by_itself_is_no_evidence(home: FakeHome):
    """An optimistic hub says at once that the bolt is where it was told to go; the lock has said nothing."""
    home.hub.is_optimistic = True
    await home.fault(PLAIN, "jam")
    ended = await home.run("UNLOCK_DOOR", PLAIN)
    assert why(ended) == "lock_jammed"
    assert await home.told("lock.unlocked") == []
    await home.fault(PLAIN, "")
    attempt = await home.begin("UNLOCK_DOOR", PLAIN)
    await home.pass_time(1.0)
    assert (await home.store.attempt("home", attempt.id)).phase.is_final is False
    assert why(await home.end_of(attempt)) is None
    assert len(await home.told("lock.unlocked")) == 1


async def test_another_client_s_command_is_no_move(home: FakeHome):
    """What a hub sets because somebody else has sent a command is not told before the lock has moved."""
    await home.pass_time(5)
    home.hub.update(2, 98, "currentMode", 0)
    await home.pass_time(5)
    assert await home.told(*MOVES) == []
    assert home.device().state["locked"] is True


async def test_an_echo_that_says_that_it_is_one_is_none(home: FakeHome):
    """A value that the hub itself calls its own is not the lock's, whatever comes with it."""
    for name, value in (("boltStatus", "unlocked"), ("currentMode", 0)):
        args = {"commandClass": 98, "endpoint": 0, "property": name, "newValue": value, "source": "driver"}
        home.hub.tell("value updated", 2, args=args)
    await home.pass_time(5)
    assert home.device().state["locked"] is True


async def test_to_and_fro_within_a_moment_is_no_fact(home: FakeHome):
    """Old, new and old again within a moment is nothing that happened."""
    node = home.hub.nodes[2]
    for locked in (True, False, True):
        node.locked = locked
        home.hub._report(node)
    await home.pass_time(5)
    assert await home.told(*MOVES) == []


async def test_a_move_without_a_name_is_told_as_such(home: FakeHome):
    """A lock that reports that it moved and not by what is told a little later, by an unknown method."""
    node = home.hub.nodes[2]
    node.locked = False
    home.hub._report(node)
    await home.pass_time(0.3)
    assert await home.told(*MOVES) == []
    await home.pass_time(1)
    [event] = await home.told(*MOVES)
    assert (event.event_type, event.payload["method"]) == ("lock.unlocked", "unknown")


async def test_the_same_said_twice_is_told_once(home: FakeHome):
    """What a hub repeats, in whatever order, is one fact."""
    home.hub.move(2, locked=False, event=2)
    home.hub.move(2, locked=False, event=2)
    home.hub._report(home.hub.nodes[2])
    await home.pass_time(3)
    assert len(await home.told(*MOVES)) == 1


async def test_another_network_at_the_address_is_another_home(home: FakeHome):
    """Whose stick was changed has other doors behind the same numbers: nothing is sent to them."""
    home.hub.stop()
    home.hub.home_id = 0xBAD
    home.hub.start()
    await home.pass_time(120)
    asked = home.hub.nodes[2].asked
    assert why(await home.run("UNLOCK_DOOR")) == "device_offline"
    assert home.hub.nodes[2].asked == asked
    assert not any(each.online for each in home.devices())


async def test_a_hub_that_has_just_begun_removes_nobody(home: FakeHome):
    """A node that its hub does not know well yet is still there; it is online once it was read."""
    home.hub.stop()
    home.hub.nodes[2].is_ready = False
    home.hub.start()
    await home.pass_time(5)
    assert await home.told("device.removed") == []
    home.hub.nodes[2].is_ready = True
    home.hub.tell("ready", 2, nodeState=home.hub.nodes[2].state())
    await home.pass_time(1)
    assert home.device().capabilities >= {"lock", "access_codes"}


async def test_nodes_come_go_and_are_renamed(home: FakeHome):
    """What is included, excluded or renamed at the hub is so here within a moment."""
    home.hub.nodes[2].name = "Front Door"
    home.hub.update(2, 119, "name", "Front\u202eDoor")
    await home.pass_time(1)
    assert home.device().name == "Front\N{REPLACEMENT CHARACTER}Door"
    gone = home.hub.nodes.pop(4)
    home.hub.say(
        {"type": "event", "event": {"source": "controller", "event": "node removed", "node": {"nodeId": 4}}}
    )
    await home.pass_time(1)
    assert len(await home.told("device.removed")) == 1
    home.hub.nodes[5] = gone
    gone.id = 5
    home.hub.tell("ready", 5, nodeState=gone.state())
    await home.pass_time(2)
    assert home.device("5").online is True


async def test_auto_lock_is_set_where_it_is_offered(home: FakeHome):
    """A lock that can lock itself is set to do so and read back; one that cannot does not offer it."""
    assert home.driver.offer(home.device(), AutoLock) is None
    node = home.hub.nodes[2]
    node.relock = 0
    home.hub.tell("ready", 2, nodeState=node.state())
    await home.pass_time(1)
    ended = await home.run("CONFIGURE_AUTO_LOCK", auto_lock_enabled=True, auto_lock_delay_seconds=20)
    assert (why(ended), node.relock) == (None, 20)
    assert home.device().state["auto_lock_delay_seconds"] == 20
    odd = await home.run("CONFIGURE_AUTO_LOCK", auto_lock_enabled=True, auto_lock_delay_seconds=20.5)
    assert (why(odd), node.relock) == ("command_refused", 20)


async def test_a_lock_that_hides_its_codes_is_believed_to_hold_what_was_written(home: FakeHome):
    """Where a lock shows stars, what was written there is what it holds, as long as something is there."""
    node = home.hub.nodes[2]
    node.shows_codes = False
    node.codes[3] = "5555"
    keypad, place = await memory(home), new_id()
    written = slot(home, "4711", "Guest")
    assert await keypad.set_code(place, written) is Evidence.DEVICE_ACCEPTED
    holds = await keypad.fetch_codes()
    assert holds is not None
    assert holds[place].is_like(written)
    assert holds.keys() == {place, "slot-3"}
    node.codes = {3: "5555"}
    holds = await keypad.fetch_codes()
    assert holds is not None
    assert holds.keys() == {"slot-3"}


async def test_a_full_lock_takes_no_code_and_loses_none(home: FakeHome):
    """When each slot is somebody's, no code is written anywhere."""
    node = home.hub.nodes[2]
    node.codes = {number: f"{number:04}" for number in range(1, 9)}
    before = dict(node.codes)
    with pytest.raises(NoSpaceOnDevice):
        await (await memory(home)).set_code(new_id(), slot(home, "4711"))
    assert node.codes == before


async def test_a_slot_that_somebody_has_taken_meanwhile_is_not_taken(home: FakeHome):
    """What the hub remembers of a slot is not believed: it is asked before it is first written."""
    node = home.hub.nodes[2]
    node.codes[8] = "8888"
    await (await memory(home)).set_code(new_id(), slot(home, "4711"))
    assert node.codes == {8: "8888", 7: "4711"}


async def test_a_code_changed_at_the_keypad_is_noticed(home: FakeHome):
    """Somebody who adds a code at the lock is noticed; what is written from here is not taken for that."""
    await (await memory(home)).set_code(new_id(), slot(home, "4711"))
    await home.pass_time(1)
    assert "codes_touched_at" not in home.device().state
    await home.pass_time(20)
    home.hub.touch_code(2, 1, "2468")
    await home.pass_time(1)
    assert home.device().state["codes_touched_at"] > 0


async def test_a_hub_that_is_none_or_too_old_is_said_to_be():
    """What does not say a version, or speaks an old one, cannot be linked, and why is said."""
    clock = FakeClock()
    hub = FakeHub(clock)
    driver = ZwaveJsDriver(clock, new_pins(), hub.dial)
    for schema, says in ((34, "update it"), (None, "no Z-Wave JS server")):
        hub.schema = schema  # type: ignore[assignment]
        with pytest.raises(Refusal, match=says):
            await driver.look({"url": "ws://hub:3000"})
    with pytest.raises(Refusal, match="does not answer"):
        await driver.look({"url": "ws://elsewhere:3000"})


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
WORDS = {
    "type": st.sampled_from(["event", "result", "version"]) | ANYTHING,
    "messageId": st.sampled_from(["1", "2", "3", "99"]) | ANYTHING,
    "success": st.booleans() | ANYTHING,
    "result": ANYTHING,
    "event": st.fixed_dictionaries(
        {},
        optional={
            "source": st.sampled_from(["node", "controller"]) | ANYTHING,
            "event": st.sampled_from(
                ["value updated", "notification", "dead", "alive", "ready", "node added", "node removed"]
            )
            | ANYTHING,
            "nodeId": st.sampled_from([2, 3, 4, 99]) | ANYTHING,
            "args": st.fixed_dictionaries(
                {},
                optional={
                    "commandClass": st.sampled_from([98, 99, 113, 119, 128, 64, 67, 68]) | ANYTHING,
                    "property": st.sampled_from(["currentMode", "level", "mode", "setpoint", "name"])
                    | ANYTHING,
                    "propertyKey": st.sampled_from([1, 2, "Lock state"]) | ANYTHING,
                    "newValue": ANYTHING,
                    "type": st.just(6) | ANYTHING,
                    "event": st.integers(0, 20) | ANYTHING,
                    "parameters": ANYTHING,
                },
            )
            | ANYTHING,
            "nodeState": ANYTHING,
            "node": ANYTHING,
        },
    )
    | ANYTHING,
}
MESSAGES = (
    st.fixed_dictionaries({}, optional=WORDS).map(json.dumps)
    | st.text(max_size=60)
    | ANYTHING.map(json.dumps)
)


@given(text=MESSAGES)
@settings(max_examples=300, deadline=None)
def test_no_text_is_too_odd_to_be_read(text: str):
    """Whatever a hub says is a message or nothing."""
    read(text)


VALUES = st.fixed_dictionaries(
    {
        "commandClass": st.sampled_from([49, 64, 67, 68, 98, 99, 128]),
        "property": st.sampled_from(
            ["targetMode", "mode", "setpoint", "userIdStatus", "userCode", "doorStatus"]
        ),
        "value": ANYTHING,
    },
    optional={
        "propertyKey": st.sampled_from([1, 2, 3]) | ANYTHING,
        "metadata": st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(("min", "max", "unit", "states", "minLength", "maxLength"), ANYTHING),
        )
        | ANYTHING,
    },
)
NODES = st.fixed_dictionaries(
    {"nodeId": st.integers(1, 9), "ready": st.just(True), "values": st.lists(VALUES, max_size=12) | ANYTHING},
    optional={"name": ANYTHING, "deviceConfig": ANYTHING, "label": ANYTHING},
)


@pytest.mark.parametrize("odd", [[], {}, [255], {"a": 1}], ids=str)
async def test_a_lock_whose_values_are_lists_is_a_lock(home: FakeHome, odd):
    """What a hub remembers of a lock may be of any shape: its door's status and what is in its slots too."""
    state = home.hub.nodes[2].state()
    for value in state["values"]:
        if value["property"] in {"doorStatus", "userIdStatus", "userCode", "currentMode", "level"}:
            value["value"] = odd
    [node] = nodes_of({"nodes": [state]})
    found = found_at(node)
    assert found is not None
    assert "access_codes" in found.capabilities
    assert "door_contact" not in found.capabilities
    home.driver._links[home.account.id].nodes[2] = node
    memory = home.driver.offer(home.device(), CodeMemory)
    assert memory is not None
    reading = home.soon(memory.fetch_codes())
    await home.until(reading.done)
    assert reading.result() == {}


@given(state=ANYTHING | st.fixed_dictionaries({"nodes": ANYTHING | st.lists(NODES, max_size=3)}))
@settings(max_examples=200, deadline=None)
def test_no_state_is_too_odd_to_be_read(state):
    """Whatever a hub describes is nodes or none."""
    for node in nodes_of(state):
        found_at(node)


@given(said=st.lists(MESSAGES, max_size=30))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nonsense_ends_no_link(said: list[str]):
    """A hub that talks nonsense, twice over and in any order, keeps its link, and its locks obey."""

    async def live() -> None:
        home = FakeHome()
        await home.open()
        for text in (*said, *reversed(said)):
            home.hub.say(text)
        await home.pass_time(2)
        assert home.driver.links() == {home.account.id: True}
        await home.pass_time(400)
        # What was said may have been that the lock is dead, or gone: the other hub of the world is the truth.
        home.hub.stop()
        await home.pass_time(1)
        home.hub.start()
        await home.pass_time(60)
        assert why(await home.run("LOCK_DOOR", SUPERVISED)) is None
        await home.close()

    asyncio.run(live())


#: Ends that say that the bolt was not moved by the command.
NOT_MOVED = {"command_refused", "lock_jammed", "device_unreachable", "device_offline"}


@pytest.mark.parametrize("seed", range(4))
async def test_no_end_contradicts_the_lock_s_own_log(home: FakeHome, seed: int):
    """Of a hundred commands with faults by chance is said what the lock did, or that nobody knows."""
    chance = Random(seed)
    for _ in range(100):
        address, fault = chance.choice([SUPERVISED, PLAIN]), chance.choice(FAULTS)
        node = home.hub.nodes[int(address)]
        await home.fault(address, fault)
        before, locked = len(node.log), chance.random() < 0.5
        was = node.locked
        ended = await home.run("LOCK_DOOR" if locked else "UNLOCK_DOOR", address)
        did = node.log[before:]
        if why(ended) is None:
            assert node.locked is locked, (fault, did)
            assert ended.evidence.confirms
        elif why(ended) in NOT_MOVED:
            assert did == [], (fault, why(ended))
            assert node.locked is was
        else:
            assert why(ended) == "outcome_unknown"
        await home.fault(address, "")
        await home.all_online()
        # A bolt that was there already may be confirmed while its motor still runs: that is no later move.
        await home.pass_time(2)
    await home.pass_time(5)
    for address in (SUPERVISED, PLAIN):
        assert home.device(address).state["locked"] is home.hub.nodes[int(address)].locked
