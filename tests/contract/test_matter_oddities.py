"""The driver ``matter`` and what real hubs seldom say: pretended nodes, other networks, odd locks."""

from __future__ import annotations

from random import Random

import pytest

from tests.contract.matter_honesty import done, memory, slot, why
from tests.fixtures.matter import FakeHub
from tests.fixtures.matter_home import AT_KEYPAD, BACK_DOOR, BY_HAND, FRONT_DOOR, ROOM, FakeHome
from tests.fixtures.matter_nodes import FakeCode
from thumbturn.domain.capabilities.lock import AutoLock
from thumbturn.domain.clock import seconds
from thumbturn.domain.errors import Refusal
from thumbturn.domain.failures import CommandRefused, NoSpaceOnDevice, OutcomeUnknown
from thumbturn.domain.ids import new_id
from thumbturn.drivers.matter.driver import MatterDriver
from thumbturn.engine.pins import new_pins
from thumbturn.testing.clock import FakeClock

MOVES = ("lock.locked", "lock.unlocked")
FAULTS = ("", "", "jam", "reject", "lazy", "motor", "jam_late", "deaf", "dead")


@pytest.fixture
async def home():
    """A home whose hub is a fake."""
    it = FakeHome()
    await it.open()
    yield it
    await it.close()


async def test_a_node_that_a_server_only_pretends_to_have_is_not_taken(home: FakeHome):
    """A server says yes to every command to such a node, and there is no door."""
    state = home.hub.nodes[1].state()
    home.hub.tell("node_added", {**state, "node_id": 900_001})
    home.hub.tell("node_added", {**state, "node_id": 7})
    await home.pass_time(1)
    assert {each.address for each in home.devices()} == {FRONT_DOOR, BACK_DOOR, ROOM, "7/1"}


async def test_another_network_at_the_address_is_another_home(home: FakeHome):
    """What answers at the address with another fabric has other doors: nothing is sent to them."""
    home.hub.stop()
    home.hub.fabric = 0xBAD
    home.hub.start()
    await home.pass_time(120)
    asked = home.node().asked
    assert why(await home.run("UNLOCK_DOOR")) == "device_offline"
    assert home.node().asked == asked
    assert not any(each.online for each in home.devices())


async def test_nodes_come_go_and_are_renamed(home: FakeHome):
    """What is added, removed or renamed at the hub is so here within a moment, behind bridges too."""
    home.hub.put(1, "0/40/5", "Front\u202eDoor")
    await home.pass_time(2)
    assert home.device().name == "Front\N{REPLACEMENT CHARACTER}Door"
    behind = {
        path.replace("1/", "4/", 1): value
        for path, value in home.node().attributes.items()
        if path[:2] == "1/"
    }
    state = {**home.hub.nodes[1].state(), "attributes": {**behind, "4/57/5": "Shed", "0/40/5": "Bridge"}}
    home.hub.tell("node_added", {**state, "node_id": 9})
    await home.pass_time(1)
    assert home.device("9/4").name == "Shed"
    home.hub.tell("endpoint_removed", {"node_id": 9, "endpoint_id": 4})
    home.hub.nodes.pop(2)
    home.hub.tell("node_removed", 2)
    await home.pass_time(1)
    assert len(await home.told("device.removed")) == 2


async def test_what_its_server_cannot_reach_is_offline_until_it_was_read(home: FakeHome):
    """A node that its server has lost is offline; back again it is online once it has answered."""
    node = home.node()
    node.is_available = False
    home.hub.tell("node_updated", node.state())
    home.hub.happen(node, 2, lockOperationType=1, operationSource=BY_HAND, credentials=None)
    await home.pass_time(2)
    assert home.device().state["locked"] is True
    assert why(await home.run("UNLOCK_DOOR")) == "device_offline"
    node.is_available, node.attributes["1/257/0"] = True, 2
    home.hub.tell("node_updated", node.state())
    await home.pass_time(0.1)
    assert (home.device().online, home.device().state["locked"]) == (True, False)
    assert len(await home.told("device.disconnected")) == 1


async def test_an_event_that_comes_again_is_no_news(home: FakeHome):
    """What a hub repeats, in whatever order, is one fact."""
    home.hub.turn(1, locked=False, source=BY_HAND)
    said = list(home.node().waiting)
    await home.pass_time(3)
    home.hub.turn(1, locked=True, source=BY_HAND)
    await home.pass_time(3)
    for event in said * 2:
        home.hub.tell("node_event", event)
    home.hub.tell("attribute_updated", [1, "1/257/0", 1])
    await home.pass_time(0.1)
    assert len(await home.told(*MOVES)) == 2
    assert home.device().state["locked"] is True


