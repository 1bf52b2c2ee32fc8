"""Whatever comes from a broker, a hub's link lives, and nothing is said of a lock that was not heard."""

from __future__ import annotations

import asyncio
import json
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.zigbee2mqtt import BASE, COORDINATOR
from tests.fixtures.zigbee_devices import FakeDevice
from thumbturn.domain.device import Device, Observation
from thumbturn.domain.hub import Hub
from thumbturn.drivers.zigbee2mqtt.bolt import BoltStory
from thumbturn.drivers.zigbee2mqtt.codec import LONGEST, BridgeInfo, Devices, heard
from thumbturn.drivers.zigbee2mqtt.exposes import LOCK_TYPE, found_in
from thumbturn.drivers.zigbee2mqtt.hub import ZigbeeHub
from thumbturn.drivers.zigbee2mqtt.link import Message, connected
from thumbturn.drivers.zigbee2mqtt.locks import ZigbeeLock
from thumbturn.engine.pins import new_pins
from thumbturn.engine.taps import NOBODY
from thumbturn.testing.clock import FakeClock

LOCK = FakeDevice(1, "front_door", is_lock=True)
DESCRIBED = [LOCK.described(), FakeDevice(2, "hall", is_lock=False).described()]
WORDS = [
    "state", "lock_state", "action", "action_user", "action_source_name", "battery", "LOCK", "UNLOCK",
    "locked", "unlocked", "not_fully_locked", "unlock", "lock", "keypad", "rf", "message", "level", "error",
    "online", "offline", "version", "coordinator", "ieee_address", "friendly_name", "definition", "exposes",
    "endpoints", "clusters", "input", "closuresDoorLock", "features", "access", "property", "type", "climate",
]  # fmt: skip
TOPICS = [
    "front_door", "hall", "front_door/availability", "bridge/state", "bridge/info", "bridge/devices",
    "bridge/logging", "bridge/event", "front_door/set", "", "/", "bridge/",
]  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=20),
    lambda each: (
        st.lists(each, max_size=4)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), each, max_size=5)
    ),
    max_leaves=12,
)
payloads = st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode())
sayings = st.tuples(st.sampled_from(TOPICS) | st.text(max_size=20), payloads)

#: What a lock may really say.
states = st.sampled_from(
    [{"state": "LOCK", "lock_state": "locked"}, {"state": "UNLOCK", "lock_state": "unlocked"}]
)
events = st.sampled_from(
    [
        {},
        {"action": "unlock", "action_source_name": "keypad", "action_user": 3},
        {"action": "lock", "action_source_name": "manual"},
        {"action": "lock", "action_source_name": "rf"},
        {"action": "auto_lock", "action_source_name": "manual"},
    ]
)
of_the_lock = st.tuples(states, events).map(
    lambda both: ("front_door", json.dumps({**both[0], **both[1]}).encode())
)


@given(st.text(max_size=40), payloads)
@settings(max_examples=300, deadline=None)
def test_no_message_is_too_odd(topic, payload):
    """Any bytes below any topic are understood, or nothing; they never break anything."""
    heard(BASE, f"{BASE}/{topic}", payload)
    for each in TOPICS:
        heard(BASE, f"{BASE}/{each}", payload)


@given(json_values)
@settings(max_examples=300, deadline=None)
def test_no_description_is_too_odd(value):
    """A device that is described in any odd way is taken as it should be, or not at all."""
    if isinstance(value, dict):
        found_in(value)
        BoltStory().told(value)
    for described in DESCRIBED:
        for key in described:
            found = found_in({**described, key: value})
            assert found is None or (found.address and found.name)
        for key in described["definition"]:
            found_in({**described, "definition": {**described["definition"], key: value}})


@given(json_values | st.just([]) | st.just({}))
@settings(max_examples=30, deadline=None)
def test_no_feature_is_too_odd(value):
    """Whatever stands in one part of one feature of a device, the device is taken or it is not."""
    for described in deepcopy(DESCRIBED):
        for exposed in described["definition"]["exposes"]:
            for part in (exposed, *exposed.get("features", ())):
                for key, before in list(part.items()):
                    part[key] = value
                    found_in(described)
                    part[key] = before


