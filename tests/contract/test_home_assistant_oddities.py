"""The driver ``home_assistant`` and what hubs seldom say: wrong tokens, slow starts, nonsense."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.home_assistant_honesty import why
from tests.fixtures.home_assistant_home import FRONT, HALL, FakeHome
from thumbturn.domain.errors import Refusal
from thumbturn.domain.evidence import Evidence
from thumbturn.domain.ids import chance
from thumbturn.drivers.home_assistant.codec import (
    Answer,
    Changed,
    appliances_of,
    entries_of,
    facts_of,
    read,
    states_of,
)
from thumbturn.drivers.home_assistant.discovery import found_in
from thumbturn.drivers.home_assistant.house import House
from thumbturn.drivers.home_assistant.link import address_of

MOVES = ("lock.locked", "lock.unlocked")
FAULTS = ("", "", "jam", "reject", "refuse", "silent", "ack_only", "hopeful", "polled", "moving", "dead")


@pytest.fixture
async def home():
    """A home whose hub is a fake."""
    it = FakeHome()
    await it.open()
    yield it
    await it.close()


@pytest.mark.parametrize(
    ("given_url", "is_at"),
    [
        ("http://hub:8123", "ws://hub:8123/api/websocket"),
        ("https://home.example/", "wss://home.example/api/websocket"),
        ("ws://hub:8123/api/websocket", "ws://hub:8123/api/websocket"),
        ("http://supervisor/core/websocket", "ws://supervisor/core/websocket"),
        ("https://home.example/house?x=1", "wss://home.example/house/api/websocket"),
    ],
)
def test_the_address_of_the_page_is_enough(given_url: str, is_at: str):
    """A person gives the address that he sees in his browser."""
    assert address_of({"url": given_url}) == is_at


@pytest.mark.parametrize(
    ("wrong", "type"),
    [
        ({"token": "old"}, "hub_login_refused"),
        ({"url": "http://elsewhere:8123"}, "hub_unreachable"),
        ({"noise_sensors": "sensor.nowhere"}, "hub_not_understood"),
    ],
)
async def test_a_hub_that_cannot_be_linked_says_why(home: FakeHome, wrong, type: str):
    """A wrong token, a wrong address and a sensor that there is not are told apart, and no token is shown."""
    with pytest.raises(Refusal) as refused:
        await home.driver.look({**home.settings(), **wrong})
    assert refused.value.type == type
    assert home.token not in str(refused.value)


async def test_a_token_that_was_taken_away_is_the_cause(home: FakeHome):
    """Devices of a hub that lets nobody in say so, and its login is not tried until it bans us."""
    home.hub.stop()
    home.hub.token = "another"
    home.hub.start()
    await home.pass_time(5)
    tried = [each for each in home.hub.commands if each["type"] == "auth"]
    assert not any(each.online for each in home.devices())
    assert {each.state["offline_because"] for each in home.devices()} == {"account_disconnected"}
    assert len(await home.told("connected_account.disconnected")) == 1
    await home.pass_time(300)
    assert len([each for each in home.hub.commands if each["type"] == "auth"]) == len(tried)


async def test_another_home_at_the_address_is_another_home(home: FakeHome):
    """Another user's or another house's Home Assistant has other doors behind the same names."""
    home.hub.stop()
    home.hub.user = "somebody-else"
    home.hub.start()
    await home.pass_time(120)
    assert why(await home.run("UNLOCK_DOOR")) == "device_offline"
    assert home.hub.things["front_door"].log == []


async def test_a_hub_that_is_still_starting_removes_nobody(home: FakeHome):
    """Entities that are not up yet are still there; they are online once their hub says that it is up."""
    home.hub.stop()
    home.hub.start()
    home.hub.starts = 20
    states, home.hub.states = home.hub.states, {}
    await home.pass_time(10)
    assert not home.device().online
    home.hub.states = states
    await home.pass_time(20)
    await home.all_online()
    assert await home.told("device.removed") == []
    assert len(await home.told("device.added")) == len(home.devices())


async def test_an_integration_that_does_not_come_up_loses_nobody(home: FakeHome):
    """What is in the register and says nothing is offline and not removed, and is found again as it was."""
    home.hub.stop()
    home.hub.start()
    missing = home.hub.states.pop(FRONT)
    await home.until(lambda: home.driver.links()[home.account.id])
    await home.pass_time(5)
    assert (home.device(FRONT).online, home.device(HALL).online) == (False, True)
    assert await home.told("device.removed") == []
    home.hub.put_state(FRONT, missing)
    await home.all_online()


async def test_to_and_fro_within_a_moment_is_no_fact(home: FakeHome):
    """A bolt that is said to have moved and is back within a moment has done nothing that is told."""
    await home.order("hand", "front_door", so={"locked": False})
    await home.pass_time(0.3)
    await home.order("hand", "front_door", so={"locked": True})
    await home.pass_time(5)
    assert await home.told(*MOVES) == []
    assert home.device().state["locked"] is True


async def test_an_integration_that_does_not_look_keeps_its_device_offline(home: FakeHome):
    """What was not read since its hub was connected is not believed, and holds up no other."""
    home.hub.stop()
    home.hub.things["front_door"].fault = "hangs"
    home.hub.start()
    await home.until(lambda: home.device(HALL).online)
    await home.pass_time(20)
    assert home.device(FRONT).online is False
    home.hub.things["front_door"].fault = ""
    await home.all_online()


async def test_degrees_are_sent_in_the_unit_of_the_hub(home: FakeHome):
    """A Home Assistant that counts in °F is told °F, and what it rounds is the success that was asked for."""
    home.hub.stop()
    home.hub.is_fahrenheit = True
    home.hub.start()
    await home.until(lambda: not home.device(HALL).online)
    await home.all_online()
    assert home.device(HALL).state["heating_set_point_celsius"] == 20
    assert home.device(HALL).details["max_heating_set_point_celsius"] == 30
    ended = await home.run("SET_HVAC_MODE", HALL, hvac_mode_setting="heat", heating_set_point_celsius=22.6)
    assert (why(ended), ended.evidence) == (None, Evidence.STATE_REPORT)
    sent = [each for each in home.hub.commands if each.get("service") == "set_temperature"]
    assert sent[-1]["service_data"] == {"temperature": 72.5}
    await home.pass_time(1)
    assert home.device(HALL).state["heating_set_point_celsius"] == 22.6


async def test_a_group_is_no_lock(home: FakeHome):
    """An entity that stands for several locks is no door."""
    attributes = {"entity_id": ["lock.front_door"], "friendly_name": "All doors"}
    home.hub.put_state(
        "lock.all", {"entity_id": "lock.all", "state": "locked", "attributes": attributes, "context": {}}
    )
    await home.pass_time(1)
    assert {each.device_type for each in home.devices() if "All" in each.name} == set()


async def test_lies_and_faults_at_random_bring_no_false_success(home: FakeHome):
    """Whatever goes wrong, a success is what the bolt did, by its own log."""
    draw = chance(7, "faults")
    for _ in range(60):
        await home.fault(FRONT, draw.choice(FAULTS))
        done = len(home.hub.things["front_door"].log)
        locked = draw.random() < 0.5
        before = await home.is_locked(FRONT)
        ended = await home.run("LOCK_DOOR" if locked else "UNLOCK_DOOR")
        log = home.hub.things["front_door"].log[done:]
        if why(ended) is None:
            assert {"locked": locked} in log
        elif why(ended) in {"command_refused", "device_offline", "lock_jammed"}:
            assert (log, await home.is_locked(FRONT)) == ([], before)
        await home.fault(FRONT, "")
        await home.order("hand", "front_door", so={"locked": draw.random() < 0.5})
        await home.pass_time(2)
        await home.all_online()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["id", "type", "event", "event_type", "data", "entity_id", "new_state", "state", "attributes",
             "context", "user_id", "success", "result", "error", "code", "device_id", "friendly_name",
             "unit_of_measurement", "hvac_modes", "fan_modes", "supported_features", "min_temp"]
        ),
        inner | st.sampled_from(["state_changed", "event", "result", "lock.a", "climate.b", "sensor.c"]),
        max_size=6,
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON, JSON, JSON)
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_nonsense_is_nothing(one, two, three):
    """Whatever a hub says, in whatever shape, breaks nothing."""
    read(json.dumps(one))
    read(json.dumps({"type": "event", "event": {"event_type": "state_changed", "data": one}}))
    facts_of(one)
    house = House()
    house.take_register([one, two], [three, {"id": "d", "manufacturer": 5}])
    house.take_states([one, two, {"entity_id": "climate.b", "state": "heat", "attributes": three}])
    house.take_states([{"entity_id": "climate.b", "state": "heat", "attributes": one, "context": two}])
    found_in(house, frozenset({"sensor.c"}), {})
    assert all(isinstance(each.name, str) for each in entries_of([one, two]).values())
    assert all(isinstance(each.model, str) for each in appliances_of([one, two]).values())
    assert all(isinstance(each.value, str) for each in states_of([one, two]).values())


@given(st.text(max_size=200) | st.binary(max_size=60).map(str))
def test_texts_that_are_no_messages_are_nothing(text: str):
    """What is no JSON, or JSON of no kind that is spoken, is nothing."""
    assert read(text) is None


async def test_nonsense_between_messages_ends_no_link(home: FakeHome):
    """A hub that says odd things is listened to further."""
    for odd in ("[", "[" * 100_000, "null", '{"type": "event"}', '{"type": "result", "id": Infinity}'):
        for socket in home.hub.sockets:
            socket.put(odd)
    await home.pass_time(0.5)
    home.hub.tell("state_changed", {"entity_id": "lock.front_door", "new_state": {"entity_id": "lock.other"}})
    await home.pass_time(0.5)
    assert home.driver.links() == {home.account.id: True}
    assert why(await home.run("UNLOCK_DOOR")) is None


def test_an_answer_and_a_change_are_understood():
    """What is spoken is taken in with what counts of it."""
    failed = {"id": 5, "type": "result", "success": False, "error": {"code": "not_found", "message": "No."}}
    assert read(json.dumps(failed)) == Answer(5, is_good=False, result=None, error="not_found", message="No.")
    gone = {"event_type": "state_changed", "data": {"entity_id": "lock.a", "new_state": None}}
    assert read(json.dumps({"id": 1, "type": "event", "event": gone})) == Changed("lock.a", None)