async def test_a_state_waits_for_who_did_it(home: FakeHome):
    """A state that comes first is told with the operation that follows; to and fro is no fact."""
    home.hub.tell("attribute_updated", [1, "1/257/0", 2])
    home.hub.tell("attribute_updated", [1, "1/257/0", 1])
    await home.pass_time(3)
    assert await home.told(*MOVES) == []
    node = home.node()
    node.attributes["1/257/0"] = 2
    home.hub.tell("attribute_updated", [1, "1/257/0", 2])
    await home.pass_time(0.2)
    home.hub.happen(node, 2, lockOperationType=1, operationSource=BY_HAND, credentials=None)
    await home.pass_time(3)
    assert [each.payload["method"] for each in await home.told(*MOVES)] == ["manual"]


async def test_events_of_any_shape_are_borne(home: FakeHome):
    """What is no number, no list or no mapping where one belongs is nothing, and the next event is heard."""
    node = home.node()
    for odd in ([], {}, None, True, "1", 1.5, 1 << 70):
        for event in range(6):
            names = ["lockOperationType", "operationSource", "operationError", "alarmCode", "lockDataType"]
            names += ["credentials", "userIndex", "dataIndex"]
            home.hub.happen(node, event, **dict.fromkeys(names, odd))
        home.hub.happen(node, 2, lockOperationType=0, operationSource=odd, credentials=[odd], userIndex=odd)
        for path in ("1/257/0", "1/257/3", "1/257/35", "1/47/12", "1/513/28", "1/513/0", "1/514/0", "0/40/5"):
            home.hub.tell("attribute_updated", [1, path, odd])
    await home.pass_time(3)
    assert home.driver.links() == {home.account.id: True}
    home.hub.turn(1, locked=False, source=BY_HAND)
    await home.pass_time(3)
    assert [each.payload["method"] for each in await home.told(*MOVES)] == ["manual"]


async def test_an_operation_that_the_bolt_does_not_bear_out_is_put_right(home: FakeHome):
    """Where an operation is not followed by the state the lock is asked, and that is what counts."""
    fields = {"lockOperationType": 1, "operationSource": 1, "credentials": None}
    home.hub.happen(home.node(), 2, **fields)
    await home.pass_time(0.2)
    assert home.device().state["locked"] is False
    await home.pass_time(4)
    assert home.device().state["locked"] is True


async def test_a_bolt_that_stays_on_its_way_is_stuck(home: FakeHome):
    """A bolt that is neither in nor out is on its way, and stuck after longer than any motor turns."""
    home.hub.put(1, "1/257/0", 0)
    await home.pass_time(5)
    assert not home.device().state.get("jammed")
    await home.pass_time(5)
    assert home.device().state["jammed"] is True
    home.hub.turn(1, locked=True, source=BY_HAND)
    await home.pass_time(3)
    assert home.device().state["jammed"] is False


async def test_a_lock_that_does_not_know_where_its_bolt_is_is_no_success(home: FakeHome):
    """A state that is no state says nothing: such a lock's yes is all that is known."""
    for state in (None, 77, True, "1"):
        home.hub.put(1, "1/257/0", state)
        await home.pass_time(2)
    assert home.device().state["locked"] is True
    assert await home.told(*MOVES) == []


async def test_auto_lock_and_a_door_contact_are_there_where_they_are_offered(home: FakeHome):
    """A lock that can lock itself is set to do so and read back; one with a contact tells of its door."""
    assert home.driver.offer(home.device(), AutoLock) is None
    node = home.node()
    node.attributes |= {"1/257/35": 0, "1/257/3": 1, "1/257/65532": 0x1A1}
    node.cached = dict(node.attributes)
    home.hub.tell("node_updated", node.state())
    await home.pass_time(1)
    assert home.device().capabilities >= {"auto_lock", "door_contact"}
    ended = await home.run("CONFIGURE_AUTO_LOCK", auto_lock_enabled=True, auto_lock_delay_seconds=20)
    assert (why(ended), node.attributes["1/257/35"]) == (None, 20)
    assert home.device().state["auto_lock_delay_seconds"] == 20
    odd = await home.run("CONFIGURE_AUTO_LOCK", auto_lock_enabled=True, auto_lock_delay_seconds=20.5)
    assert (why(odd), node.attributes["1/257/35"]) == ("command_refused", 20)
    home.hub.put(1, "1/257/3", 0)
    await home.pass_time(2)
    assert home.device().state["door_open"] is True


async def test_a_lock_without_users_has_no_codes_here(home: FakeHome):
    """What cannot be written safely is not offered: a lock whose PINs have no users keeps its own."""
    node = home.node()
    node.attributes["1/257/65532"] = 0x81
    node.cached = dict(node.attributes)
    home.hub.tell("node_updated", node.state())
    await home.pass_time(1)
    assert "keypad" in home.device().capabilities
    assert "access_codes" not in home.device().capabilities