def test_what_is_too_long_or_too_deep_is_not_looked_at():
    """A message of megabytes, or nested a million deep, is none; a number of a million digits neither."""
    for payload in (b"[" * 1_000_000, b'{"state":' * 100_000, b'{"state": ' + b"1" * 1_000_000 + b"}"):
        assert heard(BASE, f"{BASE}/front_door", payload) is None
    assert heard(BASE, f"{BASE}/front_door", b'{"a": "' + b"x" * LONGEST + b'"}') is None


class Listening:
    """A hub that is told messages without a broker, and what it has observed of its lock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.seen: list[Observation] = []
        hub = Hub("account", "workspace", COORDINATOR, {"url": "mqtt://127.0.0.1", "base_topic": BASE})
        self.hub = ZigbeeHub(
            hub, lambda _: None, self.seen.append, clock=self.clock, connect=connected, ear=NOBODY
        )
        device = Device(
            id="lock", workspace_id="workspace", connected_account_id="account", driver="zigbee2mqtt",
            address=LOCK.ieee, device_type=LOCK_TYPE, name="front_door",
            capabilities=frozenset({"lock", "battery"}),
            state={"online": True, "locked": True},
        )  # fmt: skip
        self.lock = ZigbeeLock(device, self.hub, self.seen.append, new_pins())
        self.hub.attach(device, self.lock)
        self.hub._life._stood_since = 0  # its link stands
        self.hear("bridge/devices", json.dumps(DESCRIBED).encode())

    def hear(self, topic: str, payload: bytes, *, is_retained: bool = False) -> None:
        self.hub._take(Message(f"{BASE}/{topic}", payload, is_retained))

    async def end(self) -> None:
        await self.clock.advance(60_000_000)
        await self.hub.stop()


@given(st.lists(sayings | of_the_lock, max_size=25), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_link_outlives_whatever_is_said(said, is_retained):
    """Odd, late, doubled, in any order: only the hub's own word that it has gone ends the link."""

    async def run() -> None:
        listening = Listening()
        for topic, payload in said:
            about = heard(BASE, f"{BASE}/{topic}", payload)
            if getattr(about, "is_online", True) is False and topic == "bridge/state":
                continue
            if isinstance(about, Devices | BridgeInfo):
                continue  # else the lock may be gone, or its network another one
            listening.hear(topic, payload, is_retained=is_retained)
        listening.hear("front_door", b'{"state": "LOCK", "lock_state": "locked"}')
        listening.hear("front_door", b'{"state": "UNLOCK", "action": "unlock", "action_source_name": "rf"}')
        assert listening.seen[-1].changes["locked"] is False
        await listening.end()

    asyncio.run(run())


@given(st.lists(of_the_lock, max_size=12), st.data())
@settings(max_examples=150, deadline=None)
def test_doubled_messages_tell_nothing_twice(said, data):
    """Each message that comes again at once brings no other move than it brought the first time."""

    def moves(messages: list[tuple[str, bytes]]) -> list[Any]:
        story, told = BoltStory(), []
        for _, payload in messages:
            told += [what for what in story.told(json.loads(payload)) if "action" not in json.loads(payload)]
        return told

    doubled = [each for one in said for each in [one] * data.draw(st.integers(1, 3))]
    assert moves(doubled) == moves(said)


def test_a_hub_describes_itself_as_the_fake_has_it():
    """What is tried here is what a hub says: its lock and its thermostat are found in it."""
    said = heard(BASE, f"{BASE}/bridge/devices", json.dumps(DESCRIBED).encode())
    assert isinstance(said, Devices)
    assert [found.address for each in said.described if (found := found_in(each))] == [
        LOCK.ieee,
        DESCRIBED[1]["ieee_address"],
    ]
    assert heard(
        BASE,
        f"{BASE}/bridge/info",
        json.dumps({"version": "2", "coordinator": {"ieee_address": COORDINATOR}}).encode(),
    )