async def test_a_full_lock_takes_no_code_and_loses_none(home: FakeHome):
    """When each number is somebody's, no code is written anywhere."""
    node = home.node()
    node.codes = {number: FakeCode(f"{number:04}") for number in range(1, 9)}
    before = dict(node.codes)
    with pytest.raises(NoSpaceOnDevice):
        await done(home, memory(home).set_code(new_id(), slot(home, "4711")))
    assert node.codes == before


async def test_a_code_that_somebody_else_has_changed_is_not_ours_any_more(home: FakeHome):
    """Where another has written since, nobody here knows the PIN: that is noticed, and can be mended."""
    place, written, node = new_id(), slot(home, "4711"), home.node()
    await done(home, memory(home).set_code(place, written))
    await home.pass_time(2)
    assert "codes_touched_at" not in home.device().state
    await home.pass_time(20)
    # Another controller is known by its number, another program of our own by what the lock tells.
    for changer in (1, 2):
        if changer == 1:
            home.hub.plant(1, 8, "2468")
        node.codes[8] = FakeCode("2468", 1, changer)
        await home.pass_time(2)
        assert home.device().state["codes_touched_at"] > 0
        holds = await done(home, memory(home).fetch_codes())
        assert not holds[place].is_like(written)
        await done(home, memory(home).set_code(place, written))
        assert (await done(home, memory(home).fetch_codes()))[place].is_like(written)
        assert await home.codes(FRONT_DOOR) == {8: "4711"}
        await home.pass_time(20)


async def test_another_s_code_in_the_place_of_ours_is_neither_overwritten_nor_cleared(home: FakeHome):
    """Ours was taken out, and somebody has put his there: ours goes elsewhere, and his stays."""
    place, node = new_id(), home.node()
    await done(home, memory(home).set_code(place, slot(home, "4711")))
    node.codes[8] = FakeCode("7777")
    await done(home, memory(home).set_code(place, slot(home, "4712")))
    assert await home.codes(FRONT_DOOR) == {8: "7777", 7: "4712"}
    node.codes[7] = FakeCode("8888")
    await done(home, memory(home).clear_code(place))
    assert await home.codes(FRONT_DOOR) == {8: "7777", 7: "8888"}
    assert (await done(home, memory(home).fetch_codes())).keys() == {"slot-7", "slot-8"}


async def test_a_write_without_an_answer_is_found_again(home: FakeHome):
    """A lock that took a code, and whose answer was lost, holds it where it was to be, and there only."""
    place, written = new_id(), slot(home, "4711")
    home.node().fault = "mute"
    with pytest.raises(OutcomeUnknown):
        await done(home, memory(home).set_code(place, written))
    home.node().fault = ""
    await done(home, memory(home).set_code(place, written))
    assert len(await home.codes(FRONT_DOOR)) <= 1
    assert (await done(home, memory(home).fetch_codes()))[place].is_like(written)


async def test_a_new_code_that_is_refused_leaves_none_and_says_so(home: FakeHome):
    """The old code is out before the new one is written: if that is refused, none is there, as is said."""
    place = new_id()
    await done(home, memory(home).set_code(place, slot(home, "4711")))
    await home.plant_code(FRONT_DOOR, 1, "9999")
    with pytest.raises(OutcomeUnknown, match="lost the old code"):
        await done(home, memory(home).set_code(place, slot(home, "9999")))
    assert await home.codes(FRONT_DOOR) == {1: "9999"}
    assert home.node().users == {}


async def test_another_name_is_no_other_code(home: FakeHome):
    """A code that is only called something else now is not written again."""
    place = new_id()
    await done(home, memory(home).set_code(place, slot(home, "4711", "Guest")))
    home.hub.commands.clear()
    named = slot(home, "4711", "Plumber")
    await done(home, memory(home).set_code(place, named))
    assert {each["args"].get("command_name") for each in home.hub.commands} == {"GetCredentialStatus"}
    assert (await done(home, memory(home).fetch_codes()))[place].is_like(named)


async def test_codes_that_are_cleared_elsewhere_are_gone(home: FakeHome):
    """What somebody has taken out of the lock it does not hold; its place can be written again."""
    place = new_id()
    await done(home, memory(home).set_code(place, slot(home, "4711")))
    home.hub.plant(1, 8, None)
    assert await done(home, memory(home).fetch_codes()) == {}
    await done(home, memory(home).set_code(place, slot(home, "4711")))
    assert await home.codes(FRONT_DOOR) == {8: "4711"}


async def test_a_number_that_was_taken_meanwhile_is_not_overwritten(home: FakeHome):
    """Between the question and the writing somebody may be faster: the lock refuses, and his code stays."""
    keypad, node = memory(home), home.node()
    lock = home.driver._things[home.device().id]
    asked = lock.codes._find_free

    async def slow() -> int:
        number = await asked()
        node.codes[number] = FakeCode("7777")
        return number

    lock.codes._find_free = slow
    with pytest.raises(CommandRefused, match="meanwhile"):
        await done(home, keypad.set_code(new_id(), slot(home, "4711")))
    assert node.codes == {8: FakeCode("7777")}
    assert (await done(home, keypad.fetch_codes())).keys() == {"slot-8"}


async def test_codes_of_a_lock_that_does_not_answer_are_unknown(home: FakeHome):
    """A lock that is there and does not say what it holds is not written to, and holds nobody knows what."""
    keypad, place = memory(home), new_id()
    home.node().fault = "deaf"
    with pytest.raises(OutcomeUnknown):
        await done(home, keypad.set_code(place, slot(home, "4711")))
    assert await done(home, keypad.fetch_codes()) is None


async def test_who_entered_a_code_is_known_by_the_user_too(home: FakeHome):
    """A lock that says whose code it was, and not which, is understood as far as its users are known."""
    place = new_id()
    await done(home, memory(home).set_code(place, slot(home, "4711")))
    home.node().says_who_by_user = True
    home.hub.turn(1, locked=False, source=AT_KEYPAD, slot=8)
    await home.pass_time(2)
    [event] = await home.told("lock.unlocked")
    assert event.payload["access_code_id"] == place


async def test_what_a_thermostat_does_not_offer_is_not_sent(home: FakeHome):
    """Modes follow from what the device says that it can do, and limits from what it is set to."""
    node = home.node(ROOM)
    node.attributes |= {"1/513/27": 2, "1/514/1": 5, "1/514/65532": 0}
    node.attributes.pop("1/513/22")
    node.cached = dict(node.attributes)
    home.hub.tell("node_updated", node.state())
    await home.pass_time(1)
    details = home.device(ROOM).details
    assert details["available_hvac_mode_settings"] == ["off", "heat"]
    assert details["available_fan_mode_settings"] == ["on"]
    assert details["max_heating_set_point_celsius"] == 30
    assert why(await home.run("SET_FAN_MODE", ROOM, fan_mode_setting="on")) is None
    assert node.attributes["1/514/0"] == 3
    sent = len(home.hub.commands)
    with pytest.raises(Refusal):
        await home.begin("SET_HVAC_MODE", ROOM, hvac_mode_setting="cool", cooling_set_point_celsius=24)
    assert len(home.hub.commands) == sent


async def test_degrees_that_are_rounded_on_the_way_are_those_that_were_asked_for(home: FakeHome):
    """69 °F are no whole hundredth of a degree Celsius, and confirmed all the same."""
    ended = await home.run(
        "SET_HVAC_MODE", ROOM, hvac_mode_setting="heat", heating_set_point_celsius=(69 - 32) / 1.8
    )
    assert why(ended) is None
    assert home.node(ROOM).attributes["1/513/18"] == 2_056


async def test_a_hub_that_is_none_or_of_another_time_is_said_to_be():
    """What does not say its schemas, or speaks others, cannot be linked, and why is said."""
    clock = FakeClock()
    hub = FakeHub(clock)
    driver = MatterDriver(clock, new_pins(), hub.dial)
    for schema, oldest, says in (
        (8, 5, "can be used"),
        (14, 12, "can be used"),
        (None, 9, "no Matter server"),
    ):
        hub.schema, hub.oldest_schema = schema, oldest  # type: ignore[assignment]
        with pytest.raises(Refusal, match=says):
            await driver.look({"url": "ws://hub:5580/ws"})
    with pytest.raises(Refusal, match="does not answer"):
        await driver.look({"url": "ws://elsewhere:5580/ws"})
    assert hub.sockets == set()


#: Ends that say that the bolt was not moved by the command.
NOT_MOVED = {"command_refused", "lock_jammed", "device_unreachable", "device_offline"}


@pytest.mark.parametrize("seed", range(4))
async def test_no_end_contradicts_the_lock_s_own_log(home: FakeHome, seed: int):
    """Of a hundred commands with faults by chance is said what the lock did, or that nobody knows."""
    chance = Random(seed)
    for _ in range(100):
        address, fault = chance.choice([FRONT_DOOR, BACK_DOOR]), chance.choice(FAULTS)
        node = home.node(address)
        await home.pass_time(chance.choice([0, 0, 11]))
        await home.fault(address, fault)
        before, locked = len(node.log), chance.random() < 0.5
        ended = await home.run("LOCK_DOOR" if locked else "UNLOCK_DOOR", address)
        did = node.log[before:]
        if why(ended) is None:
            assert node.locked is locked, (fault, did)
            assert ended.evidence.confirms
        elif why(ended) in NOT_MOVED:
            assert did == [], (fault, why(ended))
        assert ended.settled_at - ended.accepted_at <= seconds(31)
